// The live picture: what the camera sees now, mirrored, with a box around each face. One request
// waits for one picture, so the camera sets the pace and an empty view costs next to nothing.
// Nothing is kept: a picture is drawn over the one before and let go of.

const RETRY_MS = 2000;
const STEADY = 2; // pictures that must agree before the words change: no flicker
const UNSAID = "done"; // nothing more to say at this face
const element = (id) => document.getElementById(id);

const canvas = element("picture");
const context = canvas.getContext("2d", { alpha: false });
let number = 0;
let shown = []; // the faces of the last picture
let said = ""; // the state that the words tell of
let seen = ""; // that of the last picture's nearest face
let times = 0;

// People look at a screen as into a mirror: whoever steps to their left expects to see it there.
// The picture is turned here alone; the server's desk and the models see it as the camera does.
function draw(picture) {
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
  }
  context.setTransform(-1, 0, 0, 1, canvas.width, 0);
  context.drawImage(picture, 0, 0);
}

// As `object-fit: cover` shows the canvas: the larger scale counts, the rest is cut off evenly.
function place(box, [left, top, width, height]) {
  const { clientWidth: across, clientHeight: down } = canvas;
  const scale = Math.max(across / canvas.width, down / canvas.height);
  const [shownAcross, shownDown] = [canvas.width * scale, canvas.height * scale];
  const mirrored = 1 - left - width;
  box.style.left = `${(across - shownAcross) / 2 + mirrored * shownAcross}px`;
  box.style.top = `${(down - shownDown) / 2 + top * shownDown}px`;
  box.style.width = `${width * shownAcross}px`;
  box.style.height = `${height * shownDown}px`;
}

function mark(faces) {
  const boxes = element("boxes");
  while (boxes.children.length > faces.length) boxes.lastChild.remove();
  while (boxes.children.length < faces.length) boxes.append(document.createElement("div"));
  faces.forEach(({ box, state }, which) => {
    boxes.children[which].dataset.state = state;
    place(boxes.children[which], box);
  });
}

// The words are about the nearest face, which comes first.
function say(state) {
  times = state === seen ? times + 1 : 1;
  seen = state;
  if (state === said || times < STEADY) return;
  said = state;
  const place = element("advice");
  const words = document.getElementById(`face-${state}`);
  place.dataset.state = state;
  place.replaceChildren(...(words ? [words.content.cloneNode(true)] : []));
}

async function look() {
  const answer = await fetch(`/look?after=${number}`);
  if (answer.status !== 200) {
    leave();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return;
  }
  number = Number(answer.headers.get("picture-number"));
  const faces = JSON.parse(answer.headers.get("picture-faces"));
  const picture = await createImageBitmap(await answer.blob());
  element("view").hidden = false;
  draw(picture);
  picture.close();
  shown = faces;
  mark(faces);
  say(faces[0]?.state ?? UNSAID);
}

function leave() {
  element("view").hidden = true;
  shown = [];
  mark(shown);
  said = seen = "";
  element("advice").replaceChildren();
}

// What is told below changes how high the picture is.
new ResizeObserver(() => mark(shown)).observe(canvas);

for (;;) {
  try {
    await look();
  } catch {
    leave();
    await new Promise((done) => { setTimeout(done, RETRY_MS); });
  }
}

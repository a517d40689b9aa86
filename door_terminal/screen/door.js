// The unit's own page: shows the door's last decision, sends unit and PIN. No framework, no build.

const SHOWN_MS = 6000; // long enough to read a refusal aloud
const POLL_MS = 500;
const element = (id) => document.getElementById(id);

let decisions = -1;
let idle = 0;
let field = element("unit");

function show(message, granted) {
  const place = element("message");
  place.replaceChildren(
    ...["zh-CN", "en"].map((language) => {
      const line = document.createElement("span");
      line.lang = language;
      line.textContent = message[language];
      return line;
    }),
  );
  place.dataset.granted = String(granted);
  clearTimeout(idle);
  idle = setTimeout(rest, SHOWN_MS);
}

function rest(template = cameraWorks() ? "hint" : "hint-pin") {
  const place = element("message");
  place.replaceChildren(element(template).content.cloneNode(true));
  delete place.dataset.granted;
}

const cameraWorks = () => element("camera-lost").hidden;

function reveal(name, wanted) {
  element(name).hidden = !wanted;
}

async function poll() {
  try {
    const state = await (await fetch("/state")).json();
    reveal("link-up", state.link);
    reveal("link-down", !state.link);
    reveal("camera-fine", state.camera === "");
    reveal("camera-lost", state.camera !== "");
    reveal("time-unknown", !state.time_known);
    if (decisions >= 0 && state.decisions > decisions && state.last !== null) {
      show(state.last.message, state.last.granted);
    }
    decisions = state.decisions;
  } catch {
    rest("unreachable");
  }
  setTimeout(poll, POLL_MS);
}

for (const id of ["unit", "pin"]) {
  element(id).addEventListener("focus", (event) => { field = event.target; });
}

element("keys").addEventListener("click", ({ target }) => {
  const key = target.closest("button")?.dataset.key;
  if (key === undefined) return;
  field.value = key === "erase" ? field.value.slice(0, -1) : field.value + key;
  field.focus();
});

element("pad").addEventListener("submit", async (event) => {
  event.preventDefault();
  const entry = { unit: element("unit").value, pin: element("pin").value };
  element("pad").reset();
  const answer = await fetch("/pin", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(entry),
  });
  if (answer.ok) {
    const outcome = await answer.json();
    show(outcome.message, outcome.granted);
  }
});

poll();

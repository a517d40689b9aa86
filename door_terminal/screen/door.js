// The unit's own page: shows the door's last decision, sends unit and PIN. No framework, no build.

const SHOWN_MS = 6000; // long enough to read a refusal aloud
const LEFT_MS = 30000; // whoever has typed nothing for so long has gone; the next one starts afresh
const POLL_MS = 500;
const element = (id) => document.getElementById(id);

let decisions = -1;
let shown = null; // the entry that the screen has told of already
let idle = 0;
let left = 0;
let field = element("unit");
let passed = null; // an offer at whose sight somebody typed: the next person has come
let answering = false;
let readsPasses = false;
let looks = true;
let hasKey = true; // a door whose key is in memory alone waits for it after a start
let readsCards = false;
let presence = "";
let offered = null; // the offer whose text stands on the screen

// `typed`: the answer to whoever stands at the pad, which goes before everything else.
function show({ entry, message, granted, reason }, typed = false) {
  shown = entry || null;
  const place = element("message");
  place.replaceChildren(
    ...["zh-CN", "en"].map((language) => {
      const line = document.createElement("span");
      line.lang = language;
      line.textContent = message[language];
      return line;
    }),
  );
  // Nothing is refused yet where the PIN is asked for as well.
  place.dataset.granted = reason === "second-credential-needed" ? "more" : String(granted);
  place.toggleAttribute("data-typed", typed);
  delete place.dataset.resting;
  delete place.dataset.turn;
  clearTimeout(idle);
  idle = setTimeout(rest, SHOWN_MS);
}

// A face must turn before anything is decided: said over whatever stands there.
function ask(turn) {
  const place = element("message");
  if (place.dataset.turn === turn) return;
  clearTimeout(idle);
  delete place.dataset.granted;
  delete place.dataset.resting;
  place.dataset.turn = turn;
  place.replaceChildren(element(`turn-${turn}`).content.cloneNode(true));
}

function asked() {
  const place = element("message");
  if (!("turn" in place.dataset)) return;
  delete place.dataset.turn;
  rest();
}

// Asked after the opening, never in its way: the pad goes on working beside it.
function offer(renewal) {
  const place = element("renewal");
  if (renewal && renewal.offer !== offered) {
    for (const [language, { title, text }] of Object.entries(renewal.texts)) {
      const part = place.querySelector(`div[lang="${language}"]`);
      if (!part) continue;
      part.querySelector("h2").textContent = title;
      part.querySelector("p").textContent = text;
    }
  }
  offered = renewal?.offer ?? null;
  place.hidden = offered === null || offered === passed;
}

function rest(template = hint()) {
  const place = element("message");
  const said = readsCards && template.startsWith("hint") ? [template, "hint-card"] : [template];
  const resting = said.join(" ");
  if (place.dataset.resting === resting) return; // said once, not twice a second
  place.replaceChildren(...said.map((one) => element(one).content.cloneNode(true)));
  delete place.dataset.granted;
  delete place.dataset.typed;
  place.dataset.resting = resting;
}

function hint() {
  if (!hasKey) return "hint-key";
  const cameraWorks = !element("camera-fine").hidden;
  if (!cameraWorks || presence === "missing") return "hint-pin";
  if (!looks) return readsPasses ? "hint-off-pass" : "hint-off";
  if (presence === "needed") return "hint-press";
  return readsPasses ? "hint-pass" : "hint";
}

function reveal(name, wanted) {
  element(name).hidden = !wanted;
}

async function poll() {
  try {
    const state = await (await fetch("/state")).json();
    document.dispatchEvent(new CustomEvent("door-state", { detail: state }));
    reveal("link-up", state.link);
    // Without its key it does not work on its own.
    reveal("link-down", !state.link && state.key && !state.slow);
    reveal("link-slow", state.slow && state.key);
    reveal("camera-fine", state.camera === "");
    reveal("camera-lost", !["", "camera-none"].includes(state.camera));
    reveal("time-unknown", !state.time_known);
    hasKey = state.key;
    readsPasses = state.passes;
    looks = state.looking !== "off";
    readsCards = state.cards;
    presence = state.presence;
    reveal("fire", state.fire);
    reveal("lockdown", state.locked_down && !state.fire); // a fire opens this door all the same
    reveal("end-fire", !state.burning);
    if (!answering) offer(state.renewal);
    if (state.turn) ask(state.turn);
    else asked();
    if ("resting" in element("message").dataset) rest();
    if (decisions >= 0 && state.decisions > decisions && state.last?.entry !== shown) {
      show(state.last);
    }
    decisions = state.decisions;
  } catch {
    rest("unreachable");
  }
  setTimeout(poll, POLL_MS);
}

function startAfresh() {
  element("pad").reset();
  element("end-fire").reset();
  element("unit").focus();
}

function touched() {
  passed = offered;
  element("renewal").hidden = true;
  clearTimeout(left);
  left = setTimeout(startAfresh, LEFT_MS);
}

for (const id of ["unit", "pin", "staff-pin"]) {
  element(id).addEventListener("focus", (event) => { field = event.target; });
  element(id).addEventListener("input", touched);
}

element("keys").addEventListener("click", ({ target }) => {
  const key = target.closest("button")?.dataset.key;
  if (key === undefined) return;
  field.value = key === "erase" ? field.value.slice(0, -1) : field.value + key;
  field.focus();
  touched();
});

async function send(path, entry, button) {
  startAfresh();
  button?.toggleAttribute("disabled", true);
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(entry),
    });
    if (answer.ok) show(await answer.json(), true);
  } catch {
    rest("unreachable");
  } finally {
    button?.toggleAttribute("disabled", false);
  }
}

element("renewal").addEventListener("click", async ({ target }) => {
  const button = target.closest("button");
  if (!button || offered === null || answering) return;
  const body = {
    offer: offered,
    agreed: button.dataset.agreed === "true",
    language: button.lang || "zh-CN",
  };
  answering = true;
  offer(null);
  try {
    const answer = await fetch("/renewal", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) show(await answer.json());
  } catch {
    rest("unreachable");
  } finally {
    answering = false;
  }
});

element("pad").addEventListener("submit", (event) => {
  event.preventDefault();
  const entry = { unit: element("unit").value.trim(), pin: element("pin").value };
  const missing = ["unit", "pin"].find((id) => entry[id] === "");
  if (missing === undefined) send("/pin", entry, event.submitter);
  else element(missing).focus();
});

element("end-fire").addEventListener("submit", (event) => {
  event.preventDefault();
  const pin = element("staff-pin").value;
  if (pin === "") element("staff-pin").focus();
  else send("/fire/end", { pin }, event.submitter);
});

document.addEventListener("call-begun", () => rest()); // what stood there was for somebody else

startAfresh();
poll();

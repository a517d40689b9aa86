// The call button of the unit's own page: rings at the desk, tells what comes of it.

const place = document.getElementById("call");
const button = document.getElementById("ring");
const words = document.getElementById("call-message");
const left = document.getElementById("call-left");

let ringing = "";

function tell({ call, state, message, left_s }) {
  ringing = state === "ringing" ? call : "";
  place.hidden = message === null;
  if (message === null) return;
  if (place.dataset.state !== state || place.dataset.call !== call) {
    if (ringing && place.dataset.call !== call) document.dispatchEvent(new Event("call-begun"));
    place.dataset.state = state;
    place.dataset.call = call;
    for (const line of words.children) line.textContent = message[line.lang];
  }
  left.textContent = ringing ? String(left_s) : "";
}

async function post(path, body) {
  button.disabled = true;
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) tell(await answer.json());
  } catch {
    // The page's own poll says that the unit is lost.
  } finally {
    button.disabled = false;
  }
}

button.addEventListener("click", () => post("/call", {}));
document.getElementById("call-cancel").addEventListener("click", () => {
  if (ringing) post("/call/cancel", { call: ringing });
});
document.addEventListener("door-state", ({ detail }) => tell(detail.call));

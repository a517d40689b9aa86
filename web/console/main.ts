// The console. Its pages work without this script; with it, forms answer in place, lists renew
// themselves, and what has to be sent on, printed or saved is one button away.

import "htmx.org/dist/htmx.esm.js";

import { copyText, saveText } from "./handing_on";
import { followRinging, showSound } from "./ringing";
import { followShortcuts } from "./shortcuts";
import { showSwitches, turn } from "./switches";
import { startClocks } from "./waiting";

interface Answered extends Event {
  readonly detail: { readonly ctx: { readonly response?: { readonly status: number } } };
}

const SIGNED_OUT = [401, 403];
const FAILED = 500;

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (!button) return;
  if (button.dataset.copy) copyText(button, button.dataset.copy);
  if (button.dataset.save) saveText(button.dataset.save, button.dataset.name ?? "gatehouse.txt");
  if (button.dataset.print !== undefined) window.print();
  if (button.dataset.switch) {
    turn(button.dataset.switch);
    showSound();
  }
});

// A session that ended, or a page that outlived its token: the reload leads to the sign-in.
// A server that failed: what is on the screen stays, and says that it is old.
document.addEventListener("htmx:before:swap", (event) => {
  const status = (event as Answered).detail.ctx.response?.status ?? 0;
  if (SIGNED_OUT.includes(status)) {
    event.preventDefault();
    window.location.reload();
  } else if (status >= FAILED) {
    event.preventDefault();
    showStale(true);
  } else {
    showStale(false);
  }
});
// Nobody looks at a hidden page: it asks for no news until it is seen again, but for who rings.
document.addEventListener("htmx:before:request", (event) => {
  const rings = event.target instanceof Element && event.target.matches("#ringing, .night-live");
  if (document.hidden && !rings) event.preventDefault();
});
document.addEventListener("htmx:error", () => {
  showStale(true);
});
document.addEventListener("htmx:after:request", (event) => {
  const status = (event as Answered).detail.ctx.response?.status ?? FAILED;
  if (status < FAILED) showStale(false);
});
document.addEventListener("htmx:after:swap", settle);

function showStale(stale: boolean): void {
  document.body.classList.toggle("is-stale", stale);
}

/** After an answer: what is new gets the focus, so that screen readers say it, and clocks start. */
function settle(): void {
  const news = document.querySelector<HTMLElement>("[data-focus]");
  news?.removeAttribute("data-focus");
  news?.focus();
  startClocks();
  followRinging();
  showSwitches();
  showSound();
}

// On a phone rooms and tabs are strips: where we are comes into sight.
document.querySelectorAll(".rooms [aria-current], .tabs [aria-current]").forEach((here) => {
  here.scrollIntoView({ block: "nearest", inline: "center" });
});
followShortcuts();
settle();

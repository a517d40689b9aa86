// Times that run out while somebody looks at them.

const TICK_MS = 1000;

/** Start every countdown on the page that does not run yet. */
export function startClocks(): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-until]:not([data-runs])")) {
    place.dataset.runs = "";
    countDown(place, Number(place.dataset.until));
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-wait]")) {
    holdBack(button, Number(button.dataset.wait));
    button.removeAttribute("data-wait");
  }
}

/** Show minutes and seconds until a moment (Unix seconds), then that it is over. */
function countDown(place: HTMLElement, until: number): void {
  const left = Math.max(0, Math.round(until - Date.now() / 1000));
  const seconds = String(left % 60).padStart(2, "0");
  place.textContent =
    left > 0 ? `(${String(Math.floor(left / 60))}:${seconds})` : (place.dataset.over ?? "");
  if (left > 0 && place.isConnected) {
    setTimeout(() => {
      countDown(place, until);
    }, TICK_MS);
  }
}

/** Keep a button from being pressed before the server listens again, counting on its face. */
function holdBack(button: HTMLButtonElement, seconds: number): void {
  const label = button.textContent;
  const tick = (left: number): void => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label} (${String(left)})` : label;
    if (left > 0) setTimeout(tick, TICK_MS, left - 1);
  };
  tick(seconds);
}

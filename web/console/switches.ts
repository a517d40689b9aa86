// What somebody switches off on this computer, remembered by its browser.

const PREFIX = "gatehouse-";

/** Say whether a switch is on. */
export function isOn(name: string): boolean {
  try {
    return localStorage.getItem(PREFIX + name) === "yes";
  } catch {
    return false; // A browser that keeps nothing: as on the first day.
  }
}

/** Turn a switch, and show it on its buttons. */
export function turn(name: string): void {
  try {
    localStorage.setItem(PREFIX + name, isOn(name) ? "no" : "yes");
  } catch {
    return;
  }
  showSwitches();
}

/** Show every switch as it is. */
export function showSwitches(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-switch]")) {
    button.setAttribute("aria-pressed", String(isOn(button.dataset.switch ?? "")));
  }
}

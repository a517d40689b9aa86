// Single keys that a page shows beside what they do. They can be switched off, and mean nothing
// while somebody types (WCAG 2.2, 2.1.4).

import { isOn } from "./switches";

const TYPING = "input:not([type=checkbox], [type=radio], [type=submit]), select, textarea";

/** Listen for the keys that the page's `data-shortcut` name. */
export function followShortcuts(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.repeat || isOn("keys-off")) return;
    const typing = event.target instanceof HTMLElement && event.target.matches(TYPING);
    if (typing) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const place = find(event.key.toLowerCase());
    if (!place) return;
    event.preventDefault();
    place.focus();
    if (place.matches("a, button") && place.dataset.focusOnly === undefined) place.click();
  });
}

function find(key: string): HTMLElement | undefined {
  return [...document.querySelectorAll<HTMLElement>("[data-shortcut]")].find(
    (one) => one.dataset.shortcut === key && one.getClientRects().length > 0,
  );
}

// The parts of a page by name, and speaking both languages in place.

import type { Language } from "./enrollment.ts";
import { currentLanguage, isText, setLanguage, t } from "./texts.ts";

/** The element that answers to a selector; the template has it, or the page is broken. */
export function find<Found extends HTMLElement = HTMLElement>(
  selector: string,
  within: ParentNode = document,
): Found {
  const found = within.querySelector<Found>(selector);
  if (!found) throw new Error(`the page lacks ${selector}`);
  return found;
}

export function part<Found extends HTMLElement = HTMLElement>(name: string): Found {
  return find<Found>(`[data-part="${name}"]`);
}

export function byTestId<Found extends HTMLElement = HTMLElement>(name: string): Found {
  return find<Found>(`[data-testid="${name}"]`);
}

/** Set a text that is said anew, by `say` itself, when the language changes. */
export function keepSaying(element: HTMLElement, say: () => string): void {
  retellings.set(element, say);
  element.textContent = say();
}

/** Like `keepSaying`, for a part that is shown only when it has something to say. */
export function sayOrHide(element: HTMLElement, say: (() => string) | undefined): void {
  element.hidden = !say;
  if (say) keepSaying(element, say);
  else retellings.delete(element);
}

/** Hear that the reader has changed the language. */
export function onLanguage(listener: () => void): void {
  listeners.push(listener);
}

/** Make the language links change the page in place. */
export function offerLanguages(): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>("[data-language]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const chosen: Language = link.dataset["language"] === "en" ? "en" : "zh-CN";
      if (chosen === currentLanguage()) return;
      setLanguage(chosen);
      const secure = location.protocol === "https:" ? "; secure" : "";
      document.cookie = `lang=${chosen}; path=/; max-age=31536000; samesite=lax${secure}`;
      retell();
      for (const listener of listeners) listener();
    });
  }
}

const listeners: (() => void)[] = [];
const retellings = new Map<HTMLElement, () => string>();

function retell(): void {
  const language = currentLanguage();
  document.documentElement.lang = language;
  for (const link of document.querySelectorAll<HTMLElement>("[data-language]")) {
    if (link.dataset["language"] === language) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-t]")) {
    const key = element.dataset["t"] ?? "";
    if (isText(key)) element.textContent = t(key);
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-t-label]")) {
    const key = element.dataset["tLabel"] ?? "";
    if (isText(key)) element.setAttribute("aria-label", t(key));
  }
  for (const [element, say] of retellings) element.textContent = say();
  const title = document.body.dataset["title"] ?? "";
  if (isText(title)) document.title = `${t(title)} · ${find(".estate").textContent}`;
}

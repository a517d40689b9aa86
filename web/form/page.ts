// The page's parts by name, which step is shown, and speaking both languages.

import type { Language } from "./enrollment.ts";
import { currentLanguage, isText, setLanguage, t } from "./texts.ts";

export type Step =
  "loading" | "consents" | "particulars" | "pin" | "photos" | "sending" | "outcome" | "problem";

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

/** Show one step, move the reader there. */
export function showStep(step: Step): void {
  const previous = shown;
  shown = step;
  for (const section of document.querySelectorAll<HTMLElement>("[data-step]")) {
    section.hidden = section.dataset["step"] !== step;
  }
  document.body.dataset["shown"] = step;
  tellStep();
  if (previous !== step) {
    const heading = document.querySelector<HTMLElement>(`[data-step="${step}"] h2`);
    // The first step is where the reader already is: leave them at the page's top.
    if (previous !== "loading") heading?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}

export function shownStep(): Step {
  return shown;
}

/** The steps of this form in their order, for "step 2 of 3". */
export function setRoute(steps: readonly Step[]): void {
  route = steps;
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

let shown: Step = "loading";
let route: readonly Step[] = [];
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
  const kind = document.body.dataset["kind"] === "visitor" ? "visitor" : "resident";
  document.title = `${t(`form.title-${kind}`)} · ${find(".estate").textContent}`;
  tellStep();
}

function tellStep(): void {
  const line = part("steps");
  const at = route.indexOf(shown);
  line.hidden = at < 0;
  if (at >= 0) line.textContent = t("form.step-of", { step: at + 1, steps: route.length });
}

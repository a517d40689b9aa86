// Which step of the form is shown, and which of how many it is.

import { onLanguage, part } from "./speaking.ts";
import { t } from "./texts.ts";

export { byTestId, find, keepSaying, offerLanguages, onLanguage, part, sayOrHide } from "./speaking.ts";

export type Step =
  "loading" | "consents" | "particulars" | "pin" | "photos" | "sending" | "outcome" | "problem";

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

let shown: Step = "loading";
let route: readonly Step[] = [];
onLanguage(tellStep);

function tellStep(): void {
  const line = part("steps");
  const at = route.indexOf(shown);
  line.hidden = at < 0;
  if (at >= 0) line.textContent = t("form.step-of", { step: at + 1, steps: route.length });
}

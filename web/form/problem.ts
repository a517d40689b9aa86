// What keeps the form from working, each in one sentence with what to do about it.

import { byTestId, keepSaying, part, sayOrHide, showStep } from "./page.ts";
import { t } from "./texts.ts";
import { codeOf, problemWords } from "./troubles.ts";

export { Problem } from "./troubles.ts";

// Trying again at once makes sense for these only.
const PASSING = ["offline", "busy", "clock", "unexpected"];

/** Show what went wrong; `again` is what the button does where trying again makes sense. */
export function showProblem(error: unknown, again: () => void): void {
  const code = codeOf(error);
  show(code, {
    ...problemWords(code, error),
    button: PASSING.includes(code) ? () => t("form.try-again") : undefined,
    again,
  });
}

/** Show that the cloud has nothing of the envelope any more; the photos are still here. */
export function showLost(what: "again" | "unanswered", again: () => void): void {
  show(what, {
    title: () => t(`form.sending.${what}-title`),
    advice: () => t(`form.sending.${what}-text`),
    button: () => t("form.sending.again-button"),
    again,
  });
}

interface Words {
  readonly title: () => string;
  readonly advice: () => string;
  readonly button: (() => string) | undefined;
  readonly again: () => void;
}

function show(code: string, words: Words): void {
  byTestId("problem").dataset["problem"] = code;
  keepSaying(part("problem-title"), words.title);
  keepSaying(part("problem-advice"), words.advice);
  const button = byTestId("try-again");
  sayOrHide(button, words.button);
  button.onclick = words.again;
  showStep("problem");
}

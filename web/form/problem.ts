// What keeps the form from working, each in one sentence with what to do about it.

import { CertificateRefused } from "./certificates.ts";
import { isClockMatter } from "./delivery.ts";
import { byTestId, keepSaying, part, sayOrHide, showStep } from "./page.ts";
import { ServiceError } from "./service.ts";
import { isText, t } from "./texts.ts";

/** A problem that the page itself found; `code` is below `form.problem`. */
export class Problem extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

// Trying again at once makes sense for these only.
const PASSING = ["offline", "busy", "clock", "unexpected"];

/** Show what went wrong; `again` is what the button does where trying again makes sense. */
export function showProblem(error: unknown, again: () => void): void {
  const code = codeOf(error);
  const sentence = error instanceof ServiceError && code === "unexpected" ? error.message : "";
  show(code, {
    title: () => (sentence ? t("form.sending.failed-title") : t(keyOf(code))),
    advice: () => sentence || t(keyOf(`${code}-advice`)),
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

function keyOf(code: string) {
  const key = `form.problem.${code}`;
  return isText(key) ? key : "form.problem.unexpected";
}

function codeOf(error: unknown): string {
  if (error instanceof Problem) return error.code;
  if (error instanceof CertificateRefused) return isClockMatter(error) ? "clock" : "root-mismatch";
  if (error instanceof ServiceError) {
    if (["cloud-busy", "rate-limited", "community-full"].includes(error.code)) return "busy";
    return isText(`form.problem.${error.code}`) ? error.code : "unexpected";
  }
  return "unexpected";
}

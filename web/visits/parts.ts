// Small makings of both pages: elements, times, and why something was refused.

import { currentLanguage, isText, t } from "../form/texts.ts";
import type { TextKey } from "../form/texts.ts";
import type { Answer } from "./request.ts";

/** Make an element with text, a class and children. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  options: { text?: string; look?: string; test?: string } = {},
  ...children: readonly Node[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  if (options.text !== undefined) element.textContent = options.text;
  if (options.look) element.className = options.look;
  if (options.test) element.dataset["testid"] = options.test;
  element.append(...children);
  return element;
}

/** A moment in Unix seconds as this phone writes it. */
export function moment(seconds: number): string {
  return new Date(1000 * seconds).toLocaleString(currentLanguage(), {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

/** Why something was refused, in a sentence; undefined where it was not. */
export function refusal(answer: Answer): (() => string) | undefined {
  if (answer.outcome !== "refused") return undefined;
  const code = answer.reason ?? "";
  const key = `visits.reason.${code}`;
  return () => t(isText(key) ? key : ("visits.reason.other" as TextKey), { code });
}

/** A moment as a field of the kind `datetime-local` holds it. */
export function fieldTime(date: Date): string {
  const local = new Date(date.getTime() - 60_000 * date.getTimezoneOffset());
  return local.toISOString().slice(0, 16);
}

/** Unix seconds of such a field; 0 when it is empty. */
export function secondsOf(field: string): number {
  const time = field ? new Date(field).getTime() : Number.NaN;
  return Number.isNaN(time) ? 0 : Math.floor(time / 1000);
}

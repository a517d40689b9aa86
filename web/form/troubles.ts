// What keeps a page from working, each in one sentence with what to do about it.

import { CertificateRefused } from "./certificates.ts";
import { isClockMatter } from "./delivery.ts";
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

export interface Words {
  readonly title: () => string;
  readonly advice: () => string;
}

/** A problem in words: what it is, and what to do about it. */
export function problemWords(code: string, error: unknown): Words {
  const sentence = error instanceof ServiceError && code === "unexpected" ? error.message : "";
  return {
    title: () => (sentence ? t("form.sending.failed-title") : t(keyOf(code))),
    advice: () => sentence || t(keyOf(`${code}-advice`)),
  };
}

function keyOf(code: string) {
  const key = `form.problem.${code}`;
  return isText(key) ? key : "form.problem.unexpected";
}

export function codeOf(error: unknown): string {
  if (error instanceof Problem) return error.code;
  if (error instanceof CertificateRefused) return isClockMatter(error) ? "clock" : "root-mismatch";
  if (error instanceof ServiceError) {
    if (["cloud-busy", "rate-limited", "community-full"].includes(error.code)) return "busy";
    return isText(`form.problem.${error.code}`) ? error.code : "unexpected";
  }
  return "unexpected";
}

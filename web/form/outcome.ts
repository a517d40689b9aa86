// The estate's answer in words: what it means, and the one thing to do next.

import type { Pose } from "./enrollment.ts";
import type { Fault } from "./guidance.ts";
import { byTestId, keepSaying, part, sayOrHide, showStep } from "./page.ts";
import { showReceipt } from "./receipt.ts";
import { isFinal } from "./reply.ts";
import type { Reply } from "./reply.ts";
import { currentLanguage, isText, t } from "./texts.ts";
import type { TextKey } from "./texts.ts";

/** What a "retake" asks for: consents again, the same photos again, or some photos anew. */
export type Remedy =
  | { readonly step: "consents" }
  | { readonly step: "sending" }
  | { readonly step: "photos"; readonly poses: readonly Pose[] };

const SEND_AGAIN = ["key-expired", "image-truncated", "forged"];
const AGREE_AGAIN = ["consent-missing", "consent-changed"];

// With the zone: a visitor's phone may keep another one than the estate.
const UNTIL: Intl.DateTimeFormatOptions = {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
  timeZoneName: "short",
};

export function remedyFor(reply: Reply, sent: readonly Pose[]): Remedy {
  if (AGREE_AGAIN.includes(reply.reason)) return { step: "consents" };
  if (SEND_AGAIN.includes(reply.reason) || sent.length === 0) return { step: "sending" };
  const one = sent[reply.photo] as Pose | undefined;
  return { step: "photos", poses: one ? [one] : sent };
}

export function reasonKey(reply: Reply): TextKey {
  const key = `form.reason.${reply.reason}`;
  return isText(key) ? key : "form.reason.other";
}

/** What to do about a reason; for some the pose that was asked for decides. */
export function reasonAdviceKey(reason: string, pose: Pose | undefined): TextKey {
  const key = `form.reason-advice.${reason}`;
  const ofPose = `${key}-${pose}`;
  if (isText(ofPose)) return ofPose;
  return isText(key) ? key : "form.reason-advice.other";
}

/** A reason in words and, after it, what to do about it. */
export function reasonWithAdvice(reason: Fault, pose: Pose): string {
  const between = currentLanguage() === "en" ? " " : "";
  return t(`form.reason.${reason}`) + between + t(reasonAdviceKey(reason, pose));
}

function adviceFor(reply: Reply, pose: Pose | undefined): TextKey {
  if (reply.reason) return reasonAdviceKey(reply.reason, pose);
  switch (reply.outcome) {
    case "received":
      return "form.outcome.received-advice";
    case "enrolled":
      return reply.pin ? "form.outcome.enrolled-pin-advice" : "form.outcome.enrolled-advice";
    case "erased":
      return "form.outcome.erased-advice";
    default:
      return "form.reason-advice.other";
  }
}

/** At the desk, lead whoever stands by to the photos that wait for them. */
export function showComparison(reply: Reply, envelope: string): void {
  const link = byTestId<HTMLAnchorElement>("compare");
  link.hidden = reply.outcome !== "received";
  link.hash = `name-${envelope}`;
  if (!link.hidden) keepSaying(part("outcome-advice"), () => t("form.outcome.received-at-desk"));
}

/** Show a reply. `retry` is what the button does; undefined shows none. */
export function showOutcome(
  reply: Reply,
  sent: readonly Pose[],
  retry: ((remedy: Remedy) => void) | undefined,
): void {
  const verdict = byTestId("outcome");
  verdict.dataset["outcome"] = reply.outcome;
  verdict.dataset["reason"] = reply.reason;
  keepSaying(part("outcome-title"), () => t(`form.outcome.${reply.outcome}`));
  const reason = reply.reason ? () => t(reasonKey(reply), { code: reply.reason }) : undefined;
  sayOrHide(part("outcome-reason"), reason);
  const about = sent[reply.photo] as Pose | undefined;
  sayOrHide(
    part("outcome-photo"),
    about && (() => t("form.outcome.about-photo", { pose: t(`form.photos.pose-${about}`) })),
  );
  part("outcome-pin").hidden = !reply.pin;
  byTestId("pin").textContent = reply.pin;
  part("outcome-pass").hidden = !reply.pass;
  byTestId<HTMLAnchorElement>("open-pass").hash = reply.pass;
  part("outcome-home").hidden = !reply.home;
  byTestId<HTMLAnchorElement>("open-home").hash = reply.home;
  showReceipt(reply.receipt);
  keepSaying(part("outcome-advice"), () => t(adviceFor(reply, about)));
  // With the final answer the photos are gone from this phone, and nothing more is sent.
  part("promise").hidden = isFinal(reply);
  const until = new Date(1000 * reply.expiresAt);
  const sayUntil = () =>
    t("form.outcome.until", {
      date: until.toLocaleString(currentLanguage(), UNTIL),
    });
  sayOrHide(part("outcome-until"), reply.expiresAt ? sayUntil : undefined);

  const remedy = remedyFor(reply, sent);
  const label = {
    consents: "form.try-again",
    sending: "form.sending.again-button",
    photos: "form.outcome.retake-button",
  } as const;
  const button = byTestId("retry");
  const offer = reply.outcome === "retake" ? retry : undefined;
  sayOrHide(button, offer && (() => t(label[remedy.step])));
  button.onclick = () => offer?.(remedy);
  showStep("outcome");
}

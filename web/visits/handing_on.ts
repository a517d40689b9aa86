// What a visitor is given: the link to hand on, the PIN, and the ways to do it from a phone.

import { byTestId, find, keepSaying, part, sayOrHide } from "../form/speaking.ts";
import { t } from "../form/texts.ts";
import type { Answer } from "./request.ts";

/** The address that a visitor opens; empty where the answer carries none. */
export function visitorLink(answer: Answer, community: string): string {
  if (answer.qr_pass) return `${location.origin}/pass#${answer.qr_pass}`;
  return answer.invitation
    ? `${location.origin}/c/${encodeURIComponent(community)}/visit#${answer.invitation}`
    : "";
}

/** Show what came of an invitation, with the buttons that send its link on. */
export function showHandedOn(answer: Answer, community: string): void {
  const link = visitorLink(answer, community);
  const waits = answer.outcome === "waiting";
  const section = part("done");
  section.hidden = !link && !answer.pin && !waits;
  if (section.hidden) return;
  const text = answer.qr_pass ? "visits.own.done-pass" : "visits.own.done-face";
  const say = waits ? () => t("visits.own.done-waits") : link ? () => t(text) : undefined;
  sayOrHide(part("done-text"), say);
  part("done-link").textContent = link;
  part("done-link").hidden = !link;
  part("done-pin").hidden = !answer.pin;
  byTestId("visitor-pin").textContent = answer.pin ?? "";
  const pinText = answer.qr_pass ? "visits.own.done-pin-pass" : "visits.own.done-pin-face";
  keepSaying(part("done-pin-text"), () => t(pinText, { unit: answer.unit ?? "" }));
  const share = byTestId("share");
  const copy = byTestId("copy");
  share.hidden = !link || !("share" in navigator);
  copy.hidden = !link;
  keepSaying(copy, () => t("visits.own.copy"));
  const estate = find(".estate").textContent ?? "";
  share.onclick = () => {
    // Whoever closes the phone's own sheet has not failed at anything.
    navigator.share({ text: t("visits.own.share-text", { estate }), url: link }).catch(() => undefined);
  };
  copy.onclick = () => {
    navigator.clipboard.writeText(link).then(
      () => keepSaying(copy, () => t("visits.own.copied")),
      () => getSelection()?.selectAllChildren(part("done-link")),
    );
  };
  byTestId("done-close").onclick = () => {
    section.hidden = true;
    part("done-link").textContent = "";
    byTestId("visitor-pin").textContent = "";
  };
  section.focus({ preventScroll: true });
  section.scrollIntoView({ block: "start" });
}

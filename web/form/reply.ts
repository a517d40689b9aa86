// The community's answer: sealed to the key that went with the enrollment, signed by a key
// that the community's root certified. Nothing else ever makes the page say "enrolled".

import type { Bytes } from "./bytes.ts";
import { ReplyRefused, openAnswer } from "./answer.ts";
import type { ReplyQuestion } from "./answer.ts";

export { ReplyRefused } from "./answer.ts";
export type { ReplyQuestion } from "./answer.ts";

export type Outcome = "received" | "enrolled" | "retake" | "refused" | "erased";

export interface Reply {
  readonly number: number;
  readonly outcome: Outcome;
  /** A code, or empty. */
  readonly reason: string;
  /** Index of the photo it is about, or -1. */
  readonly photo: number;
  /** The person's new PIN, or empty. */
  readonly pin: string;
  /** Fragment of the link to the person's new pass, or empty. */
  readonly pass: string;
  /** Fragment of the link to a resident's own page, or empty. */
  readonly home: string;
  /** A signed block that says what became of the photos, or empty. */
  readonly receipt: string;
  /** Unix seconds; 0 when nothing expires. */
  readonly expiresAt: number;
}

/** Say whether no other reply will follow. */
export function isFinal({ outcome }: Reply): boolean {
  return outcome !== "received" && outcome !== "retake";
}

const OUTCOMES: readonly string[] = ["received", "enrolled", "retake", "refused", "erased"];

/** Open and check a reply. Throws SealBroken, CertificateRefused or ReplyRefused. */
export async function openReply(sealed: Bytes, question: ReplyQuestion): Promise<Reply> {
  const fields = await openAnswer(sealed, "reply", question);
  if (!OUTCOMES.includes(String(fields["outcome"]))) {
    throw new ReplyRefused("a reply to something else");
  }
  return {
    number: question.number,
    outcome: fields["outcome"] as Outcome,
    reason: String(fields["reason"]),
    photo: Number(fields["photo"]),
    pin: String(fields["pin"]),
    pass: String(fields["qr_pass"] ?? ""),
    home: String(fields["home"] ?? ""),
    receipt: String(fields["receipt"] ?? ""),
    expiresAt: Number(fields["expires_at"]),
  };
}

// The community's answer: sealed to the key that went with the enrollment, signed by a key
// that the community's root certified. Nothing else ever makes the page say "enrolled".

import { concat, fromBase64url, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { isSignedBy, verifyCertificate } from "./certificates.ts";
import { openSealed } from "./sealing.ts";
import type { KeyPair } from "./sealing.ts";

export type Outcome = "received" | "enrolled" | "retake" | "refused";

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
  /** Unix seconds; 0 when nothing expires. */
  readonly expiresAt: number;
}

/** Say whether no other reply will follow. */
export function isFinal({ outcome }: Reply): boolean {
  return outcome === "enrolled" || outcome === "refused";
}

/** What a sealed reply must be an answer to. */
export interface ReplyQuestion {
  readonly pair: KeyPair;
  readonly root: Bytes;
  readonly community: string;
  readonly envelope: string;
  readonly number: number;
  /** Unix seconds. */
  readonly now: number;
}

export class ReplyRefused extends Error {}

const LABEL = utf8("gatehouse/reply/1\0");
const OUTCOMES: readonly string[] = ["received", "enrolled", "retake", "refused"];

/** Open and check a reply. Throws SealBroken, CertificateRefused or ReplyRefused. */
export async function openReply(sealed: Bytes, question: ReplyQuestion): Promise<Reply> {
  const { pair, root, community, envelope, number, now } = question;
  const plaintext = await openSealed(pair, sealed, {
    community,
    purpose: "reply",
    envelope,
    key: `reply-${number}`,
  });
  const carried = parse(plaintext);
  const data = bytesOf(carried["reply"]);
  const certificate = await verifyCertificate(
    {
      certificate: String(carried["certificate"]),
      signature: String(carried["certificate_signature"]),
    },
    root,
    { community, purpose: "reply", now },
  );
  const signature = bytesOf(carried["signature"]);
  if (!(await isSignedBy(certificate.public, signature, concat(LABEL, data)))) {
    throw new ReplyRefused("forged");
  }
  const fields = parse(data);
  const answersThis =
    fields["version"] === 1 &&
    fields["community"] === community &&
    fields["envelope"] === envelope &&
    fields["number"] === number &&
    OUTCOMES.includes(String(fields["outcome"]));
  if (!answersThis) throw new ReplyRefused("a reply to something else");
  return {
    number,
    outcome: fields["outcome"] as Outcome,
    reason: String(fields["reason"]),
    photo: Number(fields["photo"]),
    pin: String(fields["pin"]),
    pass: String(fields["qr_pass"] ?? ""),
    expiresAt: Number(fields["expires_at"]),
  };
}

function parse(bytes: Bytes): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Falls through: damaged JSON is refused like JSON of another shape.
  }
  throw new ReplyRefused("malformed");
}

function bytesOf(value: unknown): Bytes {
  try {
    return fromBase64url(String(value));
  } catch {
    throw new ReplyRefused("malformed");
  }
}

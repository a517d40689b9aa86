// How the community answers: sealed to the key that went with what was sent, signed by a key that
// the community's root certified. The servers' writer is `tier_link.signed_answers`.

import { concat, fromBase64url, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { isSignedBy, verifyCertificate } from "./certificates.ts";
import { openSealed } from "./sealing.ts";
import type { KeyPair } from "./sealing.ts";

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

/**
 * Open an answer, check that the community wrote it for this question, and return its fields.
 * Throws SealBroken, CertificateRefused or ReplyRefused.
 */
export async function openAnswer(
  sealed: Bytes,
  purpose: "reply" | "visit-answer",
  question: ReplyQuestion,
): Promise<Record<string, unknown>> {
  const { pair, root, community, envelope, number, now } = question;
  const key = `reply-${number}`;
  const carried = parse(await openSealed(pair, sealed, { community, purpose, envelope, key }));
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
  const label = utf8(`gatehouse/${purpose}/1\0`);
  if (!(await isSignedBy(certificate.public, signature, concat(label, data)))) {
    throw new ReplyRefused("forged");
  }
  const fields = parse(data);
  const answersThis =
    fields["version"] === 1 &&
    fields["community"] === community &&
    fields["envelope"] === envelope &&
    fields["number"] === number;
  if (!answersThis) throw new ReplyRefused("a reply to something else");
  return fields;
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

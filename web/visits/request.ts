// What a home's page or a poster asks for, sealed and authenticated, and how its answers open. The
// servers' counterparts are `tier_link.visits` and `tier_link.visit_answers`.

import { openAnswer } from "../form/answer.ts";
import type { ReplyQuestion } from "../form/answer.ts";
import { concat, hmacSha256, toBase64url, utf8 } from "../form/bytes.ts";
import type { Bytes } from "../form/bytes.ts";
import { SUITE_NAME } from "../form/sealing.ts";

export interface Door {
  readonly id: string;
  readonly name: string;
}

export interface Visit {
  readonly visit: string;
  readonly state: "asked" | "approved" | "declined" | "over";
  readonly name: string;
  readonly purpose: string;
  readonly plate: string;
  /** Unix seconds; 0 for at once. */
  readonly valid_from: number;
  readonly valid_until: number;
  readonly doors: readonly string[];
  readonly uses: number;
  readonly entries: number;
  readonly credential: "face" | "pass";
  /** The door at which somebody asked; empty for who was invited. */
  readonly asked_at: string;
  readonly decided_by: "" | "you" | "household" | "desk";
}

export interface Home {
  readonly name: string;
  readonly unit: string;
  readonly time_zone: string;
  readonly desk_decides: boolean;
  readonly doors: readonly Door[];
  readonly visits: readonly Visit[];
  /** Whether the estate keeps a face of the resident's; older estates do not say. */
  readonly face?: boolean;
  /** The signed block for the face that was erased last. */
  readonly receipt?: string;
  /** Ids of consents whose texts have changed, to be agreed to anew, and until when. */
  readonly confirm?: readonly string[];
  readonly confirm_until?: number;
}

export interface Answer {
  readonly number: number;
  readonly outcome: "done" | "waiting" | "approved" | "declined" | "refused";
  readonly reason?: string;
  readonly visit?: string;
  readonly qr_pass?: string;
  readonly invitation?: string;
  readonly pin?: string;
  readonly unit?: string;
  readonly valid_until?: number;
  readonly home?: Home;
}

/** What is asked for; `ask` names it, as the servers' union does. */
export type Asked = { readonly ask: string } & Readonly<Record<string, unknown>>;

const LABEL = utf8("gatehouse/visit/1\0");

/** Write a request, ready to be sealed. */
export async function buildRequest(
  asked: Asked,
  place: {
    readonly community: string;
    readonly envelope: string;
    readonly key: string;
    readonly language: string;
    readonly sentAt: number;
    readonly replyKey: Bytes;
  },
  auth: Bytes,
): Promise<Bytes> {
  const data = utf8(
    JSON.stringify({
      version: 1,
      community: place.community,
      envelope: place.envelope,
      suite: SUITE_NAME,
      key: place.key,
      language: place.language,
      sent_at: place.sentAt,
      reply_key: toBase64url(place.replyKey),
      asked,
    }),
  );
  return concat(await hmacSha256(auth, concat(LABEL, data)), data);
}

/** Open and check an answer. Throws SealBroken, CertificateRefused or ReplyRefused. */
export async function openVisitAnswer(sealed: Bytes, question: ReplyQuestion): Promise<Answer> {
  return (await openAnswer(sealed, "visit-answer", question)) as unknown as Answer;
}

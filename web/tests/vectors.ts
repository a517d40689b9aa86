// The vectors that the servers' tests write and read too: whatever one side seals, signs or
// derives, the other must open, verify and derive alike. Runs in Node and in the browser.

import { fromBase64url, hex, sha256, utf8 } from "../form/bytes.ts";
import { chooseEnvelopeKey, loadRoot, verifyCertificate } from "../form/certificates.ts";
import type { SignedCertificate } from "../form/certificates.ts";
import { buildEnrollment } from "../form/enrollment.ts";
import type { Kind, Language, Particulars, Pose } from "../form/enrollment.ts";
import { readInvitation } from "../form/invitation.ts";
import { openReply } from "../form/reply.ts";
import { PADDED_SIZES, openSealed, seal } from "../form/sealing.ts";
import type { KeyPair } from "../form/sealing.ts";
import { buildRequest, openVisitAnswer } from "../visits/request.ts";
import type { Asked } from "../visits/request.ts";

export interface Vectors {
  readonly invitation: { fragment: string; id: string; auth_hex: string; fingerprint_hex: string };
  readonly certificate: {
    community: string;
    root_public: string;
    now: number;
    not_after: number;
    envelope_public: string;
    certificates: { envelope: SignedCertificate; reply: SignedCertificate };
  };
  readonly enrollment: {
    community: string;
    envelope: string;
    key: string;
    envelope_private: JsonWebKey;
    envelope_public: string;
    reply_public: string;
    auth_hex: string;
    consent_text: string;
    consent_sha256: string;
    manifest: string;
    photos: { pose: Pose; data: string }[];
    plaintext_sha256: string;
    sealed: string;
  };
  readonly reply: {
    root_public: string;
    fingerprint_hex: string;
    reply_private: JsonWebKey;
    now: number;
    expected: {
      community: string;
      envelope: string;
      number: number;
      outcome: string;
      reason: string;
      photo: number;
    };
    sealed: string;
  };
  readonly padding: { sizes: number[] };
  readonly visit: {
    community: string;
    envelope: string;
    key: string;
    sent_at: number;
    envelope_private: JsonWebKey;
    reply_private: JsonWebKey;
    reply_public: string;
    auth_hex: string;
    root_public: string;
    fingerprint_hex: string;
    now: number;
    asked: Asked;
    plaintext_sha256: string;
    sealed: string;
    answer: { number: number; outcome: string; pin: string; unit: string };
    sealed_answer: string;
  };
}

/** A promise and what keeps it; throws when it is broken. */
export type Check = readonly [promise: string, check: () => Promise<void>];

export function checksOf(vectors: Vectors): Check[] {
  const { certificate, enrollment, invitation, padding, reply, visit } = vectors;
  const context = {
    community: enrollment.community,
    purpose: "enrollment",
    envelope: enrollment.envelope,
    key: enrollment.key,
  } as const;
  const question = async (changes: object = {}) => ({
    pair: await pairOf(reply.reply_private),
    root: await loadRoot(reply.root_public, bytesOfHex(reply.fingerprint_hex)),
    community: reply.expected.community,
    envelope: reply.expected.envelope,
    number: reply.expected.number,
    now: reply.now,
    ...changes,
  });
  return [
    [
      "a link's fragment gives the same id and key as on the server",
      async () => {
        const read = await readInvitation(`#${invitation.fragment}`);
        same(read?.id, invitation.id);
        same(read && hex(read.auth), invitation.auth_hex);
        same(read && hex(read.fingerprint), invitation.fingerprint_hex);
      },
    ],
    [
      "a damaged fragment is no invitation",
      async () => {
        const { fragment } = invitation;
        same(await readInvitation(fragment.slice(1)), undefined);
        same(await readInvitation(`${fragment.slice(1)}!`), undefined);
      },
    ],
    [
      "a visit's request is written to the byte as the servers write it, and theirs opens",
      async () => {
        const { community, envelope, key } = visit;
        const place = { community, envelope, key, language: "zh-CN", sentAt: visit.sent_at };
        const replyKey = fromBase64url(visit.reply_public);
        const auth = bytesOfHex(visit.auth_hex);
        const written = await buildRequest(visit.asked, { ...place, replyKey }, auth);
        same(hex(await sha256(written)), visit.plaintext_sha256);
        const pair = await pairOf(visit.envelope_private);
        const context = { community, purpose: "visit", envelope, key } as const;
        const opened = await openSealed(pair, fromBase64url(visit.sealed), context);
        same(hex(await sha256(opened)), visit.plaintext_sha256);
      },
    ],
    [
      "a visit's answer opens, for its own number alone",
      async () => {
        const { community, envelope, now, answer } = visit;
        const sealed = fromBase64url(visit.sealed_answer);
        const ask = async (number: number) =>
          openVisitAnswer(sealed, {
            pair: await pairOf(visit.reply_private),
            root: await loadRoot(visit.root_public, bytesOfHex(visit.fingerprint_hex)),
            community,
            envelope,
            number,
            now,
          });
        const found = await ask(answer.number);
        same(`${found.outcome} ${found.pin} ${found.unit}`, `approved ${answer.pin} ${answer.unit}`);
        same(await ask(answer.number + 1).catch(() => "refused"), "refused");
      },
    ],
    [
      "the padded sizes are the servers'",
      async () => same(String(PADDED_SIZES), String(padding.sizes)),
    ],
    [
      "the root's certificates verify and the envelope key is found among them",
      async () => {
        const root = fromBase64url(certificate.root_public);
        const { community, now, certificates } = certificate;
        const all = [certificates.reply, certificates.envelope];
        const chosen = await chooseEnvelopeKey(all, root, community, now);
        same(hex(chosen.public), hex(fromBase64url(certificate.envelope_public)));
      },
    ],
    [
      "a certificate of another community, purpose, time or root is refused",
      async () => {
        const root = fromBase64url(certificate.root_public);
        const { community, now, certificates, not_after } = certificate;
        const expected = { community, purpose: "reply", now };
        const verify = (changes: object, by = root) =>
          verifyCertificate(certificates.reply, by, { ...expected, ...changes });
        await verify({});
        await refused("certificate-other-community", verify({ community: "other" }));
        await refused("certificate-other-purpose", verify({ purpose: "envelope" }));
        await refused("certificate-expired", verify({ now: not_after }));
        await refused("certificate-not-yet-valid", verify({ now: now - 100_000 }));
        await refused(
          "certificate-forged",
          verify({}, fromBase64url(invitation.fragment).slice(0, 32)),
        );
      },
    ],
    [
      "a root that the link does not name is refused",
      () => refused("root-mismatch", loadRoot(certificate.root_public, utf8("x".repeat(32)))),
    ],
    [
      "an enrollment is written byte for byte as the servers write it",
      async () => {
        const plaintext = await rebuild(enrollment);
        same(hex(await sha256(plaintext)), enrollment.plaintext_sha256);
      },
    ],
    [
      "what a server sealed opens here",
      async () => {
        const pair = await pairOf(enrollment.envelope_private);
        const plaintext = await openSealed(pair, fromBase64url(enrollment.sealed), context);
        same(hex(await sha256(plaintext)), enrollment.plaintext_sha256);
      },
    ],
    [
      "what is sealed here opens in its own context alone",
      async () => {
        const pair = await pairOf(enrollment.envelope_private);
        const plaintext = await rebuild(enrollment);
        const sealed = await seal(fromBase64url(enrollment.envelope_public), plaintext, context);
        same(PADDED_SIZES.includes(sealed.length - 81), true);
        same(hex(await openSealed(pair, sealed, context)), hex(plaintext));
        await refused("seal", openSealed(pair, sealed, { ...context, key: "another" }));
        sealed[sealed.length - 1] ^= 1;
        await refused("seal", openSealed(pair, sealed, context));
      },
    ],
    [
      "a sealed reply opens, verifies and says what the server said",
      async () => {
        const found = await openReply(fromBase64url(reply.sealed), await question());
        const { outcome, reason, photo, number } = reply.expected;
        same(
          JSON.stringify([found.outcome, found.reason, found.photo, found.number]),
          JSON.stringify([outcome, reason, photo, number]),
        );
      },
    ],
    [
      "a reply to another envelope, with another number or from another root is refused",
      async () => {
        const sealed = fromBase64url(reply.sealed);
        await refused("seal", openReply(sealed, await question({ number: 2 })));
        await refused("seal", openReply(sealed, await question({ envelope: "0".repeat(32) })));
        const root = utf8("x".repeat(32));
        await refused("certificate-forged", openReply(sealed, await question({ root })));
      },
    ],
  ];
}

function rebuild(vector: Vectors["enrollment"]) {
  const manifest = JSON.parse(vector.manifest) as {
    kind: Kind;
    language: Language;
    consents: { id: string; version: string; language: string; sha256: string }[];
    particulars: Particulars;
    alternative: "" | "pin";
  };
  const parts = {
    community: vector.community,
    envelope: vector.envelope,
    key: vector.key,
    kind: manifest.kind,
    language: manifest.language,
    consents: manifest.consents,
    photos: vector.photos.map(({ pose, data }) => ({ pose, data: fromBase64url(data) })),
    particulars: manifest.particulars,
    alternative: manifest.alternative,
    replyKey: fromBase64url(vector.reply_public),
  };
  return buildEnrollment(parts, bytesOfHex(vector.auth_hex));
}

async function pairOf(jwk: JsonWebKey): Promise<KeyPair> {
  const algorithm = { name: "ECDH", namedCurve: "P-256" };
  const { d: _, ...open } = jwk;
  return {
    privateKey: await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["deriveBits"]),
    publicKey: await crypto.subtle.importKey("jwk", open, algorithm, true, []),
  };
}

function bytesOfHex(text: string) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function same(found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${String(found)} instead of ${String(expected)}`);
}

async function refused(why: string, promise: Promise<unknown>): Promise<void> {
  const outcome = await promise.then(
    () => "accepted",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  same(outcome, why);
}

// One enrollment as it lies inside its seal:
//
//   length of the manifest (4 bytes, big endian) ‖ manifest (JSON) ‖ MAC (32) ‖ photos
//
// The MAC, under the invitation's `auth`, covers the manifest; the manifest holds the hashes of
// photos and consents. The servers' reader is `tier_link.envelopes`.

import { concat, hex, hmacSha256, sha256, toBase64url, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { SUITE_NAME } from "./sealing.ts";

export type Pose = "front" | "left" | "right";
export type Kind = "resident" | "visitor";
export type Language = "en" | "zh-CN";

export const POSES: readonly Pose[] = ["front", "left", "right"];

/** A consent that was ticked: which text, and the SHA-256 (hex) of what was shown. */
export interface GivenConsent {
  readonly id: string;
  readonly version: string;
  readonly language: string;
  readonly sha256: string;
}

/** What a visitor wrote; bounds as the servers have them, in characters. */
export interface Particulars {
  readonly name: string;
  readonly phone: string;
  readonly visiting: string;
  readonly purpose: string;
  readonly plate: string;
}

export interface Photo {
  readonly pose: Pose;
  readonly data: Bytes;
}

export interface EnrollmentParts {
  readonly community: string;
  readonly envelope: string;
  readonly key: string;
  readonly kind: Kind;
  readonly language: Language;
  readonly consents: readonly GivenConsent[];
  readonly photos: readonly Photo[];
  readonly particulars: Particulars;
  readonly alternative: "" | "pin";
  readonly replyKey: Bytes;
  /** Who consents for somebody under 14; empty where the person does. */
  readonly guardian?: string;
}

const LABEL = utf8("gatehouse/enrollment/1\0");

/** Write an enrollment, ready to be sealed. */
export async function buildEnrollment(parts: EnrollmentParts, auth: Bytes): Promise<Bytes> {
  const photos = await Promise.all(
    parts.photos.map(async ({ pose, data }) => ({
      sha256: hex(await sha256(data)),
      size: data.length,
      pose,
    })),
  );
  const manifest = utf8(
    JSON.stringify({
      version: 1,
      community: parts.community,
      envelope: parts.envelope,
      suite: SUITE_NAME,
      key: parts.key,
      kind: parts.kind,
      language: parts.language,
      sealed_by: "browser",
      consents: parts.consents,
      photos,
      particulars: parts.particulars,
      alternative: parts.alternative,
      reply_key: toBase64url(parts.replyKey),
      // Left out where there is none: an estate of before does not know it.
      ...(parts.guardian ? { guardian: parts.guardian } : {}),
    }),
  );
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, manifest.length);
  const mac = await hmacSha256(auth, concat(LABEL, manifest));
  return concat(length, manifest, mac, ...parts.photos.map((photo) => photo.data));
}

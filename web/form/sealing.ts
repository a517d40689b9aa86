// Sealing to one reader: HPKE (RFC 9180), base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256,
// AES-256-GCM. P-256 because every browser's WebCrypto has it. The counterpart is the
// servers' `tier_link.sealing`; the test vectors are shared.

import * as hpke from "hpke";
import { concat, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";

export const SUITE_NAME = "hpke-p256-sha256-aes256gcm";

/** Sizes a plaintext is padded to: few, so that a size is shared by many. */
export const PADDED_SIZES = [4, 16, 64, 128, 256, 512, 1024, 2048, 4096].map((kib) => kib * 1024);

const ENCAPSULATED_SIZE = 65;

/** What a sealed box is for; it opens in no other place. */
export interface SealContext {
  readonly community: string;
  readonly purpose: "enrollment" | "reply" | "visit" | "visit-answer";
  readonly envelope: string;
  readonly key: string;
}

export type KeyPair = hpke.KeyPair<hpke.CryptoKey>;

export class SealBroken extends Error {}

const suite = new hpke.CipherSuite(
  hpke.KEM_DHKEM_P256_HKDF_SHA256,
  hpke.KDF_HKDF_SHA256,
  hpke.AEAD_AES_256_GCM,
);

function infoOf({ community, purpose, envelope, key }: SealContext): Bytes {
  return utf8(["gatehouse/seal/1", community, purpose, envelope, key].join("\0"));
}

/** ISO/IEC 7816-4: 0x80, then zeros up to the next size. */
function pad(plaintext: Uint8Array): Bytes {
  const size = PADDED_SIZES.find((step) => plaintext.length < step);
  if (size === undefined) throw new RangeError("too much to seal");
  const padded = new Uint8Array(size);
  padded.set(plaintext);
  padded[plaintext.length] = 0x80;
  return padded;
}

function unpad(padded: Uint8Array): Bytes {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end--;
  if (padded[end] !== 0x80) throw new SealBroken("padding");
  return padded.slice(0, end);
}

/** A key pair that replies are sealed to. The private part cannot leave the browser. */
export async function newReplyKey(): Promise<{ pair: KeyPair; publicBytes: Bytes }> {
  const pair = await suite.GenerateKeyPair(false);
  return { pair, publicBytes: new Uint8Array(await suite.SerializePublicKey(pair.publicKey)) };
}

/** Seal to a 65-byte public key; `encapsulated key ‖ ciphertext`. */
export async function seal(
  publicKey: Uint8Array,
  plaintext: Uint8Array,
  context: SealContext,
): Promise<Bytes> {
  const key = await suite.DeserializePublicKey(publicKey);
  const { encapsulatedSecret, ciphertext } = await suite.Seal(key, pad(plaintext), {
    info: infoOf(context),
  });
  return concat(encapsulatedSecret, ciphertext);
}

/** Open what was sealed to `pair`; throws SealBroken when it was not, or not for `context`. */
export async function openSealed(
  pair: KeyPair,
  sealed: Uint8Array,
  context: SealContext,
): Promise<Bytes> {
  let padded: Uint8Array;
  try {
    padded = await suite.Open(
      pair,
      sealed.slice(0, ENCAPSULATED_SIZE),
      sealed.slice(ENCAPSULATED_SIZE),
      { info: infoOf(context) },
    );
  } catch {
    throw new SealBroken("seal");
  }
  return unpad(padded);
}

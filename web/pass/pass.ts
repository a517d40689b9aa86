// What the link to a pass carries: a fixed pass as it is, or a phone's key, which signs a new
// code every 30 seconds. Browsers do not send the fragment, so nobody but this page has it.

import { concat, fromBase64url, toBase64url, utf8 } from "../form/bytes.ts";
import type { Bytes } from "../form/bytes.ts";

export const STEP_S = 30;
const FIXED = 1;
const CODE = 2;
const FIXED_SIZE = 86;
const DOOR_SIZE = 3;
const SECRET_SIZE = 137;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

export interface FixedPass {
  readonly kind: "fixed";
  readonly text: string;
  /** Unix seconds; the first at which it no longer holds. */
  readonly begins: number;
  readonly ends: number;
  /** How often it opens each door; 0 is any number. */
  readonly uses: number;
}

export interface ChangingPass {
  readonly kind: "changing";
  readonly codeAt: (step: number) => Promise<string>;
}

/** Read a fragment, with or without its `#`; undefined when the link is damaged. */
export async function readPass(fragment: string): Promise<FixedPass | ChangingPass | undefined> {
  let bytes: Bytes;
  try {
    bytes = fromBase64url(fragment.replace(/^#/, ""));
  } catch {
    return undefined;
  }
  const doors = (bytes[13] ?? 0) >> 3;
  const isWhole = bytes.length === FIXED_SIZE + DOOR_SIZE * doors;
  if (bytes[0] === FIXED && isWhole) return fixed(bytes);
  if (bytes[0] === CODE && bytes.length === SECRET_SIZE) return changing(bytes);
  return undefined;
}

export function toBase45(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const isPair = at + 1 < bytes.length;
    let value = isPair ? 256 * bytes[at]! + bytes[at + 1]! : bytes[at]!;
    for (let digit = isPair ? 3 : 2; digit > 0; digit--) {
      text += ALPHABET[value % 45]!;
      value = Math.floor(value / 45);
    }
  }
  return text;
}

function fixed(bytes: Bytes): FixedPass {
  const view = new DataView(bytes.buffer);
  const begins = view.getUint32(14);
  const minutes = 256 * view.getUint16(18) + view.getUint8(20);
  const ends = begins + 60 * minutes;
  return { kind: "fixed", text: toBase45(bytes), begins, ends, uses: view.getUint8(21) };
}

async function changing(bytes: Bytes): Promise<ChangingPass | undefined> {
  const [fingerprint, id] = [bytes.slice(1, 33), bytes.slice(33, 41)];
  const [x, y, d] = [41, 73, 105].map((at) => toBase64url(bytes.slice(at, at + 32)));
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  let key: CryptoKey;
  try {
    const jwk = { kty: "EC", crv: "P-256", x: x!, y: y!, d: d! };
    key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
  } catch {
    return undefined;
  }
  const codeAt = async (step: number): Promise<string> => {
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, step);
    const body = concat(Uint8Array.of(CODE), fingerprint.slice(0, 2), id, number);
    const message = concat(utf8("gatehouse/pass-code/1\0"), fingerprint, body);
    const hashed = { name: "ECDSA", hash: "SHA-256" };
    const signature = new Uint8Array(await crypto.subtle.sign(hashed, key, message));
    return toBase45(concat(body, signature));
  };
  return { kind: "changing", codeAt };
}

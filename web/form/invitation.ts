// What an invitation link's fragment carries, and what is derived from it. Browsers do not
// send the fragment; the cloud learns the derived id alone.

import { fromBase64url, hex, hkdf } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";

export interface Invitation {
  /** 32 hex characters: all that the cloud learns. */
  readonly id: string;
  /** Key of the enrollment's MAC; stays here and at the estate's server. */
  readonly auth: Bytes;
  /** SHA-256 of the community's root key. */
  readonly fingerprint: Bytes;
}

const FRAGMENT_LENGTH = 64;
const SECRET_SIZE = 16;

/** Read a fragment, with or without its `#`; undefined when the link is damaged. */
export async function readInvitation(fragment: string): Promise<Invitation | undefined> {
  const text = fragment.replace(/^#/, "");
  if (text.length !== FRAGMENT_LENGTH) return undefined;
  let bytes: Bytes;
  try {
    bytes = fromBase64url(text);
  } catch {
    return undefined;
  }
  const secret = bytes.slice(0, SECRET_SIZE);
  return {
    id: hex(await hkdf(secret, "gatehouse/invitation/id", 16)),
    auth: await hkdf(secret, "gatehouse/invitation/auth", 32),
    fingerprint: bytes.slice(SECRET_SIZE),
  };
}

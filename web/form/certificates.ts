// The community's root key vouches for its short-lived keys. The root itself is known by the
// fingerprint in the invitation link, which came from the estate and not through the cloud.

import { verifyAsync } from "@noble/ed25519";
import { concat, equal, fromBase64url, sha256, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";

/** A certificate as JSON carries it: both fields base64url. */
export interface SignedCertificate {
  readonly certificate: string;
  readonly signature: string;
}

export interface Certificate {
  readonly community: string;
  readonly purpose: string;
  readonly key: string;
  readonly public: Bytes;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `code` says which check failed: root-mismatch, certificate-forged, certificate-expired … */
export class CertificateRefused extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

// Seconds by which this device's clock may run behind the estate's, as on the servers.
const CLOCK_DRIFT = 300;
const LABEL = utf8("gatehouse/certificate/1\0");

/** Ed25519 (RFC 8032); pure script, because older browsers' WebCrypto lacks it. */
export async function isSignedBy(
  publicKey: Bytes,
  signature: Bytes,
  message: Bytes,
): Promise<boolean> {
  try {
    return await verifyAsync(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}

/** Return the root key if it is the one that the link names. */
export async function loadRoot(text: string, fingerprint: Bytes): Promise<Bytes> {
  const root = decode(text, "root-mismatch");
  if (root.length !== 32 || !equal(await sha256(root), fingerprint)) {
    throw new CertificateRefused("root-mismatch");
  }
  return root;
}

/** Return the certificate if the root signed it for this community, purpose and time. */
export async function verifyCertificate(
  carried: SignedCertificate,
  root: Bytes,
  expected: { community: string; purpose: string; now: number },
): Promise<Certificate> {
  const data = decode(carried.certificate, "certificate-malformed");
  const signature = decode(carried.signature, "certificate-malformed");
  if (!(await isSignedBy(root, signature, concat(LABEL, data)))) {
    throw new CertificateRefused("certificate-forged");
  }
  const found = parse(data);
  if (found.community !== expected.community) {
    throw new CertificateRefused("certificate-other-community");
  }
  if (found.purpose !== expected.purpose) {
    throw new CertificateRefused("certificate-other-purpose");
  }
  if (expected.now < found.notBefore - CLOCK_DRIFT) {
    throw new CertificateRefused("certificate-not-yet-valid");
  }
  if (expected.now >= found.notAfter) throw new CertificateRefused("certificate-expired");
  return found;
}

/** The newest envelope key that holds now. Throws the first refusal when none does. */
export async function chooseEnvelopeKey(
  carried: readonly SignedCertificate[],
  root: Bytes,
  community: string,
  now: number,
): Promise<Certificate> {
  let newest: Certificate | undefined;
  let refusal = new CertificateRefused("certificate-missing");
  for (const one of carried) {
    try {
      const found = await verifyCertificate(one, root, { community, purpose: "envelope", now });
      if (!newest || found.notBefore > newest.notBefore) newest = found;
    } catch (error) {
      if (!(error instanceof CertificateRefused)) throw error;
      // Certificates for other purposes travel in the same list.
      if (error.code !== "certificate-other-purpose") refusal = error;
    }
  }
  if (!newest) throw refusal;
  return newest;
}

function parse(data: Bytes): Certificate {
  try {
    const fields = JSON.parse(new TextDecoder().decode(data)) as Record<string, unknown>;
    if (fields["version"] !== 1) throw new RangeError("version");
    return {
      community: String(fields["community"]),
      purpose: String(fields["purpose"]),
      key: String(fields["key"]),
      public: fromBase64url(String(fields["public"])),
      notBefore: Number(fields["not_before"]),
      notAfter: Number(fields["not_after"]),
    };
  } catch {
    throw new CertificateRefused("certificate-malformed");
  }
}

function decode(text: string, code: string): Bytes {
  try {
    return fromBase64url(text);
  } catch {
    throw new CertificateRefused(code);
  }
}

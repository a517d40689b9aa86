// The cloud's JSON interface. Every failure becomes a ServiceError with a stable code:
// the cloud's own, or `offline` when no answer came.

import type { Bytes } from "./bytes.ts";
import { fromBase64url } from "./bytes.ts";
import type { SignedCertificate } from "./certificates.ts";
import { SUITE_NAME } from "./sealing.ts";
import { currentLanguage } from "./texts.ts";

export interface ConsentText {
  readonly id: string;
  readonly version: string;
  readonly language: string;
  readonly required: boolean;
  readonly title: string;
  readonly text: string;
}

export interface Community {
  readonly name: string;
  readonly root_public: string;
  readonly certificates: readonly SignedCertificate[];
  readonly consents: readonly ConsentText[];
}

export interface SealedReply {
  readonly number: number;
  readonly sealed: Bytes;
}

export interface EnvelopeState {
  readonly state: "waiting" | "collected";
  readonly replies: readonly SealedReply[];
}

export class ServiceError extends Error {
  readonly code: string;
  /** Seconds after which trying again makes sense, or 0. */
  readonly retryAfter: number;

  /** `sentence` is the cloud's own, in the reader's language, or empty. */
  constructor(code: string, sentence = "", retryAfter = 0) {
    super(sentence);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

const STALLED_MS = 20_000;
// Four minutes and a half are needed for 4 MiB over 128 kbit/s.
const UPLOAD_MS = 300_000;

/** One community's part of the interface. */
export class Service {
  readonly #base: string;

  constructor(community: string) {
    this.#base = `/api/v1/communities/${encodeURIComponent(community)}`;
  }

  community(): Promise<Community> {
    return read<Community>(this.#base);
  }

  /** Refused with `invitation-unknown`, `-expired` or `-used` when it is not open. */
  async invitation(id: string): Promise<void> {
    await read<unknown>(`${this.#base}/invitations/${id}`);
  }

  /** What has become of an envelope; `envelope-unknown` when the cloud has nothing of it. */
  async envelope(id: string): Promise<EnvelopeState> {
    const answer = await read<{
      state: "waiting" | "collected";
      replies: readonly { number: number; sealed: string }[];
    }>(`${this.#base}/envelopes/${id}`);
    return {
      state: answer.state,
      replies: answer.replies.map(({ number, sealed }) => ({
        number,
        sealed: fromBase64url(sealed),
      })),
    };
  }

  /** Hand over a sealed enrollment; `progress` hears the share that has left, 0 to 1. */
  deposit(
    envelope: { id: string; invitation: string; key: string; sealed: Bytes },
    progress: (share: number) => void,
  ): Promise<void> {
    const query = new URLSearchParams({
      invitation: envelope.invitation,
      key: envelope.key,
      suite: SUITE_NAME,
    });
    // fetch() cannot tell how much of a body has left.
    const request = new XMLHttpRequest();
    request.open("PUT", `${this.#base}/envelopes/${envelope.id}?${query}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept-Language", currentLanguage());
    request.timeout = UPLOAD_MS;
    return new Promise((resolve, reject) => {
      const offline = () => reject(new ServiceError("offline"));
      request.onerror = offline;
      request.ontimeout = offline;
      request.onabort = offline;
      request.upload.onprogress = (event) => {
        if (event.lengthComputable) progress(event.loaded / event.total);
      };
      request.onload = () => {
        if (request.status >= 200 && request.status < 300) resolve();
        else {
          const wait = Number(request.getResponseHeader("Retry-After"));
          reject(refusal(request.status, request.responseText, wait));
        }
      };
      request.send(envelope.sealed);
    });
  }
}

async function read<Answer>(address: string): Promise<Answer> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), STALLED_MS);
  try {
    const answer = await fetch(address, {
      cache: "no-store",
      headers: { Accept: "application/json", "Accept-Language": currentLanguage() },
      signal: abort.signal,
    });
    const text = await answer.text();
    if (!answer.ok) {
      throw refusal(answer.status, text, Number(answer.headers.get("Retry-After")));
    }
    return JSON.parse(text) as Answer;
  } catch (error) {
    // A half answer is as good as none: JSON.parse failed, or fetch did.
    throw error instanceof ServiceError ? error : new ServiceError("offline");
  } finally {
    clearTimeout(timer);
  }
}

function refusal(status: number, body: string, retryAfter: number): ServiceError {
  try {
    const { error } = JSON.parse(body) as { error: { code: string; message: string } };
    return new ServiceError(String(error.code), String(error.message), retryAfter || 0);
  } catch {
    // Not our cloud's words: a proxy on the way, which usually means "later".
    return new ServiceError(status >= 500 ? "busy" : "unexpected", "", retryAfter || 0);
  }
}

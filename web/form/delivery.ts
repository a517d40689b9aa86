// From photos to the estate's answer: seal, upload, wait, open. Every step is kept first, so
// that it can be taken up again after a reload. Knows nothing of the page it runs in.

import { hex, random } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { CertificateRefused, chooseEnvelopeKey, loadRoot } from "./certificates.ts";
import { buildEnrollment } from "./enrollment.ts";
import type { Kind, Language } from "./enrollment.ts";
import type { Invitation } from "./invitation.ts";
import { forgetWhatWasSent } from "./progress.ts";
import type { Keeper, Progress, SentEnvelope } from "./progress.ts";
import { ReplyRefused, isFinal, openReply } from "./reply.ts";
import type { Reply } from "./reply.ts";
import { SealBroken, newReplyKey, seal } from "./sealing.ts";
import { ServiceError } from "./service.ts";
import type { SealedReply, Service } from "./service.ts";

/** What belongs to one invitation and does not change. */
export interface Place {
  readonly community: string;
  readonly kind: Kind;
  readonly invitation: Invitation;
  readonly service: Service;
  readonly keeper: Keeper;
}

/** What the person is told meanwhile. */
export interface Teller {
  sealing(): void;
  uploading(share: number): void;
  waiting(state: "waiting" | "collected", isSlow: boolean): void;
  offline(): void;
}

/** `lost`: the cloud has nothing of it any more and no answer came, so it must be sent again. */
export type Ending = Reply | "lost";

const SOON_MS = 1_000;
const LATER_MS = 3_000;
const MUCH_LATER_MS = 15_000;
const SOON_FOR_MS = 20_000;
const LATER_FOR_MS = 180_000;
const SLOW_AFTER_MS = 45_000;
const RETRY_MS = 3_000;
// Refusals that end by themselves.
const PASSING = ["offline", "busy", "cloud-busy", "rate-limited"];

export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Send `progress` and wait until the answer is final, or `received`, which `heard` is told. */
export async function deliver(
  place: Place,
  progress: Progress,
  language: Language,
  teller: Teller,
  heard: (reply: Reply) => void,
): Promise<Ending> {
  if (!progress.envelope) {
    teller.sealing();
    await keepSealed(place, progress, language);
  }
  await upload(place, progress, teller);
  return waitForAnswer(place, progress, teller, heard);
}

async function keepSealed(place: Place, progress: Progress, language: Language): Promise<void> {
  const { community, kind, invitation, service, keeper } = place;
  // Asked for anew each time: envelope keys change every week.
  const profile = await service.community();
  const root = await loadRoot(profile.root_public, invitation.fingerprint);
  const key = await chooseEnvelopeKey(profile.certificates, root, community, unixSeconds());
  const id = hex(random(16));
  const { pair, publicBytes } = await newReplyKey();
  const { consents, photos, particulars, alternative, guardian = "" } = progress;
  const parts = { community, envelope: id, key: key.key, kind, language, replyKey: publicBytes };
  const plaintext = await buildEnrollment(
    { ...parts, consents, photos, particulars, alternative, guardian },
    invitation.auth,
  );
  const sealed = await seal(key.public, plaintext, {
    community,
    purpose: "enrollment",
    envelope: id,
    key: key.key,
  });
  const poses = photos.map((photo) => photo.pose);
  progress.envelope = { id, key: key.key, replyPair: pair, poses, sealed };
  delete progress.reply;
  await keeper.save(progress);
}

async function upload(place: Place, progress: Progress, teller: Teller): Promise<void> {
  const { envelope } = progress;
  if (!envelope?.sealed) return;
  const { id, key, sealed } = envelope;
  for (;;) {
    try {
      teller.uploading(0);
      const deposit = { id, key, invitation: place.invitation.id, sealed };
      await place.service.deposit(deposit, (share) => teller.uploading(share));
      break;
    } catch (error) {
      if (!isPassing(error)) {
        // Nothing is on its way: the next try seals anew.
        delete progress.envelope;
        await place.keeper.save(progress);
        throw error;
      }
      teller.offline();
      await pause(Math.max(RETRY_MS, 1000 * error.retryAfter));
    }
  }
  const { sealed: _, ...sent } = envelope;
  progress.envelope = sent;
  await place.keeper.save(progress);
}

async function waitForAnswer(
  place: Place,
  progress: Progress,
  teller: Teller,
  heard: (reply: Reply) => void,
): Promise<Ending> {
  const { envelope } = progress;
  if (!envelope) throw new Error("nothing was sent");
  let since = performance.now();
  let root: Bytes | undefined;
  for (;;) {
    try {
      const found = await place.service.envelope(envelope.id);
      const unread = found.replies.filter(({ number }) => number > (progress.reply?.number ?? 0));
      if (unread.length) {
        root ??= await loadRootOf(place);
        const reply = await newestReply(place, envelope, root, unread);
        if (reply) {
          progress.reply = reply;
          if (isFinal(reply)) forgetWhatWasSent(progress);
          await place.keeper.save(progress);
          if (reply.outcome !== "received") return reply;
          heard(reply);
          since = performance.now();
        }
      }
      if (!progress.reply) {
        teller.waiting(found.state, performance.now() - since > SLOW_AFTER_MS);
      }
    } catch (error) {
      if (error instanceof ServiceError && error.code === "envelope-unknown") return "lost";
      if (!isPassing(error)) throw error;
      if (!progress.reply) teller.offline();
    }
    await pause(intervalAfter(performance.now() - since));
  }
}

async function loadRootOf({ service, invitation }: Place): Promise<Bytes> {
  return loadRoot((await service.community()).root_public, invitation.fingerprint);
}

/** The newest reply that proves to be the community's; whatever does not is passed over. */
async function newestReply(
  { community }: Place,
  envelope: SentEnvelope,
  root: Bytes,
  sealed: readonly SealedReply[],
): Promise<Reply | undefined> {
  for (const one of [...sealed].sort((a, b) => b.number - a.number)) {
    try {
      return await openReply(one.sealed, {
        pair: envelope.replyPair,
        root,
        community,
        envelope: envelope.id,
        number: one.number,
        now: unixSeconds(),
      });
    } catch (error) {
      const isForeign =
        error instanceof SealBroken ||
        error instanceof ReplyRefused ||
        (error instanceof CertificateRefused && !isClockMatter(error));
      if (!isForeign) throw error;
    }
  }
  return undefined;
}

/** Say whether the refusal means that this device's clock is wrong, which the person can mend. */
export function isClockMatter(error: CertificateRefused): boolean {
  return error.code === "certificate-not-yet-valid" || error.code === "certificate-expired";
}

export function isPassing(error: unknown): error is ServiceError {
  return error instanceof ServiceError && PASSING.includes(error.code);
}

export function intervalAfter(waited: number): number {
  if (waited < SOON_FOR_MS) return SOON_MS;
  return waited < LATER_FOR_MS ? LATER_MS : MUCH_LATER_MS;
}

/** Wait, but not when the connection or the reader comes back meanwhile. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      document.removeEventListener("visibilitychange", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    window.addEventListener("online", done);
    document.addEventListener("visibilitychange", done);
  });
}

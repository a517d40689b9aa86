// One link's line to its estate: a request is sealed, handed to the relay, and its answers opened.

import { hex, random } from "../form/bytes.ts";
import type { Bytes } from "../form/bytes.ts";
import { chooseEnvelopeKey, loadRoot } from "../form/certificates.ts";
import { intervalAfter, isPassing, pause, unixSeconds } from "../form/delivery.ts";
import type { Invitation } from "../form/invitation.ts";
import { newReplyKey, seal } from "../form/sealing.ts";
import type { KeyPair } from "../form/sealing.ts";
import type { Service } from "../form/service.ts";
import { currentLanguage } from "../form/texts.ts";
import { buildRequest, openVisitAnswer } from "./request.ts";
import type { Answer, Asked } from "./request.ts";

/** A request on its way, and the key that its answers are sealed to. */
export interface Sent {
  readonly id: string;
  readonly pair: KeyPair;
}

/** What is known of a request that has no answer yet. */
export type Meanwhile = "slow" | "offline";

const SLOW_AFTER_MS = 12_000;
export class Line {
  readonly #community: string;
  readonly #link: Invitation;
  readonly #service: Service;

  constructor(community: string, link: Invitation, service: Service) {
    this.#community = community;
    this.#link = link;
    this.#service = service;
  }

  /** Seal a request and hand it over. Throws ServiceError and CertificateRefused. */
  async send(asked: Asked): Promise<Sent> {
    // Asked for anew each time: envelope keys change every week.
    const profile = await this.#service.community();
    const root = await loadRoot(profile.root_public, this.#link.fingerprint);
    const now = unixSeconds();
    const key = await chooseEnvelopeKey(profile.certificates, root, this.#community, now);
    const id = hex(random(16));
    const { pair, publicBytes } = await newReplyKey();
    const place = {
      community: this.#community,
      envelope: id,
      key: key.key,
      language: currentLanguage(),
      sentAt: now,
      replyKey: publicBytes,
    };
    const sealed = await seal(key.public, await buildRequest(asked, place, this.#link.auth), {
      community: this.#community,
      purpose: "visit",
      envelope: id,
      key: key.key,
    });
    const deposit = { id, invitation: this.#link.id, key: key.key, sealed };
    await this.#service.deposit(deposit, () => undefined);
    return { id, pair };
  }

  /**
   * Hear every answer to a request, until `heard` returns false or the request is forgotten.
   * `meanwhile` is told what keeps an answer from coming.
   */
  async watch(
    sent: Sent,
    heard: (answer: Answer) => boolean,
    meanwhile: (state: Meanwhile) => void,
  ): Promise<void> {
    const profile = await this.#service.community();
    const root = await loadRoot(profile.root_public, this.#link.fingerprint);
    let last = 0;
    let since = performance.now();
    for (;;) {
      try {
        const { replies } = await this.#service.envelope(sent.id);
        for (const one of [...replies].sort((a, b) => a.number - b.number)) {
          if (one.number <= last) continue;
          last = one.number;
          since = performance.now();
          const answer = await this.#open(sent, root, one).catch(() => undefined);
          if (answer && !heard(answer)) return;
        }
        if (!last && performance.now() - since > SLOW_AFTER_MS) meanwhile("slow");
      } catch (error) {
        if (!isPassing(error)) throw error;
        meanwhile("offline");
      }
      await pause(intervalAfter(performance.now() - since));
    }
  }

  #open(sent: Sent, root: Bytes, one: { number: number; sealed: Bytes }): Promise<Answer> {
    return openVisitAnswer(one.sealed, {
      pair: sent.pair,
      root,
      community: this.#community,
      envelope: sent.id,
      number: one.number,
      now: unixSeconds(),
    });
  }
}

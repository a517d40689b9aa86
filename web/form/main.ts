// The form: one page, one step at a time, resident and visitor alike.

import { chooseEnvelopeKey, loadRoot } from "./certificates.ts";
import { ConsentStep } from "./consents.ts";
import { deliver, unixSeconds } from "./delivery.ts";
import type { Place, Teller } from "./delivery.ts";
import type { Kind } from "./enrollment.ts";
import { Finder } from "./finder.ts";
import { readInvitation } from "./invitation.ts";
import { reasonKey, showComparison, showOutcome } from "./outcome.ts";
import type { Remedy } from "./outcome.ts";
import {
  byTestId,
  keepSaying,
  offerLanguages,
  onLanguage,
  part,
  sayOrHide,
  setRoute,
  showStep,
  shownStep,
} from "./page.ts";
import type { Step } from "./page.ts";
import { particularsStep } from "./particulars.ts";
import { PhotoStep } from "./photos.ts";
import { Problem, showLost, showProblem } from "./problem.ts";
import { Keeper, newProgress } from "./progress.ts";
import type { Progress } from "./progress.ts";
import { isFinal } from "./reply.ts";
import { Service } from "./service.ts";
import type { Community } from "./service.ts";
import { currentLanguage, t } from "./texts.ts";

const settings = document.body.dataset;
const isAtDesk = settings["atDesk"] !== undefined;

class Form {
  readonly #place: Place;
  readonly #progress: Progress;
  readonly #photos: PhotoStep;
  readonly #consents: ConsentStep;

  constructor(place: Place, community: Community, progress: Progress) {
    this.#place = place;
    this.#progress = progress;
    const finder = new Finder(settings["detector"] ?? "", settings["weights"] ?? "");
    this.#photos = new PhotoStep(
      finder,
      (photos) => {
        progress.photos = photos;
        this.#keep();
      },
      () => this.#send(),
    );
    this.#photos.restore(progress.photos);
    // That one is for clients that cannot seal; this page always does.
    const consents = community.consents.filter(({ id }) => id !== "unsealed");
    this.#consents = new ConsentStep(consents, (given, guardian) => {
      progress.alternative = "";
      progress.consents = given;
      progress.guardian = guardian;
      this.#go(place.kind === "visitor" ? "particulars" : "photos");
    });
    particularsStep(progress.particulars, (particulars) => {
      progress.particulars = particulars;
      this.#go(progress.alternative === "pin" ? "pin" : "photos");
    });
    byTestId("choose-pin").addEventListener("click", () => void this.#choosePin());
    byTestId("send-pin").addEventListener("click", () => this.#send());
    for (const button of document.querySelectorAll<HTMLElement>("[data-back]")) {
      button.addEventListener("click", () => this.#back());
    }
    part("photos-back").addEventListener("click", () => this.#back());
  }

  /** Begin, or go on where an earlier visit to the page ended. */
  start(): void {
    onLanguage(() => this.#consents.show());
    const { reply, envelope, photos } = this.#progress;
    if (reply) this.#answer();
    if (envelope && (!reply || reply.outcome === "received")) this.#send();
    else if (!reply) this.#go(photos.length ? "photos" : "consents");
  }

  #keep(): void {
    void this.#place.keeper.save(this.#progress);
  }

  #route(): Step[] {
    const last = this.#progress.alternative === "pin" ? "pin" : "photos";
    return this.#place.kind === "visitor" ? ["consents", "particulars", last] : ["consents", last];
  }

  #go(step: Step): void {
    this.#keep();
    setRoute(this.#route());
    showStep(step);
  }

  #back(): void {
    this.#photos.close();
    const route = this.#route();
    const at = route.findIndex((step) => step === shownStep());
    this.#go(route[Math.max(0, at - 1)]);
  }

  async #choosePin(): Promise<void> {
    this.#progress.alternative = "pin";
    this.#progress.guardian = "";
    this.#progress.consents = await this.#consents.given();
    this.#go(this.#place.kind === "visitor" ? "particulars" : "pin");
  }

  #send(): void {
    const isPin = this.#progress.alternative === "pin";
    // Whoever took photos and then chose a PIN wants none of them sent.
    if (isPin) this.#photos.restore((this.#progress.photos = []));
    const teller = this.#teller(isPin);
    if (!this.#progress.reply) showStep("sending");
    deliver(this.#place, this.#progress, currentLanguage(), teller, () => this.#answer()).then(
      (ending) => (ending === "lost" ? this.#lost() : this.#answer()),
      (error: unknown) => showProblem(error, () => this.#send()),
    );
  }

  #teller(isPin: boolean): Teller {
    const bar = byTestId<HTMLProgressElement>("progress");
    const title = part("sending-title");
    const state = part("sending-state");
    keepSaying(title, () => t("form.sending.title"));
    const note = part("sending-note");
    if (this.#place.keeper.keeps || isAtDesk) sayOrHide(note, undefined);
    else sayOrHide(note, () => t("form.sending.open-page"));
    return {
      sealing: () => {
        bar.removeAttribute("value");
        keepSaying(state, () => t(isPin ? "form.sending.sealing-pin" : "form.sending.sealing"));
      },
      uploading: (share) => {
        const percent = Math.round(100 * share);
        bar.value = percent;
        keepSaying(state, () => t("form.sending.uploading", { percent }));
      },
      waiting: (where, isSlow) => {
        bar.removeAttribute("value");
        keepSaying(title, () => t("form.sending.title-waiting"));
        keepSaying(state, () => t(`form.sending.${where}`));
        if (isSlow && this.#place.keeper.keeps) sayOrHide(note, () => t("form.sending.slow"));
      },
      offline: () => {
        bar.removeAttribute("value");
        keepSaying(state, () => t("form.sending.offline"));
      },
    };
  }

  #answer(): void {
    const { reply, envelope, photos } = this.#progress;
    if (!reply) return;
    if (isFinal(reply)) this.#photos.restore(photos);
    showOutcome(reply, envelope?.poses ?? [], (remedy) => this.#mend(remedy));
    if (isAtDesk) showComparison(reply, envelope?.id ?? "");
  }

  #mend(remedy: Remedy): void {
    const { reply } = this.#progress;
    delete this.#progress.envelope;
    delete this.#progress.reply;
    if (remedy.step === "sending") return this.#send();
    if (remedy.step === "photos") {
      this.#photos.retake(remedy.poses, reply?.reason ? reasonKey(reply) : undefined);
    }
    this.#go(remedy.step);
  }

  #lost(): void {
    const wasReceived = this.#progress.reply?.outcome === "received";
    delete this.#progress.envelope;
    delete this.#progress.reply;
    this.#keep();
    showLost(wasReceived ? "unanswered" : "again", () => this.#send());
  }
}

async function start(): Promise<void> {
  if (!window.isSecureContext) throw new Problem("insecure");
  if (!crypto.subtle) throw new Problem("browser");
  const community = settings["community"] ?? "";
  const kind: Kind = settings["kind"] === "visitor" ? "visitor" : "resident";
  const invitation = await readInvitation(location.hash);
  if (!invitation) throw new Problem("link-incomplete");
  const service = new Service(community);
  const profile = await service.community();
  // Before anything is asked of the person: is this page their estate's?
  const root = await loadRoot(profile.root_public, invitation.fingerprint);
  await chooseEnvelopeKey(profile.certificates, root, community, unixSeconds());
  const keeper = isAtDesk ? Keeper.inMemory() : await Keeper.open(community, invitation.id);
  const progress = (await keeper.load()) ?? newProgress();
  if (!progress.envelope && !progress.reply) await service.invitation(invitation.id);
  new Form({ community, kind, invitation, service, keeper }, profile, progress).start();
}

offerLanguages();
window.addEventListener("hashchange", () => location.reload());
start().catch((error: unknown) => showProblem(error, () => location.reload()));

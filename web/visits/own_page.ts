// A resident's own page: who asks, who is expected, and inviting. Its link's secret stays in the
// address; nothing of the home is kept on the phone.

import { loadRoot } from "../form/certificates.ts";
import { readInvitation } from "../form/invitation.ts";
import { keepSaying, offerLanguages, onLanguage, part, sayOrHide } from "../form/speaking.ts";
import { Service } from "../form/service.ts";
import type { ConsentText } from "../form/service.ts";
import { t } from "../form/texts.ts";
import { Problem, codeOf, problemWords } from "../form/troubles.ts";
import { showHandedOn } from "./handing_on.ts";
import { inviteForm, offer, usual } from "./invite_form.ts";
import { Line } from "./line.ts";
import { askAnew } from "./own_consents.ts";
import { showFace, showInstead } from "./own_face.ts";
import type { Answer, Asked, Home } from "./request.ts";
import { refusal } from "./parts.ts";
import { showVisits } from "./visit_list.ts";

const LOOK_AGAIN_MS = 45 * 60_000;
const community = document.body.dataset["community"] ?? "";

class OwnPage {
  readonly #line: Line;
  readonly #texts: readonly ConsentText[];
  #home: Home | undefined;
  #lookedAt = 0;
  #looks = 0;

  constructor(line: Line, texts: readonly ConsentText[]) {
    this.#line = line;
    this.#texts = texts;
    inviteForm((asked) => void this.#act(asked));
    onLanguage(() => this.#show());
    document.addEventListener("visibilitychange", () => {
      const isOld = Date.now() - this.#lookedAt > LOOK_AGAIN_MS;
      if (!document.hidden && isOld) void this.look();
    });
  }

  /** Ask what there is, and go on hearing of it for as long as the page is open. */
  async look(): Promise<void> {
    this.#lookedAt = Date.now();
    const turn = ++this.#looks;
    try {
      const sent = await this.#line.send({ ask: "look" });
      await this.#line.watch(
        sent,
        (answer) => {
          if (turn === this.#looks) this.#take(answer);
          return turn === this.#looks;
        },
        (state) => this.#say(() => t(`visits.own.${state}`)),
      );
    } catch (error) {
      if (turn === this.#looks) this.#fail(error);
    }
  }

  async #act(asked: Asked): Promise<void> {
    this.#busy(true);
    this.#say(() => t("visits.own.sending"));
    try {
      const sent = await this.#line.send(asked);
      await this.#line.watch(
        sent,
        (answer) => {
          this.#take(answer);
          if (answer.outcome !== "refused") {
            if (asked.ask === "invite") usual();
            if (asked.ask === "withdraw-face") showInstead(answer);
            else showHandedOn(answer, community);
          }
          return false;
        },
        (state) => this.#say(() => t(`visits.own.${state}`)),
      );
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy(false);
    }
  }

  #take(answer: Answer): void {
    this.#say(refusal(answer));
    document.body.dataset["refused"] = answer.reason ?? "";
    if (answer.home) {
      this.#home = answer.home;
      this.#show();
    } else if (answer.outcome === "refused") {
      part("home").hidden = true;
    }
  }

  #show(): void {
    const home = this.#home;
    if (!home) return;
    part("home").hidden = false;
    keepSaying(part("who"), () => t("visits.own.home", { name: home.name, unit: home.unit }));
    offer(home);
    showVisits(home, (asked) => void this.#act(asked));
    showFace(home, (asked) => void this.#act(asked));
    askAnew(home, this.#texts, (asked) => void this.#act(asked));
  }

  #busy(busy: boolean): void {
    document.body.dataset["busy"] = busy ? "yes" : "";
    for (const button of document.querySelectorAll("button")) button.disabled = busy;
  }

  #say(words: (() => string) | undefined): void {
    sayOrHide(part("news"), words);
  }

  #fail(error: unknown): void {
    const words = problemWords(codeOf(error), error);
    this.#say(() => `${words.title()} ${words.advice()}`);
    document.body.dataset["refused"] = codeOf(error);
  }
}

async function start(): Promise<void> {
  if (!window.isSecureContext) throw new Problem("insecure");
  if (!crypto.subtle) throw new Problem("browser");
  const link = await readInvitation(location.hash);
  if (!link) throw new Problem("link-incomplete");
  const service = new Service(community);
  const { root_public, consents } = await service.community();
  await loadRoot(root_public, link.fingerprint);
  await new OwnPage(new Line(community, link, service), consents).look();
}

offerLanguages();
keepSaying(part("news"), () => t("visits.own.loading"));
window.addEventListener("hashchange", () => location.reload());
start().catch((error: unknown) => {
  const words = problemWords(codeOf(error), error);
  keepSaying(part("news"), () => `${words.title()} ${words.advice()}`);
  document.body.dataset["refused"] = codeOf(error);
});

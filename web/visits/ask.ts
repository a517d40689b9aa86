// The page behind a door's poster: somebody asks to come in, waits, and hears the answer. What was
// sent is kept in this browser alone, so that a locked phone or a reload loses nothing.

import { loadRoot } from "../form/certificates.ts";
import { readInvitation } from "../form/invitation.ts";
import { Keeper } from "../form/progress.ts";
import {
  byTestId,
  find,
  keepSaying,
  offerLanguages,
  onLanguage,
  part,
  sayOrHide,
} from "../form/speaking.ts";
import { Service, ServiceError } from "../form/service.ts";
import { t } from "../form/texts.ts";
import { Problem, codeOf, problemWords } from "../form/troubles.ts";
import { visitorLink } from "./handing_on.ts";
import { Line } from "./line.ts";
import type { Sent } from "./line.ts";
import { moment, refusal } from "./parts.ts";
import type { Answer, Asked } from "./request.ts";

/** What one browser keeps of one poster. */
interface Kept {
  sent?: Sent;
  answer?: Answer;
}

const HOURS = [1, 2, 4, 8, 12];
const USUAL_HOURS = 2;
const community = document.body.dataset["community"] ?? "";

class AskPage {
  readonly #line: Line;
  readonly #keeper: Keeper<Kept>;
  #kept: Kept;

  constructor(line: Line, keeper: Keeper<Kept>, kept: Kept) {
    this.#line = line;
    this.#keeper = keeper;
    this.#kept = kept;
    this.#offerHours();
    onLanguage(() => this.#offerHours());
    const courier = byTestId<HTMLInputElement>("courier");
    courier.addEventListener("change", () => showCourier(courier.checked));
    part<HTMLFormElement>("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      const asked = read();
      if (asked) void this.#send(asked);
    });
    byTestId("anew").addEventListener("click", () => this.#begin());
  }

  /** Begin, or go on where an earlier visit to the page ended. */
  start(): void {
    const { answer, sent } = this.#kept;
    if (answer) this.#show(answer);
    if (sent && (!answer || answer.outcome === "waiting" || answer.outcome === "approved")) {
      if (!answer) show("waiting");
      void this.#watch(sent);
    } else if (!answer) show("asking");
  }

  #begin(): void {
    this.#keep({});
    say(undefined);
    show("asking");
  }

  async #send(asked: Asked): Promise<void> {
    const button = byTestId<HTMLButtonElement>("send");
    button.disabled = true;
    say(() => t("visits.ask.sending"));
    try {
      const sent = await this.#line.send(asked);
      this.#keep({ sent });
      say(undefined);
      show("waiting");
      void this.#watch(sent);
    } catch (error) {
      fail(error);
    } finally {
      button.disabled = false;
    }
  }

  async #watch(sent: Sent): Promise<void> {
    try {
      await this.#line.watch(
        sent,
        (answer) => {
          if (this.#kept.sent?.id !== sent.id) return false;
          this.#keep({ sent, answer });
          this.#show(answer);
          return answer.outcome === "waiting" || answer.outcome === "approved";
        },
        (state) => say(() => t(`visits.ask.${state}`)),
      );
    } catch (error) {
      // The relay forgets after a week; what was heard by then stands.
      const isGone = error instanceof ServiceError && error.code === "envelope-unknown";
      if (isGone && this.#kept.answer) return;
      if (isGone) this.#begin();
      fail(error);
    }
  }

  #show(answer: Answer): void {
    say(refusal(answer));
    document.body.dataset["refused"] = answer.reason ?? "";
    switch (answer.outcome) {
      case "approved":
        this.#showApproved(answer);
        break;
      case "declined":
        show("declined");
        break;
      case "refused":
        this.#keep({});
        show("asking");
        break;
      default:
        show("waiting");
    }
  }

  #showApproved(answer: Answer): void {
    const until = answer.valid_until ?? 0;
    if (1000 * until <= Date.now()) {
      show("over");
      return;
    }
    const link = visitorLink(answer, community);
    for (const [name, isIt] of [
      ["open-pass", Boolean(answer.qr_pass)],
      ["open-form", Boolean(answer.invitation)],
    ] as const) {
      const anchor = byTestId<HTMLAnchorElement>(name);
      anchor.hidden = !isIt;
      if (isIt) anchor.href = link;
    }
    keepSaying(part("until"), () => t("visits.ask.approved-text", { until: moment(until) }));
    part("pin").hidden = !answer.pin;
    keepSaying(part("pin-text"), () => t("visits.ask.pin", { unit: answer.unit ?? "" }));
    byTestId("pin").textContent = answer.pin ?? "";
    show("approved");
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    void this.#keeper.save(kept);
  }

  #offerHours(): void {
    const select = byTestId<HTMLSelectElement>("hours");
    const chosen = select.value || String(USUAL_HOURS);
    select.replaceChildren(
      ...HOURS.map((count) => {
        const words = count > 1 ? t("visits.ask.some-hours", { count }) : t("visits.ask.hour");
        return new Option(words, String(count));
      }),
    );
    select.value = chosen;
  }
}

type Shown = "asking" | "waiting" | "approved" | "declined" | "over";

function show(name: Shown): void {
  const isNew = document.body.dataset["shown"] !== name;
  document.body.dataset["shown"] = name;
  for (const section of document.querySelectorAll<HTMLElement>("[data-state]")) {
    section.hidden = section.dataset["state"] !== name;
  }
  part("anew").hidden = name !== "declined" && name !== "over";
  if (isNew && name !== "asking") find(`[data-state="${name}"] h2`).focus();
}

function showCourier(isCourier: boolean): void {
  part("company").hidden = !isCourier;
  part("private").hidden = isCourier;
}

function read(): Asked | undefined {
  const courier = byTestId<HTMLInputElement>("courier").checked;
  let missing: HTMLElement | undefined;
  for (const name of ["visitor-name", "unit"]) {
    const field = byTestId<HTMLInputElement>(name);
    const isMissing = !field.value.trim();
    part(`${name}-missing`).hidden = !isMissing;
    field.setAttribute("aria-invalid", String(isMissing));
    if (isMissing) missing ??= field;
  }
  if (missing) return void missing.focus();
  return {
    ask: "ask",
    visitor: {
      name: text("visitor-name"),
      phone: text("phone"),
      visiting: text("unit"),
      purpose: text("purpose"),
      plate: text("plate"),
    },
    hours: Number(byTestId<HTMLSelectElement>("hours").value),
    credential: courier ? "pass" : find<HTMLInputElement>('[name="credential"]:checked').value,
    company: courier ? text("company-name") : "",
    courier,
  };
}

function text(name: string): string {
  return byTestId<HTMLInputElement>(name).value.trim();
}

function say(words: (() => string) | undefined): void {
  sayOrHide(part("news"), words);
}

function fail(error: unknown): void {
  const words = problemWords(codeOf(error), error);
  say(() => `${words.title()} ${words.advice()}`);
  document.body.dataset["refused"] = codeOf(error);
}

async function start(): Promise<void> {
  if (!window.isSecureContext) throw new Problem("insecure");
  if (!crypto.subtle) throw new Problem("browser");
  const link = await readInvitation(location.hash);
  if (!link) throw new Problem("link-incomplete");
  const service = new Service(community);
  await loadRoot((await service.community()).root_public, link.fingerprint);
  const keeper = await Keeper.open<Kept>(community, link.id);
  const kept = (await keeper.load()) ?? {};
  // A poster that was taken down is said at once, unless an answer is waited for.
  if (!kept.sent) await service.invitation(link.id);
  new AskPage(new Line(community, link, service), keeper, kept).start();
}

offerLanguages();
window.addEventListener("hashchange", () => location.reload());
start().catch(fail);

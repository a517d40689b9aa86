// The visits of a home, each with what can be done about it.

import { part } from "../form/speaking.ts";
import { t } from "../form/texts.ts";
import type { TextKey } from "../form/texts.ts";
import type { Asked, Home, Visit } from "./request.ts";
import { make, moment } from "./parts.ts";

const TWO_HOURS = 2 * 3600;
const SURE_FOR_MS = 6_000;

/** Show who asks and who is expected; `act` sends what a button asks for. */
export function showVisits(home: Home, act: (asked: Asked) => void): void {
  const asking = home.visits.filter((one) => one.state === "asked" && one.asked_at);
  const others = home.visits.filter((one) => !asking.includes(one));
  fill("asking", asking, act);
  fill("expected", others, act);
  part("asking-section").hidden = !asking.length;
  part("nobody").hidden = others.length > 0;
}

function fill(name: string, visits: readonly Visit[], act: (asked: Asked) => void): void {
  part(name).replaceChildren(...visits.map((one) => card(one, act)));
}

function card(visit: Visit, act: (asked: Asked) => void): HTMLElement {
  const item = make("li", { look: "visit", test: `visit-${visit.visit}` });
  item.dataset["state"] = visit.state;
  item.append(make("h3", { text: visit.name }));
  const about = [visit.purpose, visit.plate].filter(Boolean).join(" · ");
  if (about) item.append(make("p", { text: about }));
  item.append(make("p", { text: when(visit), look: "quiet" }));
  item.append(make("p", { text: standing(visit), look: "state", test: "visit-state" }));
  const actions = make("div", { look: "actions" }, ...buttons(visit, act));
  if (actions.childElementCount) item.append(actions);
  return item;
}

function when(visit: Visit): string {
  if (visit.state === "asked" && visit.asked_at) {
    return t("visits.own.at-door", { door: visit.asked_at, time: moment(visit.valid_from) });
  }
  const from = moment(visit.valid_from || Math.floor(Date.now() / 1000));
  return t("visits.own.window", { from, until: moment(visit.valid_until) });
}

function standing(visit: Visit): string {
  const state: TextKey =
    visit.state === "asked"
      ? visit.asked_at
        ? "visits.own.state-asked-at-door"
        : "visits.own.state-asked"
      : visit.state === "declined"
        ? "visits.own.state-declined"
        : "visits.own.state-approved";
  const said = [t(state)];
  if (visit.decided_by && (visit.asked_at || visit.decided_by === "desk")) {
    said.push(t(`visits.own.by-${visit.decided_by}`));
  }
  if (visit.uses) said.push(t("visits.own.entries", { entries: visit.entries, uses: visit.uses }));
  else if (visit.entries) said.push(t("visits.own.came", { entries: visit.entries }));
  return said.join(" · ");
}

function buttons(visit: Visit, act: (asked: Asked) => void): HTMLElement[] {
  const about = { visit: visit.visit };
  if (visit.state === "asked" && visit.asked_at) {
    return [
      button("approve", () => act({ ask: "approve", ...about }), "primary"),
      button("decline", () => act({ ask: "decline", ...about })),
    ];
  }
  const end = () => act({ ask: "end", ...about });
  if (visit.state === "asked") return [twice("cancel", end)];
  if (visit.state !== "approved") return [];
  const until = Math.max(visit.valid_until, Math.floor(Date.now() / 1000)) + TWO_HOURS;
  return [
    ...(visit.asked_at ? [] : [button("share-anew", () => act({ ask: "share", ...about }))]),
    button("extend", () => act({ ask: "extend", ...about, valid_until: until })),
    twice(visit.entries ? "left" : "cancel", end),
  ];
}

type Word = "approve" | "decline" | "extend" | "share-anew" | "cancel" | "left" | "face-withdraw";

function button(word: Word, press: () => void, look = ""): HTMLButtonElement {
  const made = make("button", { text: t(`visits.own.${word}`), look: `small ${look}`.trim(), test: word });
  made.type = "button";
  made.onclick = press;
  return made;
}

/** A button that ends something: it asks once more first. */
export function twice(word: Word, press: () => void): HTMLButtonElement {
  const made = button(word, () => {
    if (made.dataset["sure"]) return press();
    made.dataset["sure"] = "yes";
    made.textContent = t("visits.own.sure");
    setTimeout(() => {
      delete made.dataset["sure"];
      made.textContent = t(`visits.own.${word}`);
    }, SURE_FOR_MS);
  });
  return made;
}

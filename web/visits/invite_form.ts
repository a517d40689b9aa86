// The form by which a resident invites: today until ten in the evening unless they say otherwise.

import { byTestId, find, part } from "../form/speaking.ts";
import { t } from "../form/texts.ts";
import type { Asked, Home } from "./request.ts";
import { fieldTime, make, secondsOf } from "./parts.ts";

const EVENING = 22;
const MOST_USES = 10;

/** Set the form up; `send` gets what it asks for. */
export function inviteForm(send: (asked: Asked) => void): void {
  const form = part<HTMLFormElement>("invite");
  usual();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const asked = read();
    if (asked) send(asked);
  });
}

/** Offer what this home has: its doors, and the words of this language. */
export function offer(home: Home): void {
  const chosen = new Set(doors());
  part("door-list").replaceChildren(
    ...home.doors.map(({ id, name }) => {
      const box = make("input", { test: `door-${id}` });
      Object.assign(box, { type: "checkbox", name: "doors", value: id, checked: chosen.has(id) });
      return make("label", { look: "check" }, box, document.createTextNode(` ${name}`));
    }),
  );
  part("doors").hidden = home.doors.length < 2;
  const uses = byTestId<HTMLSelectElement>("uses");
  const kept = uses.value;
  uses.replaceChildren(
    ...Array.from({ length: MOST_USES + 1 }, (_, count) => {
      const words = count > 1 ? t("visits.own.times", { count }) : t(count ? "visits.own.once" : "visits.own.any");
      return new Option(words, String(count));
    }),
  );
  uses.value = kept || "0";
  part("desk-decides").hidden = !home.desk_decides;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  part("zone").hidden = zone === home.time_zone;
}

/** Empty the form once its invitation is on its way. */
export function usual(): void {
  part<HTMLFormElement>("invite").reset();
  const now = new Date();
  const until = new Date(now);
  // Who invites late in the evening means tomorrow.
  if (now.getHours() >= EVENING - 1) until.setDate(until.getDate() + 1);
  until.setHours(EVENING, 0, 0, 0);
  field("from").value = fieldTime(now);
  field("until").value = fieldTime(until);
}

function read(): Asked | undefined {
  const name = field("visitor-name");
  const from = secondsOf(field("from").value);
  const until = secondsOf(field("until").value);
  const now = Math.floor(Date.now() / 1000);
  part("name-missing").hidden = name.value.trim() !== "";
  part("time-wrong").hidden = until > Math.max(from, now);
  if (!name.value.trim()) return void name.focus();
  if (until <= Math.max(from, now)) return void field("until").focus();
  return {
    ask: "invite",
    visitor: {
      name: name.value.trim(),
      phone: "",
      visiting: "",
      purpose: field("purpose").value.trim(),
      plate: field("plate").value.trim(),
    },
    valid_from: from > now ? from : 0,
    valid_until: until,
    doors: doors(),
    uses: Number(byTestId<HTMLSelectElement>("uses").value),
    credential: find<HTMLInputElement>('[name="credential"]:checked').value,
  };
}

function doors(): string[] {
  const boxes = part("door-list").querySelectorAll<HTMLInputElement>("input:checked");
  return Array.from(boxes, ({ value }) => value);
}

function field(name: string): HTMLInputElement {
  return byTestId<HTMLInputElement>(name);
}

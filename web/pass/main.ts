// The page that shows a pass on a phone. It says nothing itself: the template holds every
// sentence, and this shows those that apply.

import { STEP_S, readPass } from "./pass.ts";
import type { ChangingPass, FixedPass } from "./pass.ts";
import { codePicture } from "./qr.ts";

function part(name: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-part="${name}"]`);
  if (!found) throw new Error(`the page lacks ${name}`);
  return found;
}

function show(text: string): void {
  part("code").replaceChildren(codePicture(text));
  part("code").dataset["text"] = text;
}

function say(...names: string[]): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-when]")) {
    element.hidden = !names.includes(element.dataset["when"] ?? "");
  }
}

/** Seconds by which this phone's clock is behind the service's; 0 when that cannot be known. */
async function clockOffset(): Promise<number> {
  try {
    const sent = Date.now();
    const answer = await fetch(location.pathname, { cache: "no-store" });
    const told = Date.parse(answer.headers.get("date") ?? "");
    return Number.isNaN(told) ? 0 : (told - (sent + Date.now()) / 2) / 1000;
  } catch {
    return 0;
  }
}

function showFixed(pass: FixedPass): void {
  const moment = new Intl.DateTimeFormat(document.documentElement.lang, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  part("begins").textContent = moment.format(1000 * pass.begins);
  part("ends").textContent = moment.format(1000 * pass.ends);
  part("uses").textContent = String(pass.uses);
  const isOver = 1000 * pass.ends <= Date.now();
  say(isOver ? "over" : "fixed", ...(pass.uses && !isOver ? ["counted"] : []));
  if (!isOver) show(pass.text);
}

async function showChanging(pass: ChangingPass): Promise<void> {
  const offset = await clockOffset();
  let shown = -1;
  const tick = async (): Promise<void> => {
    const now = Date.now() / 1000 + offset;
    const step = Math.floor(now / STEP_S);
    part("left").textContent = String(STEP_S - (Math.floor(now) % STEP_S));
    if (step === shown) return;
    shown = step;
    show(await pass.codeAt(step));
  };
  await tick();
  say("changing");
  setInterval(() => void tick(), 500);
}

async function main(): Promise<void> {
  // The other language is another page: it needs the fragment too.
  for (const link of document.querySelectorAll<HTMLAnchorElement>("[data-language]")) {
    link.hash = location.hash;
  }
  const pass = await readPass(location.hash);
  if (!pass) say("damaged");
  else if (pass.kind === "fixed") showFixed(pass);
  else await showChanging(pass);
}

window.addEventListener("hashchange", () => location.reload());
void main();

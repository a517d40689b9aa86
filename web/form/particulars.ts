// What a visitor writes about the visit.

import type { Particulars } from "./enrollment.ts";
import { find, part } from "./page.ts";

const NAMES = ["name", "phone", "visiting", "purpose", "plate"] as const;
const REQUIRED = ["name", "visiting"] as const;

/** Fill the fields from an earlier visit and hand over what is written on "continue". */
export function particularsStep(
  earlier: Particulars,
  written: (particulars: Particulars) => void,
): void {
  for (const name of NAMES) field(name).value = earlier[name];
  part<HTMLFormElement>("particulars-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const missing = REQUIRED.filter((name) => !field(name).value.trim());
    for (const name of REQUIRED) {
      const isMissing = missing.includes(name);
      find(`[data-missing="${name}"]`).hidden = !isMissing;
      field(name).setAttribute("aria-invalid", String(isMissing));
    }
    if (missing.length) return field(missing[0]).focus();
    const values = NAMES.map((name) => [name, field(name).value.trim()] as const);
    written(Object.fromEntries(values) as unknown as Particulars);
  });
}

function field(name: (typeof NAMES)[number]): HTMLInputElement {
  return find<HTMLInputElement>(`#${name}`);
}

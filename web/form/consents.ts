// The consents: separate, unticked, each with its whole text, in the reader's language.

import { hex, sha256, utf8 } from "./bytes.ts";
import type { GivenConsent } from "./enrollment.ts";
import { byTestId, part } from "./page.ts";
import type { ConsentText } from "./service.ts";
import { currentLanguage, t } from "./texts.ts";
import { chineseWords } from "./words.ts";

/** The consents in the reader's language, or in the one that the estate wrote them in. */
export function inLanguage(texts: readonly ConsentText[], language: string): ConsentText[] {
  const ids = [...new Set(texts.map((text) => text.id))];
  return ids.map((id) => {
    const same = texts.filter((text) => text.id === id);
    return same.find((text) => text.language === language) ?? same[0];
  });
}

export class ConsentStep {
  readonly #texts: readonly ConsentText[];
  #shown: readonly ConsentText[] = [];

  /** `agreed` hears what was ticked once all that is needed is, and who agreed for a child. */
  constructor(
    texts: readonly ConsentText[],
    agreed: (given: readonly GivenConsent[], guardian: string) => void,
  ) {
    this.#texts = texts;
    this.show();
    const child = byTestId<HTMLInputElement>("under-14");
    child.addEventListener("change", () => {
      part("guardian").hidden = !child.checked;
    });
    part<HTMLFormElement>("consents-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const missing = this.#shown.filter((text) => text.required && !this.#box(text.id).checked);
      for (const text of this.#shown) {
        this.#box(text.id).setAttribute("aria-invalid", String(missing.includes(text)));
      }
      part("consents-missing").hidden = missing.length === 0;
      const name = byTestId<HTMLInputElement>("guardian");
      const guardian = child.checked ? name.value.trim() : "";
      const isUnnamed = child.checked && !guardian;
      part("guardian-missing").hidden = !isUnnamed;
      name.setAttribute("aria-invalid", String(isUnnamed));
      if (missing.length) this.#box(missing[0].id).focus();
      else if (isUnnamed) name.focus();
      else void this.given().then((given) => agreed(given, guardian));
    });
  }

  /** Write the texts, unticked: a tick belongs to the text that was read. */
  show(): void {
    this.#shown = inLanguage(this.#texts, currentLanguage());
    part("consents-missing").hidden = true;
    part("consents").replaceChildren(...this.#shown.map(card));
  }

  /** What is ticked now. */
  given(): Promise<GivenConsent[]> {
    return Promise.all(
      this.#shown
        .filter((text) => this.#box(text.id).checked)
        .map(async ({ id, version, language, text }) => ({
          id,
          version,
          language,
          sha256: hex(await sha256(utf8(text))),
        })),
    );
  }

  #box(id: string): HTMLInputElement {
    const box = document.getElementById(`consent-${id}`);
    if (!(box instanceof HTMLInputElement)) throw new Error("a consent without its box");
    return box;
  }
}

function card(consent: ConsentText): HTMLElement {
  const whole = element("article", "consent");
  whole.lang = consent.language;
  const title = element("h3", "", consent.title);
  if (consent.language === "zh-CN") breakBetweenWords(title, consent.title);
  title.id = `consent-${consent.id}-title`;
  const kind = element(
    "p",
    "tag",
    t(`form.consents.${consent.required ? "required" : "optional"}`),
  );
  const paragraphs = consent.text.split(/\n{2,}/).map((text) => element("p", "", text));
  const label = element("label", "agree");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.id = `consent-${consent.id}`;
  box.dataset["testid"] = box.id;
  // Told together: "I agree" alone would not say to what.
  box.setAttribute("aria-describedby", title.id);
  label.append(box, element("span", "", t("form.consents.agree")));
  whole.append(title, kind, ...paragraphs, label);
  return whole;
}

/** Write a title anew with the places where its line may break; its text stays the same. */
function breakBetweenWords(title: HTMLElement, text: string): void {
  const words = chineseWords(text);
  if (words.length < 2) return;
  title.className = "words";
  title.replaceChildren(
    ...words.flatMap((word, at) => (at ? [document.createElement("wbr"), word] : [word])),
  );
}

function element(name: string, className: string, text = ""): HTMLElement {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

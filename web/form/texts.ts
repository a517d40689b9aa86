// Every sentence of the page in both languages, from the same catalogues that the server
// renders from; a key that nobody wrote does not compile.

import en from "../../tier_kit/forms/locales/en.json";
import zh from "../../tier_kit/forms/locales/zh-CN.json";
import type { Language } from "./enrollment.ts";

type Leaves<Tree> = {
  [Key in keyof Tree & string]: Tree[Key] extends string ? Key : `${Key}.${Leaves<Tree[Key]>}`;
}[keyof Tree & string];

/** Dotted key of a sentence, for instance `form.advice.closer`. */
export type TextKey = Leaves<typeof en>;

const catalogues: Record<Language, unknown> = { en, "zh-CN": zh };

let language: Language = document.documentElement.lang === "en" ? "en" : "zh-CN";

export function currentLanguage(): Language {
  return language;
}

export function setLanguage(chosen: Language): void {
  language = chosen;
}

/** Say whether `key` is a sentence; for keys made from codes that came over the network. */
export function isText(key: string): key is TextKey {
  return typeof find(key) === "string";
}

/** The sentence behind `key` in the reader's language, its `{places}` filled. */
export function t(key: TextKey, places: Record<string, string | number> = {}): string {
  return String(find(key)).replace(/\{(\w+)\}/g, (_, name: string) => String(places[name]));
}

function find(key: string): unknown {
  return key
    .split(".")
    .reduce<unknown>(
      (tree, step) =>
        typeof tree === "object" &&
        tree !== null &&
        Object.prototype.hasOwnProperty.call(tree, step)
          ? (tree as Record<string, unknown>)[step]
          : undefined,
      catalogues[language],
    );
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

function catalogue(language: string) {
  const file = new URL(`../../tier_kit/forms/locales/${language}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).form;
}

for (const [language, three, enough] of [
  ["en", "Three photos", "One photo is enough"],
  ["zh-CN", "三张", "一张也可以"],
]) {
  test(`heading and photo step promise the same number of photos (${language})`, () => {
    const form = catalogue(language);
    for (const sentence of [form["lead-resident"], form.photos.lead]) {
      assert.ok(sentence.includes(three), sentence);
    }
    // Nobody is held up: whoever has one photo is told that it will do.
    assert.ok(form.photos["send-fewer"].includes(enough), form.photos["send-fewer"]);
  });
}

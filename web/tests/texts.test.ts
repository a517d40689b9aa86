import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

function catalogue(language: string) {
  const file = new URL(`../../enrollment_cloud/locales/${language}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).form;
}

for (const [language, most, enough] of [
  ["en", "p to three photos", "one is enough, three are better"],
  ["zh-CN", "最多", "一张就够，三张更好"],
]) {
  test(`heading and photo step promise the same number of photos (${language})`, () => {
    const form = catalogue(language);
    for (const sentence of [form["lead-resident"], form.photos.lead]) {
      assert.ok(sentence.includes(most), sentence);
      assert.ok(sentence.toLowerCase().includes(enough), sentence);
    }
  });
}

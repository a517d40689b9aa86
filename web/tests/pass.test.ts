import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readPass, toBase45 } from "../pass/pass.ts";
import { SIZE, drawCode } from "../pass/qr.ts";

const file = new URL("../../tests/tier_link/vectors/pass.json", import.meta.url);
const vector = JSON.parse(readFileSync(file, "utf8"));

test("a fixed pass is shown as the server wrote it", async () => {
  const pass = await readPass(`#${vector.fragment}`);
  assert.ok(pass?.kind === "fixed");
  assert.equal(pass.text, vector.text);
  const { begins, ends, uses } = vector.claim;
  assert.deepEqual([pass.begins, pass.ends, pass.uses], [begins, ends, uses]);
});

test("a phone's code says what the server's says but for its signature", async () => {
  const pass = await readPass(vector.phone_fragment);
  assert.ok(pass?.kind === "changing");
  const code = await pass.codeAt(vector.step);
  assert.equal(code.length, vector.code.length);
  assert.equal(code.slice(0, 21), vector.code.slice(0, 21));
  assert.notEqual(code, await pass.codeAt(vector.step + 1));
});

test("a damaged link is no pass", async () => {
  for (const fragment of ["", "#", "#abc", vector.fragment.slice(0, -4), "!".repeat(98)]) {
    assert.equal(await readPass(fragment), undefined);
  }
});

test("base45 is RFC 9285's", () => {
  assert.equal(toBase45(new TextEncoder().encode("Hello!!")), "%69 VD92EX0");
});

test("a code has one size, and what does not fit is refused", () => {
  assert.equal(drawCode(vector.text).length, SIZE);
  assert.throws(() => drawCode("A".repeat(155)), RangeError);
  assert.throws(() => drawCode("a"), RangeError);
});

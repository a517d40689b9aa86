import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, equal, fromBase64url, random, toBase64url } from "../form/bytes.ts";

test("base64url goes out and back at every length", () => {
  for (let length = 0; length < 70; length++) {
    const bytes = random(length);
    assert.ok(equal(fromBase64url(toBase64url(bytes)), bytes));
  }
});

test("only the canonical spelling is read", () => {
  for (const text of ["AA==", "A", "AB", "A+/A", "A A", "AAé"]) {
    assert.throws(() => fromBase64url(text), RangeError, text);
  }
});

test("parts are joined in order", () => {
  const joined = concat(Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3));
  assert.deepEqual([...joined], [1, 2, 3]);
});

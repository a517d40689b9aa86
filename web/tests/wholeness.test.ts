import assert from "node:assert/strict";
import { test } from "node:test";
import { isCutOff } from "../form/wholeness.ts";

const PREVIEW = [0xff, 0xe1, 0x00, 0x06, 0xff, 0xd8, 0xff, 0xd9];
const SCAN = [0xff, 0xda, 0x00, 0x02, 1, 2, 3, 0xff, 0x00, 4];
const JPEG = [0xff, 0xd8, ...PREVIEW, ...SCAN];
const PNG = [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10];

function chunk(name: string): number[] {
  return [0, 0, 0, 0, ...[...name].map((letter) => letter.charCodeAt(0)), 0, 0, 0, 0];
}

test("a JPEG without its end is cut off, whatever the preview inside it has", () => {
  assert.ok(isCutOff(new Uint8Array(JPEG)));
  assert.ok(isCutOff(new Uint8Array(JPEG.slice(0, 8))));
  assert.ok(!isCutOff(new Uint8Array([...JPEG, 0xff, 0xd9])));
});

test("what a phone appends after the picture does not matter", () => {
  assert.ok(!isCutOff(new Uint8Array([...JPEG, 0xff, 0xd9, ...new Array(5000).fill(7)])));
});

test("a PNG without its last chunk is cut off", () => {
  assert.ok(isCutOff(new Uint8Array([...PNG, ...chunk("IDAT")])));
  assert.ok(!isCutOff(new Uint8Array([...PNG, ...chunk("IDAT"), ...chunk("IEND")])));
});

test("other files are left to the decoder", () => {
  assert.ok(!isCutOff(new TextEncoder().encode("%PDF-1.7")));
  assert.ok(!isCutOff(new Uint8Array()));
});

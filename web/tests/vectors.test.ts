import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checksOf } from "./vectors.ts";
import type { Vectors } from "./vectors.ts";

const folder = new URL("../../tests/tier_link/vectors/", import.meta.url);
const names = ["invitation", "certificate", "enrollment", "reply", "padding", "visit"];
const vectors = Object.fromEntries(
  names.map((name) => [name, JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"))]),
) as unknown as Vectors;

for (const [promise, check] of checksOf(vectors)) test(promise, check);

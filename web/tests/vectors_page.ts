// Runs the vectors inside a page: `window.checkVectors(vectors)` gives what failed.

import { checksOf } from "./vectors.ts";
import type { Vectors } from "./vectors.ts";

async function checkVectors(vectors: Vectors): Promise<string[]> {
  const failures: string[] = [];
  for (const [promise, check] of checksOf(vectors)) {
    await check().catch((error: unknown) => failures.push(`${promise}: ${String(error)}`));
  }
  return failures;
}

Object.assign(window, { checkVectors });

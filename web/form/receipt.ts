// The receipt that comes with an answer: what the estate states that it has destroyed, signed, as a
// small text file to keep. Whoever checks it later (`gatehouse verify-receipt`) needs the block alone;
// here it is only read out, since the sealed and signed answer has brought it.

import { fromBase64url } from "./bytes.ts";
import { byTestId, keepSaying, part } from "./speaking.ts";
import { currentLanguage, t } from "./texts.ts";

interface Agreed {
  readonly text: string;
  readonly sha256: string;
}

interface Door {
  readonly name: string;
  readonly state: "confirmed" | "lease-ended" | "waiting";
}

interface Receipt {
  readonly name: string;
  readonly signed_at: number;
  readonly stated: {
    readonly photos?: number;
    readonly agreed?: readonly Agreed[];
    readonly kept?: "person" | "face";
    readonly doors?: readonly Door[];
  };
}

let kept = "";

/** Show a receipt (its block), or nothing where there is none. */
export function showReceipt(block: string): void {
  part("outcome-receipt").hidden = !block;
  if (!block) return;
  const link = byTestId<HTMLAnchorElement>("receipt-save");
  keepSaying(byTestId("receipt-text"), () => {
    const text = fileOf(block);
    // The file speaks the reader's language, too.
    URL.revokeObjectURL(kept);
    kept = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
    link.href = kept;
    return text;
  });
}

function fileOf(block: string): string {
  try {
    return inWords(block);
  } catch {
    return block; // of a later estate than this page: the PIN beside it matters more
  }
}

function inWords(block: string): string {
  const { name, signed_at, stated } = read(block);
  const date = new Date(1000 * signed_at).toLocaleString(currentLanguage());
  const lines = [t("form.receipt.of", { name, date }), ""];
  if (stated.photos) lines.push(t("form.receipt.destroyed", { count: stated.photos }), "");
  for (const { text, sha256 } of stated.agreed ?? []) {
    lines.push(t("form.receipt.agreed", { sha256 }), text, "");
  }
  if (stated.kept) {
    const doors = (stated.doors ?? []).map(({ name, state }) =>
      t(`form.receipt.door-${state}`, { name }),
    );
    lines.push(t(`form.receipt.erased-${stated.kept}`), ...doors, "");
  }
  return [...lines, t("form.receipt.block"), "", block].join("\n");
}

function read(block: string): Receipt {
  const inner = block.split("-----")[2] ?? "";
  const signed = fromBase64url(inner.replace(/\s/g, ""));
  const { receipt } = JSON.parse(new TextDecoder().decode(signed)) as { receipt: string };
  return JSON.parse(receipt) as Receipt;
}

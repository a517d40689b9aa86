// A resident's own face: that it is kept, its withdrawal, what opens the doors instead, the receipt.

import { showReceipt } from "../form/receipt.ts";
import { byTestId, keepSaying, part, sayOrHide } from "../form/speaking.ts";
import { t } from "../form/texts.ts";
import type { Answer, Asked, Home } from "./request.ts";
import { twice } from "./visit_list.ts";

/** Show whether a face is kept; `act` sends the withdrawal. */
export function showFace(home: Home, act: (asked: Asked) => void): void {
  const isKept = home.face ?? false;
  part("face").hidden = !isKept && !home.receipt && part("face-gone").hidden;
  part("face-kept").hidden = !isKept;
  part("face-withdraw").replaceChildren(
    ...(isKept ? [twice("face-withdraw", () => act({ ask: "withdraw-face" }))] : []),
  );
  showReceipt(home.receipt ?? "");
}

/** Show what takes the place of the face that was just withdrawn. */
export function showInstead({ pin = "", unit = "" }: Answer): void {
  part("face").hidden = false;
  part("face-gone").hidden = false;
  keepSaying(part("face-gone-text"), () => t("visits.own.face-gone"));
  byTestId("own-pin").textContent = pin;
  part("face-pin").hidden = !pin;
  const isPin = () => t("visits.own.face-pin", { unit });
  keepSaying(part("face-instead"), () => (pin ? isPin() : t("visits.own.face-other")));
  sayOrHide(part("face-pin-keep"), pin ? () => t("visits.own.face-pin-keep") : undefined);
  part("face-gone").focus({ preventScroll: true });
  part("face-gone").scrollIntoView({ block: "start" });
}

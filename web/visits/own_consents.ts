// Consents whose texts have changed: shown as the enrollment form shows them, agreed to or not.

import { ConsentStep } from "../form/consents.ts";
import type { ConsentText } from "../form/service.ts";
import { keepSaying, onLanguage, part } from "../form/speaking.ts";
import { t } from "../form/texts.ts";
import { moment } from "./parts.ts";
import type { Asked, Home } from "./request.ts";

let asked = "";

/** Ask a home for what it has to agree to anew, if anything; `act` sends the answer. */
export function askAnew(
  home: Home,
  texts: readonly ConsentText[],
  act: (asked: Asked) => void,
): void {
  const ids = home.confirm ?? [];
  part("confirm").hidden = !ids.length;
  // Written once: a look at the visits in between unticks nothing.
  if (asked === ids.join()) return;
  asked = ids.join();
  if (!ids.length) return;
  const until = () => t("visits.own.confirm-text", { date: moment(home.confirm_until ?? 0) });
  keepSaying(part("confirm-text"), until);
  const step = new ConsentStep(
    texts.filter(({ id }) => ids.includes(id)),
    (consents, guardian) => act({ ask: "confirm-consents", consents, guardian }),
  );
  onLanguage(() => step.show());
}

"""The consents that an enrollment needs, and whether the ones given are those."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from community_server.errors import EnrollmentRefused
from tier_link.envelopes import GivenConsent
from tier_link.relay_messages import ConsentText
from tier_link.replies import ReplyReason

_OF_THE_INTERNET: Final = frozenset({"internet", "unsealed"})


@dataclass(frozen=True)
class Consents:
    """Every text in both languages."""

    texts: tuple[ConsentText, ...]

    @property
    def at_home(self) -> tuple[ConsentText, ...]:
        """The texts where nothing goes over the internet."""
        return tuple(text for text in self.texts if text.id not in _OF_THE_INTERNET)

    def check(
        self,
        given: Sequence[GivenConsent],
        *,
        with_photos: bool,
        unsealed: bool,
        over_cloud: bool = True,
    ) -> None:
        """Check that every consent that is needed was given, to the text that stands today.

        Somebody who sends no photo agrees to nothing about faces; someone whose client cannot
        seal agrees to that as well; about the internet agrees who sends over it (`over_cloud`).

        Raises:
            EnrollmentRefused: `consent-missing`, `consent-changed`.
        """
        if not all(stands(consent, self.texts) for consent in given):
            raise EnrollmentRefused(
                "a consent to a text that has changed", code=ReplyReason.CONSENT_CHANGED
            )
        shown = self.texts if over_cloud else self.at_home
        needed = {text.id for text in shown if text.required and with_photos}
        if unsealed:
            needed.add("unsealed")
        if needed - {consent.id for consent in given}:
            raise EnrollmentRefused("a consent is missing", code=ReplyReason.CONSENT_MISSING)


def stands(given: GivenConsent, texts: Sequence[ConsentText]) -> bool:
    """Say whether a consent was given to one of these texts, as it stands today."""
    return any(
        (given.id, given.version, given.language, given.sha256)
        == (text.id, text.version, text.language, _digest(text))
        for text in texts
    )


@cache
def load_consents(*, unsealed_uploads: bool) -> Consents:
    """Read the texts that ship with this version."""
    document = _document()
    consents: list[dict[str, Any]] = document["consents"]
    if unsealed_uploads:
        consents = [*consents, document["unsealed"]]
    return Consents(_texts(document["version"], consents))


@cache
def load_renewal_texts() -> tuple[ConsentText, ...]:
    """Read what somebody agrees to whose face is renewed at a door; doors show it as it is."""
    document = _document()
    return _texts(document["version"], [document["renewal"]])


def _document() -> dict[str, Any]:
    text = resources.files("community_server").joinpath("consents.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _texts(version: str, consents: list[dict[str, Any]]) -> tuple[ConsentText, ...]:
    return tuple(
        ConsentText(
            id=consent["id"],
            version=version,
            language=language,
            required=consent["required"],
            title=consent[language]["title"],
            text=consent[language]["text"],
        )
        for consent in consents
        for language in ("zh-CN", "en")
    )


def _digest(text: ConsentText) -> str:
    return hashlib.sha256(text.text.encode()).hexdigest()

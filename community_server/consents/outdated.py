"""Whose consent is to another text than the one that stands today, or is on no record."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.intake.consents import Consents, load_consents
from community_server.intake.tables import ConsentGiven, Enrollment
from community_server.people.tables import Person, Template


@dataclass(frozen=True)
class Outdated:
    """Somebody with a face; `version` and `given_at` are of their last consent, empty for none."""

    person: str
    version: str
    given_at: int


def texts_today() -> Consents:
    """Return the texts that stand today."""
    return load_consents(unsealed_uploads=False)


@cache
def _needed(consents: Consents) -> Mapping[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for text in consents.at_home:
        if text.required:
            found[text.id].add(hashlib.sha256(text.text.encode()).hexdigest())
    return {consent: frozenset(digests) for consent, digests in found.items()}


def needed() -> Mapping[str, frozenset[str]]:
    """Return the consents that go on being needed, each with its texts' digests.

    What was agreed to about sending over the internet was for that once.
    """
    return _needed(texts_today())


def list_outdated(session: Session, only: Collection[str] | None = None) -> list[Outdated]:
    """Return who has a face and has not agreed to today's texts, visitors left out.

    A visitor's consent is for a visit: the next one shows today's texts.
    """
    people = (
        select(Template.person_id)
        .join(Person, Person.id == Template.person_id)
        .where(Person.category != "visitor")
        .order_by(Person.unit, Person.id)
    )
    given = (
        select(Enrollment.person_id, ConsentGiven)
        .join(Enrollment, Enrollment.id == ConsentGiven.enrollment_id)
        .where(ConsentGiven.withdrawn_at == 0, ConsentGiven.consent.in_(needed()))
        .order_by(ConsentGiven.given_at)
    )
    if only is not None:
        people = people.where(Template.person_id.in_(only))
        given = given.where(Enrollment.person_id.in_(only))
    fresh: defaultdict[str, set[str]] = defaultdict(set)
    last: dict[str, ConsentGiven] = {}
    for person, row in session.execute(given):
        last[person] = row
        if row.sha256 in needed()[row.consent]:
            fresh[person].add(row.consent)
    return [
        Outdated(
            person,
            version=last[person].version if person in last else "",
            given_at=last[person].given_at if person in last else 0,
        )
        for person in session.scalars(people)
        if fresh[person] != needed().keys()
    ]

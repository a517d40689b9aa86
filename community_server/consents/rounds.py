"""A round: people are asked to agree to texts that have changed; who does not, goes on by PIN.

Never silently: who is asked is listed at the desk and written to, their own page asks them, and at
the end they are written to again, with the PIN that takes the face's place.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.consents.asking import running_round
from community_server.consents.notices import reachable, tell_asked, tell_stopped
from community_server.consents.outdated import list_outdated, needed, texts_today
from community_server.consents.tables import ConsentRound
from community_server.consents.withdrawal import withdraw_face
from community_server.database import new_id, now
from community_server.errors import Conflict, InputRefused
from community_server.intake.consents import stands
from community_server.intake.holding import keep_guardian
from community_server.intake.tables import ConsentGiven, Enrollment
from community_server.people.tables import Person
from community_server.visits.visiting import Visiting
from tier_link.envelopes import GivenConsent

LEAST_DAYS: Final = 7
"""Whoever is away for a week finds the question still open."""
USUAL_DAYS: Final = 30
MOST_DAYS: Final = 180
"""Longer, and nobody remembers that they were asked."""
_DAY: Final = 24 * 3600


def list_rounds(session: Session) -> Sequence[ConsentRound]:
    """Return all rounds, the newest first."""
    return session.scalars(
        select(ConsentRound).order_by(ConsentRound.begun_at.desc(), ConsentRound.id)
    ).all()


def begin_round(change: Change, visiting: Visiting, days: int, staff: str) -> ConsentRound:
    """Ask everybody whose consent is to an older text; they have so many days.

    Raises:
        InputRefused: `days-wrong`.
        Conflict: `round-running`; `nobody-to-ask`.
    """
    session = change.session
    if not LEAST_DAYS <= days <= MOST_DAYS:
        raise InputRefused("out of range", field="days", code="days-wrong")
    if running_round(session) is not None:
        raise Conflict("a round is running", code="round-running")
    people = [one.person for one in list_outdated(session)]
    if not people:
        raise Conflict("everybody has agreed to today's texts", code="nobody-to-ask")
    row = ConsentRound(
        id=new_id(),
        version=texts_today().texts[0].version,
        begun_at=now(),
        begun_by=staff,
        ends_at=now() + days * _DAY,
        asked=len(people),
    )
    session.add(row)
    session.flush()
    for person in people:
        tell_asked(change, visiting, person, row.ends_at)
    audit(session, staff, "begin-consent-round", detail=str(len(people)))
    return row


def confirm(
    change: Change,
    person: Person,
    envelope: str,
    given: Sequence[GivenConsent],
    *,
    guardian: str,
    language: str,
    origin: str,
) -> None:
    """Keep that somebody agreed to today's texts, on their own page.

    Raises:
        Conflict: `consent-changed`, `consent-missing`.
    """
    if not all(stands(one, texts_today().at_home) for one in given):
        raise Conflict("a consent to a text that has changed", code="consent-changed")
    if needed().keys() - {one.id for one in given}:
        raise Conflict("a consent is missing", code="consent-missing")
    row = Enrollment(
        id=envelope,
        person_id=person.id,
        kind="resident",
        state="enrolled",
        sealed_by="browser",
        language=language,
        received_at=now(),
        decided_at=now(),
        reply_key=b"",
        replies=0,
        origin=origin,
    )
    change.session.add(row)
    change.session.flush()
    keep_guardian(change, row, guardian)
    change.session.add_all(
        ConsentGiven(
            enrollment_id=envelope,
            consent=one.id,
            version=one.version,
            language=one.language,
            sha256=one.sha256,
            given_at=now(),
            sealed_by="browser",
            origin=origin,
            given_by="guardian" if guardian else "person",
        )
        for one in given
    )
    change.session.flush()


def due_to_stop(session: Session, moment: int) -> list[str] | None:
    """Return whose face stops now that the round is over; None while there is nothing to end."""
    row = running_round(session)
    if row is None or row.ends_at > moment:
        return None
    return [one.person for one in list_outdated(session)]


def stop_face(change: Change, visiting: Visiting, person: str) -> None:
    """Erase the face of somebody who has not agreed, and write to them what opens doors instead."""
    session = change.session
    row = running_round(session)
    if row is None or not list_outdated(session, [person]):
        return  # they agreed a moment ago
    # Without a way to tell them a PIN, the desk hands one out: nobody else must know it.
    can_tell = reachable(change, visiting, person)
    instead = withdraw_face(change, visiting.links, person, "round", give=can_tell)
    row.stopped += 1
    audit(session, "", "withdraw-face", person, "round")
    tell_stopped(change, visiting, person, instead.pin, instead.unit)


def end_round(change: Change) -> None:
    """Note that the round is over."""
    row = running_round(change.session)
    if row is not None:
        row.ended_at = now()
        audit(change.session, "", "end-consent-round", detail=str(row.stopped))

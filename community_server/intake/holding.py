"""Keeping what waits for the desk, sealed under a data key of its own until staff decide."""

import msgspec
import numpy as np
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.intake.judging import Judgement
from community_server.intake.tables import Enrollment, PendingPhoto
from community_server.people.particulars import Known, open_known, owner, updated
from community_server.people.tables import Person
from community_server.vault.safe import Safe
from tier_link.envelopes import Enrollment as OpenedEnrollment

WAITING_TEMPLATE = "waiting-template"
"""What a waiting template is bound to."""
WAITING_PARTICULARS = "waiting-particulars"
"""What waiting particulars are bound to."""


def enrollment_owner(envelope: str) -> str:
    """Return the owner of the data key that seals what waits for the desk."""
    return f"enrollment:{envelope}"


def photo_context(number: int) -> str:
    """Return what a waiting photo is bound to."""
    return f"photo/{number}"


def keep_guardian(change: Change, row: Enrollment, name: str) -> None:
    """Keep who consented for somebody under 14, for as long as that person is known."""
    if name:
        row.guardian = change.safe.seal(
            change.session, owner(row.person_id), _guardian_context(row.id), name.encode()
        )


def open_guardian(session: Session, safe: Safe, row: Enrollment) -> str:
    """Return who consented for somebody under 14, empty where the person did."""
    if row.guardian is None:
        return ""
    return safe.open(
        session, owner(row.person_id), _guardian_context(row.id), row.guardian
    ).decode()


def _guardian_context(envelope: str) -> str:
    return f"guardian/{envelope}"


def hold_particulars(
    change: Change, row: Enrollment, person: Person, enrollment: OpenedEnrollment
) -> None:
    """Keep what somebody wrote until staff decide: a forwarded link must not rename anybody."""
    if person.category == "resident":
        return
    session, safe, given = change.session, change.safe, enrollment.particulars
    known = updated(
        open_known(session, safe, person),
        Known(given.name, given.phone, given.visiting, given.purpose, given.plate),
    )
    data = msgspec.json.encode(known)
    row.particulars = safe.seal(session, enrollment_owner(row.id), WAITING_PARTICULARS, data)


def hold(
    change: Change,
    row: Enrollment,
    enrollment: OpenedEnrollment,
    judgement: Judgement | None,
    space: str,
) -> None:
    """Keep photos and template, sealed under a key of their own, until staff decide."""
    session, safe, holder = change.session, change.safe, enrollment_owner(row.id)
    safe.add_owner(session, holder)
    for number, photo in enumerate(enrollment.photos):
        sealed = safe.seal(session, holder, photo_context(number), photo.data)
        session.add(
            PendingPhoto(enrollment_id=row.id, number=number, pose=photo.pose, sealed=sealed)
        )
    if judgement is not None:
        keep_template(change, row, judgement, space)
    row.state = "waiting"


def keep_template(change: Change, row: Enrollment, judgement: Judgement, space: str) -> None:
    """Keep what photos that wait were judged to show."""
    data = np.asarray(judgement.template, "<f4").tobytes()
    row.template = change.safe.seal(
        change.session, enrollment_owner(row.id), WAITING_TEMPLATE, data
    )
    row.template_space = space
    row.resembles = judgement.resembles

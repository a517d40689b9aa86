"""Keeping what waits for the desk, sealed under a data key of its own until staff decide."""

import msgspec
import numpy as np

from community_server.change import Change
from community_server.intake.judging import Judgement
from community_server.intake.tables import Enrollment, PendingPhoto
from community_server.people.particulars import Known, open_known, updated
from community_server.people.tables import Person
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
    session, safe, owner = change.session, change.safe, enrollment_owner(row.id)
    safe.add_owner(session, owner)
    for number, photo in enumerate(enrollment.photos):
        sealed = safe.seal(session, owner, photo_context(number), photo.data)
        session.add(
            PendingPhoto(enrollment_id=row.id, number=number, pose=photo.pose, sealed=sealed)
        )
    if judgement is not None:
        data = np.asarray(judgement.template, "<f4").tobytes()
        row.template = safe.seal(session, owner, WAITING_TEMPLATE, data)
        row.template_space = space
        row.resembles = judgement.resembles
    row.state = "waiting"

"""The desk's decision: the waiting photos are shown, compared, and destroyed by the decision."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec
import numpy as np
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import now
from community_server.errors import Conflict, NotFound
from community_server.intake.holding import (
    WAITING_PARTICULARS,
    WAITING_TEMPLATE,
    enrollment_owner,
    open_guardian,
    photo_context,
)
from community_server.intake.judging import PhotoJudge
from community_server.intake.replies import Answer, send_answer
from community_server.intake.tables import FACES_OFF, UNUSABLE, Enrollment, PendingPhoto
from community_server.invitations.service import Here
from community_server.people.particulars import Known, open_known
from community_server.people.queries import get_person, people_with_templates
from community_server.people.service import (
    describe_person,
    forget_face,
    store_template,
)
from community_server.people.tables import Person
from community_server.privacy.faces import faces_are_on
from community_server.receipts.signing import sign_for_photos
from community_server.setup.community import get_community
from community_server.vault.safe import Safe
from community_server.visits.links import home_link_of, make_home_link
from community_server.visits.without_face import give_pin_and_pass
from face_engine.errors import PhotoRefused
from face_engine.faces import Vectors
from tier_link.replies import ReplyReason
from tier_link.store import LinkStore

Decision = Literal["approve", "decline"]


@dataclass(frozen=True)
class Waiting:
    """An enrollment that waits for the desk, as staff see it; `renews` a face known already.

    `guardian` names who consented for somebody under 14.
    """

    id: str
    kind: str
    category: str
    person: str
    known: Known = field(repr=False)
    unit: str
    received_at: int
    photos: int
    renews: bool
    held_for: str
    resembles: str | None
    valid_from: int
    valid_until: int
    guardian: str = field(default="", repr=False)


def list_waiting(session: Session, safe: Safe) -> list[Waiting]:
    """Return what waits, oldest first."""
    photos = select(PendingPhoto.enrollment_id, func.count()).group_by(PendingPhoto.enrollment_id)
    counts = dict(session.execute(photos).all())
    faces = people_with_templates(session)
    rows = session.execute(
        select(Enrollment, Person)
        .join(Person, Person.id == Enrollment.person_id)
        .where(Enrollment.state == "waiting")
        .order_by(Enrollment.received_at, Enrollment.id)
    )
    return [
        Waiting(
            id=row.id,
            kind=row.kind,
            category=person.category,
            person=person.id,
            known=_known_of(session, safe, row, person),
            unit=person.unit,
            received_at=row.received_at,
            photos=counts.get(row.id, 0),
            renews=person.id in faces,
            held_for=row.held_for,
            resembles=row.resembles,
            valid_from=person.valid_from,
            valid_until=person.valid_until,
            guardian=open_guardian(session, safe, row),
        )
        for row, person in rows
    ]


def count_waiting(session: Session) -> int:
    """Return how many wait."""
    return session.scalars(
        select(func.count()).select_from(Enrollment).where(Enrollment.state == "waiting")
    ).one()


def count_held(session: Session) -> int:
    """Return how many of these wait for faces to be switched on."""
    held = select(func.count()).where(
        Enrollment.state == "waiting", Enrollment.held_for == FACES_OFF
    )
    return session.scalars(held).one()


def people_waiting(session: Session, only: Collection[str] | None = None) -> frozenset[str]:
    """Return the ids of people, or of some people, of whom something waits."""
    people = select(Enrollment.person_id).where(Enrollment.state == "waiting")
    if only is not None:
        people = people.where(Enrollment.person_id.in_(only))
    return frozenset(session.scalars(people))


def show_photo(session: Session, safe: Safe, enrollment: str, number: int) -> bytes:
    """Open one waiting photo, in memory, as it was sent.

    Raises:
        NotFound: `photo-unknown`, also after the decision.
    """
    row = session.get(PendingPhoto, (enrollment, number))
    if row is None:
        raise NotFound("no such photo waits", code="photo-unknown")
    return safe.open(session, enrollment_owner(enrollment), photo_context(number), row.sealed)


def open_photos(session: Session, safe: Safe, enrollment: str) -> list[bytes]:
    """Open all photos of an enrollment that waits, in memory, in their order."""
    waiting = session.scalars(
        select(PendingPhoto)
        .where(PendingPhoto.enrollment_id == enrollment)
        .order_by(PendingPhoto.number)
    )
    owner = enrollment_owner(enrollment)
    return [safe.open(session, owner, photo_context(one.number), one.sealed) for one in waiting]


def decide(
    change: Change,
    links: LinkStore,
    judge: PhotoJudge,
    enrollment: str,
    decision: Decision,
    staff: str,
) -> bool:
    """Carry out the desk's decision, answer the person, destroy the photos.

    Return whether the doors know the person by face from now on.

    Somebody who resembles a person known already is let in by PIN, not by face: a newer
    enrollment must never change the doors' decision on an older one. Whoever was enrolled while
    this one waited is an older one by now. For the same reason a face that was accepted earlier
    stays then. Whoever wants no face any more has it erased.

    Raises:
        NotFound: `enrollment-unknown`.
        Conflict: `already-decided`, `time-over`, `photos-unusable`, `faces-off`.
    """
    session = change.session
    row = session.get(Enrollment, enrollment, with_for_update=True)
    if row is None:
        raise NotFound("no such enrollment", code="enrollment-unknown")
    if row.state != "waiting":
        raise Conflict("this was decided already", code="already-decided")
    if decision == "approve":
        answer = _approve(change, links, row, judge)
    else:
        answer = Answer("refused", ReplyReason.DECLINED_BY_DESK)
    row.state = "enrolled" if decision == "approve" else "declined"
    row.reason, row.decided_at, row.decided_by = answer.reason, now(), staff
    by_face = decision == "approve" and not (answer.pin or answer.qr_pass)
    end_waiting(change, links, row, answer, judge.space.name if by_face else "")
    return by_face


def end_waiting(
    change: Change, links: LinkStore, row: Enrollment, answer: Answer, space: str = ""
) -> None:
    """Destroy what waited, and answer.

    `space` is the template space of what was kept of the photos, empty for nothing; the answer
    brings a receipt that says so.
    """
    session = change.session
    photos = _count_photos(session, row)
    destroy_waiting(change, row)
    receipt = sign_for_photos(session, change.safe, row.id, photos=photos, space=space)
    send_answer(change, links, get_community(session).slug, row, replace(answer, receipt=receipt))


def destroy_waiting(change: Change, row: Enrollment) -> None:
    """Destroy what waited: photos, template, particulars, and the data key that sealed them."""
    change.session.execute(delete(PendingPhoto).where(PendingPhoto.enrollment_id == row.id))
    row.template = row.particulars = None
    change.safe.destroy(change.session, enrollment_owner(row.id))
    change.wipe()


def waiting_of(session: Session, person: str) -> Sequence[Enrollment]:
    """Return what of a person waits for the desk."""
    return session.scalars(
        select(Enrollment).where(Enrollment.person_id == person, Enrollment.state == "waiting")
    ).all()


def _approve(change: Change, links: LinkStore, row: Enrollment, judge: PhotoJudge) -> Answer:
    session = change.session
    person = get_person(session, row.person_id, lock=True)
    if person.valid_until and person.valid_until <= now():
        raise Conflict("the agreed time is over", code="time-over")
    if row.particulars is not None:
        describe_person(change, person, _known_of(session, change.safe, row, person))
    unseen = row.held_for in {FACES_OFF, UNUSABLE}
    if unseen and not faces_are_on(session):
        raise Conflict("nobody has signed an assessment", code="faces-off")
    if row.template is None and not unseen:
        forget_face(change, person)
    template = _waiting_template(change, row, judge) if row.resembles is None else None
    if template is not None:
        row.resembles = row.resembles or judge.lookalike(template, person.id)
        if row.resembles and row.held_for == "differs":
            # The desk was not told that approving sends a PIN to whoever this is.
            raise Conflict("resembles somebody enrolled meanwhile", code="photos-unusable")
        row.held_for = "resembles" if row.resembles else row.held_for
    home = _page_for(change, links, row, person)
    if template is None or row.resembles is not None:
        pin, qr_pass = give_pin_and_pass(change, person)
        return Answer(
            "enrolled", pin=pin, expires_at=person.valid_until, qr_pass=qr_pass, home=home
        )
    space = judge.space.name
    store_template(change, person, space, template, photos=_count_photos(session, row))
    return Answer("enrolled", expires_at=person.valid_until, home=home)


def _page_for(change: Change, links: LinkStore, row: Enrollment, person: Person) -> str:
    """Return the fragment of a resident's own page, if they have none yet.

    Whoever enrolled without the cloud is not made known there unasked; where there is none, the
    page is on the estate's own network, as their form was.
    """
    no_cloud = not get_community(change.session).cloud_url
    if row.origin == "desk" or (row.origin == "estate" and not no_cloud):
        return ""
    if person.category != "resident" or home_link_of(change.session, person.id) is not None:
        return ""
    link = make_home_link(change, links, person.id, Here() if no_cloud else None)
    return link.partition("#")[2]


def _waiting_template(change: Change, row: Enrollment, judge: PhotoJudge) -> Vectors | None:
    if row.template is None and row.held_for not in {FACES_OFF, UNUSABLE}:
        return None
    if row.template is None or row.template_space != judge.space.name:
        return _judge_again(change, row, judge)
    owner = enrollment_owner(row.id)
    data = change.safe.open(change.session, owner, WAITING_TEMPLATE, row.template)
    return np.frombuffer(data, "<f4")


def _judge_again(change: Change, row: Enrollment, judge: PhotoJudge) -> Vectors:
    """Look at waiting photos with the model that came while they waited, or for the first time."""
    photos = open_photos(change.session, change.safe, row.id)
    try:
        judgement = judge.judge(judge.look(photos), row.person_id)
    except PhotoRefused as refused:
        raise Conflict("the model refuses the photos", code="photos-unusable") from refused
    if judgement.uncompared:
        raise Conflict("the model before refuses the photos", code="photos-unusable")
    row.resembles = judgement.resembles
    return judgement.template


def _count_photos(session: Session, row: Enrollment) -> int:
    photos = select(func.count()).where(PendingPhoto.enrollment_id == row.id)
    return session.scalars(photos).one()


def _known_of(session: Session, safe: Safe, row: Enrollment, person: Person) -> Known:
    """Return what the person wrote this time, else what is known of them."""
    if row.particulars is None:
        return open_known(session, safe, person)
    owner = enrollment_owner(row.id)
    data = safe.open(session, owner, WAITING_PARTICULARS, row.particulars)
    return msgspec.json.decode(data, type=Known)

"""From what a door has just seen of somebody to their face in the present template space.

Who asks for it has opened with face and PIN a moment ago. Whoever borrows a PIN and is taken for
its owner has done so too, and must not turn that owner's face into their own: the model before,
by which the owner is known, has to accept every single picture, and all of them together more
surely than a door asks. Pictures are in memory only, for the length of one request.
"""

import logging
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import numpy as np
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from access_rules.decision import Liveness, LivenessPolicy
from access_rules.people import Credential
from community_server.audit.log import audit
from community_server.change import Change, Changer
from community_server.database import new_id, now
from community_server.doors.service import get_door
from community_server.entries.service import find_entry
from community_server.intake.consents import load_renewal_texts, stands
from community_server.intake.tables import ConsentGiven, Enrollment
from community_server.matching import SharedEncoder, Space
from community_server.matching.crops import decode_crops
from community_server.people.service import open_template, store_template
from community_server.people.tables import Person, Template
from face_engine.encoder import as_probe, encode_with_mirror, fuse
from face_engine.enrollment import odd_one_out
from face_engine.faces import Image, Vectors
from face_engine.lookalikes import is_surely
from face_engine.rotation import turn
from tier_link.envelopes import GivenConsent
from tier_link.errors import DeadlinePassed, RequestRefused
from tier_link.estate_messages import RenewalAnswer, RenewalDeclined, RenewalRequest
from tier_link.store import reading

_log = logging.getLogger(__name__)

RECENT_S: Final = 120
"""From an entry to the wish to renew: a door's page asks for a sixth of that."""
WAIT_S: Final = 2.0
"""How long a renewal waits for the one before: doors that match share these threads."""
ASK_AGAIN_S: Final = 30 * 24 * 3600
"""Whoever declined is left alone for a month, at every door: it is kept with the face, which
erasure takes along."""


class _NotRenewed(Exception):
    """Why a face stays as it is: the code that the door is told."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class _InTime:
    """The shared encoder as one request's own."""

    encoder: SharedEncoder
    dimension: int
    deadline: float

    def encode(self, crops: Image) -> Vectors:
        return self.encoder.encode(crops, self.deadline)


@dataclass(frozen=True)
class _Faces:
    """What the pictures show, turned: by the present model, and by the one before."""

    present: Vectors = field(repr=False)
    former: Vectors = field(repr=False)


@dataclass(frozen=True)
class Renewals:
    """Renews faces at doors; `former` is the space before, without which there is nothing to do."""

    engine: Engine
    changer: Changer
    space: Space
    former: Space | None
    _one_by_one: Lock = field(default_factory=Lock, init=False, repr=False)

    def may_ask(self, person: str) -> bool:
        """Say whether a door may ask somebody whether to renew their face."""
        with Session(reading(self.engine)) as session:
            template = self._due(session, person)
            return template is not None and template.declined_at + ASK_AGAIN_S <= now()

    def renew(self, door: str, request: RenewalRequest, deadline: float) -> RenewalAnswer:
        """Make what a door saw the face of whom it let in, or say why not.

        One after the other, so that each is compared with the one before.

        Args:
            door: Who asks.
            request: The pictures, the entry and the consent.
            deadline: Monotonic seconds after which nobody waits any more.

        Raises:
            RequestRefused: `template-space-other`, `crop-malformed`, `busy`.
            DeadlinePassed: the encoder was busy for too long.
        """
        if request.template_space != self.space.name:
            raise RequestRefused("the door is of another space", code="template-space-other")
        if not self._one_by_one.acquire(timeout=WAIT_S):
            raise RequestRefused("another face is being renewed", code="busy")
        try:
            reason = self._renew(door, request, deadline)
        finally:
            self._one_by_one.release()
        _log.info("door=%s entry=%s renewal=%s", door, request.entry, reason)
        return RenewalAnswer(reason)

    def decline(self, door: str, request: RenewalDeclined) -> RenewalAnswer:
        """Leave whom a door let in alone for a while."""
        with self.changer.change() as change:
            try:
                person = _let_in(change.session, door, request.entry)
            except _NotRenewed as refusal:
                return RenewalAnswer(refusal.code)
            template = self._due(change.session, person)
            if template is not None:
                template.declined_at = now()
        return RenewalAnswer("noted")

    def _renew(self, door: str, request: RenewalRequest, deadline: float) -> str:
        try:
            _check_consent(request.consent)
            with Session(reading(self.engine)) as session:
                _check_liveness(session, door, request.liveness)
                person, known = self._known(session, door, request.entry)
            faces = self._look(door, known, decode_crops(request.crops), deadline)
            if time.monotonic() >= deadline:
                raise DeadlinePassed("nobody waits for the renewal any more")
            with self.changer.change() as change:
                self._replace(change, door, person, faces, request)
        except _NotRenewed as refusal:
            return refusal.code
        return "renewed"

    def _due(self, session: Session, person: str) -> Template | None:
        """Return a person's template if it is of the space before."""
        template = session.get(Template, person)
        if self.former is None or template is None or template.space != self.former.name:
            return None
        return template

    def _known(self, session: Session, door: str, entry: str) -> tuple[str, Vectors]:
        person = _let_in(session, door, entry)
        template = self._due(session, person)
        if template is None:
            raise _NotRenewed("not-due")
        data = open_template(session, self.changer.safe, template)
        return person, np.frombuffer(data, "<f4")

    def _look(self, door: str, known: Vectors, crops: Image, deadline: float) -> _Faces:
        """Encode the pictures by both models; refuse what may be somebody else."""
        former = self.former
        if former is None:
            raise _NotRenewed("not-due")
        threshold = former.thresholds.of(door).value
        calibration = former.thresholds.budget.calibration
        turned = turn(former.encoder.encode(as_probe(crops), deadline), former.matrix)
        if not is_surely(turned, known, threshold, calibration):
            raise _NotRenewed("face-unsure")
        encoder = _InTime(self.space.encoder, self.space.pack.encoder.dimension, deadline)
        present = encode_with_mirror(encoder, crops)
        same_person = self.space.thresholds.budget.calibration.same_person
        if odd_one_out(present, same_person) is not None:
            raise _NotRenewed("face-unsure")
        return _Faces(turn(fuse(present), self.space.matrix), fuse(turned))

    def _replace(
        self, change: Change, door: str, person: str, faces: _Faces, request: RenewalRequest
    ) -> None:
        """Store face, consent and audit row, if all still stands."""
        session = change.session
        row = session.get(Person, person, with_for_update=True)
        over = row is not None and 0 < row.valid_until <= now()
        if row is None or row.state != "active" or row.suspended or over:
            raise _NotRenewed("entry-unfit")
        if self.former is None or self._due(session, person) is None:
            raise _NotRenewed("not-due")
        resembled = self.space.lookalike(faces.present, person)
        if resembled or self.former.lookalike(faces.former, person):
            raise _NotRenewed("resembles")
        photos = len(request.crops)
        store_template(change, row, self.space.name, faces.present, photos=photos)
        _keep_consent(session, row, request.consent)
        audit(session, door, "renew-face", person, request.entry)


def _let_in(session: Session, door: str, entry: str) -> str:
    """Return whom a door has just let in by face and PIN."""
    row = find_entry(session, door, entry)
    both = {Credential.FACE.value, Credential.PIN.value}
    if row is None or not row.granted or {row.first, row.credential} != both:
        raise _NotRenewed("entry-unfit")
    happened = min(row.received_at, row.at // 1000) if row.time_known else row.received_at
    if now() - happened > RECENT_S:
        raise _NotRenewed("too-late")
    return row.person_id


def _check_consent(given: GivenConsent) -> None:
    if not stands(given, load_renewal_texts()):
        raise _NotRenewed("consent-changed")


def _check_liveness(session: Session, door: str, seen: str) -> None:
    """Refuse pictures, and what is not known to be a face where the door has to know."""
    policy = LivenessPolicy(get_door(session, door).liveness)
    if seen == Liveness.SPOOF or (policy.required and seen != Liveness.LIVE):
        raise _NotRenewed("liveness-unproven")


def _keep_consent(session: Session, person: Person, consent: GivenConsent) -> None:
    moment = now()
    enrollment = Enrollment(
        id=new_id(),
        person_id=person.id,
        kind=person.category,
        state="enrolled",
        sealed_by="door",
        language=consent.language,
        received_at=moment,
        decided_at=moment,
        reply_key=b"",
        replies=0,
        origin="door",
    )
    session.add(enrollment)
    session.flush()
    session.add(
        ConsentGiven(
            enrollment_id=enrollment.id,
            consent=consent.id,
            version=consent.version,
            language=consent.language,
            sha256=consent.sha256,
            given_at=moment,
            sealed_by="door",
            origin="door",
        )
    )

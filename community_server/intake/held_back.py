"""What was held because faces were off, taken up once they are on."""

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.change import Change, Changer
from community_server.intake.approvals import end_waiting, open_photos
from community_server.intake.holding import keep_template
from community_server.intake.judging import KnownFace, Look
from community_server.intake.replies import Answer
from community_server.intake.service import Intake
from community_server.intake.tables import FACES_OFF, UNUSABLE, Enrollment
from community_server.people.queries import get_person
from community_server.people.service import open_template, store_template
from community_server.people.tables import Template
from community_server.privacy.faces import faces_are_on
from community_server.visits.queries import visit_of
from face_engine.errors import PhotoRefused
from tier_link.store import reading

_log = logging.getLogger(__name__)

AT_ONCE: Final = 20
"""Enrollments in one sweep: some twelve seconds of a core, and other sweeping goes on."""


@dataclass(frozen=True)
class HeldBack:
    """Takes up one estate's."""

    changer: Changer
    intake: Intake

    def take_up(self) -> int:
        """Look at the photos of the oldest that were held, if faces are on; return how many."""
        with Session(reading(self.changer.engine)) as session:
            if not faces_are_on(session):
                return 0
            held = session.scalars(
                select(Enrollment.id)
                .where(Enrollment.state == "waiting", Enrollment.held_for == FACES_OFF)
                .order_by(Enrollment.received_at)
                .limit(AT_ONCE)
            ).all()
        for enrollment in held:
            with Session(reading(self.changer.engine)) as session:
                photos = open_photos(session, self.changer.safe, enrollment)
            look = self.intake.judge.look(photos)
            del photos
            with self.changer.change() as change:
                self._settle(change, enrollment, look)
        return len(held)

    def _settle(self, change: Change, enrollment: str, look: Look) -> None:
        """Put one with the others that wait for the desk, or enroll it where the desk need not."""
        session, judge = change.session, self.intake.judge
        row = session.get(Enrollment, enrollment, with_for_update=True)
        if row is None or row.state != "waiting" or row.held_for != FACES_OFF:
            return  # decided meanwhile
        person = get_person(session, row.person_id, lock=True)
        try:
            judgement = judge.judge(look, person.id, self._known(change, person.id), change.newest)
        except PhotoRefused as refused:
            # The invitation is used, so nobody can send again by it: the desk says so.
            row.held_for, row.reason = UNUSABLE, refused.reason
            _log.warning("envelope=%s held=unusable reason=%s", row.id, refused.reason)
            return
        visit = visit_of(session, person.id)
        expected = visit is not None and visit.vouched_for and not person.suspended
        row.held_for = self.intake.held_for(row, judgement, person, expected=expected)
        if row.held_for or row.particulars is not None:
            row.held_for = row.held_for or "desk"
            keep_template(change, row, judgement, judge.pack.template_space)
            return
        person.second_credential = True
        store_template(
            change, person, judge.space.name, judgement.template, photos=judgement.photos
        )
        row.state = "enrolled"
        end_waiting(
            change,
            self.intake.links,
            row,
            Answer("enrolled", expires_at=person.valid_until),
            judge.space.name,
        )

    def _known(self, change: Change, person: str) -> KnownFace | None:
        template = change.session.get(Template, person)
        if template is None:
            return None
        data = open_template(change.session, change.safe, template)
        return KnownFace(np.frombuffer(data, "<f4"), template.space)

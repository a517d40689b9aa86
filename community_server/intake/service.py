"""One envelope, start to end: opened, judged, stored or refused, answered.

All of it happens in one transaction, for what came by the cloud the one that also advances the
link's mark: either the person is enrolled (or waits) and the answer is on its way, or nothing has
happened. Only the photos are looked at before, since that takes long and would keep every other
writer waiting: it changes nothing, and what came of it is thrown away unless the transaction wants
it.
"""

import hashlib
import logging
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.cloud_news import close_invitations
from community_server.database import now
from community_server.errors import EnrollmentRefused
from community_server.intake.consents import load_consents
from community_server.intake.holding import hold, hold_particulars, keep_guardian
from community_server.intake.judging import Judgement, KnownFace, Look, PhotoJudge
from community_server.intake.opening import Opened, check_opened, open_envelope
from community_server.intake.replies import Answer, repeat_answer, send_answer
from community_server.intake.tables import FACES_OFF, ConsentGiven, Enrollment
from community_server.invitations.queries import known_to_cloud
from community_server.metrics.meters import Meters
from community_server.people.particulars import Known, open_known, updated
from community_server.people.queries import get_person
from community_server.people.service import describe_person, open_template, store_template
from community_server.people.tables import Person, Template
from community_server.privacy.faces import faces_are_on
from community_server.receipts.signing import sign_for_photos
from community_server.settings import Settings
from community_server.setup.community import get_community
from community_server.vault.safe import Safe
from community_server.visits.queries import visit_of
from community_server.visits.without_face import give_pin_and_pass
from face_engine.errors import PhotoRefused
from tier_link.envelopes import Enrollment as OpenedEnrollment
from tier_link.relay_messages import EnvelopeDeposited
from tier_link.replies import ReplyReason
from tier_link.store import LinkStore, reading

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Intake:
    """Takes envelopes in."""

    links: LinkStore
    judge: PhotoJudge
    settings: Settings
    meters: Meters = field(default_factory=Meters, repr=False)
    _looks: dict[bytes, Look] = field(default_factory=dict, init=False, repr=False)

    def look(self, engine: Engine, safe: Safe, deposit: EnvelopeDeposited) -> None:
        """Look at the photos of an envelope in the cloud's log, and keep that for `take`."""
        look = self.look_at(engine, safe, deposit, over_cloud=True)
        if look is not None:
            self._looks[_content(deposit)] = look

    def look_at(
        self, engine: Engine, safe: Safe, deposit: EnvelopeDeposited, *, over_cloud: bool
    ) -> Look | None:
        """Look at an envelope's photos, if its writer may enroll, before it is taken."""
        with Session(reading(engine)) as session:
            if session.get(Enrollment, deposit.envelope) is not None:
                return None
            community = get_community(session).slug
            try:
                opened = open_envelope(
                    session, safe, community, deposit, now(), lock=False, over_cloud=over_cloud
                )
                self._check(opened, over_cloud=over_cloud)
            except EnrollmentRefused:
                return None  # `take` says so
            if not faces_are_on(session):
                return None
        if not opened.enrollment.photos:
            return None
        with self.meters.looking.time():
            return self.judge.look(_data(opened.enrollment))

    def forget_looks(self) -> None:
        """Throw away what was looked at and never taken."""
        self._looks.clear()

    def take(self, change: Change, deposit: EnvelopeDeposited) -> None:
        """Let an envelope of the cloud's log take effect, inside the link's transaction."""
        self.take_in(change, deposit, self._looks.pop(_content(deposit), None), over_cloud=True)

    def take_in(
        self, change: Change, deposit: EnvelopeDeposited, look: Look | None, *, over_cloud: bool
    ) -> bool:
        """Let an envelope take effect, after a look at it; say whether it was answered.

        It is not where its writer has not shown that they hold an invitation.
        """
        session = change.session
        known = session.get(Enrollment, deposit.envelope)
        if known is not None:
            _log.warning("envelope=%s refused=already-answered", deposit.envelope)
            repeat_answer(change, self.links, known, over_cloud=over_cloud)
            return True
        community = get_community(session).slug
        try:
            opened = open_envelope(
                session, change.safe, community, deposit, now(), over_cloud=over_cloud
            )
        except EnrollmentRefused as refused:
            _log.warning("envelope=%s refused=%s answered=no", deposit.envelope, refused.code)
            code = refused.code
            change.after_commit(lambda: self.meters.count_enrollment("unanswered", code))
            return False
        row = _begin(change, opened, over_cloud=over_cloud)
        answer = self._decide(change, opened, row, look)
        send_answer(change, self.links, community, row, answer)
        _log.info(
            "envelope=%s outcome=%s reason=%s", row.id, answer.outcome, answer.reason or "none"
        )
        outcome, reason = answer.outcome, answer.reason
        change.after_commit(lambda: self.meters.count_enrollment(outcome, reason))
        return True

    def _check(self, opened: Opened, *, over_cloud: bool) -> None:
        uploads = self.settings.unsealed_uploads
        consents = load_consents(unsealed_uploads=uploads)
        check_opened(opened, consents, unsealed_uploads=uploads, now=now(), over_cloud=over_cloud)

    def _decide(self, change: Change, opened: Opened, row: Enrollment, look: Look | None) -> Answer:
        enrollment = opened.enrollment
        try:
            self._check(opened, over_cloud=row.origin == "cloud")
            unseen = bool(enrollment.photos) and not faces_are_on(change.session)
            judgement = None if unseen else self._judge(change, row.person_id, enrollment, look)
        except EnrollmentRefused as refused:
            row.state, row.reason = "refused", refused.code
            return Answer("refused", refused.code)
        except PhotoRefused as refused:
            row.state, row.reason = "retake", refused.reason
            return Answer("retake", refused.reason, photo=refused.photo)
        self._use_up(change, opened)
        _keep_consents(change, row, enrollment)
        keep_guardian(change, row, enrollment.guardian)
        person = get_person(change.session, row.person_id, lock=True)
        visit = visit_of(change.session, person.id)
        vouched = visit is not None and visit.vouched_for
        expected = vouched and not person.suspended
        row.held_for = (
            FACES_OFF if unseen else self.held_for(row, judgement, person, expected=expected)
        )
        if vouched and not row.held_for:
            # Whoever expects them has named them; a forwarded link must not rename anybody.
            describe_person(change, person, _completed(change, person, enrollment))
        if judgement is None and not row.held_for:
            pin, qr_pass = give_pin_and_pass(change, person)
            row.state, row.decided_at = "enrolled", now()
            return Answer("enrolled", pin=pin, expires_at=person.valid_until, qr_pass=qr_pass)
        if row.held_for or judgement is None:
            hold(change, row, enrollment, judgement, self.judge.pack.template_space)
            hold_particulars(change, row, person, enrollment)
            reason = ReplyReason.FACES_NOT_YET if unseen else ""
            return Answer("received", reason, expires_at=person.valid_until)
        # Enrolled at once: the first opening needs the PIN that the desk hands out, because a
        # forwarded link proves nothing.
        person.second_credential = True
        space = self.judge.pack.template_space
        store_template(change, person, space, judgement.template, photos=judgement.photos)
        change.newest[person.id] = judgement.template
        row.state, row.decided_at = "enrolled", now()
        receipt = sign_for_photos(
            change.session, change.safe, row.id, photos=judgement.photos, space=space
        )
        return Answer("enrolled", expires_at=person.valid_until, receipt=receipt)

    def _judge(
        self, change: Change, person: str, enrollment: OpenedEnrollment, look: Look | None
    ) -> Judgement | None:
        if not enrollment.photos:
            return None
        if look is None:  # it could not be enrolled a moment ago; now it can
            look = self.judge.look(_data(enrollment))
        template = change.session.get(Template, person)
        known = None
        if template is not None:
            data = open_template(change.session, change.safe, template)
            known = KnownFace(np.frombuffer(data, "<f4"), template.space)
        return self.judge.judge(look, person, known, change.newest)

    def held_for(
        self, row: Enrollment, judgement: Judgement | None, person: Person, *, expected: bool
    ) -> str:
        """Say why the desk has to look; `expected` is a visitor for whom a host stands."""
        if judgement is None:
            return "" if expected and row.sealed_by != "cloud" else "no-face"
        if judgement.doubt:
            return judgement.doubt
        if row.sealed_by == "cloud":
            return "unsealed"
        if row.kind == "visitor" and not expected:
            return "visitor"
        # A renewed face asks for the PIN as a first one does; without a PIN the desk looks on,
        # or a person whom the doors know by face would be shut out by renewing it.
        # A visitor's PIN is made with the invitation: their host hands it on.
        shut_out = (person.state == "active" or expected) and not person.pin_hash
        # Staff stand by at the desk: their look spares the person the PIN of the first opening.
        looked_on = shut_out or row.origin == "desk"
        by_desk = "visitor" if expected else "desk"
        return by_desk if self.settings.first_opening == "desk" or looked_on else ""

    def _use_up(self, change: Change, opened: Opened) -> None:
        opened.invitation.state = "used"
        opened.invitation.used_by = opened.enrollment.envelope
        change.record("invitation-used", opened.invitation.id)
        close_invitations(change, self.links, known_to_cloud([opened.invitation]), "used")


def _data(enrollment: OpenedEnrollment) -> list[bytes]:
    return [photo.data for photo in enrollment.photos]


def _content(deposit: EnvelopeDeposited) -> bytes:
    """Return what tells an envelope from any other, whatever the relay calls it."""
    return hashlib.sha256(deposit.sealed).digest()


def _begin(change: Change, opened: Opened, *, over_cloud: bool) -> Enrollment:
    enrollment = opened.enrollment
    at_desk = opened.invitation.origin == "desk"
    row = Enrollment(
        id=enrollment.envelope,
        person_id=opened.invitation.person_id,
        kind=enrollment.kind,
        state="refused",
        sealed_by=enrollment.sealed_by,
        language=enrollment.language,
        received_at=now(),
        reply_key=enrollment.reply_key,
        replies=0,
        origin="cloud" if over_cloud else "desk" if at_desk else "estate",
    )
    change.session.add(row)
    change.session.flush()
    return row


def _keep_consents(change: Change, row: Enrollment, enrollment: OpenedEnrollment) -> None:
    change.session.add_all(
        ConsentGiven(
            enrollment_id=enrollment.envelope,
            consent=consent.id,
            version=consent.version,
            language=consent.language,
            sha256=consent.sha256,
            given_at=now(),
            sealed_by=enrollment.sealed_by,
            origin=row.origin,
            given_by="guardian" if enrollment.guardian else "person",
        )
        for consent in enrollment.consents
    )


def _completed(change: Change, person: Person, enrollment: OpenedEnrollment) -> Known:
    """Return what is known of a person with what they wrote where nothing was known."""
    given = enrollment.particulars
    wrote = Known(given.name, given.phone, given.visiting, given.purpose, given.plate)
    return updated(wrote, open_known(change.session, change.safe, person))

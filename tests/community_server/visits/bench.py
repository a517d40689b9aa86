"""A resident's page and a poster played by hand against one estate's insides."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select

from community_server.database import now
from community_server.doors.service import add_door
from community_server.doors.tables import Door
from community_server.erasure import remove_person
from community_server.keys.root import root_key
from community_server.people.particulars import Known
from community_server.people.service import add_person
from community_server.people.tables import Person
from community_server.services.tables import Company
from community_server.setup.community import get_community
from community_server.visits.links import make_home_link, make_poster
from community_server.visits.queries import ShownVisit, forget_visit, list_visits
from community_server.visits.tables import Visit, VisitCount, VisitLink
from tests.community_server.bench import Bench
from tier_link.envelopes import Particulars
from tier_link.invitations import InvitationSecret, parse_link
from tier_link.relay_messages import EnvelopeDeposited
from tier_link.sealing import (
    SUITE_NAME,
    SealContext,
    new_sealing_key,
    seal,
    sealing_public_bytes,
)
from tier_link.visit_answers import VisitAnswer, open_answer
from tier_link.visits import Ask, Invite, VisitAsked, build_request

HOUR = 3600


def invitation(**changes: Any) -> Invite:
    """Return what a resident's page sends with its usual settings."""
    fields: dict[str, Any] = {
        "visitor": Particulars(name="Wang Xin", purpose="dinner", plate="沪A12345"),
        "valid_from": 0,
        "valid_until": now() + 4 * HOUR,
        "doors": (),
        "uses": 0,
        "credential": "pass",
    }
    return Invite(**(fields | changes))


def ask(**changes: Any) -> Ask:
    """Return what whoever stands at a poster sends."""
    visiting = changes.pop("visiting", "1-101")
    visitor = Particulars(name="Li Na", visiting=visiting, purpose="tea")
    fields: dict[str, Any] = {"visitor": visitor, "hours": 2, "credential": "pass"}
    return Ask(**(fields | changes))


@dataclass(frozen=True)
class Sent:
    """One request on its way, and the key that opens its answers."""

    deposit: EnvelopeDeposited
    private: Any = field(repr=False)


@dataclass(frozen=True)
class VisitBench:
    """One estate, its residents' pages and its doors' posters."""

    bench: Bench

    def resident(self, name: str = "Ada", unit: str = "1-101", **known: str) -> str:
        with self.bench.estate.changer.change() as change:
            row = add_person(
                change, category="resident", unit=unit, known=Known(name=name, **known)
            )
            return row.id

    def page(self, person: str) -> InvitationSecret:
        with self.bench.estate.changer.change() as change:
            link = make_home_link(change, self.bench.estate.links, person)
        parsed = parse_link(link)
        assert parsed.kind == "home"
        return parsed.invitation

    def door(self, name: str = "North gate") -> str:
        with self.bench.estate.changer.change() as change:
            return add_door(change.session, name, "both")

    def poster(self, door: str) -> InvitationSecret:
        with self.bench.estate.changer.change() as change:
            link = make_poster(change, self.bench.estate.links, door)
        parsed = parse_link(link)
        assert parsed.kind == "poster"
        return parsed.invitation

    def seal(
        self,
        link: InvitationSecret,
        asked: VisitAsked,
        *,
        auth: bytes | None = None,
        sent_at: int | None = None,
        community: str = "",
        purpose: str = "visit",
    ) -> Sent:
        with self.bench.estate.reading() as session:
            slug = get_community(session).slug
        key, public = self.bench.envelope_key()
        private, envelope = new_sealing_key(), secrets.token_hex(16)
        plaintext = build_request(
            asked,
            auth=auth or link.auth,
            community=community or slug,
            envelope=envelope,
            key=key,
            language="en",
            sent_at=now() if sent_at is None else sent_at,
            reply_key=sealing_public_bytes(private),
        )
        sealed = seal(public, plaintext, SealContext(slug, purpose, envelope, key))
        deposit = EnvelopeDeposited(
            envelope=envelope,
            invitation=link.id,
            key=key,
            suite=SUITE_NAME,
            sealed_by="browser",
            received_at=now(),
            sealed=sealed,
        )
        return Sent(deposit, private)

    def send(self, link: InvitationSecret, asked: VisitAsked, **spoilt: Any) -> list[VisitAnswer]:
        """Deliver a request; return every answer to it so far."""
        sent = self.seal(link, asked, **spoilt)
        self.bench.deliver(sent.deposit)
        return self.answers(sent)

    def say(self, link: InvitationSecret, asked: VisitAsked, **spoilt: Any) -> VisitAnswer:
        """Deliver a request that has one answer."""
        (answer,) = self.send(link, asked, **spoilt)
        return answer

    def answers(self, sent: Sent) -> list[VisitAnswer]:
        with self.bench.estate.reading() as session:
            root = root_key(session, self.bench.estate.safe).public_key()
            slug = get_community(session).slug
        envelope = sent.deposit.envelope
        return [
            open_answer(
                sent.private,
                reply.sealed,
                root_public=root,
                community=slug,
                envelope=envelope,
                number=reply.number,
                now=now(),
            )
            for reply in self.bench.sealed_replies(envelope)
        ]

    def visits(self) -> list[ShownVisit]:
        with self.bench.estate.reading() as session:
            return list_visits(session, self.bench.estate.safe)

    def clear(self) -> None:
        """Take everybody and every door out again: one estate serves many tests."""
        estate = self.bench.estate
        with estate.changer.change() as change:
            for person in change.session.scalars(select(Person.id)).all():
                if change.session.get(Person, person) is not None:
                    remove_person(change, estate.links, person)
            for visit in change.session.scalars(select(Visit)).all():
                forget_visit(change, visit)
            for table in (VisitLink, VisitCount, Door, Company):
                change.session.execute(delete(table))

    def visit(self, visit: str) -> ShownVisit | None:
        return next((one for one in self.visits() if one.visit == visit), None)

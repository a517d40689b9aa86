"""The server in service: gives its standby the erasure keys, and says in which epoch it is."""

from typing import Final

from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.database import now
from community_server.errors import LetterRefused
from community_server.estate import Estate
from community_server.keys.root import root_key
from community_server.setup.community import get_community
from community_server.standby.letters import (
    EpochStated,
    KeyRing,
    KeysWanted,
    answer_keys,
    read,
    read_question,
    sign,
)
from community_server.standby.queries import ONLY
from community_server.standby.tables import Standby
from community_server.vault.safe import Safe

CLOCK_S: Final = 600
"""Seconds by which the clocks of the two servers may differ: no letter can be played back later."""


def give_keys(estate: Estate, asked: bytes) -> bytes:
    """Answer a standby that wants the erasure keys, and note which it holds.

    Raises:
        LetterRefused: not of this community, played back, or another standby has been admitted.
        NotSetUp: set-up has not been done.
    """
    with Session(estate.engine) as session, session.begin():
        get_community(session)
        root = root_key(session, estate.safe)
        wanted = read(KeysWanted, asked, root.public_key())
        _note(session, wanted, now())
    return answer_keys(asked, wanted, _ring(estate.safe), root)


def state_epoch(estate: Estate, asked: bytes) -> bytes:
    """Answer whoever asks in which epoch this server is.

    Raises:
        LetterRefused: not the question.
        NotSetUp: set-up has not been done.
    """
    question = read_question(asked)
    with estate.reading() as session:
        get_community(session)
        root = root_key(session, estate.safe)
    return sign(EpochStated(question.nonce, estate.links.epoch, serving=True), root)


def _note(session: Session, wanted: KeysWanted, moment: int) -> None:
    row = session.get(Standby, ONLY, with_for_update=True)
    if abs(wanted.at // 1000 - moment) > CLOCK_S or (row and wanted.at <= row.asked_at):
        raise LetterRefused(
            "an old letter of a standby's, or its clock is wrong: set both servers' clocks",
            code="standby-clock",
        )
    if not wanted.admit and (row is None or row.node != wanted.node):
        raise LetterRefused(
            "another standby has taken this one's place: `gatehouse server standby` admits it anew",
            code="standby-replaced",
        )
    if wanted.admit:
        audit(session, "", "standby-admitted", wanted.node)
    session.merge(
        Standby(
            id=ONLY,
            node=wanted.node,
            serving_address=wanted.serving_address,
            address=wanted.address,
            asked_at=wanted.at,
            heard_at=moment,
            newest=max(wanted.holds, default=0),
            oldest=min(wanted.holds, default=0),
            behind_s=wanted.behind_s,
        )
    )


def _ring(safe: Safe) -> KeyRing:
    keys = safe.erasure_keys
    # In this order: one that comes into use between the two is in both, never in neither.
    upcoming = keys.upcoming
    return KeyRing(keys.estate, dict(keys.keys), upcoming)

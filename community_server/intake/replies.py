"""Answering: signed, sealed to the enrollee, and put where they look for it.

That is the cloud's outbox for what came by the cloud, and this server's own table for what was
written on the estate's network. Either way in the transaction of what the answer reports.
"""

from dataclasses import dataclass

from community_server.change import CLOUD, Change
from community_server.database import now
from community_server.intake.tables import Enrollment, KeptReply
from community_server.keys.certified import reply_signer
from tier_link.relay_messages import RELAY, ReplySealed
from tier_link.replies import Outcome, build_reply
from tier_link.store import LinkStore


@dataclass(frozen=True)
class Answer:
    """What an enrollee is told; `photo` is the index of the photo meant, or -1.

    `receipt` is the signed block that says what became of their photos.
    """

    outcome: Outcome
    reason: str = ""
    photo: int = -1
    pin: str = ""
    expires_at: int = 0
    qr_pass: str = ""
    home: str = ""
    receipt: str = ""

    @property
    def final(self) -> bool:
        """Whether nothing further follows this answer."""
        return self.outcome != "received"

    def __repr__(self) -> str:
        return f"Answer({self.outcome}, {self.reason!r})"


def send_answer(
    change: Change, links: LinkStore, community: str, row: Enrollment, answer: Answer
) -> None:
    """Seal an answer and put it where the enrollment came from, in the transaction of its cause.

    A client that cannot open a seal (`reply_key` empty) gets none.
    """
    row.replies += 1
    if not row.reply_key:
        return
    signer = reply_signer(change.session, change.safe)
    row.last_reply = build_reply(
        reply_key=row.reply_key,
        signing_key=signer.private,
        certificate=signer.certificate,
        community=community,
        envelope=row.id,
        number=row.replies,
        outcome=answer.outcome,
        sent_at=now(),
        reason=answer.reason,
        photo=answer.photo,
        pin=answer.pin,
        expires_at=answer.expires_at,
        qr_pass=answer.qr_pass,
        home=answer.home,
        receipt=answer.receipt,
    )
    _put(change, links, row, over_cloud=row.origin == "cloud", final=answer.final)


def repeat_answer(change: Change, links: LinkStore, row: Enrollment, *, over_cloud: bool) -> None:
    """Send the last answer once more, the way by which the same envelope came again."""
    if row.last_reply is not None:
        _put(change, links, row, over_cloud=over_cloud, final=row.state != "waiting")


def _put(
    change: Change, links: LinkStore, row: Enrollment, *, over_cloud: bool, final: bool
) -> None:
    if not over_cloud:
        kept = KeptReply(
            enrollment_id=row.id,
            number=row.replies,
            sealed=row.last_reply or b"",
            stored_at=now(),
        )
        change.session.merge(kept)
        return
    message = ReplySealed(row.id, row.replies, final, row.last_reply or b"")
    links.put(change.session, CLOUD, RELAY.kind(message), RELAY.encode(message))
    change.wake(CLOUD)

"""What comes back to a browser or another client: `tier_link.replies`, `tier_link.visit_answers`.

The first byte says how far a forger got: `s` writes the sealed box, `p` what is sealed, `r` a reply
that the community signed, `v` an answer to a visit's request that it signed.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from tests.fuzz.estate import COMMUNITY as COURT
from tests.fuzz.estate import PHONE
from tests.fuzz.gate import Gate
from tests.fuzz.honest import samples
from tests.tier_link.samples import COMMUNITY, ENVELOPE, NOW
from tier_link.errors import CertificateRefused, ReplyRefused, SealBroken
from tier_link.replies import Reply, open_reply
from tier_link.sealing import MAX_PLAINTEXT, seal, sealing_public_bytes
from tier_link.signed_answers import AnswerPlace, seal_signed
from tier_link.visit_answers import VisitAnswer, open_answer

_PLACE: Final = AnswerPlace("reply", COMMUNITY, ENVELOPE, 1)
_VISIT: Final = AnswerPlace("visit-answer", COMMUNITY, ENVELOPE, 1)
_PUBLIC: Final = sealing_public_bytes(PHONE)
_WHERE: Final[dict[str, Any]] = {
    "root_public": COURT.root.public_key(),
    "community": COMMUNITY,
    "envelope": ENVELOPE,
    "number": 1,
    "now": NOW + 1,
}
_CERTIFICATE: Final = COURT.certify("reply")


def signed(data: bytes, place: AnswerPlace) -> bytes:
    return seal_signed(
        data, place, reply_key=_PUBLIC, signing_key=COURT.reply_signer, certificate=_CERTIFICATE
    )


def one(data: bytes) -> None:
    body = data[1:]
    match data[:1]:
        case b"r":
            open_reply(PHONE, signed(body, _PLACE), **_WHERE)
        case b"v":
            open_answer(PHONE, signed(body, _VISIT), **_WHERE)
        case b"p":
            open_reply(PHONE, seal(_PUBLIC, body[:MAX_PLAINTEXT], _PLACE.context), **_WHERE)
        case _:
            open_reply(PHONE, body, **_WHERE)


def seeds() -> Sequence[bytes]:
    here = {"community": COMMUNITY, "envelope": ENVELOPE, "number": 1}
    replies = [msgspec.structs.replace(one, **here) for one in samples(Reply, 2)]
    answers = [msgspec.structs.replace(one, **here) for one in samples(VisitAnswer, 3)]
    return [
        *(b"r" + msgspec.json.encode(reply) for reply in replies),
        *(b"v" + msgspec.json.encode(answer) for answer in answers),
        b"s" + signed(msgspec.json.encode(replies[0]), _PLACE),
    ]


GATE = Gate(one, seeds, (ReplyRefused, CertificateRefused, SealBroken), most=20_000)

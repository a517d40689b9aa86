"""Signing what the community states, with what it needs to be checked offline."""

import hashlib
from collections.abc import Sequence
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.doors.tables import Door
from community_server.intake.consents import load_consents
from community_server.intake.tables import ConsentGiven
from community_server.keys.certified import receipt_signer
from community_server.keys.root import root_key
from community_server.receipts.tables import Erasure, ErasureDoor
from community_server.setup.community import get_community
from community_server.vault.safe import Safe
from tier_link.certificates import root_public_bytes
from tier_link.receipts import (
    AgreedText,
    DoorState,
    DoorTold,
    Erased,
    Kept,
    PhotosDestroyed,
    Receipt,
    Stated,
    sign_receipt,
)


def sign(session: Session, safe: Safe, stated: Stated) -> str:
    """Sign a statement of this community's, now, inside a transaction that may write."""
    community, moment = get_community(session), now()
    signer = receipt_signer(session, safe, community.slug, moment)
    return sign_receipt(
        Receipt(
            version=1,
            community=community.slug,
            name=community.name,
            signed_at=moment,
            stated=stated,
        ),
        signing_key=signer.private,
        certificate=signer.certificate,
        root_public=root_public_bytes(root_key(session, safe)),
    )


def sign_for_photos(
    session: Session, safe: Safe, enrollment: str, *, photos: int, space: str
) -> str:
    """State that an enrollment's photos are gone, and what their person had agreed to.

    `space` is the template space in which something made from them is kept, empty for none. Sign
    in the transaction that destroys them; without photos there is nothing to state.
    """
    if not photos:
        return ""
    stated = PhotosDestroyed(enrollment, photos, space, tuple(agreed_to(session, enrollment)))
    return sign(session, safe, stated)


def sign_for_erasure(session: Session, safe: Safe, row: Erasure, backup_days: int) -> str:
    """State an erasure, and what has become of each door so far."""
    doors = session.execute(
        select(ErasureDoor, Door.name)
        .join(Door, Door.id == ErasureDoor.door_id)
        .where(ErasureDoor.erasure_id == row.id)
        .order_by(Door.name, Door.id)
    )
    told = [
        DoorTold(door.door_id, name, cast("DoorState", door.state), door.at) for door, name in doors
    ]
    stated = Erased(
        person=row.person_id,
        kept=cast("Kept", row.kept),
        erased_at=row.begun_at,
        template_space=row.template_space,
        backup_days=backup_days,
        doors=tuple(told),
    )
    return sign(session, safe, stated)


def agreed_to(session: Session, enrollment: str) -> Sequence[AgreedText]:
    """Return the consents given with an enrollment, with those texts that are still here."""
    session.flush()
    rows = session.scalars(
        select(ConsentGiven)
        .where(ConsentGiven.enrollment_id == enrollment)
        .order_by(ConsentGiven.consent)
    ).all()
    return [
        AgreedText(
            id=row.consent,
            version=row.version,
            language="en" if row.language == "en" else "zh-CN",
            sha256=row.sha256,
            given_at=row.given_at,
            text=_text_of(row),
            by="guardian" if row.given_by == "guardian" else "person",
        )
        for row in rows
    ]


def _text_of(row: ConsentGiven) -> str:
    """Return the very text that was shown, empty where that version is here no more."""
    for text in load_consents(unsealed_uploads=True).texts:
        if text.id == row.consent and text.language == row.language:
            same = hashlib.sha256(text.text.encode()).hexdigest() == row.sha256
            return text.text if same else ""
    return ""

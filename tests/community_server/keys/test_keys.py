"""Keys rotate weekly, overlap, and are destroyed; the root survives on paper."""

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.keys.authority import own_names
from community_server.keys.certified import (
    DAY,
    GRACE,
    RECEIPT_ROTATION,
    ROTATION,
    VALIDITY,
    KeyGone,
    envelope_key,
    published_certificates,
    receipt_signer,
    renew_keys,
    reply_signer,
)
from community_server.keys.root import make_recovery_kit, read_recovery_secret, root_key
from community_server.keys.tables import CertifiedKey
from community_server.setup.community import get_community
from community_server.vault.tables import DataKey
from tests.community_server.bench import Bench
from tier_link.base64url import decode_base64url
from tier_link.certificates import root_fingerprint, root_public_bytes
from tier_link.receipts import PhotosDestroyed, Receipt, open_receipt, sign_receipt


def test_envelope_keys_rotate_weekly_overlap_and_are_destroyed_after_their_last_use(
    bench: Bench,
) -> None:
    safe, start = bench.estate.safe, now()
    with Session(bench.estate.engine) as session:
        first, _ = bench.envelope_key()
        assert not renew_keys(session, safe, "sunny-court", start + ROTATION - DAY)

        week = start + ROTATION + 10
        assert renew_keys(session, safe, "sunny-court", week)
        assert len(published_certificates(session, week)) == 2
        assert len(published_certificates(session, start + VALIDITY + 20)) == 1
        envelope_key(session, safe, first, start + VALIDITY + GRACE - DAY)

        over = start + VALIDITY + GRACE + 20
        renew_keys(session, safe, "sunny-court", over)
        with pytest.raises(KeyGone):
            envelope_key(session, safe, first, over)
        with pytest.raises(KeyGone):
            envelope_key(session, safe, first, start)
        assert session.get(DataKey, f"key:{first}") is None
        session.rollback()


def test_a_reply_key_is_not_an_envelope_key(bench: Bench) -> None:
    with bench.estate.reading() as session:
        reply_signer(session, bench.estate.safe)
        with pytest.raises(KeyGone):
            envelope_key(session, bench.estate.safe, "ff" * 16, now())


def test_the_root_comes_back_from_its_printed_kit_and_a_slip_is_noticed(bench: Bench) -> None:
    with bench.estate.reading() as session:
        root = root_key(session, bench.estate.safe)
    kit = make_recovery_kit(root, "Sunny Court", now())

    assert read_recovery_secret(kit.secret.lower()).private_bytes_raw() == root.private_bytes_raw()
    assert kit.secret not in repr(kit)
    swapped = kit.secret[:3] + ("A" if kit.secret[3] != "A" else "B") + kit.secret[4:]
    with pytest.raises(ValueError, match="mistyped"):
        read_recovery_secret(swapped)


def test_no_private_key_lies_on_the_disk_in_the_clear(bench: Bench) -> None:
    with bench.estate.reading() as session:
        root = root_key(session, bench.estate.safe).private_bytes_raw()
    link = bench.estate.secrets.link_key.private_bytes_raw()
    matrix = bench.estate.secrets.matrix.tobytes()[:64]
    for path in Path(bench.estate.settings.data).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret in content for secret in (root, link, matrix, b"PRIVATE KEY"))


def test_the_certificate_names_what_the_machine_is_called() -> None:
    assert {"localhost", "127.0.0.1", "door.example"} <= set(own_names("", ["door.example"]))
    assert "10.1.2.3" in own_names("10.1.2.3", [])


def test_a_receipt_key_signs_for_a_month_and_is_destroyed_while_its_receipts_stay_good(
    bench: Bench,
) -> None:
    safe, start = bench.estate.safe, now()
    with Session(bench.estate.engine) as session:
        community = get_community(session).slug
        block = sign_receipt_for(session, bench, start)
        first = receipt_signer(session, safe, community, start)
        later = start + RECEIPT_ROTATION + 10
        renew_keys(session, safe, community, later)
        second = receipt_signer(session, safe, community, later)
        assert second.certificate != first.certificate

        over = start + RECEIPT_ROTATION + DAY + 10
        renew_keys(session, safe, community, over)
        kept = session.scalars(
            select(CertifiedKey).where(
                CertifiedKey.purpose == "receipt", CertifiedKey.private.is_not(None)
            )
        ).all()
        assert [row.not_before for row in kept] == [later]
        root = root_public_bytes(root_key(session, safe))
        assert open_receipt(block.encode(), root_fingerprint(root)).receipt.signed_at == start
        session.rollback()


def test_without_a_receipt_key_that_holds_one_is_made(bench: Bench) -> None:
    with Session(bench.estate.engine) as session:
        community, much_later = get_community(session).slug, now() + 400 * DAY
        signer = receipt_signer(session, bench.estate.safe, community, much_later)
        certificate = msgspec.json.decode(decode_base64url(signer.certificate.certificate))
        assert certificate["purpose"] == "receipt"
        assert certificate["not_before"] == much_later
        session.rollback()


def sign_receipt_for(session: Session, bench: Bench, moment: int) -> str:
    community, safe = get_community(session), bench.estate.safe
    signer = receipt_signer(session, safe, community.slug, moment)
    return sign_receipt(
        Receipt(1, community.slug, community.name, moment, PhotosDestroyed("a" * 32, 1, "")),
        signing_key=signer.private,
        certificate=signer.certificate,
        root_public=root_public_bytes(root_key(session, safe)),
    )

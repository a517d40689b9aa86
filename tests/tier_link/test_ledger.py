"""Rows of the ledger: signed, hanging on one another, kept by whoever has heard of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from tests.tier_link.strategies import FUZZ
from tier_link.estate_messages import ESTATE
from tier_link.ledger import (
    FIRST,
    ROWS_PER_MESSAGE,
    LedgerKind,
    LedgerPart,
    LedgerRow,
    LedgerWanted,
    is_signed,
    is_unbroken,
    write_row,
)
from tier_link.messages import MAX_BODY, MAX_COUNT
from tier_link.store import LinkBase, hand_back, keep_rows, open_database
from tier_link.store.tables import LinkLedger

ROOT: Final = Ed25519PrivateKey.generate()
PUBLIC: Final = ROOT.public_key()
RAW: Final = PUBLIC.public_bytes_raw()
OWNER: Final = "sunny-court-4f2a"
KINDS: Final[tuple[LedgerKind, ...]] = get_args(LedgerKind)


def chain(length: int, *, number: int = 1, before: bytes = FIRST, salt: int = 0) -> list[LedgerRow]:
    rows = []
    for n in range(number, number + length):
        row = write_row(
            ROOT, n, KINDS[n % len(KINDS)], f"{salt + n:032x}", 1_800_000_000 + n, before
        )
        rows.append(row)
        before = row.head
    return rows


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    LinkBase.metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_a_row_is_the_communitys_only_as_it_was_written() -> None:
    (row,) = chain(1)
    assert is_signed(row, PUBLIC)
    assert not is_signed(row, Ed25519PrivateKey.generate().public_key())
    for change in (
        {"number": 2},
        {"kind": "door-revoked" if row.kind != "door-revoked" else "person-erased"},
        {"subject": "0" * 32},
        {"at": 1},
        {"before": bytes(32)},
        {"signature": bytes(64)},
    ):
        assert not is_signed(msgspec.structs.replace(row, **change), PUBLIC)


@FUZZ
@given(st.integers(1, 12), st.integers(0, 12), st.data())
def test_a_row_that_is_missing_or_out_of_place_shows(
    length: int, after: int, data: st.DataObject
) -> None:
    behind = [row for row in chain(length) if row.number > after]
    assert is_unbroken(behind, after)
    if len(behind) > 1:
        gone = data.draw(st.integers(0, len(behind) - 2))
        assert not is_unbroken(behind[:gone] + behind[gone + 1 :], after)
    if behind:
        place = data.draw(st.integers(0, len(behind) - 1))
        stray = chain(1, number=behind[place].number, before=bytes(32), salt=99)
        others = behind[:place] + stray + behind[place + 1 :]
        assert (place == 0 and after > 0 and len(behind) == 1) or not is_unbroken(others, after)


def test_two_branches_are_both_unbroken_from_where_they_part() -> None:
    trunk = chain(3)
    first = chain(2, number=4, before=trunk[-1].head)
    second = chain(3, number=4, before=trunk[-1].head, salt=50)
    both = sorted([*trunk, *first, *second], key=lambda row: (row.number, row.head))
    assert is_unbroken(both, 0)
    assert is_unbroken([row for row in both if row.number > 2], 2)


def test_a_copy_keeps_each_row_once_and_hands_all_back_part_by_part(engine: Engine) -> None:
    rows = chain(ROWS_PER_MESSAGE + 7)
    with Session(engine) as session, session.begin():
        assert keep_rows(session, OWNER, rows[:5], RAW) == rows[:5]
        assert keep_rows(session, OWNER, rows, RAW) == rows[5:]
        assert keep_rows(session, "another", rows[:1], RAW) == rows[:1]
    with Session(engine) as session:
        first = hand_back(session, OWNER, LedgerWanted(2))
        rest = hand_back(session, OWNER, LedgerWanted(2, len(first.rows)))
    assert [*first.rows, *rest.rows] == rows[2:]
    assert first.total == rest.total == len(rows) - 2


def test_a_copy_keeps_nothing_that_the_community_did_not_sign(engine: Engine) -> None:
    rows = chain(2)
    forged = msgspec.structs.replace(rows[1], subject="f" * 32)
    with Session(engine) as session, session.begin():
        assert keep_rows(session, OWNER, [rows[0], forged], RAW) == rows[:1]
        assert session.scalar(select(func.count()).select_from(LinkLedger)) == 1


def test_both_branches_are_kept_for_neither_takes_the_other_back(engine: Engine) -> None:
    trunk = chain(2)
    first = chain(2, number=3, before=trunk[-1].head)
    second = chain(1, number=3, before=trunk[-1].head, salt=50)
    with Session(engine) as session, session.begin():
        for part in (trunk, first, second):
            assert keep_rows(session, OWNER, part, RAW) == part
        held = hand_back(session, OWNER, LedgerWanted(0)).rows
    assert set(held) == {*trunk, *first, *second}
    assert is_unbroken(held, 0)


def test_the_longest_part_fits_an_answers_one_frame() -> None:
    row = LedgerRow(MAX_COUNT, "invitation-used", "f" * 32, 2**40, bytes(32), bytes(64))
    part = LedgerPart((row,) * ROWS_PER_MESSAGE, MAX_COUNT)
    assert len(ESTATE.encode(part)) <= MAX_BODY

"""The gate where foreign bytes come in: a backup opens whole and unchanged, or not at all."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from community_server.backups.bundle import read_bundle
from community_server.backups.records import (
    MAX_RECORD,
    End,
    Keys,
    Manifest,
    Record,
    Rows,
    check_rows,
    encode_record,
    read_records,
)
from community_server.backups.recovery_key import RecoveryKey, read_kit, recovery_key
from community_server.backups.sealed_file import (
    CHUNK,
    MAGIC,
    TAG,
    open_stream,
    opened_file,
    sealed_file,
)
from community_server.errors import BackupRefused
from community_server.keys.root import make_recovery_kit

ESTATE: Final = "e" * 32
CODES: Final = {"backup-unreadable", "backup-foreign", "backup-damaged", "backup-newer"}


def new_key() -> RecoveryKey:
    return recovery_key(Ed25519PrivateKey.generate())


@dataclass(frozen=True)
class Sample:
    """A file of three chunks, and what it was made of."""

    key: RecoveryKey
    written: bytes
    body: bytes

    @property
    def body_begins(self) -> int:
        return len(self.written) - len(self.body) - 3 * TAG


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    key, path = new_key(), tmp_path_factory.mktemp("sample") / "data-1.gatehouse-backup"
    body = b"".join(
        encode_record(one)
        for one in (
            Manifest("0001", {"people": ("id", "sealed")}),
            Rows("people", (("a", b"1" * CHUNK), ("b", b"2" * CHUNK))),
            End({"people": 2}),
        )
    )
    with sealed_file(path, key, "data", ESTATE, 7) as write:
        for start in range(0, len(body), 1000):
            write(body[start : start + 1000])
    return Sample(key, path.read_bytes(), body)


def read(written: bytes, key: RecoveryKey) -> list[Record]:
    """Read a file to its end, as a restore does."""
    return list(read_records(open_stream(io.BytesIO(written), key, "data").chunks))


def test_what_was_written_is_read_and_says_whose_and_from_when_it_is(sample: Sample) -> None:
    opened = open_stream(io.BytesIO(sample.written), sample.key, "data")
    assert (opened.header.estate, opened.header.made_at) == (ESTATE, 7)
    assert b"".join(opened.chunks) == sample.body
    assert len(read(sample.written, sample.key)) == 3
    assert b"people" not in sample.written


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_bit_that_was_flipped_anywhere_is_noticed(sample: Sample, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(sample.written) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(sample.written)
    changed[place] ^= 1 << bit
    with pytest.raises(BackupRefused) as refused:
        read(bytes(changed), sample.key)
    assert refused.value.code in CODES


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_file_that_was_cut_off_or_added_to_is_noticed(
    sample: Sample, data: st.DataObject
) -> None:
    length = data.draw(st.integers(0, len(sample.written) - 1))
    with pytest.raises(BackupRefused):
        read(sample.written[:length], sample.key)
    with pytest.raises(BackupRefused):
        read(sample.written + data.draw(st.binary(min_size=1, max_size=2 * CHUNK)), sample.key)


def test_chunks_that_were_left_out_swapped_or_repeated_are_noticed(sample: Sample) -> None:
    head, rest = sample.written[: sample.body_begins], sample.written[sample.body_begins :]
    size = CHUNK + TAG
    first, second, third = rest[:size], rest[size : 2 * size], rest[2 * size :]
    for order in ((first, second), (first, third), (second, first, third), (first, first, third)):
        with pytest.raises(BackupRefused, match="damaged"):
            read(head + b"".join(order), sample.key)
    assert len(read(head + first + second + third, sample.key)) == 3


@settings(max_examples=300, deadline=None)
@given(foreign=st.binary(max_size=600), begins_well=st.booleans())
def test_foreign_bytes_are_refused_with_a_sentence(
    sample: Sample, foreign: bytes, *, begins_well: bool
) -> None:
    with pytest.raises(BackupRefused) as refused:
        read((MAGIC if begins_well else b"") + foreign, sample.key)
    assert refused.value.code in CODES
    assert str(refused.value)


def test_another_communitys_kit_and_the_other_kind_of_file_are_refused_by_name(
    sample: Sample, tmp_path: Path
) -> None:
    with pytest.raises(BackupRefused, match="another community") as refused:
        read(sample.written, new_key())
    assert refused.value.code == "backup-foreign"
    with pytest.raises(BackupRefused, match="not the bundle of keys"):
        open_stream(io.BytesIO(sample.written), sample.key, "keys")
    with (
        pytest.raises(BackupRefused, match="cannot be read"),
        opened_file(tmp_path / "absent", sample.key, "data"),
    ):
        pass


def test_nobody_makes_a_backup_who_merely_knows_the_public_keys(
    sample: Sample, tmp_path: Path
) -> None:
    forger = RecoveryKey(Ed25519PrivateKey.generate(), sample.key.sealing)
    with sealed_file(tmp_path / "forged", forger, "data", ESTATE, 8) as write:
        write(sample.body)
    forged = (tmp_path / "forged").read_bytes().replace(forger.root_public, sample.key.root_public)
    with pytest.raises(BackupRefused, match="damaged"):
        read(forged, sample.key)


def fail_half_way(path: Path, key: RecoveryKey) -> None:
    with sealed_file(path, key, "keys", ESTATE, 2) as write:
        write(b"second")
        raise ValueError("in between")


def test_a_file_takes_its_name_whole_or_not_at_all_and_leaves_nothing_of_the_one_before(
    tmp_path: Path,
) -> None:
    key, path = new_key(), tmp_path / "keys.gatehouse-backup"
    with sealed_file(path, key, "keys", ESTATE, 1) as write:
        write(b"first" * CHUNK)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="in between"):
        fail_half_way(path, key)
    assert path.read_bytes() == before
    held = path.open("rb")
    with sealed_file(path, key, "keys", ESTATE, 3) as write:
        write(b"third")
    assert held.read() == bytes(len(before))
    held.close()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o077 == 0


def test_the_key_that_opens_backups_comes_back_from_paper() -> None:
    root = Ed25519PrivateKey.generate()
    kit = make_recovery_kit(root, "Sunny Court", 0)
    written, read_back = recovery_key(root), read_kit(kit.secret.lower())
    assert written.sealing.private_numbers() == read_back.sealing.private_numbers()
    assert repr(written) == "RecoveryKey()"
    for wrong in ("", "not a kit", kit.secret[:-1], kit.secret[:-1] + "!"):
        with pytest.raises(BackupRefused) as refused:
            read_kit(wrong)
        assert refused.value.code == "kit-mistyped"


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[start : start + size] for start in range(0, len(data), size))


RECORDS: Final = st.one_of(
    st.builds(Manifest, st.text(max_size=8), st.just({"t": ("a",)})),
    st.builds(
        Rows,
        st.just("t"),
        st.lists(
            st.tuples(st.one_of(st.none(), st.integers(-(2**63), 2**63), st.binary(max_size=40)))
        ).map(tuple),
    ),
    st.builds(Keys, st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=32))).map(tuple)),
)


@settings(max_examples=100, deadline=None)
@given(records=st.lists(RECORDS, max_size=5), size=st.integers(1, 50))
def test_records_are_read_however_their_chunks_fall(records: list[Record], size: int) -> None:
    whole = [*records, End({})]
    data = b"".join(encode_record(one) for one in whole)
    assert list(read_records(pieces(data, size))) == whole
    for wrong in (data[:-1], data + b"\0", data + data):
        with pytest.raises(BackupRefused):
            list(read_records(pieces(wrong, size)))


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_records_are_refused(data: bytes) -> None:
    with pytest.raises(BackupRefused):
        list(read_records([len(data).to_bytes(4) + data]))


def test_a_record_that_claims_to_be_endless_is_refused_before_it_is_held() -> None:
    def endless() -> Iterator[bytes]:
        yield (MAX_RECORD + 1).to_bytes(4)
        raise AssertionError("more was asked for")

    with pytest.raises(BackupRefused):
        list(read_records(endless()))


def test_rows_and_keys_that_do_not_fit_are_refused() -> None:
    manifest = Manifest("1", {"people": ("id",)})
    for rows in (
        Rows("people", (("a", "b"),)),
        Rows("other", (("a",),)),
        Rows("people", (([],),)),
        Rows("people", (({},),)),
    ):
        with pytest.raises(BackupRefused):
            check_rows(manifest, rows)
    for bundle in (
        (Keys((("server", b"short"),)), End({"keys": 1})),
        (Keys((("server", bytes(32)),)), End({"keys": 2})),
        (Manifest("1", {}), End({})),
    ):
        with pytest.raises(BackupRefused):
            read_bundle(iter(bundle))

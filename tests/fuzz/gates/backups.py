"""A backup from whatever medium: `community_server.backups`.

The first byte says how far a forger got: `f` writes the file, `h` a header that the community
signed, `b` what stands in a body, `k` what stands in a bundle of keys.
"""

import io
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from community_server.backups import sealed_file
from community_server.backups.bundle import COUNT, read_bundle
from community_server.backups.records import (
    End,
    Keys,
    Manifest,
    Record,
    Rows,
    check_rows,
    encode_record,
    read_records,
)
from community_server.backups.recovery_key import recovery_key
from community_server.errors import BackupRefused
from tests.fuzz.estate import COMMUNITY as COURT
from tests.fuzz.gate import Gate
from tests.tier_link.samples import COMMUNITY, NOW

_KEY: Final = recovery_key(COURT.root)


def read(chunks: Iterable[bytes]) -> None:
    manifest: Manifest | None = None
    for record in read_records(chunks):
        if isinstance(record, Manifest):
            manifest = record
        if isinstance(record, Rows) and manifest is not None:
            check_rows(manifest, record)


def one(data: bytes) -> None:
    body = data[1:]
    match data[:1]:
        case b"b":
            read([body])
        case b"k":
            read_bundle(read_records([body]))
        case b"h":
            signature = _KEY.root.sign(sealed_file._LABEL + body)
            file = sealed_file.MAGIC + len(body).to_bytes(4) + body + signature
            read(sealed_file.open_stream(io.BytesIO(file), _KEY, "data").chunks)
        case _:
            read(sealed_file.open_stream(io.BytesIO(body), _KEY, "data").chunks)


def written(*records: Record) -> bytes:
    return b"".join(encode_record(record) for record in records)


def seeds() -> Sequence[bytes]:
    manifest = Manifest("0001", {"people": ("id", "state", "sealed")})
    rows = Rows("people", ((1, "active", b"sealed"), (2, None, b"")))
    body = written(manifest, rows, End({"people": 2}))
    keys = written(Keys((("0d" * 16, bytes(32)),)), End({COUNT: 1}))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "backup"
        with sealed_file.sealed_file(path, _KEY, "data", COMMUNITY, NOW) as write:
            write(body)
        return [b"b" + body, b"k" + keys, b"f" + path.read_bytes()]


GATE = Gate(one, seeds, (BackupRefused,), most=8192)

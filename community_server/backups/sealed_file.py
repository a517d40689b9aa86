r"""One sealed file: a signed header, then a body in chunks: none can be cut, swapped or added.

    "gatehouse-backup\n" || length of the header (4) || header || signature (64) || chunk || chunk …

The header (msgpack) names the estate and holds the file's own key, sealed by HPKE to the recovery
key; the community's root signs it, so that nobody makes a backup who merely knows that public key.
The body is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, 2015) over AES-256-GCM: a chunk's nonce is
its number and whether it is the last, its associated data the hash of all that stands before.
Numbers are big-endian.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from community_server.backups.recovery_key import RecoveryKey
from community_server.database import new_id
from community_server.errors import BackupRefused
from tier_kit.private_files import make_private_folder, sync_folder
from tier_link.errors import SealBroken
from tier_link.sealing import SUITE_NAME, SealContext, open_sealed, seal, sealing_public_bytes

MAGIC: Final = b"gatehouse-backup\n"
VERSION: Final = 1
CHUNK: Final = 64 * 1024
"""Bytes of plaintext in a chunk: what has to be in memory at once, and no more."""
TAG: Final = 16
MAX_HEADER: Final = 8 * 1024
"""Bytes: the sealed key takes 4 KiB, the rest are a few ids."""
SIGNATURE: Final = 64
KEY_SIZE: Final = 32
_LABEL: Final = b"gatehouse/backup/1\0"
_COUNTER: Final = 11
_ZEROS: Final = bytes(1024 * 1024)

Kind = Literal["data", "keys"]


class Header(msgspec.Struct, frozen=True):
    """What a file says of itself before anything is opened: whose it is, what, and from when.

    `made_at` is Unix seconds; `root` the community's public root key.
    """

    version: int
    kind: Kind
    suite: str
    estate: str
    root: bytes
    number: str
    made_at: int
    key: bytes


@dataclass(frozen=True)
class OpenedFile:
    """A file whose header was signed by the community, and whose body comes chunk by chunk.

    The chunks raise `BackupRefused` (`backup-damaged`) at the first that is not as it was written.
    """

    header: Header
    chunks: Iterator[bytes]


@contextmanager
def sealed_file(
    path: Path, key: RecoveryKey, kind: Kind, estate: str, made_at: int
) -> Iterator[Callable[[bytes], None]]:
    """Write a file; it takes its name once it is whole and durable, or not at all.

    Yields what takes the next bytes of the body. What had the name before is overwritten with
    zeros: no older bundle of keys is to be found beside the newer one.

    Raises:
        OSError: the folder cannot be written.
    """
    make_private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            body = _Body(file, key, kind, estate, made_at)
            yield body.write
            body.finish()
            file.flush()
            os.fsync(file.fileno())
        with _overwritten(path):
            fresh.replace(path)
        sync_folder(path.parent)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def opened_file(path: Path, key: RecoveryKey, kind: Kind) -> Iterator[OpenedFile]:
    """Open a file and check its header; the body is read while it is asked for.

    Raises:
        BackupRefused: it cannot be read, is something else, another estate's, or damaged.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupRefused(f"{path} cannot be read: {error.strerror}") from error
    with file:
        yield open_stream(file, key, kind)


def open_stream(file: IO[bytes], key: RecoveryKey, kind: Kind) -> OpenedFile:
    """Open what stands in a file that is open for reading; see `opened_file`."""
    header, before = _read_header(file, key, kind)
    context = SealContext(header.estate, f"backup-{kind}", header.number, "recovery")
    try:
        file_key = open_sealed(key.sealing, header.key, context)
    except SealBroken as error:
        raise _damaged() from error
    if len(file_key) != KEY_SIZE:
        raise _damaged()
    return OpenedFile(header, _read_chunks(file, AESGCM(file_key), before))


class _Body:
    """Cuts what is written into sealed chunks; one is held back, for it may be the last."""

    def __init__(
        self, file: IO[bytes], key: RecoveryKey, kind: Kind, estate: str, made_at: int
    ) -> None:
        file_key, number = secrets.token_bytes(KEY_SIZE), new_id()
        context = SealContext(estate, f"backup-{kind}", number, "recovery")
        sealed = seal(sealing_public_bytes(key.sealing), file_key, context)
        root = key.root_public
        header = Header(VERSION, kind, SUITE_NAME, estate, root, number, made_at, sealed)
        encoded = msgspec.msgpack.encode(header)
        signature = key.root.sign(_LABEL + encoded)
        file.write(MAGIC + len(encoded).to_bytes(4) + encoded + signature)
        self._file, self._cipher = file, AESGCM(file_key)
        self._before = _digest(encoded, signature)
        self._held, self._count = bytearray(), 0

    def write(self, data: bytes) -> None:
        self._held += data
        while len(self._held) > CHUNK:
            self._seal(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]

    def finish(self) -> None:
        self._seal(bytes(self._held), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        nonce = _nonce(self._count, last=last)
        self._file.write(self._cipher.encrypt(nonce, chunk, self._before))
        self._count += 1


def _read_header(file: IO[bytes], key: RecoveryKey, kind: Kind) -> tuple[Header, bytes]:
    try:
        if file.read(len(MAGIC)) != MAGIC:
            raise BackupRefused("this file is no backup of Gatehouse")
        length = int.from_bytes(file.read(4))
        encoded = file.read(length) if length <= MAX_HEADER else b""
        signature = file.read(SIGNATURE)
    except OSError as error:
        raise BackupRefused(f"the file cannot be read: {error.strerror}") from error
    try:
        header = msgspec.msgpack.decode(encoded, type=Header)
        context_fits = bool(SealContext(header.estate, kind, header.number, "recovery"))
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _damaged() from error
    if header.version > VERSION:
        raise BackupRefused("a newer version of Gatehouse made this backup", code="backup-newer")
    if header.root != key.root_public:
        raise BackupRefused(
            "this backup belongs to another community than the recovery kit", code="backup-foreign"
        )
    try:
        Ed25519PublicKey.from_public_bytes(header.root).verify(signature, _LABEL + encoded)
    except InvalidSignature as error:
        raise _damaged() from error
    if header.kind != kind:
        wanted = "the bundle of keys" if kind == "keys" else "a data backup"
        raise BackupRefused(f"this file is not {wanted}: the two were exchanged")
    if header.suite != SUITE_NAME or not context_fits:
        raise _damaged()
    return header, _digest(encoded, signature)


def _read_chunks(file: IO[bytes], cipher: AESGCM, before: bytes) -> Iterator[bytes]:
    number, block = 0, _read(file, CHUNK + TAG)
    while True:
        following = _read(file, CHUNK + TAG)
        try:
            yield cipher.decrypt(_nonce(number, last=not following), block, before)
        except (InvalidTag, ValueError) as error:
            raise _damaged() from error
        if not following:
            return
        number, block = number + 1, following


def _read(file: IO[bytes], size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise BackupRefused(f"the file cannot be read: {error.strerror}") from error


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(_COUNTER) + bytes([last])


def _digest(header: bytes, signature: bytes) -> bytes:
    return hashlib.sha256(_LABEL + header + signature).digest()


def _damaged() -> BackupRefused:
    return BackupRefused(
        "this backup is damaged: it was cut off or changed since it was written",
        code="backup-damaged",
    )


@contextmanager
def _overwritten(path: Path) -> Iterator[None]:
    """Fill with zeros what has this name now, once something else has taken the name."""
    try:
        old = path.open("r+b")
    except FileNotFoundError:
        yield
        return
    with old:
        yield
        left = os.fstat(old.fileno()).st_size
        while left > 0:
            left -= old.write(_ZEROS[:left])
        old.flush()
        os.fsync(old.fileno())

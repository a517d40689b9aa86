"""The server's database: one base for all tables, sealed columns, unusable text, a full disk.

Times are Unix seconds in whole numbers, ids are 32 hex characters. Sealed columns hold what
the vault made; opening them is an explicit call, and their `repr` shows nothing.
"""

import logging
import secrets
import time
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Dialect,
    Engine,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    event,
)
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, mapped_column

from community_server.errors import InputRefused
from tier_link.store import NAMING_CONVENTION

_log = logging.getLogger(__name__)

Id = Annotated[str, mapped_column(String(32))]
Seconds = Annotated[int, mapped_column(BigInteger)]
"""Unix seconds; 0 where a column allows "never" or "open"."""


class Sealed(bytes):
    """Bytes that the vault sealed: safe to store, silent when printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Sealed({len(self)} bytes)"


class SealedColumn(TypeDecorator[Sealed]):
    """Stores `Sealed` bytes as they are; it neither seals nor opens."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Sealed | None, dialect: Dialect) -> bytes | None:
        """Take only what the vault made, so that nothing plain is stored by mistake."""
        del dialect
        if value is not None and not isinstance(value, Sealed):
            raise TypeError("a sealed column takes what the vault sealed, nothing else")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> Sealed | None:
        """Mark what comes back as sealed."""
        del dialect
        return None if value is None else Sealed(value)


class Base(DeclarativeBase):
    """Base of this tier's tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar = {Sealed: SealedColumn()}


def new_id() -> str:
    """Draw a fresh id: 128 random bits as hex."""
    return secrets.token_hex(16)


def now() -> int:
    """Return this machine's time in Unix seconds."""
    return int(time.time())


def report_full_disk(engine: Engine) -> None:
    """Say loudly when the database cannot write for want of space, whatever it was doing.

    The transaction fails as a whole: links do not acknowledge and send again later.
    """

    def look(context: ExceptionContext) -> None:
        if is_disk_full(context.original_exception):
            _log.critical("database=not-written reason=disk-full action=make-room")

    event.listen(engine, "handle_error", look)


def text_refused() -> InputRefused:
    """Return what becomes of text that `tier_link.store.refuse_nul` finds."""
    return InputRefused("no text holds U+0000", field="", code="text-unusable")


def is_disk_full(error: BaseException) -> bool:
    """Say whether an error of the database or system means that no space is left."""
    if isinstance(error, OSError):
        return error.errno == 28  # noqa: PLR2004 -- ENOSPC, the same on every system we run on
    words = str(error.orig if isinstance(error, DBAPIError) else error).lower()
    return "disk is full" in words or "no space left" in words

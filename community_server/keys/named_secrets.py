"""Secrets of the estate itself, made once and kept sealed."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from community_server.keys.tables import NamedSecret
from community_server.vault.safe import SERVER, Safe


def keep_secret(session: Session, safe: Safe, name: str, make: Callable[[], bytes]) -> bytes:
    """Return the secret called `name`, made now where there is none yet."""
    row = session.get(NamedSecret, name)
    if row is not None:
        return safe.open(session, SERVER, secret_context(name), row.sealed)
    if not safe.has_owner(session, SERVER):
        safe.add_owner(session, SERVER)
    value = make()
    sealed = safe.seal(session, SERVER, secret_context(name), value)
    session.add(NamedSecret(name=name, sealed=sealed))
    session.flush()
    return value


def secret_context(name: str) -> str:
    """Return what the secret called `name` is bound to."""
    return f"secret/{name}"

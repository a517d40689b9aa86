"""People by the thousand in a server's own store, without the hours of enrolling them."""

import secrets
from collections.abc import Iterator
from typing import Final

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from community_server.people.particulars import Known, owner, seal_known
from community_server.people.service import template_context
from community_server.people.tables import Person, Template
from community_server.vault.safe import Safe
from face_engine.encoder import normalise

DIMENSION: Final = 128
"""Of the default pack's templates."""


def fill(session: Session, safe: Safe, count: int, space: str) -> None:
    """Add people as the server keeps them; only the rows' insertion is in bulk.

    Args:
        session: of the server's database.
        safe: of its vault.
        count: how many people, each with a template drawn at random.
        space: of the templates.
    """
    people = [secrets.token_hex(16) for _ in range(count)]
    for person in people:
        safe.add_owner(session, owner(person))
    session.execute(insert(Person), list(_person_rows(session, safe, people)))
    templates = normalise(np.random.default_rng().standard_normal((count, DIMENSION), np.float32))
    rows = [
        {
            "person_id": person,
            "space": space,
            "sealed": safe.seal(
                session, owner(person), template_context(space), vector.astype("<f4").tobytes()
            ),
            "created_at": 0,
        }
        for person, vector in zip(people, templates, strict=True)
    ]
    session.execute(insert(Template), rows)
    session.expunge_all()


def _person_rows(session: Session, safe: Safe, people: list[str]) -> Iterator[dict[str, object]]:
    for number, person in enumerate(people):
        yield {
            "id": person,
            "category": "resident",
            "unit": f"{number // 3}",
            "state": "active",
            "particulars": seal_known(session, safe, person, Known(name=f"Resident {number}")),
            "created_at": 0,
        }

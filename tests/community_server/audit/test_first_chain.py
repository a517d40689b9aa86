"""A log from before there was a chain gets one, and it is whole."""

from importlib import resources
from pathlib import Path

from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from community_server.audit.verification import verify
from tier_link.store import bring_up_to_date, open_database


def migrate_to(engine: Engine, revision: str) -> None:
    config, scripts = Config(), resources.files("migrations")
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(scripts / "community"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_rows_from_before_join_the_chain_in_their_order(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate_to(engine, "0018")
    with engine.begin() as connection:
        for number in (3, 5, 9):
            values = f"({number}, {number}, 'a', 'sign-in', '', '')"
            connection.execute(
                text(
                    "INSERT INTO audit (number, at, staff_id, action, subject, detail) "  # noqa: S608
                    f"VALUES {values}"
                )
            )
    bring_up_to_date(engine, "community")
    with Session(engine) as session:
        found = verify(session, Ed25519PrivateKey.generate().public_key())
        assert (found.count, found.faults) == (3, ())
        assert session.scalar(text("SELECT number FROM audit WHERE place = 2")) == 5
    engine.dispose()

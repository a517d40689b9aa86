"""What was deleted is in no file once it is erased; until then it stays due."""

import os
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tier_link.store import LinkStore, TraceEraser, reading

BODY = os.urandom(64)


def delete_a_record(engine: Engine) -> None:
    store = LinkStore(engine, keep_acknowledged=timedelta(0))
    with Session(engine) as session, session.begin():
        store.put(session, "door", "kind", BODY)
    with Session(engine) as session, session.begin():
        session.execute(text("DELETE FROM link_outbox"))


def in_files(engine: Engine) -> bool:
    """Look into SQLite's files; PostgreSQL's are searched in the cloud's tests."""
    if engine.dialect.name == "postgresql":
        return False
    main = Path(engine.url.database or "")
    return any(BODY in file.read_bytes() for file in main.parent.glob(f"{main.name}*"))


def test_what_was_deleted_is_in_no_file_once_it_is_erased(engine: Engine) -> None:
    eraser = TraceEraser(engine, ("link_outbox",), reader_wait_s=0.1)
    assert eraser.due, "the process before this one may have died"
    delete_a_record(engine)
    deadline = time.monotonic() + 30
    while not eraser.erase():  # a passing autovacuum may hold an older snapshot
        assert time.monotonic() < deadline
    assert not in_files(engine)
    assert eraser.sweep()


def test_a_reader_in_the_way_leaves_it_due(engine: Engine) -> None:
    eraser = TraceEraser(engine, ("link_outbox",), reader_wait_s=0.1)
    with Session(reading(engine)) as reader:
        if engine.dialect.name == "postgresql":
            reader.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        reader.execute(text("SELECT count(*) FROM link_state"))  # from now on an older snapshot
        delete_a_record(engine)
        assert not eraser.erase()
        assert eraser.due

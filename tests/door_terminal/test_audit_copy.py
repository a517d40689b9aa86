"""A door remembers the longest audit log that its server has spoken of."""

from sqlalchemy import Engine

from door_terminal.audit_copy import AuditCopy, AuditHead
from tests.door_terminal.conftest import make_read_only
from tests.door_terminal.estate import SERVER

SHORT, LONG = AuditHead(3, b"s" * 32), AuditHead(5, b"l" * 32)


def test_the_longest_log_counts_and_stays_over_a_restart(engine: Engine) -> None:
    copy = AuditCopy(engine, SERVER)
    assert copy.current == AuditHead()
    for heard in (SHORT, LONG, SHORT, AuditHead(9), AuditHead(5, b"another".ljust(32))):
        copy.hear(heard)
    assert copy.current == LONG
    assert AuditCopy(engine, SERVER).current == LONG
    assert AuditCopy(engine, "another-estate").current == AuditHead()


def test_a_disk_that_takes_nothing_costs_it_at_the_next_restart_only(engine: Engine) -> None:
    copy = AuditCopy(engine, SERVER)
    make_read_only(engine)
    copy.hear(LONG)
    assert copy.current == LONG

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tier_link.errors import PairingRefused
from tier_link.pairing import derive_locator, derive_pairing_key, new_code
from tier_link.store import PairingCodes, reading
from tier_link.store.codes import CODE_LIFETIME_S, CODE_TRIES, IssuedCode
from tier_link.store.tables import LinkPairingCode


class Desk:
    """Somebody who issues codes, on a clock of their own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = 1_795_000_000.0
        self.codes = PairingCodes(engine, clock=lambda: self.now)

    def issue(self, subject: str = "door-1") -> IssuedCode:
        with Session(self.engine) as session, session.begin():
            return self.codes.issue(session, role="door", subject=subject)

    def refusal(self, code: str, role: str = "door") -> str:
        with pytest.raises(PairingRefused) as refused:
            self.codes.attempt(derive_locator(code), "door" if role == "door" else "server")
        return refused.value.code


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def test_an_open_code_is_found_by_its_locator(desk: Desk) -> None:
    issued = desk.issue()
    found = desk.codes.attempt(derive_locator(issued.code), "door")
    assert (found.subject, found.key) == ("door-1", derive_pairing_key(issued.code))


def test_a_code_is_good_for_one_pairing(desk: Desk, engine: Engine) -> None:
    issued = desk.issue()
    found = desk.codes.attempt(derive_locator(issued.code), "door")
    with Session(engine) as session, session.begin():
        desk.codes.spend(session, found)
    assert desk.refusal(issued.code) == "pairing-code-unknown"
    with Session(engine) as session, session.begin(), pytest.raises(PairingRefused):
        desk.codes.spend(session, found)  # a second one who proved it at the same moment


def test_a_code_expires(desk: Desk, engine: Engine) -> None:
    issued = desk.issue()
    desk.now += CODE_LIFETIME_S - 1
    desk.codes.attempt(derive_locator(issued.code), "door")
    desk.now += 1
    assert desk.refusal(issued.code) == "pairing-code-expired"
    desk.codes.prune()
    with Session(reading(engine)) as session:
        assert session.scalars(select(LinkPairingCode)).all() == []


def test_five_tries_in_all_and_a_wrong_guess_burns_one_of_every_code(desk: Desk) -> None:
    first, second = desk.issue("door-1"), desk.issue("door-2")
    for _ in range(CODE_TRIES - 1):
        assert desk.refusal(new_code()) == "pairing-code-unknown"
    desk.codes.attempt(derive_locator(first.code), "door")
    assert desk.refusal(first.code) == "pairing-code-used-up"
    desk.codes.attempt(derive_locator(second.code), "door")
    assert desk.refusal(second.code) == "pairing-code-used-up"


def test_a_code_for_a_door_pairs_no_server(desk: Desk) -> None:
    assert desk.refusal(desk.issue().code, role="server") == "pairing-code-unknown"


def test_a_new_code_for_the_same_door_replaces_the_old(desk: Desk) -> None:
    old, new = desk.issue(), desk.issue()
    assert desk.refusal(old.code) == "pairing-code-unknown"
    assert desk.codes.attempt(derive_locator(new.code), "door").subject == "door-1"


def test_the_code_itself_is_not_stored(desk: Desk, engine: Engine) -> None:
    issued = desk.issue()
    with Session(reading(engine)) as session:
        row = session.scalars(select(LinkPairingCode)).one()
    assert issued.code not in repr(vars(row))
    assert issued.code.replace("-", "") not in repr(vars(row))

"""A field that holds a secret and is shown by `repr` is found; what is hidden is hidden."""

from pathlib import Path

import pytest

from door_terminal.screen.bodies import PinEntry
from tests.door_terminal.samples import configured, person
from tier_link.estate_messages import ESTATE
from tier_link.messages import Record
from tools.secret_fields import shown_secrets

SHOWN = """
@dataclass
class Held:
    person: str
    {field}
"""


def found_in(folder: Path, text: str) -> list[str]:
    file = folder / "module.py"
    file.write_text(text)
    return list(shown_secrets([file], folder))


@pytest.mark.parametrize(
    "field",
    [
        "device_key: bytes",
        "private: Ed25519PrivateKey",
        "pin: str",
        "phone: str = ''",
        "password: str",
        "template: Vectors | None = None",
        "name: str",
    ],
)
def test_a_secret_that_would_be_shown_is_named_with_its_line(tmp_path: Path, field: str) -> None:
    name = field.partition(":")[0]
    assert found_in(tmp_path, SHOWN.format(field=field)) == [
        f"module.py:5 Held.{name} is shown by repr()"
    ]


@pytest.mark.parametrize(
    "field",
    [
        "pin: str = field(repr=False)",
        "phone: Annotated[str, Field(repr=False)] = ''",
        "pin_allowed: bool",
        "reply_key: bytes",
        "names: tuple[str, ...]",
    ],
)
def test_what_is_hidden_or_no_secret_is_not(tmp_path: Path, field: str) -> None:
    assert found_in(tmp_path, SHOWN.format(field=field)) == []


def test_a_repr_of_its_own_or_of_a_base_hides_a_struct_and_no_dataclass_below_it(
    tmp_path: Path,
) -> None:
    base = "class Base(msgspec.Struct):\n    def __repr__(self): return '…'\n"
    assert found_in(tmp_path, base + "class Sent(Base):\n    pin: str\n") == []
    assert found_in(tmp_path, "class Sent(msgspec.Struct):\n    pin: str\n") != []
    plain = "class Base:\n    def __repr__(self): return '…'\n"
    assert found_in(tmp_path, plain + "@dataclass\nclass Sent(Base):\n    pin: str\n") != []


def test_no_message_or_form_shows_what_it_carries() -> None:
    one = person("a", unit="9-901", pin="$argon2id$x")
    wire = configured(matrix=b"matrix-bytes", card_key=b"card-key-bytes")
    record = Record(1, "door-configured", ESTATE.encode(wire))
    shown = repr([one, wire, record, PinEntry("9-901", "482915")])
    for secret in ("9-901", "argon2id", "matrix-bytes", "card-key", "482915"):
        assert secret not in shown

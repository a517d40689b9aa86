"""Every released version's messages are understood here, and what is sent here is there."""

import json
from typing import Annotated, Any, Final, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from tests.tier_link import make_vectors, test_vectors
from tests.tier_link.make_wire import FOLDER, fields_of
from tests.tier_link.strategies import FUZZ, messages
from tests.tier_link.wire.schema import Shape, describe, reader, wire_messages

RELEASES: Final = tuple(sorted(one.name for one in FOLDER.iterdir()))
TODAY: Final = wire_messages()
FROZEN: Final[dict[str, dict[str, Any]]] = {
    release: json.loads((FOLDER / release / "messages.json").read_text("utf-8"))
    for release in RELEASES
}
KINDS: Final = [(release, name) for release in RELEASES for name in FROZEN[release]]


SOME: Final = settings(FUZZ, max_examples=8)
"""Of each of the many kinds; bounds are in the shape, and a breach shows at once."""


def agrees(shape: Shape, then: Any, now: Any) -> bool:
    """Say whether what a release reads is what is meant here, in every field it knows."""
    if shape["type"] == "struct":
        return all(
            agrees(one["type"], getattr(then, one["name"]), getattr(now, one["name"]))
            for one in shape["fields"]
        )
    if shape["type"] == "tuple":
        return len(then) == len(now) and all(
            agrees(shape["of"], *pair) for pair in zip(then, now, strict=True)
        )
    return bool(then == now)


def test_the_first_release_is_kept() -> None:
    assert "0.1" in RELEASES
    assert len(FROZEN["0.1"]) == 45


@pytest.mark.parametrize(("release", "name"), KINDS)
def test_what_a_release_sent_is_read_here(release: str, name: str) -> None:
    kept = FROZEN[release][name]
    then = reader(kept["shape"])
    assert len(kept["samples"]) == 3
    for sample in kept["samples"]:
        body = bytes.fromhex(sample["body_hex"])
        old = msgspec.msgpack.decode(body, type=then)
        assert fields_of(old) == sample["fields"]
        assert agrees(kept["shape"], old, msgspec.msgpack.decode(body, type=TODAY[name]))


@pytest.mark.parametrize(("release", "name"), KINDS)
def test_what_is_sent_here_is_read_by_a_release(release: str, name: str) -> None:
    shape = FROZEN[release][name]["shape"]
    then = reader(shape)

    @SOME
    @given(messages(TODAY[name]))
    def holds(message: msgspec.Struct) -> None:
        body = msgspec.msgpack.encode(message)
        assert agrees(shape, msgspec.msgpack.decode(body, type=then), message)

    holds()


@pytest.mark.parametrize("release", RELEASES)
def test_no_new_message_has_a_tag_that_a_release_used(release: str) -> None:
    used = {kept["shape"]["tag"]: name for name, kept in FROZEN[release].items()}
    for name, message in TODAY.items():
        assert used.get(message.__struct_config__.tag, name) == name


@pytest.mark.parametrize("release", RELEASES)
def test_what_a_release_sealed_and_signed_is_opened_here(
    release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Envelope, reply, certificates, pass and its code, a visit's request and answer."""
    monkeypatch.setattr(make_vectors, "FOLDER", FOLDER / release / "vectors")
    test_vectors.test_the_pass_and_the_code_verify()
    test_vectors.test_the_certificates_verify("envelope")
    test_vectors.test_the_certificates_verify("reply")
    test_vectors.test_the_enrollment_opens()
    test_vectors.test_the_visit_request_and_its_answer_open()
    test_vectors.test_vectors_without_chance_are_written_the_same_again("certificate")
    test_vectors.test_vectors_without_chance_are_written_the_same_again("invitation")
    test_vectors.test_vectors_without_chance_are_written_the_same_again("padding")


class Before(msgspec.Struct, frozen=True, array_like=True, tag="kind"):
    """A message of some release."""

    number: Annotated[int, Meta(ge=0, le=9)]
    way: Literal["in", "out"] = "in"


class Grown(msgspec.Struct, frozen=True, array_like=True, tag="kind"):
    """As the rule has it: the new field is last."""

    number: Annotated[int, Meta(ge=0, le=9)]
    way: Literal["in", "out"] = "in"
    more: str = ""


class Inserted(msgspec.Struct, frozen=True, array_like=True, tag="kind"):
    """Against the rule: a field in the middle."""

    number: Annotated[int, Meta(ge=0, le=9)]
    more: str = ""
    way: Literal["in", "out"] = "in"


class Widened(msgspec.Struct, frozen=True, array_like=True, tag="kind"):
    """Against the rule: a value that the release refuses."""

    number: Annotated[int, Meta(ge=0, le=9)]
    way: Literal["in", "out", "both"] = "both"


class Shrunk(msgspec.Struct, frozen=True, array_like=True, tag="kind"):
    """Against the rule: a required field is gone."""


@pytest.mark.parametrize(
    ("now", "read"),
    [
        (Before(3), True),
        (Grown(3), True),
        (Inserted(3), False),
        (Widened(3), False),
        (Shrunk(), False),
    ],
)
def test_a_kept_reader_notices_each_breach_of_the_rule(now: msgspec.Struct, *, read: bool) -> None:
    shape = json.loads(json.dumps(describe(Before)))
    body = msgspec.msgpack.encode(now)
    if read:
        assert agrees(shape, msgspec.msgpack.decode(body, type=reader(shape)), now)
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.msgpack.decode(body, type=reader(shape))


@given(st.integers().filter(lambda number: not 0 <= number <= 9))
@FUZZ
def test_a_kept_reader_keeps_the_bounds(number: int) -> None:
    shape = json.loads(json.dumps(describe(Before)))
    if abs(number) < 2**63:
        with pytest.raises(msgspec.ValidationError):
            msgspec.msgpack.decode(msgspec.msgpack.encode(["kind", number]), type=reader(shape))

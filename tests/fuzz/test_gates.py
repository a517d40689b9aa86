"""Every gate takes what is honest, refuses what is not with an error of ours, and soon.

Coverage-guided runs of minutes are `make fuzz`; here each gate gets what was found before and some
random changes of honest samples, the same ones at every run.
"""

import time
from pathlib import Path

import pytest

from tests.fuzz.gate import Gate, changed, load, names, stored

CHANGES = 200


@pytest.fixture(scope="module", params=names())
def gate(request: pytest.FixtureRequest) -> tuple[str, Gate]:
    return request.param, load(request.param)


def timed(gate: Gate, data: bytes) -> bool:
    began = time.process_time()
    taken = gate.takes(data)
    assert time.process_time() - began < gate.seconds, data[:200]
    return taken


def test_honest_samples_are_taken(gate: tuple[str, Gate]) -> None:
    _, one = gate
    for data in one.seeds():
        assert len(data) <= one.most
        assert timed(one, data), data[:200]


def test_what_was_found_once_is_answered_as_it_should_be(gate: tuple[str, Gate]) -> None:
    name, one = gate
    for path in stored(name):  # taken or refused, both will do
        timed(one, path.read_bytes())


def test_changed_samples_are_taken_or_refused_and_some_are_refused(gate: tuple[str, Gate]) -> None:
    _, one = gate
    taken = [timed(one, data) for data in changed(one.seeds(), CHANGES, seed=20_261_127)]
    assert one.refuses is not all(taken)


def test_every_stored_input_belongs_to_a_gate() -> None:
    corpus = Path(__file__).parent / "corpus"
    assert {path.name for path in corpus.iterdir()} <= set(names())

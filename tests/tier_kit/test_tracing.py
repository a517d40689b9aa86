"""What one id stands for is one trace; nothing is made, and nothing loaded, where nobody asks."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from gatehouse.local_estate import free_port
from tests.support.collectors import Collector, collector
from tier_kit.settings import ConfigurationRefused
from tier_kit.tracing import start_tracing, stop_tracing, trace_past, traced

ENTRY, OTHER = "0123456789abcdef" * 2, "f" * 32


@pytest.fixture
def listening() -> Iterator[Collector]:
    with collector() as here:
        yield here
        stop_tracing()


def test_steps_of_one_subject_are_one_trace_of_its_id(listening: Collector) -> None:
    start_tracing(listening.address, "door", "d00f")
    with traced("first", ENTRY, door="d00f"), traced("within", ENTRY):
        pass
    trace_past("second", ENTRY, 250.0)
    with traced("of another", OTHER):
        pass
    stop_tracing()
    spans = {span.name: span for span in listening.spans(ENTRY)}
    assert spans.keys() == {"first", "within", "second"}
    assert [span.name for span in listening.spans(OTHER)] == ["of another"]
    assert {(span.service, span.instance) for span in spans.values()} == {
        ("gatehouse-door", "d00f")
    }
    assert spans["first"].attributes == {"gatehouse.door": "d00f"}
    assert spans["second"].ended - spans["second"].began >= 250_000_000
    assert not any(span.failed for span in spans.values())


def test_a_step_that_fails_is_marked_and_its_words_stay_here(listening: Collector) -> None:
    start_tracing(listening.address, "server")
    with pytest.raises(ValueError, match="Ada"), traced("judged", ENTRY):
        raise ValueError("Ada Resident of 1-101")
    stop_tracing()
    (span,) = listening.spans()
    assert span.failed
    assert b"Ada" not in b"".join(listening.bodies)
    assert b"ValueError" not in b"".join(listening.bodies)


@pytest.mark.long
def test_a_collector_that_is_away_costs_nobody_anything() -> None:
    start_tracing(f"http://127.0.0.1:{free_port()}/v1/traces", "door")
    try:
        for _ in range(5000):  # more than the queue holds
            trace_past("entry", ENTRY, 1.0)
    finally:
        stop_tracing()


def test_where_nobody_asks_nothing_is_made_and_nothing_loaded() -> None:
    program = (
        "import sys; from tier_kit.tracing import start_tracing, traced, trace_past\n"
        "start_tracing('', 'door')\n"
        f"with traced('step', '{ENTRY}'): trace_past('past', '{ENTRY}', 1.0)\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_without_the_extra_the_setting_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ConfigurationRefused, match="traces"):
        start_tracing("http://127.0.0.1:4318/v1/traces", "door")


@pytest.mark.parametrize("address", ["127.0.0.1:4318", "ftp://x", "http://a b"])
def test_what_is_no_address_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from door_terminal.settings import Settings  # noqa: PLC0415 -- a tier's, for the sake of one

    monkeypatch.setenv("GATEHOUSE_DOOR_TRACES", address)
    with pytest.raises((ValidationError, ConfigurationRefused)):
        Settings.read()

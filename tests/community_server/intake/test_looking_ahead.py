"""Photos are looked at before the link's transaction; what is decided is decided inside it."""

from collections.abc import Sequence
from typing import Any

import pytest

from face_engine.enrollment import judge
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import CLOUD, Bench, records_of
from tier_link.relay_messages import RELAY


def test_who_writes_meanwhile_does_not_wait_for_photos_to_be_judged(
    bench: Bench, people: Sequence[SamplePerson], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []

    def slow_judge(*arguments: Any, **named: Any) -> Any:
        with bench.estate.changer.change() as change:  # fails while another transaction writes
            looked.append(change)
        return judge(*arguments, **named)

    monkeypatch.setattr("community_server.intake.judging.judge", slow_judge)
    invitation, _ = bench.invite()
    assert bench.send(bench.draft(invitation, [people[0].portrait]))[0].outcome == "received"
    assert len(looked) == 1


def test_a_look_serves_the_envelope_it_was_made_for_and_no_other(
    bench: Bench, people: Sequence[SamplePerson]
) -> None:
    records = records_of(bench)
    invitation, _ = bench.invite()
    good = bench.draft(invitation, [people[1].portrait]).deposit()
    records.prepare(CLOUD, RELAY.kind(good), RELAY.encode(good))
    assert bench.send(bench.draft(invitation, [b"not a photo"]))[0].outcome == "retake"
    assert len(bench.estate.intake._looks) == 1
    bench.deliver(good)
    bench.deliver(good)
    assert not bench.estate.intake._looks


def test_looks_that_nobody_asked_for_end_with_the_link(
    bench: Bench, people: Sequence[SamplePerson]
) -> None:
    records = records_of(bench)
    invitation, _ = bench.invite()
    deposit = bench.draft(invitation, [people[0].portrait]).deposit()
    records.prepare(CLOUD, RELAY.kind(deposit), RELAY.encode(deposit))
    records.link_down(CLOUD)
    assert not bench.estate.intake._looks

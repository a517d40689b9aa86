import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.pairs import Pair
from tests.tier_link.strategies import FUZZ
from tier_link.errors import PeerRefused, RequestFailed
from tier_link.events import (
    DurableRecord,
    Event,
    LatestArrived,
    RecordArrived,
    RecordsAcknowledged,
    RequestAnswered,
    RequestArrived,
)
from tier_link.messages import (
    MAX_BODY,
    MAX_RECORD,
    PART_SIZE,
    Acknowledge,
    Frame,
    Latest,
    Record,
    Request,
    Response,
    decode_frame,
    encode_frame,
)
from tier_link.protocol import (
    MAX_LATEST_KINDS,
    MAX_REQUESTS,
    WINDOW_BYTES,
    WINDOW_RECORDS,
    LinkCore,
)


def connected() -> Pair:
    pair = Pair()
    pair.shake_hands()
    return pair


def frames(core: LinkCore, now: float = 0.0) -> list[Frame]:
    sent: list[Frame] = []
    while (data := core.next_frame(now)) is not None:
        sent.append(decode_frame(data))
    return sent


def deliver(sender: LinkCore, receiver: LinkCore, now: float = 0.0) -> list[Event]:
    events = [receiver.receive(encode_frame(frame), now) for frame in frames(sender, now)]
    return [event for event in events if event is not None]


def refusal(core: LinkCore, *sent: Frame) -> PeerRefused:
    *before, last = sent
    for frame in before:
        core.receive(encode_frame(frame), 0)
    with pytest.raises(PeerRefused) as refused:
        core.receive(encode_frame(last), 0)
    return refused.value


# -- durable records ------------------------------------------------------------------------


@FUZZ
@given(st.lists(st.integers(0, 3 * PART_SIZE), min_size=1, max_size=5), st.integers(1, 9))
def test_records_of_any_size_arrive_whole_and_in_order(sizes: list[int], gap: int) -> None:
    pair = connected()
    records = [
        DurableRecord(gap * index, "entry", bytes([index]) * size)
        for index, size in enumerate(sizes, start=1)
    ]
    for record in records:
        pair.door.offer(record)
    assert deliver(pair.door, pair.server) == [RecordArrived(record) for record in records]
    pair.server.acknowledge(records[-1].sequence)
    acknowledged = deliver(pair.server, pair.door)
    assert acknowledged == [RecordsAcknowledged(records[-1].sequence)]


def test_a_request_waits_behind_one_part_of_a_backlog_at_most() -> None:
    pair = connected()
    pair.door.offer(DurableRecord(1, "envelope", b"x" * MAX_RECORD))
    parts_sent = 0
    for _ in range(5):  # the line is busy with the backlog when the request comes
        frame = pair.door.next_frame(0)
        assert frame is not None
        assert isinstance(decode_frame(frame), Record)
        parts_sent += 1
    pair.door.request("match", b"crops", deadline=1, now=0)
    pair.door.publish("presence", b"fine")
    following = [type(decode_frame(pair.door.next_frame(0) or b"")) for _ in range(3)]
    assert following == [Request, Latest, Record]
    assert parts_sent + 1 + len(frames(pair.door)) == MAX_RECORD // PART_SIZE


def test_an_answer_and_an_acknowledgement_overtake_a_backlog() -> None:
    pair = connected()
    pair.server.offer(DurableRecord(1, "roster", b"x" * MAX_RECORD))
    pair.door.request("match", b"", deadline=1, now=0)
    pair.door.offer(DurableRecord(1, "entry", b""))
    for event in deliver(pair.door, pair.server):
        if isinstance(event, RequestArrived):
            pair.server.respond(event.number, "", b"nobody", 0)
        if isinstance(event, RecordArrived):
            pair.server.acknowledge(event.record.sequence)
    order = [type(frame) for frame in frames(pair.server)]
    assert order[:3] == [Response, Acknowledge, Record]


def test_the_window_bounds_what_is_under_way() -> None:
    pair = connected()
    for sequence in range(1, WINDOW_RECORDS + 1):
        assert pair.door.wants_record
        pair.door.offer(DurableRecord(sequence, "entry", b"x"))
    with pytest.raises(RuntimeError):
        pair.door.offer(DurableRecord(WINDOW_RECORDS + 1, "entry", b"x"))
    deliver(pair.door, pair.server)
    pair.server.acknowledge(1)
    deliver(pair.server, pair.door)
    assert pair.door.last_offered == WINDOW_RECORDS
    pair.door.offer(DurableRecord(WINDOW_RECORDS + 1, "entry", b"x"))

    large = connected().door
    large.offer(DurableRecord(1, "envelope", b"x" * WINDOW_BYTES))
    assert not large.wants_record


def test_records_are_offered_in_order() -> None:
    door = connected().door
    door.offer(DurableRecord(5, "entry", b""))
    with pytest.raises(RuntimeError):
        door.offer(DurableRecord(5, "entry", b""))


def test_a_peer_that_ignores_the_window_is_refused() -> None:
    many = [Record(n, "entry", b"") for n in range(1, WINDOW_RECORDS + 2)]
    assert refusal(connected().server, *many).code == "overrun"
    part = b"x" * PART_SIZE
    endless = [Record(1, "entry", part, more=True)] * (MAX_RECORD // PART_SIZE + 1)
    overrun = refusal(connected().server, *endless)
    assert (overrun.code, overrun.close_code) == ("overrun", 4429)


@pytest.mark.parametrize(
    "sent",
    [
        (Record(2, "entry", b""), Record(1, "entry", b"")),
        (Record(1, "entry", b""), Record(1, "entry", b"")),
        (Record(1, "entry", b"x" * PART_SIZE, more=True), Record(2, "entry", b"")),
        (Record(1, "entry", b"x" * PART_SIZE, more=True), Record(1, "roster", b"")),
        (Record(1, "entry", b"", more=True),),
        (Record(1, "entry", b"x" * (PART_SIZE - 1), more=True),),
        (Acknowledge(100, 1),),
        (Acknowledge(99, 0),),
        (Response(1, "", b""),),
        (Request(2, "match", b"", 1), Request(2, "match", b"", 1)),
    ],
)
def test_frames_that_no_honest_peer_sends_end_the_link(sent: tuple[Frame, ...]) -> None:
    refused = refusal(connected().server, *sent)
    assert (refused.code, refused.close_code) == ("malformed", 4400)


@FUZZ
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_foreign_bytes_end_the_link_with_our_error(messages: list[bytes]) -> None:
    server = connected().server
    try:
        for data in messages:
            server.receive(data, 0)
    except PeerRefused as refused:
        assert 4400 <= refused.close_code < 4500  # noqa: PT017 -- either end is right


# -- requests -------------------------------------------------------------------------------


def test_a_request_is_answered_once() -> None:
    pair = connected()
    number = pair.door.request("match", b"crops", deadline=2, now=0)
    [asked] = deliver(pair.door, pair.server)
    assert asked == RequestArrived(number, "match", b"crops", 2.0)
    pair.server.respond(number, "", b"somebody", 0.5)
    assert deliver(pair.server, pair.door) == [RequestAnswered(number, "", b"somebody")]
    with pytest.raises(KeyError):
        pair.server.respond(number, "", b"somebody else", 0.5)


def test_a_queued_request_is_never_sent_late() -> None:
    pair = connected()
    pair.door.request("open", b"", deadline=1, now=0)
    kept = pair.door.request("match", b"", deadline=5, now=0)
    [sent] = frames(pair.door, now=1.5)
    assert isinstance(sent, Request)
    assert (sent.number, sent.deadline_ms) == (kept, 3500)


def test_a_request_given_up_is_not_sent_and_its_answer_ignored() -> None:
    pair = connected()
    number = pair.door.request("open", b"", deadline=1, now=0)
    pair.door.give_up(number)
    assert frames(pair.door) == []
    asked = pair.door.request("open", b"", deadline=1, now=0)
    deliver(pair.door, pair.server)
    pair.door.give_up(asked)
    pair.server.respond(asked, "", b"", 0)
    assert deliver(pair.server, pair.door) == []


def test_a_late_answer_is_not_sent() -> None:
    pair = connected()
    number = pair.door.request("open", b"", deadline=1, now=0)
    deliver(pair.door, pair.server)
    pair.server.respond(number, "", b"", 1.0)
    assert frames(pair.server) == []


def test_too_many_requests_are_refused_on_either_side() -> None:
    pair = connected()
    for _ in range(MAX_REQUESTS):
        pair.door.request("match", b"", deadline=1, now=0)
    with pytest.raises(RequestFailed) as busy:
        pair.door.request("match", b"", deadline=1, now=0)
    assert busy.value.code == "busy"
    assert len(deliver(pair.door, pair.server)) == MAX_REQUESTS
    assert pair.server.receive(encode_frame(Request(1000, "match", b"", 1)), 0) is None
    assert frames(pair.server) == [Response(1000, "busy")]


def test_a_deadline_travels_within_its_bounds() -> None:
    pair = connected()
    pair.door.request("match", b"", deadline=1e6, now=0)
    pair.door.request("match", b"", deadline=0.0001, now=0)
    deadlines = [frame.deadline_ms for frame in frames(pair.door) if isinstance(frame, Request)]
    assert deadlines == [60_000, 1]


# -- latest values --------------------------------------------------------------------------


def test_latest_values_of_one_kind_coalesce_while_they_wait() -> None:
    pair = connected()
    for value in (b"old", b"newer", b"newest"):
        pair.door.publish("presence", value)
    pair.door.publish("other", b"value")
    assert deliver(pair.door, pair.server) == [
        LatestArrived("presence", b"newest"),
        LatestArrived("other", b"value"),
    ]
    pair.door.publish("presence", b"again")
    assert deliver(pair.door, pair.server) == [LatestArrived("presence", b"again")]


def test_kinds_of_latest_value_are_bounded_on_either_side() -> None:
    pair = connected()
    kinds = [f"kind-{number}" for number in range(MAX_LATEST_KINDS + 1)]
    for kind in kinds[:-1]:
        pair.door.publish(kind, b"")
    with pytest.raises(ValueError, match="kinds"):
        pair.door.publish(kinds[-1], b"")
    assert refusal(pair.server, *(Latest(kind, b"") for kind in kinds)).code == "overrun"


def test_bodies_that_fit_no_frame_are_refused_at_the_sender() -> None:
    pair = connected()
    pair.door.request("match", b"", deadline=1, now=0)
    deliver(pair.door, pair.server)
    large = b"x" * (MAX_BODY + 1)
    with pytest.raises(ValueError, match="at most"):
        pair.door.request("match", large, deadline=1, now=0)
    with pytest.raises(ValueError, match="at most"):
        pair.door.publish("presence", large)
    with pytest.raises(ValueError, match="at most"):
        pair.server.respond(1, "", large, 0)


# -- everything at once ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_traffic_both_ways_at_random_loses_and_doubles_nothing(seed: int) -> None:
    chance = random.Random(seed)
    pair = connected()
    sides = [(pair.door, pair.server), (pair.server, pair.door)]
    arrived: dict[int, list[int]] = {0: [], 1: []}
    next_sequence = {0: 1, 1: 1}
    asked = {0: 0, 1: 0}
    answered = {0: 0, 1: 0}
    for _ in range(3000):
        side = chance.randrange(2)
        sender, receiver = sides[side]
        match chance.randrange(4):
            case 0 if sender.wants_record:
                size = chance.choice([0, 10, PART_SIZE + 1])
                sender.offer(DurableRecord(next_sequence[side], "entry", b"x" * size))
                next_sequence[side] += 1
            case 1 if asked[side] - answered[side] < MAX_REQUESTS:
                sender.request("match", b"", deadline=1e9, now=0)
                asked[side] += 1
            case _:
                _, event = pair.step(sender, receiver)
                match event:
                    case RecordArrived():
                        arrived[side].append(event.record.sequence)
                        receiver.acknowledge(event.record.sequence)
                    case RequestArrived():
                        receiver.respond(event.number, "", b"", 0)
                    case RequestAnswered():
                        answered[1 - side] += 1
    for side, (sender, receiver) in enumerate(sides):
        for event in deliver(sender, receiver):
            if isinstance(event, RecordArrived):
                arrived[side].append(event.record.sequence)
    assert arrived == {side: list(range(1, next_sequence[side])) for side in (0, 1)}

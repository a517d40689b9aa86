"""The queue: each event reaches each webhook that wants it, or is given up after a day."""

from dataclasses import dataclass

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from community_server.alarms.queries import active_kinds
from community_server.alarms.watch import EstateWatch, Surroundings
from community_server.database import now
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.events.kinds import AlarmRaised, EntryMade
from community_server.herald import Herald
from community_server.webhooks.addresses import read_networks
from community_server.webhooks.courier import Courier
from community_server.webhooks.queue import (
    GIVEN_UP_AFTER_S,
    ShownDelivery,
    forget_deliveries,
    list_deliveries,
    try_again,
    wait_after,
)
from community_server.webhooks.sender import Sender
from community_server.webhooks.service import (
    MOST,
    add_webhook,
    change_webhook,
    list_webhooks,
    pause_webhook,
    remove_webhook,
    renew_secret,
)
from community_server.webhooks.tables import Delivery, Webhook
from tests.community_server.alarms.gates import Gate, raised
from tests.community_server.bench import STAFF, Bench
from tests.community_server.webhooks.receivers import Receiver, receiver

HERE = read_networks(["127.0.0.0/8"])


@dataclass
class Post:
    """One estate's post, with a clock that is set by hand."""

    bench: Bench
    clock: float = 0.0

    def __post_init__(self) -> None:
        estate = self.bench.estate
        self.herald = Herald(estate)
        self.courier = Courier(
            estate.engine, estate.changer, estate.safe, Sender(HERE), lambda: self.clock
        )

    def add(self, there: Receiver, *kinds: str, name: str = "Receiver") -> str:
        with self.bench.estate.changer.change() as change:
            webhook, _ = add_webhook(change, STAFF, name=name, url=there.url, kinds=kinds)
        return webhook

    def run(self) -> list[str]:
        """Number, queue and deliver what is due; return what was tried."""
        self.herald.step()
        due = self.courier.due()
        for webhook in due:
            self.courier.deliver(webhook)
        return due

    def listed(self, webhook: str = "") -> list[ShownDelivery]:
        with self.bench.estate.reading() as session:
            return list_deliveries(session, webhook=webhook, limit=100)

    def pass_time(self, seconds: int) -> None:
        """Let the queue be so much older."""
        self.clock += seconds
        with Session(self.bench.estate.engine) as session, session.begin():
            session.execute(
                update(Delivery).values(
                    queued_at=Delivery.queued_at - seconds, due_at=Delivery.due_at - seconds
                )
            )


@pytest.fixture
def post(bench: Bench) -> Post:
    """A post with an empty queue."""
    made = Post(bench)
    made.herald.step()
    with bench.estate.changer.change() as change:
        change.session.execute(delete(Webhook))
    return made


def test_a_webhook_is_sent_the_kinds_it_wants_from_when_it_was_added(post: Post) -> None:
    gate = Gate(post.bench)
    gate.entry()
    post.run()
    with receiver() as all_kinds, receiver() as alarms, receiver() as paused:
        first = post.add(all_kinds)
        post.add(alarms, AlarmRaised.kind)
        silent = post.add(paused)
        with post.bench.estate.changer.change() as change:
            pause_webhook(change, STAFF, silent, paused=True)
        gate.entry()
        gate.tell(raised())
        post.run()
        post.run()
        kinds = [[one.kind for one in post.listed(hook)] for hook in (first, silent)]
    assert (len(all_kinds.got), len(alarms.got), len(paused.got)) == (2, 1, 0)
    assert kinds == [[AlarmRaised.kind, EntryMade.kind], []]
    assert {(one.state, one.answer, one.attempts) for one in post.listed()} == {
        ("delivered", 204, 1)
    }


def test_what_fails_is_tried_again_after_growing_waits_with_the_same_id(post: Post) -> None:
    with receiver() as there:
        there.status = 503
        webhook = post.add(there)
        Gate(post.bench).entry()
        for attempt in range(1, 5):
            assert post.run() == [webhook]
            assert post.run() == []
            (one,) = post.listed()
            assert (one.state, one.attempts, one.answer) == ("waiting", attempt, 503)
            assert one.trouble == "answer-refused"
            post.pass_time(wait_after(attempt) - 1)
            assert post.run() == []
            post.pass_time(1)
        there.status = 200
        post.run()
    assert len({headers["webhook-id"] for headers, _ in there.got}) == 1
    assert [one.state for one in post.listed()] == ["delivered"]
    assert wait_after(99) == 3600


def test_a_receiver_that_is_away_is_asked_now_and_then_not_once_for_each_event(post: Post) -> None:
    with receiver() as there, receiver() as other:
        there.status = 500
        failing = post.add(there)
        post.add(other)
        gate = Gate(post.bench)
        for _ in range(5):
            gate.entry()
        post.run()
        assert (len(there.got), len(other.got)) == (1, 5)  # who works is not held up
        there.status = 200
        post.pass_time(wait_after(1))
        assert post.run() == [failing]
    assert len(there.got) == 6


def test_the_queue_outlives_a_restart(post: Post) -> None:
    with receiver() as there:
        there.status = 500
        post.add(there)
        Gate(post.bench).entry()
        post.run()
        there.status = 200
        post.pass_time(wait_after(1))
        Post(post.bench).run()
    assert [one.state for one in post.listed()] == ["delivered"]


def test_after_a_day_it_is_given_up_told_as_an_alarm_and_can_be_sent_again(post: Post) -> None:
    estate = post.bench.estate
    with receiver() as there:
        there.status = 500
        post.add(there)
        gate = Gate(post.bench)
        for _ in range(3):
            gate.entry()
        post.run()
        post.pass_time(GIVEN_UP_AFTER_S)
        gate.entry()
        assert len(post.run()) == 1
        states = [one.state for one in post.listed()]
        assert states == ["waiting", "given-up", "given-up", "given-up"]
        assert watch(post) == ["news-undelivered"]
        there.status = 200
        post.pass_time(wait_after(1) + 600)
        post.run()
        given_up = [one.delivery for one in post.listed() if one.state == "given-up"]
        for delivery in given_up:
            with estate.changer.change() as change:
                try_again(change, STAFF, delivery)
        post.run()
        assert {one.state for one in post.listed()} == {"delivered"}
        assert watch(post) == []
        with estate.changer.change() as change, pytest.raises(Conflict):
            try_again(change, STAFF, given_up[0])


def watch(post: Post) -> list[str]:
    """Let the server look at itself; return its own alarms."""
    around = Surroundings(lambda _: True, lambda _: None, lambda: None, 1)
    with post.bench.estate.changer.change() as change:
        EstateWatch(around).look(change)
        return active_kinds(change.session).get(None, [])


def test_a_test_is_sent_at_once_and_is_no_event(post: Post) -> None:
    with receiver() as there:
        webhook = post.add(there, AlarmRaised.kind)
        assert post.courier.test(webhook).trouble == ""
        there.status = 404
        outcome = post.courier.test(webhook)
        assert (outcome.answer, outcome.trouble) == (404, "answer-refused")
        post.run()
        post.pass_time(GIVEN_UP_AFTER_S)
        post.run()
    assert len(there.got) == 2
    assert [(one.kind, one.number, one.state) for one in post.listed()] == [
        ("test", 0, "given-up"),
        ("test", 0, "delivered"),
    ]
    assert watch(post) == []
    with pytest.raises(NotFound):
        post.courier.test("0" * 32)


def test_a_new_secret_signs_from_then_on_and_a_new_address_gets_what_waits(post: Post) -> None:
    estate = post.bench.estate
    with receiver() as old, receiver() as new:
        old.status = 500
        webhook = post.add(old)
        Gate(post.bench).entry()
        post.run()
        with estate.changer.change() as change:
            change_webhook(
                change, STAFF, webhook, name="Moved", url=new.url, kinds=(), paused=False
            )
            renew_secret(change, STAFF, webhook)
        post.pass_time(wait_after(1))
        post.run()
    (before, body), (after, again) = *old.got, *new.got
    assert body == again
    assert before["webhook-signature"] != after["webhook-signature"]


def test_a_removed_webhook_takes_its_queue_along(post: Post) -> None:
    with receiver() as there:
        webhook = post.add(there)
        Gate(post.bench).entry()
        post.herald.step()
        with post.bench.estate.changer.change() as change:
            remove_webhook(change, STAFF, webhook)
        assert post.run() == []
    assert post.listed() == []


def test_addresses_and_secrets_are_sealed(post: Post) -> None:
    with receiver() as there:
        post.add(there)
    with Session(post.bench.estate.engine) as session:
        row = session.scalars(select(Webhook)).one()
        assert b"127.0.0.1" not in bytes(row.url)
        (shown,) = list_webhooks(session, post.bench.estate.safe)
    assert shown.url == there.url
    assert "127.0.0.1" not in repr(shown)


def test_what_cannot_be_used_is_refused(post: Post) -> None:
    estate, there = post.bench.estate, Receiver("https://example.org/")
    changes: list[dict[str, object]] = [
        {"name": " "},
        {"url": "gopher://example.org"},
        {"kinds": ("entry", "else")},
    ]
    for changed in changes:
        fields: dict[str, object] = {"name": "a", "url": there.url, "kinds": ()} | changed
        with estate.changer.change() as change, pytest.raises(InputRefused):
            add_webhook(change, STAFF, **fields)  # type: ignore[arg-type]  # each by its name
    for _ in range(MOST):
        post.add(there)
    with pytest.raises(Conflict):
        post.add(there)


def test_old_deliveries_are_forgotten_and_waiting_ones_are_not(post: Post) -> None:
    with receiver() as there:
        post.add(there)
        gate = Gate(post.bench)
        gate.entry()
        post.run()
        gate.entry()
        post.herald.step()
    post.pass_time(15 * 24 * 3600)
    with Session(post.bench.estate.engine) as session, session.begin():
        forget_deliveries(session, now() - 14 * 24 * 3600, 500)
    assert [one.state for one in post.listed()] == ["waiting"]

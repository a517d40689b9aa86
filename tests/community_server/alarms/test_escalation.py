"""What nobody sees is told to staff, in two steps, by the estate's own mail and text messages."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import delete, select

from community_server.alarms.escalation import (
    MESSAGES_PER_HOUR,
    NAMED,
    UNTOLD,
    Telling,
    escalate,
)
from community_server.alarms.routes import notice
from community_server.alarms.rules import Escalation, Severity, Step, read_rules, set_escalation
from community_server.alarms.tables import Alarm, EscalationSetting
from community_server.database import now
from community_server.errors import InputRefused
from community_server.events.tables import Event
from community_server.messages.gateways import Gateway, Letter, MailGateway
from community_server.messages.sender import Sender
from community_server.messages.service import forget_messages, list_messages
from community_server.messages.tables import StaffMessage
from community_server.staff.accounts import remove_account, set_disabled
from community_server.staff.contact import Contact, contact_of, set_contact
from community_server.staff.permissions import Role
from community_server.staff.tables import StaffMember
from gatehouse.local_estate import free_port
from tests.community_server.alarms.gates import Gate, raised
from tests.community_server.bench import STAFF, Bench
from tests.community_server.in_process import InProcess, code
from tests.community_server.staff.desks import hire
from tests.community_server.traces import traces
from tests.support.mailbox import Mailbox

MINUTE = 60
BOTH_WAYS = Telling(frozenset({"mail", "sms"}), "Asia/Shanghai")
GUARD = Contact("night@estate.example", "13800000001")
MANAGER = Contact("office@estate.example", "13800000002")


@dataclass
class Phones:
    """Takes text messages as a gateway does."""

    taken: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        self.taken.append(letter)


@dataclass
class Told:
    """An estate's gate, a guard and a manager who said where messages reach them, and gateways."""

    bench: Bench
    gate: Gate
    guard: str
    manager: str
    box: Mailbox
    mail: MailGateway
    phones: Phones = field(default_factory=Phones)

    def raise_alarms(self, *kinds: str) -> list[str]:
        made = [raised(kind=kind) for kind in kinds]
        for one in made:
            self.gate.tell(one)
        return [one.alarm for one in made]

    def wait(self, minutes: float, telling: Telling = BOTH_WAYS) -> int:
        """Look at the alarms so many minutes after now; send what is due."""
        with self.bench.estate.changer.change() as change:
            count = escalate(change, telling, now() + int(minutes * MINUTE))
        gateways: dict[Any, Gateway] = {"mail": self.mail, "sms": self.phones}
        Sender(self.bench.estate.engine, self.bench.estate.changer, gateways, 1000).send_due()
        return count

    def mails(self) -> list[EmailMessage]:
        """Return the mails since the last call."""
        found = [message_from_bytes(one, policy=policy.default) for one in self.box.mails]
        self.box.mails.clear()
        return found

    def texts(self) -> list[Letter]:
        found = list(self.phones.taken)
        self.phones.taken.clear()
        return found


@pytest.fixture
def told(bench: Bench) -> Iterator[Told]:
    estate = bench.estate
    with estate.changer.change() as change:
        for table in (Alarm, EscalationSetting, StaffMessage):
            change.session.execute(delete(table))
    names = {role: f"{role}-{secrets.token_hex(4)}" for role in (Role.GUARD, Role.MANAGER)}
    guard, manager = (hire(bench, name, role) for role, name in names.items())
    with estate.changer.change() as change:
        set_contact(change, guard, GUARD)
        set_contact(change, manager, MANAGER)
    box, port = Mailbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    mail = MailGateway("127.0.0.1", port, "none", None, "", "", "gate@estate.example")
    try:
        yield Told(bench, Gate(bench), guard, manager, box, mail)
    finally:
        server.stop()
        with estate.changer.change() as change:
            for staff in (guard, manager):
                change.session.delete(change.session.get_one(StaffMember, staff))


def test_an_urgent_alarm_is_told_to_the_guard_and_then_to_the_manager(told: Told) -> None:
    told.raise_alarms("forced-open")
    assert told.wait(4) == 0
    assert (told.mails(), told.texts()) == ([], [])
    assert told.wait(6) == 1
    (mail,), (text,) = told.mails(), told.texts()
    assert (mail["to"], text.to) == (GUARD.email, GUARD.phone)
    assert told.wait(14) == 0
    assert told.wait(16) == 1
    (mail,), (text,) = told.mails(), told.texts()
    assert (mail["to"], text.to) == (MANAGER.email, MANAGER.phone)
    assert told.wait(600) == 0
    assert (told.mails(), told.texts()) == ([], [])


def test_the_message_names_kind_door_and_time_in_both_languages_and_nobody(told: Told) -> None:
    told.raise_alarms("forced-open")
    told.wait(6)
    (mail,) = told.mails()
    written = mail.get_content()
    assert mail["subject"] == "Alarm · Sunny Court / 报警 · Sunny Court"
    assert "还没有人处理" in written
    assert "nobody has taken notice" in written
    assert written.count("Gate · ") == 2


def test_whoever_is_told_in_time_ends_it(told: Told) -> None:
    (alarm,) = told.raise_alarms("forced-open")
    told.wait(6)
    notice(told.bench.estate, alarm, STAFF)
    told.mails()
    assert told.wait(600) == 0
    assert told.mails() == []


def test_of_a_warning_the_quieter_way_tells_the_manager_alone(told: Told) -> None:
    told.raise_alarms("held-open")
    assert told.wait(61) == 1
    (mail,) = told.mails()
    assert mail["to"] == MANAGER.email
    assert told.texts() == []
    assert told.wait(24 * 60) == 0  # no second step


def test_who_gave_a_phone_alone_is_sent_a_text_message(told: Told) -> None:
    with told.bench.estate.changer.change() as change:
        set_contact(change, told.manager, Contact("", MANAGER.phone))
    told.raise_alarms("held-open")
    told.wait(61)
    assert [one.to for one in told.texts()] == [MANAGER.phone]


def test_many_at_once_are_one_message_that_counts_the_rest(told: Told) -> None:
    told.raise_alarms(*["forced-open"] * (NAMED + 3))
    assert told.wait(6) == NAMED + 3
    (mail,) = told.mails()
    assert mail.get_content().count("Gate · ") == 2 * NAMED
    assert "and 3 more" in mail.get_content()


def test_a_bad_night_does_not_bury_the_message_that_matters(told: Told) -> None:
    for _ in range(MESSAGES_PER_HOUR // 2 + 2):  # two messages each, by mail and by telephone
        told.raise_alarms("forced-open")
        told.wait(6)
    assert len(told.mails()) + len(told.texts()) == MESSAGES_PER_HOUR


def test_without_a_gateway_console_and_other_systems_are_told_all_the_same(told: Told) -> None:
    (alarm,) = told.raise_alarms("forced-open")
    assert (told.wait(6, UNTOLD), told.wait(16, UNTOLD)) == (1, 1)
    with told.bench.estate.reading() as session:
        assert session.scalar(select(StaffMessage.id)) is None
        row = session.get_one(Alarm, alarm)
        assert row.escalated_at
        assert row.escalated_again_at > row.escalated_at
        news = session.scalars(
            select(Event.body).where(Event.kind == "alarm-escalated").order_by(Event.id)
        ).all()
    told_of = [json.loads(one) for one in news]
    assert [one["step"] for one in told_of if one["alarm"] == alarm] == [1, 2]


def test_nobody_is_told_who_cannot_sign_in_any_more(told: Told) -> None:
    with told.bench.estate.changer.change() as change:
        set_disabled(change, STAFF, told.guard, disabled=True)
        remove_account(change, STAFF, told.manager)
    told.raise_alarms("forced-open")
    told.wait(6)
    told.wait(16)
    assert (told.mails(), told.texts()) == ([], [])
    with told.bench.estate.reading() as session:
        kept = contact_of(session, told.bench.estate.safe, told.manager)
    assert kept == Contact()


def test_steps_are_set_by_severity_and_the_second_comes_after_the_first(told: Told) -> None:
    estate = told.bench.estate
    wanted = Escalation(Step(1, Role.MANAGER), Step(2, ""))
    with estate.changer.change() as change:
        set_escalation(change, STAFF, Severity.URGENT, wanted)
        for first, second, tells in ((5, 5, ""), (0, 5, ""), (5, 0, Role.OFFICER)):
            with pytest.raises(InputRefused):
                set_escalation(
                    change, STAFF, Severity.URGENT, Escalation(Step(first, tells), Step(second))
                )
    with estate.reading() as session:
        assert read_rules(session).escalations[Severity.URGENT] == wanted
    told.raise_alarms("forced-open")
    told.wait(1)
    assert [one["to"] for one in told.mails()] == [MANAGER.email]
    assert told.wait(2) == 1
    assert told.mails() == []


def test_an_address_stands_nowhere_in_the_clear_and_a_wrong_one_is_refused(told: Told) -> None:
    estate = told.bench.estate
    told.raise_alarms("forced-open")
    with estate.changer.change() as change:
        escalate(change, BOTH_WAYS, now() + 6 * MINUTE)
        for contact, why in (
            (Contact("desk"), "email-wrong"),
            (Contact("a@b.example\r\nBcc: c@d.example"), "email-wrong"),
            (Contact("", "call me"), "phone-wrong"),
        ):
            with pytest.raises(InputRefused) as refused:
                set_contact(change, told.guard, contact)
            assert refused.value.code == why
    needles = [GUARD.email.encode(), GUARD.phone.encode()]
    assert traces(estate, Path(estate.settings.data), needles) == []


def test_that_staff_were_written_to_is_forgotten_as_people_s_messages_are(told: Told) -> None:
    told.raise_alarms("forced-open")
    told.wait(6)
    with told.bench.estate.changer.change() as change:
        assert {one.staff for one in list_messages(change.session, 10)} == {told.guard}
        assert forget_messages(change.session, now() + 1, 100) == 2
        assert list_messages(change.session, 10) == []


def test_staff_say_on_their_own_page_where_messages_reach_them(told: Told) -> None:
    with InProcess(told.bench.estate) as desk:
        page = desk.submit("/account/contact", email="me@estate.example", phone="+86 138 0000 0003")
        assert 'data-done="contact-saved"' in page.text
        kept = desk.call("account/contact")
        assert kept == {"email": "me@estate.example", "phone": "+86 138 0000 0003"}
        wrong = desk.submit("/account/contact", email="me")
        assert 'data-code="email-wrong"' in wrong.text
        assert desk.submit("/account/contact").is_success
        assert desk.call("account/contact") == {"email": "", "phone": ""}


def test_the_rules_page_sets_both_steps_and_says_whom_no_message_reaches(told: Told) -> None:
    with InProcess(told.bench.estate) as desk:
        page = desk.get("/alarms/rules").text
        assert 'data-testid="second-wait-urgent"' in page
        fields = {"wait-urgent": "3", "tells-urgent": "administrator", "second-wait-urgent": "9"}
        assert desk.submit("/alarms/rules", **fields).is_success
        told_now = desk.call("alarms/rules")["escalations"]["urgent"]
        assert told_now == {
            "first": {"after_min": 3, "tells": "administrator"},
            "second": {"after_min": 9, "tells": "manager"},
        }
        assert desk.call("alarms/rules")["waits"]["urgent"] == 3
        wrong = desk.submit("/alarms/rules", **{"second-wait-urgent": "3"})
        assert 'data-code="alarm-time-wrong"' in wrong.text


def test_a_program_may_set_the_first_step_alone(told: Told) -> None:
    with InProcess(told.bench.estate) as desk:
        assert put(desk, "alarms/escalation/urgent", {"after_min": 4}) == ""
        steps = desk.call("alarms/rules")["escalations"]["urgent"]
        assert steps["first"] == {"after_min": 4, "tells": "guard"}
        assert steps["second"] == {"after_min": 15, "tells": "manager"}
        body = {"after_min": 4, "tells": "officer"}
        assert put(desk, "alarms/escalation/urgent", body) == "alarm-role-wrong"


def put(desk: InProcess, path: str, body: object) -> str:
    """Send a PUT; return the refusal's code, or nothing."""
    answer = desk.send(path, body, "PUT")
    return "" if answer.is_success else code(answer)

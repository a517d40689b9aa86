"""A person's data is one file: all that is known, nothing that opens a door, nobody else's."""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.people.service import open_template
from community_server.people.tables import Person, Template
from community_server.privacy import bundle
from community_server.receipts.tables import Erasure
from community_server.staff.permissions import Role
from community_server.staff.tables import StaffSession
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench
from tests.community_server.entries.log import AT, Log
from tests.community_server.in_process import InProcess, code
from tests.community_server.staff.desks import hire


def opened(data: bytes) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    assert sorted(archive.namelist()) == ["entries.json", "person.html", "person.json"]
    page = archive.read("person.html").decode()
    return json.loads(archive.read("person.json")), json.loads(archive.read("entries.json")), page


@pytest.fixture
def ada(own: Bench, people: Sequence[SamplePerson]) -> str:
    """Somebody who enrolled by photo and has whatever opens doors."""
    invitation, person = own.invite(name="Ada", unit="1-101")
    draft = own.draft(invitation, [people[0].portrait])
    own.send(draft)
    own.decide(draft.envelope, "approve")
    return person


def test_all_that_is_known_is_in_it(own: Bench, ada: str) -> None:
    estate = own.estate
    log = Log(estate)
    ben = log.person("Ben", "1-102")
    gate = log.door("North gate")
    told = [log.entry(gate, AT + number, person=ada) for number in range(3)]
    log.entry(gate, AT, person=ben)
    with estate.changer.change() as change:  # of a face that she had before
        change.session.add(
            Erasure(id="e" * 32, person_id=ada, kept="face", category="resident", begun_at=AT)
        )
    with InProcess(estate) as desk:
        pin = desk.send(f"people/{ada}/pin", {}).json()
        desk.send(f"people/{ada}/cards", {"number": "0012345678"})
        desk.get(f"/people/{ada}")
        answer = desk.get(f"/api/v1/privacy/people/{ada}")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    assert "Ada" not in answer.headers["content-disposition"]
    facts, entries, page = opened(answer.content)
    assert facts["estate"] == "Sunny Court"
    (person,) = facts["person"]
    assert (person["name"], person["unit"], person["category"]) == ("Ada", "1-101", "resident")
    assert facts["home"][0]["unit"] == "1-101"
    held = {one["credential"]: one for one in facts["credentials"]}
    assert set(held) == {"face", "pin", "card"}
    assert (held["face"]["numbers"], held["face"]["photos"]) == (128, 1)
    assert held["face"]["template_space"] == estate.pack.template_space
    assert held["card"]["ends_in"] == "5678"
    assert {one["consent"] for one in facts["consents"]} == {"encode", "internet", "keep"}
    assert all(len(one["sha256"]) == 64 for one in facts["consents"])
    assert [one["state"] for one in facts["enrollments"]] == ["enrolled"]
    assert [(one["kind"], one["at"]) for one in facts["erasures"]] == [("face", AT)]
    # The one who takes the file stands in it, as a role.
    assert [(one["action"], one["by"]) for one in facts["looks"]] == [
        ("export-person", "administrator"),
        ("look", "administrator"),
    ]
    assert len(entries) == len(told)
    assert {one["door_name"] for one in entries} == {"North gate"}
    for word in ("Ada", "1-101", "North gate", "128", "What is known of you"):
        assert word in page
    assert pin["pin"] not in page


def test_nothing_that_opens_a_door_and_no_template_is_in_it(own: Bench, ada: str) -> None:
    estate = own.estate
    with InProcess(estate) as desk:
        pin = desk.send(f"people/{ada}/pin", {}).json()["pin"]
        desk.send(f"people/{ada}/cards", {"number": "0012345678"})
        data = desk.get(f"/api/v1/privacy/people/{ada}").content
    archive = zipfile.ZipFile(io.BytesIO(data))
    everything = b"".join(archive.read(name) for name in archive.namelist())
    with estate.reading() as session:
        row, template = session.get_one(Person, ada), session.get_one(Template, ada)
        numbers = open_template(session, estate.safe, template)
        secrets = [
            *(pin.encode(), row.pin_hash.encode(), b"$argon2id$", b"0012345678"),
            *(numbers[:16], numbers.hex()[:32].encode(), bytes(template.sealed)[:32]),
        ]
    assert [secret for secret in secrets if secret in everything] == []


def test_it_is_sent_in_parts_however_many_entries_there_are(
    own: Bench, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "AT_ONCE", 3)
    monkeypatch.setattr(bundle, "SHOWN_ENTRIES", 4)
    monkeypatch.setattr(bundle, "MOST_ENTRIES", 8)
    log = Log(own.estate)
    gate = log.door("North gate")
    for number in range(10):
        log.entry(gate, AT + number, person=ada)
    made = bundle.make_bundle(own.estate, "5" * 32, ada, now())
    parts = list(made.stream("zh-CN"))
    _, entries, page = opened(b"".join(parts))
    assert [one["at"] for one in entries] == [(AT + 9 - number) * 1000 for number in range(8)]
    assert page.count("<tr><td>") == 4
    assert "最近 4 条" in page


def test_it_takes_the_permission_and_a_password_given_just_now(own: Bench, ada: str) -> None:
    estate = own.estate
    hire(own, "manager", Role.MANAGER)
    with InProcess(estate, "manager") as manager:
        assert code(manager.get(f"/api/v1/privacy/people/{ada}")) == "not-permitted"
        assert "person-bundle" not in manager.get(f"/people/{ada}").text
    with InProcess(estate) as desk:
        assert "person-bundle" in desk.get(f"/people/{ada}").text
        assert "bundle-file" in desk.get(f"/officer/people/{ada}").text
        assert desk.get(f"/officer/people/{ada}/file").headers["content-type"] == "application/zip"
        with Session(estate.engine) as session, session.begin():
            session.execute(update(StaffSession).values(proven_at=now() - 3600))
        assert code(desk.get(f"/api/v1/privacy/people/{ada}")) == "proof-needed"
        asked = desk.get(f"/officer/people/{ada}/file")
        assert 'data-testid="own-password"' in asked.text
        assert code(desk.get("/api/v1/privacy/people/" + "0" * 32)) == "proof-needed"
    assert Log(estate).audit("export-person") == [(ada, "")]

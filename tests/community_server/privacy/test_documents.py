"""What the estate states is filled in from what it does; what was signed stays as it was signed."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.doors.routes import DoorChange, alter
from community_server.estate import Estate
from community_server.privacy.tables import Assessment, PrivacyDetails
from community_server.retention.tables import RetentionSetting
from community_server.staff.tables import StaffSession
from face_engine.models.registry import OPENCV_ZOO
from tests.community_server.bench import STAFF
from tests.community_server.entries.log import Log
from tests.community_server.in_process import InProcess, code

DETAILS = {"controller": "Sunny Property Ltd", "contact": "0755-1234567", "other_faces": 3}


@pytest.fixture
def desk(estate: Estate) -> Iterator[InProcess]:
    with Session(estate.engine) as session, session.begin():
        for table in (Assessment, PrivacyDetails, RetentionSetting):
            session.execute(delete(table))
    with InProcess(estate) as desk:
        yield desk


def details(desk: InProcess) -> None:
    said = {key: str(value) for key, value in DETAILS.items()}
    assert desk.submit("/officer", **said).status_code == 200


def facts(desk: InProcess) -> Any:
    return desk.call("privacy")["facts"]


def test_who_answers_for_the_data_is_on_every_document(desk: InProcess) -> None:
    details(desk)
    assert desk.call("privacy")["details"] == DETAILS
    for page in ("/privacy", "/officer/sign", "/officer/assessment"):
        for language in ("en", "zh-CN"):
            shown = desk.get(page, language=language).text
            assert "Sunny Property Ltd" in shown
            assert "0755-1234567" in shown


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"controller": ""}, "controller"),
        ({"contact": " "}, "contact"),
        ({"other_faces": "-1"}, "other_faces"),
        ({"other_faces": "many"}, "other_faces"),
    ],
)
def test_details_that_say_nothing_are_refused_where_they_were_typed(
    desk: InProcess, wrong: dict[str, str], field: str
) -> None:
    said = {key: str(value) for key, value in DETAILS.items()} | wrong
    answer = desk.submit("/officer", **said)
    assert answer.status_code == 422
    box = answer.text.split(f'name="{field}"')[1].split(">")[0]
    assert 'aria-invalid="true"' in box
    assert desk.call("privacy")["details"]["controller"] == ""


def test_the_assessment_follows_doors_retention_and_models(desk: InProcess) -> None:
    gate = Log(desk.estate).door("Assessed gate", "in")
    before = facts(desk)["configuration"]
    door = next(one for one in before["doors"] if one["name"] == "Assessed gate")
    assert (door["direction"], door["snapshots"], door["pin_allowed"]) == ("in", False, True)
    digests = {one["purpose"]: one["sha256"] for one in before["models"]}
    assert digests == {
        "find": OPENCV_ZOO.files[0].sha256,
        "tell-apart": OPENCV_ZOO.files[1].sha256,
    }
    assert {one["kind"]: one["keep"] for one in before["retention"]}["entries"] == 180
    alter(desk.estate, gate, DoorChange(snapshots=True, liveness="observe"), STAFF)
    desk.submit("/officer/retention", entries="90")
    after = facts(desk)["configuration"]
    door = next(one for one in after["doors"] if one["name"] == "Assessed gate")
    assert (door["snapshots"], door["liveness"]) == (True, "observe")
    assert {one["kind"]: one["keep"] for one in after["retention"]}["entries"] == 90
    page = desk.get("/officer/assessment").text
    assert "keeps small pictures of refusals" in page
    assert "90 days" in page
    assert all(digest in page for digest in digests.values())


def test_a_signature_holds_what_was_signed_and_its_hash_is_in_the_audit_log(
    desk: InProcess, estate: Estate
) -> None:
    assert code(desk.send("privacy/assessments", {"name": "Lin"})) == "details-missing"
    details(desk)
    assert code(desk.send("privacy/assessments", {"name": " "})) == "name-missing"
    number = desk.send("privacy/assessments", {"name": "Lin Mei"}).json()["number"]
    with estate.reading() as session:
        row = session.get_one(Assessment, number)
        document, digest = row.document, row.sha256
    assert hashlib.sha256(document.encode()).hexdigest() == digest
    assert json.loads(document)["name"] == "Lin Mei"
    assert (str(number), f"sha256={digest}") in Log(estate).audit("sign-assessment")
    state = desk.call("privacy")
    assert (state["changed"], [one["sha256"] for one in state["signed"]]) == (False, [digest])
    # People come and go: that is no other way of working. Another retention is.
    Log(estate).person("Somebody", "8-801")
    assert not desk.call("privacy")["changed"]
    desk.submit("/officer/retention", entries="60")
    assert desk.call("privacy")["changed"]
    assert "assessment-changed" in desk.get("/officer").text
    signed = desk.get(f"/officer/assessments/{number}").text
    assert digest in signed
    assert "180 days" in signed
    assert "60 days" not in signed
    assert desk.call(f"privacy/assessments/{number}")["document"] == json.loads(document)
    assert code(desk.get("/api/v1/privacy/assessments/99")) == "assessment-unknown"


def test_signing_takes_the_password_again(desk: InProcess, estate: Estate) -> None:
    details(desk)
    with Session(estate.engine) as session, session.begin():
        session.execute(update(StaffSession).values(proven_at=now() - 3600))
    assert code(desk.send("privacy/assessments", {"name": "Lin"})) == "proof-needed"
    page = desk.get("/officer/assessment").text
    assert 'data-testid="own-password"' in page
    assert "assessment-sign" not in page


def test_the_sign_says_what_is_so_in_both_languages(desk: InProcess, estate: Estate) -> None:
    details(desk)
    with Session(estate.engine) as session, session.begin():
        session.connection().exec_driver_sql("UPDATE doors SET snapshots = false")
    sign = desk.get("/officer/sign").text
    for words in ("Face recognition at this gate", "此处使用人脸识别", "180 days", "180 天"):
        assert words in sign
    assert "No pictures are kept." in sign
    assert "72 hours" not in sign
    assert "PIN, Pass, Card" in sign
    gate = Log(estate).door("Gate with pictures")
    alter(estate, gate, DoorChange(snapshots=True, pass_allowed=False), STAFF)
    sign = desk.get("/officer/sign").text
    assert "No pictures are kept." not in sign
    assert "72 hours" in sign
    assert "72 小时" in sign
    assert "PIN, Card" in sign  # what does not open every gate is not promised


def test_the_desk_says_what_the_models_do_and_which_they_are(desk: InProcess) -> None:
    page = desk.get("/officer").text
    assert "Nothing here infers emotion, age, sex or race" in page
    assert all(file.sha256 in page for file in OPENCV_ZOO.files)

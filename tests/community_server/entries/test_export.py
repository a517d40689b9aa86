"""What is taken out is all that the page shows, harmless in a spreadsheet, and in the audit log."""

import csv
import io
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from community_server import spreadsheets
from community_server.entries import export
from community_server.estate import Estate
from community_server.spreadsheets import Cell, csv_stream, xlsx_stream
from community_server.staff.tables import StaffSession
from tests.community_server.bench import PASSWORD
from tests.community_server.entries.log import AT, Log
from tests.community_server.in_process import InProcess, code

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_xlsx(data: bytes) -> list[list[list[str]]]:
    """Return the sheets' cells as they are written; every part has to be well-formed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        parts = {name: ET.fromstring(archive.read(name)) for name in archive.namelist()}  # noqa: S314 -- our own
    book = parts["xl/workbook.xml"].findall(f".//{MAIN}sheet")
    sheets = [parts[f"xl/worksheets/sheet{number}.xml"] for number in range(1, len(book) + 1)]
    return [
        [
            ["".join(cell.itertext()) for cell in row.iter(f"{MAIN}c")]
            for row in sheet.iter(f"{MAIN}row")
        ]
        for sheet in sheets
    ]


@pytest.fixture(scope="module")
def database() -> str:
    """SQLite alone: what differs between databases is tested with the search."""
    return ""


@pytest.fixture(scope="module")
def log(estate: Estate) -> Log:
    log = Log(estate)
    gate, person = log.door("=HYPERLINK(A1)"), log.person("@Ada, “7”", "1-1")
    for number in range(7):
        log.entry(gate, AT + number, person=person)
    log.entry(gate, AT + 8, granted=False)
    return log


@pytest.fixture(scope="module")
def desk(estate: Estate) -> Iterator[InProcess]:
    with InProcess(estate) as desk:
        yield desk


def test_a_file_takes_the_password_and_the_console_keeps_what_was_asked_for(
    estate: Estate, log: Log
) -> None:
    del log
    with InProcess(estate) as newcomer:
        with Session(estate.engine) as session, session.begin():  # they signed in a while ago
            own = StaffSession.csrf == newcomer.csrf
            session.execute(update(StaffSession).where(own).values(proven_at=0))
        assert code(newcomer.get("/api/v1/entries/export")) == "proof-needed"
        page = newcomer.get("/entries/export", result="refused")
        assert 'data-testid="proof"' in page.text
        assert 'data-testid="export-csv"' not in page.text
        late = newcomer.get("/entries/export/csv", result="refused")
        assert (late.url.path, late.url.query) == ("/entries/export", b"result=refused")
        then = {"then": "/entries/export?result=refused"}
        wrong = newcomer.submit("/account/proof", own_password="guess", **then)  # noqa: S106 -- a wrong one
        assert 'value="/entries/export?result=refused"' in wrong.text
        shown = newcomer.submit("/account/proof", own_password=PASSWORD, **then)
        assert 'href="/entries/export/csv?result=refused"' in shown.text
        file = newcomer.get("/entries/export/csv", result="refused")
        assert len(file.content.decode("utf-8-sig").splitlines()) == 2


def test_a_proof_leads_nowhere_but_to_this_server(estate: Estate) -> None:
    with InProcess(estate) as desk:
        for then in ("//elsewhere.example", "https://elsewhere.example", "/a?b=\\c", "/a?b=//c"):
            led = desk.submit("/account/proof", own_password=PASSWORD, then=then)
            assert (led.url.host, led.url.path) == ("desk.example", "/account")


def test_a_csv_has_every_entry_and_no_formula(
    log: Log, desk: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 3)
    answer = desk.get("/api/v1/entries/export")
    assert answer.headers["content-disposition"].startswith('attachment; filename="entries-')
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head[:4] == ["Time", "Time, ISO 8601", "Estimated", "Door"]
    assert [row[-1] for row in rows] == [one.entry for one in log.everything()][::-1]
    newest, second = rows[:2]
    assert newest[0:2] == ["2026-11-18 19:06:48", "2026-11-18T19:06:48+08:00"]
    assert (newest[3], second[5]) == ("'=HYPERLINK(A1)", "'@Ada, “7”")
    assert (second[9], newest[9], newest[11]) == ("Opened", "Refused", "not-recognized")


def test_an_export_speaks_the_readers_language_and_obeys_the_filters(desk: InProcess) -> None:
    answer = desk.get("/api/v1/entries/export", language="zh-CN", result="refused")
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head[0] == "时间"
    assert [row[9] for row in rows] == ["未开门"]


def test_an_xlsx_holds_the_same(log: Log, desk: InProcess) -> None:
    answer = desk.get("/api/v1/entries/export", form="xlsx")
    ((head, *rows),) = read_xlsx(answer.content)
    assert head[0] == "Time"
    assert [row[-1] for row in rows] == [one.entry for one in log.everything()][::-1]
    assert rows[0][3] == "=HYPERLINK(A1)"  # a text there, whatever it looks like


def test_who_takes_out_what_is_in_the_audit_log_without_a_name(log: Log, desk: InProcess) -> None:
    stated = desk.send("entries/looks", {"who": "@Ada", "reason": "asked"}).json()["look"]
    desk.get("/api/v1/entries/export", who="@Ada", look=stated, result="granted", form="xlsx")
    _, detail = log.audit("export-entries")[-1]
    assert detail == f"xlsx result=granted look={stated}"


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1"])
def test_a_cell_that_a_program_would_run_is_made_a_text(start: str) -> None:
    data = b"".join(csv_stream([[start, "plain", 7, 1.5]])).decode("utf-8-sig")
    ((cell, *others),) = csv.reader(io.StringIO(data, newline=""))
    assert cell == "'" + start
    assert others == ["plain", "7", "1.5"]


def test_an_xlsx_keeps_times_numbers_and_odd_letters() -> None:
    at = datetime(2026, 11, 18, 12, 0)  # noqa: DTZ001 -- wall-clock time
    rows: list[list[Cell]] = [["a & <b>", "x\x00\ud800y"], [at, 7], ["", " 空 "]]
    ((first, second, third),) = read_xlsx(b"".join(xlsx_stream(rows, [10, 10])))
    assert first == ["a & <b>", "xy"]
    assert second == ["46344.500000000", "7"]
    assert third == ["", " 空 "]


def test_more_rows_than_a_sheet_holds_begin_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "SHEET_ROWS", 3)
    rows = [["head"], ["1"], ["2"], ["3"]]
    assert read_xlsx(b"".join(xlsx_stream(rows, [9]))) == [
        [["head"], ["1"], ["2"]],
        [["head"], ["3"]],
    ]
    assert read_xlsx(b"".join(xlsx_stream(rows[:3], [9]))) == [[["head"], ["1"], ["2"]]]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_many_rows_need_no_more_memory_than_a_few(form: str) -> None:
    def rows() -> Iterator[Sequence[Cell]]:
        for number in range(50_000):
            yield [f"Gate {number}", "Ada", number, "within-rules"]

    stream = csv_stream(rows()) if form == "csv" else xlsx_stream(rows(), [10] * 4)
    tracemalloc.start()
    size = sum(map(len, stream))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 300_000
    assert peak < 2_000_000

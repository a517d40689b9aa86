"""A company's list of workers changes exactly what its preview said, all or nothing."""

import io
import secrets
from collections.abc import Iterator

import pytest
from openpyxl import Workbook

from community_server.database import now
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.imports.routes import apply_plan, make_plan
from community_server.imports.service import Plan
from community_server.people.particulars import Known
from community_server.people.routes import details, listing
from community_server.people.service import add_person, issue_pin
from community_server.services.companies import CompanyWanted, add_company, remove_company
from community_server.staff.permissions import Role
from community_server.staff.sessions import SignedIn
from tests.community_server.bench import STAFF, Bench
from tests.community_server.in_process import InProcess

MANAGER = SignedIn(STAFF, "lin", Role.MANAGER, "", proven_at=now() + 3600)
HEADER = "外部编号,姓名,公司,电话,车牌号,服务对象,房号,截止日期"


@pytest.fixture
def company(bench: Bench) -> str:
    """The name of a company of a test's own."""
    name = f"Swift {secrets.token_hex(3)}"
    with bench.estate.changer.change() as change:
        add_company(change, CompanyWanted(name))
    return name


@pytest.fixture
def desk(bench: Bench) -> Iterator[InProcess]:
    with InProcess(bench.estate) as desk:
        yield desk


def preview(bench: Bench, *rows: str, removing: bool = False) -> tuple[str, Plan]:
    data = "\n".join((HEADER, *rows)).encode()
    return make_plan(bench.estate, data, STAFF, remove_missing=removing, about="workers")


def apply(bench: Bench, *rows: str, removing: bool = False) -> list[str]:
    number, _ = preview(bench, *rows, removing=removing)
    return apply_plan(bench.estate, number, MANAGER)


def kinds(plan: Plan) -> list[str]:
    return [step.kind for step in plan.steps]


def faults(bench: Bench, *rows: str) -> list[tuple[int, str, str]]:
    _, plan = preview(bench, *rows)
    return [(one.line, one.column, one.code) for one in plan.faults]


def company_id(bench: Bench, person: str) -> str:
    return listing(bench.estate, [person])[0].company


def test_a_list_adds_workers_without_anything_that_opens_and_a_second_time_changes_nothing(
    bench: Bench, company: str
) -> None:
    external = secrets.token_hex(4)
    rows = (
        f"{external},王伟,{company.upper()},13800138000,沪B1,5-1-502,5-1-502,2099-01-31",
        f",李四,{company},,,,,",
    )
    number, plan = preview(bench, *rows)
    assert kinds(plan) == ["added", "added"]
    assert {step.company for step in plan.steps} == {company}
    added = apply_plan(bench.estate, number, MANAGER)
    first, second = (listing(bench.estate, [one])[0] for one in added)
    assert (first.name, first.category, first.company_name) == ("王伟", "service", company)
    assert (first.unit, first.external_id, first.state) == ("5-1-502", external, "invited")
    assert (first.has_pin, first.has_pass, first.has_face, first.cards) == (False, False, False, 0)
    assert second.unit == "0"
    known = details(bench.estate, first.person)
    assert (known.phone, known.plate, known.visiting) == ("13800138000", "沪B1", "5-1-502")
    _, again = preview(bench, *rows)
    assert kinds(again) == ["unchanged", "unchanged"]


def test_changes_are_named_field_by_field_and_another_unit_ends_the_pin(
    bench: Bench, company: str
) -> None:
    (person,) = apply(bench, f",王伟,{company},,,,5-1-502,")
    with bench.estate.changer.change() as change:
        issue_pin(change, person)
    _, plan = preview(bench, f",王伟,{company},13800138000,沪B1,,5-1-503,")
    (step,) = plan.steps
    assert [(one.column, one.before, one.after) for one in step.changes] == [
        ("phone", "", "13800138000"),
        ("plate", "", "沪B1"),
        ("unit", "5-1-502", "5-1-503"),
    ]
    assert apply(bench, f",王伟,{company},13800138000,沪B1,,5-1-503,") == []
    after = listing(bench.estate, [person])[0]
    assert (after.unit, after.has_pin) == ("5-1-503", False)


def test_a_row_that_cannot_be_used_says_why_and_holds_the_whole_file(
    bench: Bench, company: str
) -> None:
    with bench.estate.changer.change() as change:
        external = secrets.token_hex(4)
        row = add_person(change, category="resident", unit="9-9", known=Known(name="Li"))
        row.external_id = external
    found = faults(
        bench,
        f",,{company},,,,,",
        ",王伟,,,,,,",
        ",王伟,Nobody Ltd,,,,,",
        f",王伟,{company},call me,,,,",
        f",王伟,{company},,,,,2020-01-01",
        f"{external},李四,{company},,,,,",
        f",赵六,{company},,,,,",
        f",赵六,{company},,,,,",
    )
    assert sorted(found) == [
        (2, "name", "name-missing"),
        (3, "company", "company-missing"),
        (4, "company", "company-unknown"),
        (5, "phone", "phone-unreadable"),
        (6, "valid_until", "time-gone"),
        (7, "external_id", "external-id-taken"),
        (9, "name", "row-twice"),
    ]
    number, _ = preview(bench, f",王伟,{company},call me,,,,", f",张三,{company},,,,,")
    with pytest.raises(Conflict) as refused:
        apply_plan(bench.estate, number, MANAGER)
    assert refused.value.code == "import-faulty"


def test_whoever_comes_for_another_company_now_is_another_worker(
    bench: Bench, company: str
) -> None:
    external = secrets.token_hex(4)
    (person,) = apply(bench, f"{external},王伟,{company},,,,,")
    with bench.estate.changer.change() as change:
        add_company(change, CompanyWanted(f"{company} two"))
    assert faults(bench, f"{external},王伟,{company} two,,,,,") == [(2, "company", "company-other")]
    (other,) = apply(bench, f",王伟,{company} two,,,,,")
    assert company_id(bench, person) != company_id(bench, other)


def test_who_is_in_no_row_of_a_named_company_is_removed_and_of_no_other(
    bench: Bench, company: str
) -> None:
    with bench.estate.changer.change() as change:
        add_company(change, CompanyWanted(f"{company} two"))
    stays, goes, elsewhere = apply(
        bench, f",王伟,{company},,,,,", f",李四,{company},,,,,", f",赵六,{company} two,,,,,"
    )
    _, plan = preview(bench, f",王伟,{company},,,,,", removing=True)
    assert kinds(plan) == ["unchanged", "removed"]
    apply(bench, f",王伟,{company},,,,,", removing=True)
    left = {one.person for one in listing(bench.estate, [stays, goes, elsewhere])}
    assert left == {stays, elsewhere}


def test_a_company_that_is_removed_meanwhile_takes_no_half_of_the_file_along(
    bench: Bench, company: str
) -> None:
    with bench.estate.changer.change() as change:
        gone = add_company(change, CompanyWanted(f"{company} two"))
    number, plan = preview(bench, f",王伟,{company},,,,,", f",李四,{company} two,,,,,")
    assert kinds(plan) == ["added", "added"]
    with bench.estate.changer.change() as change:
        remove_company(change, gone)
    with pytest.raises(NotFound) as refused:
        apply_plan(bench.estate, number, MANAGER)
    assert refused.value.code == "company-unknown"
    assert company not in {one.company_name for one in listing(bench.estate)}


def test_a_file_without_a_company_column_is_no_list_of_workers(bench: Bench) -> None:
    data = "姓名,房号\n王伟,5-1-502".encode()
    with pytest.raises(InputRefused) as refused:
        make_plan(bench.estate, data, STAFF, remove_missing=False, about="workers")
    assert refused.value.code == "columns-missing"


def test_a_workbook_is_read_and_applied_on_the_desks_page(company: str, desk: InProcess) -> None:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.append(["Name", "Company", "Number plate"])
    book.active.append(["Mei Lin", company, "B777"])
    book.save(file)
    page = desk.upload("/import", file.getvalue(), about="workers")
    assert company in page.text
    number = page.text.partition('action="/import/')[2].partition('"')[0]
    done = desk.submit(f"/import/{number}")
    assert 'data-done="imported"' in done.text
    assert done.url.path == "/services/companies"
    (worker,) = [one for one in desk.call("people") if one["company_name"] == company]
    assert worker["name"] == "Mei Lin"
    template = desk.get("/import/template?about=workers", language="zh-CN")
    assert "公司" in template.text.splitlines()[0]
    assert 'filename="workers.csv"' in template.headers["content-disposition"]
    assert 'name="about" value="workers"' in desk.get("/import?about=workers").text


def test_a_program_says_whom_a_file_lists(company: str, desk: InProcess) -> None:
    data = f"name,company\nMei Lin,{company}".encode()
    shown = desk.upload("/api/v1/people/imports?about=workers", data).json()
    (step,) = shown["steps"]
    assert (step["kind"], step["company"]) == ("added", company)

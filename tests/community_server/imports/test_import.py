"""A file changes exactly what its preview said, all or nothing, and a second time nothing."""

import io
import secrets
from dataclasses import replace
from typing import Any

import pytest
from openpyxl import Workbook

from community_server.access.routes import save_group
from community_server.access.service import GroupWanted
from community_server.database import now
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.imports import rows as making
from community_server.imports.book import MOST_KEPT, ImportBook
from community_server.imports.routes import apply_plan, make_plan
from community_server.imports.service import Plan
from community_server.people.routes import PersonChange, alter, details, listing
from community_server.people.service import add_person as adding
from community_server.people.tables import Person
from community_server.staff.permissions import Role
from community_server.staff.sessions import SignedIn
from tests.community_server.bench import STAFF, Bench

MANAGER = SignedIn(STAFF, "lin", Role.MANAGER, "", proven_at=now() + 3600)
HEADER = "外部编号,姓名,楼栋,单元,房号,电话,邮箱,权限组,截止日期"


def building() -> str:
    """A building of a test's own, since the estate is the module's."""
    return secrets.token_hex(3)


def preview(bench: Bench, *rows: str, removing: bool = False) -> tuple[str, Plan]:
    data = "\n".join((HEADER, *rows)).encode()
    return make_plan(bench.estate, data, STAFF, remove_missing=removing)


def apply(bench: Bench, *rows: str, removing: bool = False) -> list[str]:
    number, _ = preview(bench, *rows, removing=removing)
    return apply_plan(bench.estate, number, MANAGER)


def kinds(plan: Plan) -> list[str]:
    return [step.kind for step in plan.steps]


def test_a_file_is_applied_as_shown_and_a_second_time_changes_nothing(bench: Bench) -> None:
    block, external = building(), secrets.token_hex(4)
    rows = (
        f"{external},张三,{block},1,502,13800138000,z@example.org,,2099-01-31",
        f",李四,{block},1,503,,,,",
    )
    number, plan = preview(bench, *rows)
    assert kinds(plan) == ["added", "added"]
    added = apply_plan(bench.estate, number, MANAGER)
    first, second = (listing(bench.estate, [one])[0] for one in added)
    assert (first.name, first.unit, first.external_id) == ("张三", f"{block}-1-502", external)
    assert (second.name, second.household != "", second.state) == ("李四", True, "invited")
    known = details(bench.estate, first.person)
    assert (known.phone, known.email) == ("13800138000", "z@example.org")
    with pytest.raises(NotFound):
        apply_plan(bench.estate, number, MANAGER)
    _, again = preview(bench, *rows)
    assert kinds(again) == ["unchanged", "unchanged"]


def test_changes_are_named_field_by_field_and_empty_cells_change_nothing(bench: Bench) -> None:
    block, external = building(), secrets.token_hex(4)
    group = save_group(bench.estate, GroupWanted(f"G{block}", True, frozenset()), STAFF)
    (person,) = apply(bench, f"{external},Ada,{block},,1,13800138000,a@example.org,,")
    row = f"{external},Ada L.,{block},,2,,,G{block},2099-01-31"
    number, plan = preview(bench, row)
    (step,) = plan.steps
    assert [(one.column, one.before, one.after) for one in step.changes] == [
        ("name", "Ada", "Ada L."),
        ("unit", f"{block}-1", f"{block}-2"),
        ("groups", "", f"G{block}"),
        ("valid_until", "", "2099-02-01 00:00"),
    ]
    apply_plan(bench.estate, number, MANAGER)
    (shown,) = listing(bench.estate, [person])
    assert (shown.name, shown.unit, shown.groups) == ("Ada L.", f"{block}-2", [group])
    assert details(bench.estate, person).phone == "13800138000"
    assert kinds(preview(bench, row)[1]) == ["unchanged"]


def test_without_an_id_people_are_known_by_unit_name_and_phone(bench: Bench) -> None:
    block = building()
    apply(bench, f",Ada,{block},,1,138 0013 8000,,,", f",Ada,{block},,2,,,,")
    _, plan = preview(
        bench,
        f",Ada,{block},,1,+86 13800138000,,,",
        f",Ada,{block},,1,13900139000,,,",
        f",Ada,{block},,2,13700137000,,,",
    )
    assert kinds(plan) == ["changed", "added", "changed"]
    assert [one.column for one in plan.steps[2].changes] == ["phone"]


def test_nobody_is_removed_unless_asked_and_then_only_from_the_files_buildings(
    bench: Bench,
) -> None:
    block, other = building(), building()
    stays, goes = apply(bench, f",Stays,{block},,1,,,,", f",Goes,{block},,2,,,,")
    (elsewhere,) = apply(bench, f",Elsewhere,{other},,1,,,,")
    row = f",Stays,{block},,1,,,,"
    assert kinds(preview(bench, row)[1]) == ["unchanged"]
    number, plan = preview(bench, row, removing=True)
    assert [(one.kind, one.person) for one in plan.steps] == [
        ("unchanged", stays),
        ("removed", goes),
    ]
    apply_plan(bench.estate, number, MANAGER)
    assert [one.person for one in listing(bench.estate, [stays, goes, elsewhere])] != []
    assert {one.person for one in listing(bench.estate, [stays, goes, elsewhere])} == {
        stays,
        elsewhere,
    }


def test_each_bad_row_says_what_is_wrong_and_nothing_is_applied(bench: Bench) -> None:
    block = building()
    number, plan = preview(
        bench,
        f",,{block},,1,,,,",
        f",A,{block},,,,,,",
        f",A,{block},,1,call me,,,",
        f",A,{block},,1,,nowhere,,",
        f",A,{block},,1,,,No such group,",
        f",A,{block},,1,,,,2099-02-30",
        f",A,{'x' * 33},,1,,,,",
        f",A,{block},,1,,,,",
        f",A,{block},,1,,,,",
        f",A,{block},,2,,,,9999-12-31",
    )
    assert [(one.line, one.code) for one in plan.faults] == [
        (2, "name-missing"),
        (3, "unit-missing"),
        (4, "phone-unreadable"),
        (5, "email-unreadable"),
        (6, "group-unknown"),
        (7, "date-unreadable"),
        (8, "unit-long"),
        (10, "row-twice"),
        (11, "date-unreadable"),  # its end would be beyond the last day there is
    ]
    with pytest.raises(Conflict) as refused:
        apply_plan(bench.estate, number, MANAGER)
    assert refused.value.code == "import-faulty"


def test_what_changed_since_the_preview_is_shown_again_before_anything_happens(
    bench: Bench,
) -> None:
    block = building()
    (person,) = apply(bench, f",Ada,{block},,1,,,,")
    number, _ = preview(bench, f",Ada,{block},,1,13800138000,,,", f",Bob,{block},,2,,,,")
    alter(bench.estate, person, PersonChange(phone="13900139000"), STAFF)
    with pytest.raises(Conflict) as refused:
        apply_plan(bench.estate, number, MANAGER)
    assert refused.value.code == "import-stale"
    assert kinds(preview(bench, f",Bob,{block},,2,,,,")[1]) == ["added"]


def test_an_import_that_fails_half_way_leaves_nobody(bench: Bench) -> None:
    block = building()
    rows = (f",Ada,{block},,1,,,,", f",Bob,{block},,2,,,,")
    number, _ = preview(bench, *rows)
    added = adding

    def fail_at_bob(*arguments: Any, **named: Any) -> Person:
        if named["known"].name == "Bob":
            raise RuntimeError("power cut")
        return added(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "add_person", fail_at_bob)
        with pytest.raises(RuntimeError):
            apply_plan(bench.estate, number, MANAGER)
    assert kinds(preview(bench, *rows)[1]) == ["added", "added"]
    assert len(apply_plan(bench.estate, number, MANAGER)) == 2


def test_a_time_gone_by_ends_those_who_are_known_and_admits_nobody_new(bench: Bench) -> None:
    block = building()
    (person,) = apply(bench, f",Ada,{block},,1,,,,")
    gone = f",Ada,{block},,1,,,,2020-01-31"
    assert apply(bench, gone) == []
    assert 0 < listing(bench.estate, [person])[0].valid_until < now()
    assert kinds(preview(bench, gone)[1]) == ["unchanged"]
    _, plan = preview(bench, f",New,{block},,1,,,,2020-01-31")
    assert [one.code for one in plan.faults] == ["time-gone"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("phone\n1", "columns-missing"), ("name,unit\n\n", "rows-missing"), ("x", "columns-missing")],
)
def test_a_table_without_names_units_or_people_is_refused(
    bench: Bench, text: str, code: str
) -> None:
    with pytest.raises(InputRefused) as refused:
        make_plan(bench.estate, text.encode(), STAFF, remove_missing=False)
    assert refused.value.code == code


def test_a_preview_is_its_makers_alone_and_the_oldest_goes(bench: Bench) -> None:
    number, plan = preview(bench, f",Ada,{building()},,1,,,,")
    with pytest.raises(NotFound):
        apply_plan(bench.estate, number, replace(MANAGER, staff="6" * 32))
    book = ImportBook()
    kept = [book.keep(replace(plan), STAFF) for _ in range(MOST_KEPT + 1)]
    with pytest.raises(NotFound):
        book.find(kept[0], STAFF)
    assert book.find(kept[-1], STAFF) == plan


def test_names_of_a_preview_are_in_no_repr(bench: Bench) -> None:
    _, plan = preview(bench, f",Canary,{building()},,1,13800138000,,,", ",B,1,,2,Canary,,,")
    assert "Canary" not in repr(plan)
    assert "13800138000" not in repr(plan)


@pytest.mark.parametrize("people", [100, pytest.param(2000, marks=pytest.mark.soak)])
def test_a_whole_building_comes_from_one_workbook(bench: Bench, people: int) -> None:
    block = building()
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["name", "building", "unit", "phone"])
    for one in range(people):
        sheet.append([f"Resident {one}", block, one // 3, 13800000000 + one])
    data = io.BytesIO()
    book.save(data)
    number, plan = make_plan(bench.estate, data.getvalue(), STAFF, remove_missing=False)
    assert plan.count("added") == people
    assert len(apply_plan(bench.estate, number, MANAGER)) == people
    _, again = make_plan(bench.estate, data.getvalue(), STAFF, remove_missing=False)
    assert again.count("unchanged") == people

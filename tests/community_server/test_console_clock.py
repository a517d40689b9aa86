"""Times at the desk are the estate's own, whatever the server's or the browser's zone."""

import re
from zoneinfo import ZoneInfo

import pytest

from community_server.console.clock import EstateClock, read_field, usual_visit
from community_server.errors import InputRefused

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = 1_700_000_000  # 2023-11-14 22:13:20 UTC


def test_a_moment_is_told_in_the_estates_zone_and_the_readers_language() -> None:
    assert EstateClock(SHANGHAI, "en").second(AT) == "15 Nov 2023 06:13:20"
    assert EstateClock(SHANGHAI, "zh-CN").moment(AT) == "2023年11月15日 06:13"
    assert EstateClock(SHANGHAI, "en").iso(AT) == "2023-11-15T06:13:20+08:00"


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("Asia/Shanghai", "UTC+8"),
        ("Asia/Kathmandu", "UTC+5:45"),
        ("America/St_Johns", "UTC-3:30"),
        ("UTC", "UTC+0"),
    ],
)
def test_the_clock_names_its_zone(zone: str, offset: str) -> None:
    clock = EstateClock(ZoneInfo(zone), "en")
    assert clock.offset(AT) == offset
    assert clock.zone_name().startswith(f"{zone} (UTC")


def test_today_needs_no_date() -> None:
    now, _ = usual_visit(SHANGHAI)
    assert re.fullmatch(r"\d\d:\d\d", EstateClock(SHANGHAI, "en").moment(now))


def test_what_a_field_shows_is_read_back_as_the_same_minute() -> None:
    shown = EstateClock(SHANGHAI, "en").field(AT)
    assert read_field(SHANGHAI, shown, "valid_from") == AT - AT % 60
    assert read_field(SHANGHAI, " ", "valid_from") == 0


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-13-01T10:00", "9999999-01-01T00:00", "0001-01-01T00:00"]
)
def test_what_is_no_time_is_refused_by_field(text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        read_field(SHANGHAI, text, "valid_until")
    assert (refused.value.code, refused.value.field) == ("time-unreadable", "valid_until")


def test_a_visit_is_usually_hours_long() -> None:
    starts, ends = usual_visit(SHANGHAI)
    assert 4 * 3600 <= ends - starts <= 22 * 3600

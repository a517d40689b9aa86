"""The analysis: charts that are read at a glance, and what is unusual in words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from community_server.analysis.figures import ENOUGH, HOURS, FaceHours, Share
from community_server.analysis.service import SPANS, Analysis, analyse
from community_server.console.charts import Bar, Chart, bars, columns, heat
from community_server.console.frame import desk_page
from community_server.desk import EstateDep, reader
from community_server.doors.service import list_doors
from community_server.pages import PAGES, language_of
from community_server.services.figures import BOUNDS
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_kit.language import Language

router = APIRouter(prefix="/entries/analysis")

Reader = Annotated[SignedIn, reader(Permission.SEE_ENTRIES)]

USUAL_SPAN: Final = 30
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@router.get("")
def show_analysis(
    request: Request,
    estate: EstateDep,
    staff: Reader,
    days: Annotated[int, Query(ge=1, le=3660)] = USUAL_SPAN,
    door: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Show charts of the last days, and what is unusual."""
    found = analyse(estate, days, door)
    draws = _Draws(found, language_of(request))
    with estate.reading() as session:
        doors = [(one.id, one.name) for one in list_doors(session)]
    return desk_page(
        request,
        estate,
        staff,
        "analysis.html.jinja",
        room="entries",
        here=f"/entries/analysis?days={days}" + (f"&door={door}" if door else ""),
        found=found,
        charts=list(draws.all()) if found.total else [],
        faces=[(one, draws.name_of(one.door), draws.faces(one)) for one in found.faces],
        stays=draws.stays() if any(found.time_inside.seen + found.time_inside.estimated) else None,
        visitors=draws.visitors() if found.visitors else None,
        name_of_door=draws.name_of,
        name_of=estate.name_of,
        days=days,
        spans=SPANS,
        door=door,
        doors=doors,
    )


def _kind(door: FaceHours, hour: int) -> str:
    """Return the colour of an hour's column: of few faces the share says nothing."""
    if door.seen[hour] < ENOUGH:
        return "few"
    return "refused" if hour in door.bad else "usual"


@dataclass(frozen=True)
class _Draws:
    """Draws one analysis in one language."""

    found: Analysis
    language: Language

    def all(self) -> Iterator[Chart]:
        yield self._hours()
        yield self._shares("by-door", "report.door", self.found.by_door, self.name_of)
        yield self._shares("by-category", "report.category", self.found.by_category, self._category)
        yield self._refusals()

    def name_of(self, door: str) -> str:
        return self.found.doors.get(door, door)

    def faces(self, door: FaceHours) -> Chart:
        title = self._say("analysis.faces-title", door=self.name_of(door.door))
        shares = [(_kind(door, hour), door.rate(hour)) for hour in range(HOURS)]
        svg = columns(f"faces-{door.door}", title, self._say("analysis.faces-desc"), shares)
        heads = [self._say(f"analysis.{name}") for name in ("hour", "seen", "unseen", "share")]
        rows = [
            [
                f"{hour}:00",
                f"{door.seen[hour]:,}",
                f"{door.refused[hour]:,}",
                f"{100 * door.rate(hour):.0f}%",
            ]
            for hour in range(HOURS)
        ]
        return Chart(title, svg, heads, rows)

    def stays(self) -> Chart:
        title, stays = self._say("analysis.stays"), self.found.time_inside
        labels = [self._say("analysis.up-to", count=bound) for bound in BOUNDS]
        labels.append(self._say("analysis.longer", count=BOUNDS[-1]))
        rows = list(zip(labels, stays.seen, stays.estimated, strict=True))
        drawn = [Bar(label, (("usual", seen), ("few", rest))) for label, seen, rest in rows]
        svg = bars("stays", title, self._say("analysis.stays-desc"), drawn)
        heads = [
            self._say(f"analysis.{name}") for name in ("length", "stays-seen", "stays-guessed")
        ]
        return Chart(
            title, svg, heads, [[label, f"{seen:,}", f"{rest:,}"] for label, seen, rest in rows]
        )

    def visitors(self) -> Chart:
        title, counts = self._say("analysis.visitors"), self.found.visitors.items()
        drawn = [
            Bar(unit or self._say("analysis.no-unit"), (("usual", count),))
            for unit, count in counts
        ]
        svg = bars("visitors", title, self._say("analysis.visitors-desc"), drawn)
        heads = [self._say("field.unit"), self._say("analysis.visitor-count")]
        return Chart(title, svg, heads, [[bar.label, f"{bar.total:,}"] for bar in drawn])

    def _hours(self) -> Chart:
        title = self._say("analysis.hours")
        labels = [self._say(f"weekday.{day}") for day in WEEKDAYS]
        table = self.found.hours
        svg = heat("hours", title, self._say("analysis.hours-desc"), table, labels)
        heads = [self._say("report.day"), *(str(hour) for hour in range(HOURS))]
        rows = [
            [label, *(f"{count:,}" for count in row)]
            for label, row in zip(labels, table, strict=True)
        ]
        return Chart(title, svg, heads, rows)

    def _shares(
        self, name: str, of: str, shares: dict[str, Share], word: Callable[[str], str]
    ) -> Chart:
        title = self._say(f"report.{name}")
        ranked = sorted(shares.items(), key=lambda one: -(one[1].granted + one[1].refused))
        drawn = [
            Bar(word(key), (("granted", share.granted), ("refused", share.refused)))
            for key, share in ranked
        ]
        svg = bars(name, title, self._say("analysis.shares-desc"), drawn)
        heads = [self._say(of), self._say("result.granted"), self._say("result.refused")]
        rows = [[word(key), f"{share.granted:,}", f"{share.refused:,}"] for key, share in ranked]
        return Chart(title, svg, heads, rows)

    def _refusals(self) -> Chart:
        title = self._say("report.refusals")
        named = [(self._word("reason_name", code), n) for code, n in self.found.refusals.items()]
        drawn = [Bar(name, (("refused", count),)) for name, count in named]
        svg = bars("refusals", title, self._say("analysis.refusals-desc"), drawn)
        heads = [self._say("filter.reason"), self._say("result.refused")]
        return Chart(title, svg, heads, [[name, f"{count:,}"] for name, count in named])

    def _category(self, code: str) -> str:
        return self._word("report_category", code)

    def _word(self, branch: str, code: str) -> str:
        return PAGES.catalogue.branch(self.language, branch).get(code, code)

    def _say(self, key: str, **values: object) -> str:
        return PAGES.catalogue.say(self.language, key, **values)

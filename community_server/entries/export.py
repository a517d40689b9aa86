"""Entries on their way into a spreadsheet: whatever the page shows, all of it, in its language."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from community_server.entries.filters import Filters
from community_server.entries.search import Search
from community_server.entries.service import ShownEntry, show_entries
from community_server.estate import Estate
from community_server.pages import PAGES
from community_server.spreadsheets import Cell
from tier_kit.language import Language

AT_ONCE: Final = 2000
"""Entries that are read in one transaction: none lasts as long as the export."""

COLUMNS: Final[Mapping[str, int]] = {
    "time": 20,
    "iso": 26,
    "about": 8,
    "door": 18,
    "way": 10,
    "person": 18,
    "unit": 12,
    "category": 14,
    "credential": 12,
    "result": 12,
    "reason": 30,
    "code": 22,
    "matched": 14,
    "saw": 16,
    "took": 10,
    "remarks": 26,
    "by": 14,
    "why": 24,
    "entry": 34,
}
"""The columns, by their keys in the catalogue, and their widths in characters."""


@dataclass(frozen=True)
class Export:
    """All entries that fit, the newest first, as rows of cells."""

    estate: Estate
    filters: Filters
    language: Language

    def rows(self) -> Iterator[Sequence[Cell]]:
        """Yield the heading, then an entry a row; each batch is read by itself."""
        yield [self._word("export", column) for column in COLUMNS]
        start = None
        while True:
            with self.estate.reading() as session:
                places = Search(session, self.filters, start).places(AT_ONCE)
                numbers = [place.number for place in places]
                entries = show_entries(session, self.estate.name_of, numbers)
            yield from map(self._row, entries)
            if len(places) < AT_ONCE:
                return
            start = places[-1]

    def _row(self, entry: ShownEntry) -> Sequence[Cell]:
        at = datetime.fromtimestamp(entry.at // 1000, self._zone)
        known = self.estate.book.find(entry.person)
        remarks = [self._word("remark", remark) for remark in entry.remarks]
        said = "opening_reason" if entry.granted else "refusal_reason"
        return [
            at.replace(tzinfo=None),
            at.isoformat(),
            "" if entry.time_known else self._word("entry", "about"),
            entry.door_name,
            self._word("direction", entry.direction),
            entry.name or (self._word("entry", "forgotten") if entry.person else ""),
            known.roster.unit if known else "",
            self._word("category", entry.category),
            self._word("credential", entry.credential),
            self._word("result", "granted" if entry.granted else "refused"),
            self._word("reason_name", entry.reason),
            entry.reason,
            self._word("matched", entry.matched),
            self._word("saw", entry.liveness),
            entry.took_ms,
            ", ".join(remarks),
            entry.by,
            self._word(said, entry.why),
            entry.entry,
        ]

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.estate.settings.time_zone)

    @cached_property
    def _words(self) -> Mapping[str, str]:
        return PAGES.catalogue.sentences[self.language]

    def _word(self, branch: str, code: str) -> str:
        """Return the word for a code; one that a newer door made up stays as it is."""
        return self._words.get(f"{branch}.{code}", code) if code else ""

"""A person's data as a file to take away: JSON for programs, one page for people.

It is sent while it is made, and lies nowhere on this server; what names people leaves the estate
with it, so that it takes the password and is in the audit log.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from community_server.audit.log import audit
from community_server.entries.filters import Filters
from community_server.entries.search import Place, Search
from community_server.entries.service import ShownEntry, show_entries
from community_server.estate import Estate
from community_server.pages import PAGES
from community_server.people.queries import get_person
from community_server.privacy.holdings import Section, read_holdings
from community_server.setup.community import get_community
from community_server.spreadsheets import Pipe
from tier_kit.language import Language

MOST_ENTRIES: Final = 200_000
"""Of one person: hundreds a day for the longest time that can be set."""
AT_ONCE: Final = 1000
SHOWN_ENTRIES: Final = 1000
"""On the page; all of them are in the file beside it."""
_STYLE: Final = (
    "body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif; }"
    "dl { display: grid; grid-template-columns: 12rem 1fr; gap: 0.125rem 1rem; margin: 0 0 1rem; }"
    "dt { color: #555; }"
    "dd { margin: 0; overflow-wrap: anywhere; }"
    "table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }"
    "th, td { padding: 0.25rem 0.5rem; border-bottom: 1px solid #ccc; text-align: start; }"
)
"""The page has to look like one where there is no server to ask for a style sheet."""
_ENTRY: Final = (
    *("at", "received_at", "time_known", "door_name", "direction", "credential"),
    *("granted", "reason", "matched", "liveness"),
)


@dataclass(frozen=True)
class Bundle:
    """What is known of one person, read once."""

    estate: Estate
    person: str
    made_at: int
    community: str
    sections: dict[str, Section]

    @property
    def name(self) -> str:
        """The file's name: no person's is in it."""
        return f"person-{self.person[:8]}-{self._said(self.made_at)[:10]}.zip"

    def stream(self, language: Language) -> Iterator[bytes]:
        """Yield a ZIP of `person.json`, `entries.json` and `person.html`."""
        pipe = Pipe()
        with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]  # a pipe is enough
            head = {"estate": self.community, "made_at": self.made_at}
            archive.writestr("person.json", _json(head | self.sections))
            yield pipe.take()
            with archive.open("entries.json", "w") as file:
                separator = b"["
                for entry in islice(self._entries(), MOST_ENTRIES):
                    file.write(separator + msgspec.json.encode(_shown(entry)))
                    separator = b",\n"
                    if data := pipe.take():
                        yield data
                file.write(b"]" if separator != b"[" else b"[]")
            archive.writestr("person.html", self._page(language))
        yield pipe.take()

    def _page(self, language: Language) -> str:
        entries = [_shown(one) for one in islice(self._entries(), SHOWN_ENTRIES + 1)]
        return PAGES.render(
            "bundle.html.jinja",
            language,
            community=self.community,
            made_at=self.made_at,
            sections=self.sections,
            entries=entries[:SHOWN_ENTRIES],
            more=len(entries) > SHOWN_ENTRIES,
            said=self._said,
            style=_STYLE,
        )

    def _said(self, unix: float) -> str:
        """Say a moment by the estate's clock, as it is read anywhere and on any day."""
        zone = ZoneInfo(self.estate.settings.time_zone)
        return datetime.fromtimestamp(unix, zone).isoformat(" ", "seconds")

    def _entries(self) -> Iterator[ShownEntry]:
        """Yield their entries, the newest first, each batch in a reading of its own."""
        filters = Filters(people=frozenset({self.person}))
        start: Place | None = None
        while True:
            with self.estate.reading() as session:
                places = Search(session, filters, start).places(AT_ONCE)
                numbers = [place.number for place in places]
                entries = show_entries(session, self.estate.name_of, numbers)
            yield from entries
            if len(places) < AT_ONCE:
                return
            start = places[-1]


def make_bundle(estate: Estate, staff: str, person: str, moment: int) -> Bundle:
    """Read what is known of a person, and note who takes it away.

    Raises:
        NotFound: `person-unknown`.
    """
    with estate.changer.change() as change:
        get_person(change.session, person)
        audit(change.session, staff, "export-person", person)
    with estate.reading() as session:
        sections = dict(read_holdings(session, estate, person))
        return Bundle(estate, person, moment, get_community(session).name, sections)


def _shown(entry: ShownEntry) -> dict[str, Any]:
    values = asdict(entry)
    return {name: values[name] for name in _ENTRY}


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2)

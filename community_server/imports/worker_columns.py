"""A list of service workers: what its columns mean, in either language; what each row wants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from community_server.imports.cells import (
    MAX_EXTERNAL,
    PHONE,
    Cells,
    Names,
    Reading,
    read_table,
)
from community_server.imports.columns import NAMES as RESIDENTS
from community_server.imports.sheets import Rows
from community_server.people.particulars import Known
from community_server.people.tables import Person

WORKER_NAMES: Final[Names] = {
    "external_id": RESIDENTS["external_id"],
    "name": RESIDENTS["name"],
    "company": ("company", "公司", "employer", "所属公司", "单位", "公司名称"),
    "phone": RESIDENTS["phone"],
    "plate": ("number plate", "车牌号", "plate", "车牌"),
    "for_whom": ("for whom", "服务对象", "visiting"),
    "unit": RESIDENTS["unit"],
    "groups": RESIDENTS["groups"],
    "valid_from": RESIDENTS["valid_from"],
    "valid_until": RESIDENTS["valid_until"],
}
_MAX_PLATE: Final = 32
_MAX_WHOM: Final = 200
_MAX_UNIT: Final = 64


@dataclass(frozen=True)
class WantedWorker:
    """One row; what it leaves out (None, or an empty id) stays as it is.

    `company_id` is this server's id of the `company` that is named.
    """

    line: int
    external_id: str
    name: str = field(repr=False)
    company: str
    company_id: str
    phone: str | None = field(repr=False)
    plate: str | None = field(repr=False)
    visiting: str | None = field(repr=False)
    given_unit: str | None
    groups: frozenset[int] | None
    valid_from: int | None
    valid_until: int | None

    @property
    def unit(self) -> str:
        """Whom they come for, if it is one unit."""
        return self.given_unit or ""

    @property
    def place(self) -> str:
        """Where there is one person of a name and a phone."""
        return self.company_id

    @property
    def area(self) -> str:
        """What of the estate the file is about."""
        return self.company_id

    def texts(self, row: Person, known: Known) -> Iterable[tuple[str, str, str | None]]:
        """Return each text by its column: as it is, and as it is wanted."""
        yield "external_id", row.external_id or "", self.external_id or None
        yield "name", known.name, self.name
        yield "phone", known.phone, self.phone
        yield "plate", known.plate, self.plate
        yield "for_whom", known.visiting, self.visiting
        yield "unit", row.unit, self.given_unit


def read_workers(
    rows: Rows, groups: Mapping[str, int], companies: Mapping[str, str], zone: ZoneInfo
) -> Reading[WantedWorker]:
    """Read a list of workers; `companies` are ids by name, as people write it.

    Raises:
        InputRefused: `columns-missing` (a name and a company are needed), `rows-missing`.
    """
    ids = {_plain(name): (name, company) for name, company in companies.items()}

    def read(row: Cells) -> WantedWorker:
        written = row.cell("company")
        company, company_id = ids.get(_plain(written), ("", ""))
        if not company:
            row.fault("company", "company-unknown" if written else "company-missing", written)
        starts, ends = row.span()
        return WantedWorker(
            line=row.line,
            external_id=row.text("external_id", MAX_EXTERNAL),
            name=row.name(),
            company=company,
            company_id=company_id,
            phone=row.matching("phone", PHONE),
            plate=row.text("plate", _MAX_PLATE) or None,
            visiting=row.text("for_whom", _MAX_WHOM) or None,
            given_unit=row.text("unit", _MAX_UNIT) or None,
            groups=row.access_groups(),
            valid_from=starts,
            valid_until=ends,
        )

    return read_table(rows, WORKER_NAMES, ("name", "company"), groups, zone, read, _key)


def _key(row: WantedWorker) -> tuple[str, ...]:
    return (row.external_id,) if row.external_id else (row.place, row.name, row.phone or "")


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()

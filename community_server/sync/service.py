"""One transaction for each thing that another system says, or none where it only asks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, cast
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.access.routes import ScheduleRequest
from community_server.access.tables import AccessGroup, Schedule
from community_server.audit.log import audit
from community_server.cards.tables import Card
from community_server.change import Change, Changer
from community_server.households.tables import Household
from community_server.people.tables import Person
from community_server.services.tables import Company
from community_server.sync.companies import drop_company, put_company
from community_server.sync.items import (
    CardItem,
    CompanyItem,
    Done,
    GroupItem,
    HouseholdItem,
    Item,
    Kind,
    PersonItem,
)
from community_server.sync.people import drop_card, drop_person, put_card, put_person
from community_server.sync.places import (
    drop_group,
    drop_household,
    drop_schedule,
    put_group,
    put_household,
    put_schedule,
)

_TABLES: Final = {
    "households": Household,
    "schedules": Schedule,
    "groups": AccessGroup,
    "companies": Company,
    "people": Person,
    "cards": Card,
}
_DROPS: Final[dict[Kind, Callable[[Change, str], Done]]] = {
    "households": drop_household,
    "schedules": drop_schedule,
    "groups": drop_group,
    "companies": drop_company,
    "people": drop_person,
    "cards": drop_card,
}


class _OnlyAsked(Exception):
    """Undoes what was done only to see what would become of it."""


@dataclass(frozen=True)
class Asked:
    """One thing that another system says; without an item it is gone."""

    kind: Kind
    external_id: str
    item: Item | None = field(repr=False)


@dataclass(frozen=True)
class Synchroniser:
    """Does for one estate what another system says, in the name of its token `by`."""

    changer: Changer
    card_key: bytes = field(repr=False)
    zone: ZoneInfo
    by: str

    def do(self, asked: Asked, *, dry_run: bool) -> Done:
        """Do one thing; with `dry_run` undo it again.

        Raises:
            InputRefused, Conflict: as of each thing; nothing was changed.
        """
        with self._change(dry_run=dry_run) as change:
            return self._apply(change, asked)

    @contextmanager
    def rehearsal(self) -> Iterator[Callable[[Asked], Done]]:
        """Do many things one after another, each of which sees those before, and undo them all."""
        with self._change(dry_run=True) as change:

            def rehearse(asked: Asked) -> Done:
                with change.session.begin_nested():
                    return self._apply(change, asked)

            yield rehearse

    @contextmanager
    def _change(self, *, dry_run: bool) -> Iterator[Change]:
        with suppress(_OnlyAsked), self.changer.change() as change:
            yield change
            if dry_run:
                raise _OnlyAsked

    def _apply(self, change: Change, asked: Asked) -> Done:
        if asked.item is None:
            done = _DROPS[asked.kind](change, asked.external_id)
        else:
            done = self._put(change, asked.external_id, asked.item)
        if done.outcome != "unchanged":
            noted = f"sync-{done.outcome}"
            audit(change.session, self.by, noted, done.about or done.id, asked.kind)
        return done

    def _put(self, change: Change, external_id: str, item: Item) -> Done:
        match item:
            case HouseholdItem():
                return put_household(change, external_id, item)
            case GroupItem():
                return put_group(change, external_id, item)
            case ScheduleRequest():
                return put_schedule(change, external_id, item)
            case CompanyItem():
                return put_company(change, external_id, item)
            case PersonItem():
                return put_person(change, external_id, item, self.zone)
            case CardItem():
                return put_card(change, self.card_key, external_id, item)


def known_ids(session: Session, kind: Kind) -> dict[str, str]:
    """Return this server's ids of a kind by those of other systems."""
    table = cast("type[Person]", _TABLES[kind])
    query = select(table.external_id, table.id).where(table.external_id.is_not(None))
    rows = session.execute(query.order_by(table.external_id))
    return {str(external): str(own) for external, own in rows}

"""What another system says of each thing, and what became of that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from fastapi import Path
from pydantic import BaseModel, Field, model_validator

from community_server.access.routes import GroupRequest, ScheduleRequest
from community_server.households.service import LONGEST_PART
from community_server.imports.cells import EMAIL, MAX_EXTERNAL, MAX_NAME, PHONE
from community_server.services.companies import (
    USUAL_ALLOWED_MIN,
    USUAL_RETENTION_DAYS,
    CompanyKind,
)
from community_server.services.routes import Allowed, Contact, Retention
from tier_link.cards import MAX_TEXT
from tier_link.estate_messages import MOST_GROUPS_EACH

Kind: TypeAlias = Literal["households", "schedules", "groups", "companies", "people", "cards"]
"""In the order in which one needs another; they are removed in the opposite one."""
Outcome: TypeAlias = Literal["created", "updated", "unchanged", "removed", "leaving", "refused"]

ID_PATTERN: Final = r"^[^\s/\x00-\x1f\x7f]+$"
"""No spaces, no slash: it is part of an address."""
ExternalId = Annotated[str, Field(min_length=1, max_length=MAX_EXTERNAL, pattern=ID_PATTERN)]
InPath = Annotated[str, Path(min_length=1, max_length=MAX_EXTERNAL, pattern=ID_PATTERN)]
Moment = Annotated[int, Field(ge=0, le=2**40)]
_Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME, pattern=r"\S")]


class HouseholdItem(BaseModel):
    """A unit: its building, empty where there are none, and its number."""

    building: Annotated[str, Field(max_length=LONGEST_PART)] = ""
    number: Annotated[str, Field(min_length=1, max_length=LONGEST_PART, pattern=r"\S")]


class PersonItem(BaseModel):
    """A resident. What is left out, or null, stays as it is; an empty text is none.

    `household` is another system's id of a unit, `unit` its number as it is entered with a PIN; a
    newcomer has one of them. `groups` are other systems' ids, or the numbers of groups that were
    made at the desk; none at all are the default one.
    """

    name: _Name = Field(repr=False)
    household: ExternalId | None = None
    unit: Annotated[str, Field(min_length=1, max_length=2 * LONGEST_PART)] | None = None
    phone: Annotated[str, Field(pattern=f"^(?:{PHONE.pattern})?$")] | None = Field(
        default=None, repr=False
    )
    email: Annotated[str, Field(pattern=f"^(?:{EMAIL.pattern})?$")] | None = Field(
        default=None, repr=False
    )
    groups: Annotated[list[ExternalId | int], Field(max_length=MOST_GROUPS_EACH)] | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None

    @model_validator(mode="after")
    def _has_one_home(self) -> "PersonItem":
        if self.household is not None and self.unit is not None:
            raise ValueError("either a household or a unit")
        return self


class GroupItem(GroupRequest):
    """An access group; `doors` are this server's ids, `schedule` another system's."""


class CompanyItem(BaseModel):
    """A company whose workers come; `group` as a person's groups are named, none the default one.

    `suspended` closes every door to its workers; left out, it stays as staff or it was said before.
    """

    name: _Name
    kind: CompanyKind = CompanyKind.COURIER
    group: ExternalId | int | None = None
    allowed_min: Allowed = USUAL_ALLOWED_MIN
    retention_days: Retention = USUAL_RETENTION_DAYS
    contact: Contact = ""
    suspended: bool | None = None


class CardItem(BaseModel):
    """A card, and another system's id of whoever has it."""

    person: ExternalId
    number: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)] = Field(repr=False)


Item: TypeAlias = HouseholdItem | ScheduleRequest | GroupItem | CompanyItem | PersonItem | CardItem
ITEMS: Final[Mapping[Kind, type[Item]]] = {
    "households": HouseholdItem,
    "schedules": ScheduleRequest,
    "groups": GroupItem,
    "companies": CompanyItem,
    "people": PersonItem,
    "cards": CardItem,
}


@dataclass(frozen=True)
class Done:
    """What became of one thing: this server's id of it, the fields that differed."""

    outcome: Outcome
    id: str = ""
    changed: tuple[str, ...] = ()
    erased_at: int = 0
    about: str = ""
    """The person whose card it is."""

"""Many things in one request, and what became of each."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from community_server.access.routes import ScheduleRequest
from community_server.errors import InputRefused
from community_server.sync.items import (
    CardItem,
    CompanyItem,
    Done,
    ExternalId,
    GroupItem,
    HouseholdItem,
    Outcome,
    PersonItem,
)
from community_server.sync.service import Asked

MOST_ITEMS: Final = 200
"""Of one batch: each is a transaction of its own, and the caller waits for them all."""


class Trouble(BaseModel):
    """Why one thing of a batch was refused, as of any other request."""

    code: str
    message: str
    field: str = ""


class Synchronised(BaseModel):
    """What became of one thing.

    `id` is this server's, empty where there is none; `changed` names the fields that differed;
    `erased_at` is when whoever is `leaving` is erased (Unix seconds), 0 otherwise.
    """

    kind: str
    external_id: str
    outcome: Outcome
    id: str = ""
    changed: list[str] = []
    erased_at: int = 0
    error: Trouble | None = None

    @classmethod
    def of(cls, asked: Asked, done: Done) -> "Synchronised":
        """Return what is shown of something done."""
        return cls(
            kind=asked.kind,
            external_id=asked.external_id,
            outcome=done.outcome,
            id=done.id,
            changed=list(done.changed),
            erased_at=done.erased_at,
        )


class BaseRow(BaseModel):
    """What every row has: an id, and a value or a removal."""

    external_id: ExternalId
    remove: bool = False

    def asked(self) -> Asked:
        """Return it as the service takes it.

        Raises:
            InputRefused: `value-missing`, there is neither a value nor a removal, or both.
        """
        kind, value = getattr(self, "kind"), getattr(self, "value")  # noqa: B009 -- of each row
        if self.remove == (value is not None):
            raise InputRefused("a value, or a removal", field="value", code="value-missing")
        return Asked(kind, self.external_id, value)


class HouseholdRow(BaseRow):
    """A unit of a batch."""

    kind: Literal["households"]
    value: HouseholdItem | None = None


class ScheduleRow(BaseRow):
    """A schedule of a batch."""

    kind: Literal["schedules"]
    value: ScheduleRequest | None = None


class GroupRow(BaseRow):
    """An access group of a batch."""

    kind: Literal["groups"]
    value: GroupItem | None = None


class CompanyRow(BaseRow):
    """A company of a batch."""

    kind: Literal["companies"]
    value: CompanyItem | None = None


class PersonRow(BaseRow):
    """A resident of a batch."""

    kind: Literal["people"]
    value: PersonItem | None = None


class CardRow(BaseRow):
    """A card of a batch."""

    kind: Literal["cards"]
    value: CardItem | None = None


class Unreadable(BaseModel):
    """A row that is none; the others of its batch are done all the same."""

    kind: str
    external_id: str
    field: str
    message: str


def _keep_unreadable(row: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(row)
    except ValidationError as error:
        first, given = error.errors()[0], row if isinstance(row, dict) else {}
        return Unreadable(
            kind=str(given.get("kind", ""))[:64],
            external_id=str(given.get("external_id", ""))[:64],
            field=str(first["loc"][-1]) if first["loc"] else "",
            message=first["msg"],
        )


Row = Annotated[
    Annotated[
        HouseholdRow | ScheduleRow | GroupRow | CompanyRow | PersonRow | CardRow,
        Field(discriminator="kind"),
    ],
    WrapValidator(_keep_unreadable),
]


class Batch(BaseModel):
    """Up to 200 things, done in this order, each in a transaction of its own."""

    items: Annotated[list[Row], Field(min_length=1, max_length=MOST_ITEMS)]


class BatchDone(BaseModel):
    """What became of each, in the order in which they came."""

    results: list[Synchronised]

"""Households, access groups with their schedules, and holidays.

Everybody who is limited to no doors keeps every door at any hour: that is the group which the
estate begins with, and which is of all who have neither groups nor doors of their own. Residents
come to live in the units that they have.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

LONGEST_PART = 32
"""Characters of a building's name, and of a unit's number."""


def upgrade() -> None:
    _make_calendars()
    _make_groups()
    _make_households()
    op.add_column("people", sa.Column("external_id", sa.String(64), nullable=True))
    op.create_index("ix_people_external_id", "people", ["external_id"], unique=True)
    _move_in()


def _make_calendars() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("on_holidays", sa.String(16), nullable=False),
        sa.Column("external_id", sa.String(64), nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
        sa.UniqueConstraint("name", name="uq_schedules_name"),
        sa.UniqueConstraint("external_id", name="uq_schedules_external_id"),
    )
    op.create_table(
        "schedule_windows",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("schedule_id", sa.String(32), nullable=False),
        sa.Column("weekdays", sa.Integer, nullable=False),
        sa.Column("start_minute", sa.Integer, nullable=False),
        sa.Column("end_minute", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedule_windows"),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedules.id"],
            name="fk_schedule_windows_schedule_id_schedules",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_schedule_windows_schedule_id", "schedule_windows", ["schedule_id"])
    op.create_table(
        "holidays",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("counts_as", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_holidays"),
    )


def _make_groups() -> None:
    groups = op.create_table(
        "access_groups",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("every_door", sa.Boolean, nullable=False),
        sa.Column("schedule_id", sa.String(32), nullable=True),
        sa.Column("is_default", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("external_id", sa.String(64), nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_groups"),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name="fk_access_groups_schedule_id_schedules"
        ),
        sa.UniqueConstraint("name", name="uq_access_groups_name"),
        sa.UniqueConstraint("external_id", name="uq_access_groups_external_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_access_groups_schedule_id", "access_groups", ["schedule_id"])
    op.create_table(
        "group_doors",
        sa.Column("group_id", sa.Integer, nullable=False),
        sa.Column("door_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "door_id", name="pk_group_doors"),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["access_groups.id"],
            name="fk_group_doors_group_id_access_groups",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["door_id"], ["doors.id"], name="fk_group_doors_door_id_doors", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_group_doors_door_id", "group_doors", ["door_id"])
    op.create_table(
        "person_groups",
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("group_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "group_id", name="pk_person_groups"),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name="fk_person_groups_person_id_people",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["access_groups.id"], name="fk_person_groups_group_id_access_groups"
        ),
    )
    op.create_index("ix_person_groups_group_id", "person_groups", ["group_id"])
    everybody = {"name": "", "every_door": True, "is_default": True, "created_at": 0}
    op.bulk_insert(groups, [everybody])


def _make_households() -> None:
    op.create_table(
        "households",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("building", sa.String(32), nullable=False),
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("external_id", sa.String(64), nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_households"),
        sa.UniqueConstraint("unit", name="uq_households_unit"),
        sa.UniqueConstraint("external_id", name="uq_households_external_id"),
    )
    op.create_index("ix_households_building", "households", ["building"])
    op.create_table(
        "residences",
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("household_id", sa.String(32), nullable=False),
        sa.Column("moved_in", sa.BigInteger, nullable=False),
        sa.Column("moves_out", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("erased", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_residences"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_residences_person_id_people", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name="fk_residences_household_id_households"
        ),
    )
    op.create_index("ix_residences_household_id", "residences", ["household_id"])
    op.create_index("ix_residences_moves_out", "residences", ["moves_out"])


def _move_in() -> None:
    connection = op.get_bind()
    tables = sa.MetaData()
    tables.reflect(connection, only=("people", "households", "residences"))
    people = tables.tables["people"]
    rows = connection.execute(
        sa.select(people.c.id, people.c.unit, people.c.created_at)
        .where(people.c.category == "resident", people.c.unit.not_in(("", "0")))
        .order_by(people.c.created_at, people.c.id)
    ).all()
    homes: dict[str, dict[str, object]] = {}
    residences = []
    for person, unit, created_at in rows:
        building, dash, number = unit.partition("-")
        if not dash or max(len(building), len(number)) > LONGEST_PART:
            building, number = "", unit
        homes.setdefault(
            unit,
            {
                "id": secrets.token_hex(16),
                "building": building,
                "number": number[:LONGEST_PART],
                "unit": unit,
                "created_at": created_at,
            },
        )
        residences.append(
            {
                "person_id": person,
                "household_id": homes[unit]["id"],
                "moved_in": created_at,
            }
        )
    if homes:
        connection.execute(sa.insert(tables.tables["households"]), list(homes.values()))
        connection.execute(sa.insert(tables.tables["residences"]), residences)

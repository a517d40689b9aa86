"""The impact assessment: what this estate does with data, from the configuration it runs by.

China's Personal Information Protection Law asks for one before faces are used (Art. 55), with
purpose and necessity, what it does to people, and what protects them (Art. 56), kept for three
years. The reasoning stands in the catalogues; here are the facts, as plain values, so that what was
signed can be read again as it was. A signature counts for these facts; where they are others by
now, the page says so.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import now
from community_server.doors.service import list_doors
from community_server.doors.tables import Door
from community_server.errors import InputRefused, NotFound
from community_server.estate import Estate
from community_server.people.tables import Person
from community_server.privacy.details import read_details, take_census
from community_server.privacy.tables import Assessment
from community_server.retention.schedule import read_schedule
from community_server.services.companies import USUAL_RETENTION_DAYS
from community_server.services.tables import Company
from community_server.setup.community import get_community
from community_server.staff.tables import StaffMember
from community_server.webhooks.tables import Webhook
from face_engine.models.inventory import models_of

MAX_NAME: Final = 100
_DOOR: Final = (
    *("name", "direction", "mode", "liveness", "snapshots", "face_needs_presence"),
    *("face_needs_second", "pin_allowed", "pass_allowed", "card_allowed"),
)


@dataclass(frozen=True)
class Signed:
    """One assessment that was signed; `name` is what whoever signed wrote, `by` their account."""

    number: int
    signed_at: int
    name: str
    by: str
    sha256: str
    document: Mapping[str, Any]


def read_facts(session: Session, estate: Estate) -> dict[str, Any]:
    """Return what the assessment rests on: `configuration`, which is signed for, and `counts`."""
    return {
        "configuration": _configuration(session, estate),
        "counts": _counts(session),
    }


def has_changed(session: Session, estate: Estate) -> bool:
    """Say whether the configuration is another than the one that was signed last, if any was."""
    document = session.scalar(select(Assessment.document).order_by(Assessment.number.desc()))
    if document is None:
        return False
    signed = msgspec.json.decode(document)["configuration"]
    return bool(signed != plain(_configuration(session, estate)))


def plain(configuration: Mapping[str, Any]) -> Any:
    """Return a configuration as it is once it was signed and read again."""
    return msgspec.json.decode(msgspec.json.encode(configuration))


def sign_assessment(change: Change, estate: Estate, staff: str, name: str) -> int:
    """Sign the assessment as it is now; return its number.

    Raises:
        InputRefused: `name-missing`; `details-missing`, nobody has said who answers for the data.
    """
    session, written = change.session, " ".join(name.split())
    if not written or len(written) > MAX_NAME:
        raise InputRefused("sign by name", field="name", code="name-missing")
    facts = read_facts(session, estate)
    if not facts["configuration"]["controller"]:
        raise InputRefused("who answers for it", field="controller", code="details-missing")
    moment = now()
    document = msgspec.json.encode(facts | {"name": written, "signed_at": moment}, order="sorted")
    digest = hashlib.sha256(document).hexdigest()
    row = Assessment(
        signed_at=moment, staff_id=staff, name=written, document=document.decode(), sha256=digest
    )
    session.add(row)
    session.flush()
    audit(session, staff, "sign-assessment", str(row.number), f"sha256={digest}")
    return row.number


def list_signed(session: Session) -> list[Signed]:
    """Return all that were signed, the newest first."""
    rows = session.execute(
        select(Assessment, StaffMember.username)
        .outerjoin(StaffMember, StaffMember.id == Assessment.staff_id)
        .order_by(Assessment.number.desc())
    )
    return [_signed(row, by or "") for row, by in rows]


def find_signed(session: Session, number: int) -> Signed:
    """Return one that was signed.

    Raises:
        NotFound: `assessment-unknown`.
    """
    row = session.get(Assessment, number)
    if row is None:
        raise NotFound("no such assessment", code="assessment-unknown")
    member = session.get(StaffMember, row.staff_id)
    return _signed(row, member.username if member else "")


def _signed(row: Assessment, by: str) -> Signed:
    document = msgspec.json.decode(row.document)
    return Signed(row.number, row.signed_at, row.name, by, row.sha256, document)


def _configuration(session: Session, estate: Estate) -> dict[str, Any]:
    settings, details = estate.settings, read_details(session)
    community = get_community(session)
    packs = [estate.pack.name] + ([estate.former.pack.name] if estate.former else [])
    return {
        "estate": community.name,
        "controller": details.controller,
        "contact": details.contact,
        "doors": [{name: getattr(door, name) for name in _DOOR} for door in list_doors(session)],
        "models": [
            {"pack": pack, **asdict(file)}
            for pack in packs
            for file in models_of(pack, settings.models)
        ],
        "template_space": estate.pack.template_space,
        "wrong_openings_per_month": settings.wrong_openings_per_month,
        "first_opening": settings.first_opening,
        "visits_decided_by": settings.visits_decided_by,
        "own_forms": settings.own_forms,
        "cloud": community.cloud_key is not None,
        "unsealed_uploads": settings.unsealed_uploads,
        # Where it is, and which passphrase, is nobody's business.
        "master_key": settings.master_key.split(":")[0],
        "database": estate.engine.dialect.name,
        "resident_lease_days": settings.resident_lease_days,
        "second_factor_roles": sorted(settings.second_factor_roles),
        "retention": [
            {"kind": kept.kind.value, "keep": kept.keep, "unit": kept.unit}
            for kept in read_schedule(session, settings).values()
        ],
        "worker_days": _longest_retention(session),
        "webhooks": session.scalars(select(func.count()).select_from(Webhook)).one(),
        "mqtt": bool(settings.mqtt_host),
        "mail": bool(settings.mail_host),
        "sms": bool(settings.sms_url),
    }


def _counts(session: Session) -> dict[str, Any]:
    people = Counter[str]()
    for category, count in session.execute(
        select(Person.category, func.count()).group_by(Person.category)
    ):
        people[category] = count
    staff = session.execute(
        select(StaffMember.role, func.count())
        .where(StaffMember.state == "active")
        .group_by(StaffMember.role)
    )
    census = take_census(session)
    paired = select(func.count()).select_from(Door).where(Door.state == "paired")
    return {
        "people": dict(people),
        "staff": dict(staff.all()),
        "faces": census.held,
        "faces_in_a_year": census.year,
        "faces_elsewhere": census.others,
        "doors_paired": session.scalars(paired).one(),
    }


def _longest_retention(session: Session) -> int:
    days = session.scalar(select(func.max(Company.retention_days)))
    return USUAL_RETENTION_DAYS if days is None else days

"""All tables of this tier in one place: importing this fills `metadata`."""

from typing import Final

from sqlalchemy import MetaData

from community_server.access import tables as access
from community_server.alarms import tables as alarms
from community_server.audit import tables as audit
from community_server.backups import tables as backups
from community_server.cards import tables as cards
from community_server.consents import tables as consents
from community_server.database import Base
from community_server.doors import tables as doors
from community_server.entries import tables as entries
from community_server.events import tables as events
from community_server.households import tables as households
from community_server.intake import tables as intake
from community_server.invitations import tables as invitations
from community_server.keys import tables as keys
from community_server.ledger import tables as ledger
from community_server.lockdown import tables as lockdown
from community_server.messages import tables as messages
from community_server.openings import tables as openings
from community_server.people import tables as people
from community_server.privacy import tables as privacy
from community_server.receipts import tables as receipts
from community_server.reports import tables as reports
from community_server.retention import tables as retention
from community_server.services import tables as services
from community_server.setup import tables as setup
from community_server.snapshots import tables as snapshots
from community_server.staff import tables as staff
from community_server.standby import tables as standby
from community_server.thresholds import tables as thresholds
from community_server.vault import tables as vault
from community_server.visits import tables as visits
from community_server.webhooks import tables as webhooks
from tier_link.store import LinkBase

SLICES: Final = (
    access,
    alarms,
    audit,
    backups,
    cards,
    consents,
    doors,
    entries,
    events,
    households,
    intake,
    invitations,
    keys,
    ledger,
    messages,
    openings,
    lockdown,
    people,
    receipts,
    privacy,
    reports,
    retention,
    services,
    setup,
    snapshots,
    staff,
    standby,
    thresholds,
    vault,
    visits,
    webhooks,
)

metadata: Final[list[MetaData]] = [Base.metadata, LinkBase.metadata]

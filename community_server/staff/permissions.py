"""What each role may do, in one table: a route names the permission that it needs."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What somebody of the property's staff is there for."""

    GUARD = "guard"
    """At the gate, day and night: watches, answers, opens, locks down."""
    MANAGER = "manager"
    """Runs the estate's day: people, invitations, approvals, the doors' daily settings."""
    OFFICER = "officer"
    """The privacy officer: what is known of people, who looked at it, what is erased."""
    ADMINISTRATOR = "administrator"
    """Sets the estate up; where there is nobody else, does a manager's work as well."""


class Permission(StrEnum):
    """One thing that somebody, or a program, may do. Values are stable: tokens name them."""

    OWN_ACCOUNT = "own-account"
    """One's own password, second factor and sessions."""
    SEE_ESTATE = "see-estate"
    """The overview, the cloud's state, whether there is a lockdown."""
    SEE_DOORS = "see-doors"
    SEE_ENTRIES = "see-entries"
    """Entries, and what staff had opened."""
    SEE_SNAPSHOTS = "see-snapshots"
    """Pictures of faces that doors refused."""
    EXPORT_ENTRIES = "export-entries"
    """Taking entries out as a file, with names."""
    SIGN_REPORTS = "sign-reports"
    SEE_ALARMS = "see-alarms"
    HANDLE_ALARMS = "handle-alarms"
    """Acknowledging an alarm; ending a fire release, which the door refuses while it burns."""
    SET_ALARMS = "set-alarms"
    """How grave each kind is, when it is raised, how long it may go unseen."""
    SEE_EVENTS = "see-events"
    """What other systems are told, behind a cursor."""
    SEE_METRICS = "see-metrics"
    """How the installation is doing, in figures: for a monitoring system."""
    CONNECT_SYSTEMS = "connect-systems"
    """Who is told of events, and what signs them."""
    ANSWER_CALLS = "answer-calls"
    """Seeing who rings, and refusing; letting in takes `OPEN_DOORS`."""
    OPEN_DOORS = "open-doors"
    LOCK_DOWN = "lock-down"
    SEE_PEOPLE = "see-people"
    INVITE_VISITORS = "invite-visitors"
    MANAGE_PEOPLE = "manage-people"
    """Residents' invitations, PINs, passes and cards; suspending people, and letting them in."""
    SYNCHRONISE = "synchronise"
    """Another system's households, residents, rules and cards, by its own ids."""
    APPROVE = "approve"
    """Seeing the photos of those who wait, and deciding."""
    REMOVE_PEOPLE = "remove-people"
    SET_DOORS = "set-doors"
    """A door's daily settings."""
    PAIR = "pair"
    """Doors added, paired and revoked; the link to the cloud."""
    MANAGE_STAFF = "manage-staff"
    """Accounts, and programs' tokens."""
    READ_AUDIT = "read-audit"
    KEEP_PRIVACY = "keep-privacy"
    """The privacy officer's desk: for how long data is kept."""


_GATE: Final = frozenset(
    {
        Permission.OWN_ACCOUNT,
        Permission.SEE_ESTATE,
        Permission.SEE_DOORS,
        Permission.SEE_ENTRIES,
        Permission.SEE_ALARMS,
        Permission.HANDLE_ALARMS,
        Permission.ANSWER_CALLS,
        Permission.OPEN_DOORS,
        Permission.LOCK_DOWN,
        Permission.SEE_PEOPLE,
        Permission.INVITE_VISITORS,
    }
)
_OFFICE: Final = _GATE | {
    Permission.SEE_SNAPSHOTS,
    Permission.EXPORT_ENTRIES,
    Permission.SIGN_REPORTS,
    Permission.MANAGE_PEOPLE,
    Permission.SYNCHRONISE,
    Permission.APPROVE,
    Permission.REMOVE_PEOPLE,
    Permission.SET_DOORS,
    Permission.SET_ALARMS,
    Permission.SEE_EVENTS,
}

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.GUARD: _GATE,
    Role.MANAGER: _OFFICE,
    Role.OFFICER: frozenset(
        {
            Permission.OWN_ACCOUNT,
            Permission.SEE_ESTATE,
            Permission.SEE_ENTRIES,
            Permission.SEE_SNAPSHOTS,
            Permission.EXPORT_ENTRIES,
            Permission.SEE_PEOPLE,
            Permission.REMOVE_PEOPLE,
            Permission.READ_AUDIT,
            Permission.KEEP_PRIVACY,
        }
    ),
    Role.ADMINISTRATOR: _OFFICE
    | {
        Permission.PAIR,
        Permission.CONNECT_SYSTEMS,
        Permission.SEE_METRICS,
        Permission.MANAGE_STAFF,
        Permission.READ_AUDIT,
        Permission.KEEP_PRIVACY,
    },
}
"""An estate of one person has an administrator alone, who may therefore do a manager's work."""

SCOPES: Final = (
    Permission.SEE_ESTATE,
    Permission.SEE_DOORS,
    Permission.SEE_ENTRIES,
    Permission.SEE_ALARMS,
    Permission.SEE_EVENTS,
    Permission.SEE_METRICS,
    Permission.SEE_PEOPLE,
    Permission.INVITE_VISITORS,
    Permission.MANAGE_PEOPLE,
    Permission.SYNCHRONISE,
)
"""What a program's token may hold: nothing that takes a person's password or bears their name."""

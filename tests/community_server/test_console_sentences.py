"""Whatever the desk may have to be told, both languages have a sentence for it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import community_server
from access_rules.alarms import AlarmKind, EntryRemark
from access_rules.decision import DecisionReason
from access_rules.people import Category
from community_server import errors
from community_server.audit.looks import LOOK
from community_server.console.approvals import DECLINE_REASONS
from community_server.console.doors import DIRECTIONS, MODES
from community_server.entries.export import COLUMNS
from community_server.entries.filters import CHOICES
from community_server.entries.hours import INSIDE, OTHERS
from community_server.entries.looks import REASONS as LOOK_REASONS
from community_server.entries.why import GRANTING
from community_server.intake.approvals import Decision
from community_server.openings.routes import NOT_TAKEN
from community_server.openings.service import REASONS
from community_server.openings.service import REFUSALS as CALL_REFUSALS
from community_server.pages import PAGES
from community_server.staff.permissions import Permission, Role
from community_server.sync.items import Outcome
from door_terminal.vision.trial import MENDABLE, PACK_UNHEALTHY, SETTINGS_UNHEALTHY
from face_engine.errors import PhotoReason
from tier_kit.language import LANGUAGES
from tier_link.replies import ReplyReason

PACKAGE = Path(community_server.__file__).parent
NAMED = {
    "decision": set(get_args(Decision)),
    "LOOK": {LOOK},
    "noted": {f"sync-{one}" for one in {*get_args(Outcome)} - {"unchanged", "refused"}},
}
"""Actions that stand behind a name of another module."""
TEMPLATES = sorted((PACKAGE / "templates").glob("*.jinja"))
REFUSALS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type)
    and issubclass(value, errors.ServerError)
    and not issubclass(value, errors.StartRefused | errors.EnrollmentRefused)
}


def codes_raised() -> Iterator[str]:
    """Yield the code of every refusal that a request can end in."""
    for source in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REFUSALS:
                for keyword in node.keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                        yield str(keyword.value.value)
    for name in REFUSALS:
        yield vars(errors)[name].code


def actions_noted() -> Iterator[str]:
    """Yield the code of every action that the audit log may hold."""
    for source in PACKAGE.rglob("*.py"):
        tree = ast.parse(source.read_text("utf-8"))
        assigned: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                assigned.setdefault(node.targets[0].id, set()).update(texts_in(node.value))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "audit":
                action = node.args[2]
                found = texts_in(action)
                if isinstance(action, ast.Name):
                    found = assigned.get(action.id) or NAMED[action.id]
                assert found, (source, node.lineno)
                yield from found


def texts_in(node: ast.expr) -> set[str]:
    """Return the texts that an expression may be: a constant, or one of two."""
    match node:
        case ast.Constant(value=str() as text):
            return {text}
        case ast.IfExp():
            return texts_in(node.body) | texts_in(node.orelse)
    return set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("branch", "codes"),
    [
        ("reason", {*DecisionReason, *ReplyReason, *PhotoReason}),
        ("errors", set(codes_raised())),
        ("decline", set(DECLINE_REASONS)),
        ("direction", set(DIRECTIONS)),
        ("mode", set(MODES)),
        ("alarm", set(AlarmKind)),
        ("alarm_advice", set(AlarmKind)),
        ("remark", set(EntryRemark)),
        ("opening_reason", set(REASONS)),
        ("refusal_reason", set(CALL_REFUSALS)),
        ("errors", set(NOT_TAKEN)),
        ("reason_name", set(DecisionReason)),
        ("reason_plain", {*set(DecisionReason) - GRANTING, "other"}),
        ("advice", {*set(DecisionReason) - GRANTING, "other"}),
        ("look_reason", set(LOOK_REASONS)),
        ("filter_category", set(CHOICES["category"])),
        ("result", set(CHOICES["result"])),
        ("report_category", {*Category, INSIDE, OTHERS}),
        ("export", set(COLUMNS)),
        ("audited", set(actions_noted())),
        ("role", set(Role)),
        ("permission", set(Permission) - {Permission.OWN_ACCOUNT}),
        ("models", {*MENDABLE, PACK_UNHEALTHY, SETTINGS_UNHEALTHY}),
    ],
)
def test_every_code_has_a_sentence(language: str, branch: str, codes: set[str]) -> None:
    assert {str(code) for code in codes} <= PAGES.catalogue.branch(language, branch).keys()  # type: ignore[arg-type]  # parametrised from LANGUAGES


def test_every_sentence_that_a_page_asks_for_is_there() -> None:
    keys = {
        key
        for template in TEMPLATES
        for key in re.findall(r"\bt\(\"([a-z][\w.-]*[a-z])\"[,)]", template.read_text("utf-8"))
    }
    assert len(keys) > 150
    assert keys <= PAGES.catalogue.sentences["en"].keys()


def test_nothing_that_nobody_does_has_a_word_in_the_audit_log() -> None:
    assert PAGES.catalogue.branch("en", "audited").keys() == set(actions_noted())

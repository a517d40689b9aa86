"""Rules of this repository that no other tool knows, each a function that names what breaks it.

Run by `make check`. What cannot be run without a container engine or a target board is read
and checked here instead.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import yaml

from tools.advisories import affected, age_warning, pinned, read_snapshot
from tools.secret_fields import shown_secrets
from tools.secret_sources import secrets_without_a_row
from tools.stray_secrets import ALLOWED, read_allowed, stray_secrets

ROOT: Final = Path(__file__).parent.parent
TIERS: Final = ("cloud", "server", "door")
_NO_TIER: Final = frozenset({"tests", "benchmarks", "tools", "web", "migrations"})

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\;]+)", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")
_REGISTRY = re.compile(
    r"--(extra-)?index-url|--find-links|\"resolved\": *\"|registry *= *[\"']?http"
)
_HOME_PATH = re.compile(r"(?<![A-Za-z0-9_.])/(home|root|Users)/[A-Za-z0-9_.]+/")
_TEST = re.compile(r"\b(tests/[\w/]+\.py)::(?:\w+::)*(test_\w+)")
_FOLLOWS = re.compile(r"^revision = \"(\w+)\"\ndown_revision = (?:None|\"(\w+)\")$", re.MULTILINE)
_INSTALL = re.compile(r"^(?!#).*\bpip\S* install\b.*$", re.MULTILINE)
_BUILT_HERE = re.compile(r"--no-deps.*(--editable \.|/tmp/wheels/\*\.whl)")


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git tracks and that exist, below the root."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def no_registry_host_or_private_path() -> Iterator[str]:
    """Locks and sources name no registry and no path of a person's machine."""
    this = Path(__file__)
    for path in tracked():
        if path == this:
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for rule, what in (
            (_REGISTRY, "names a package registry"),
            (_HOME_PATH, "names a path of somebody's machine"),
        ):
            if found := rule.search(text):
                line = text.count("\n", 0, found.start()) + 1
                yield f"{path.relative_to(ROOT)}:{line} {what}"


def tier_locks_agree_with_the_main_lock() -> Iterator[str]:
    """A tier is deployed, and built, with the versions that were tested."""
    tested = dict(_PIN.findall((ROOT / "requirements.lock").read_text()))
    for lock in (*TIERS, "build"):
        name = f"deploy/requirements/{lock}.lock"
        for package, version in _PIN.findall((ROOT / name).read_text()):
            if tested.get(package) != version:
                yield f"{name} has {package} {version}, the tests ran {tested.get(package)}"


def every_pin_has_its_hash() -> Iterator[str]:
    """What is installed is what was tested, to the byte: packages of both languages."""
    for path in [ROOT / "requirements.lock", *sorted((ROOT / "deploy").rglob("*.lock"))]:
        name = path.relative_to(ROOT)
        for block in re.split(r"\n(?=\S)", path.read_text("utf-8")):
            if block.strip() and not (_PIN.match(block) and "--hash=sha256:" in block):
                yield f"{name} has a line without version and hash: {block.partition(chr(10))[0]}"
    packages = json.loads((ROOT / "web/package-lock.json").read_text("utf-8"))["packages"]
    for place, package in packages.items():
        if place and not package.get("integrity", "").startswith("sha512-"):
            yield f"web/package-lock.json has no SHA-512 of {place}"


def nothing_is_installed_unpinned() -> Iterator[str]:
    """Recipes install by lock file with hashes, or what was built from this repository."""
    for path in [
        ROOT / "Makefile",
        ROOT / ".ci/run",
        *sorted((ROOT / "deploy").glob("Container*")),
    ]:
        text = path.read_text("utf-8").replace("\\\n", " ")
        for line in _INSTALL.findall(text):
            if not ("--require-hashes" in line or _BUILT_HERE.search(line)):
                yield f"{path.relative_to(ROOT)} installs without hashes: {line.strip()[:80]}"


def no_pinned_version_has_a_known_advisory() -> Iterator[str]:
    """What is pinned is not affected by what the snapshot knows; its age is only told."""
    snapshot = read_snapshot()
    if warning := age_warning(snapshot, datetime.now(UTC).date()):
        print(f"check: warning: {warning}", file=sys.stderr)
    yield from affected(snapshot, pinned(ROOT))


def no_secret_strayed_in() -> Iterator[str]:
    """No file holds what opens something, but what a list allows with a reason."""
    texts = []
    for path in tracked():
        # The list names each by its beginning, and hashes of packages fill the locks.
        if path != ALLOWED and not path.name.endswith((".lock", "package-lock.json")):
            with suppress(UnicodeDecodeError):
                texts.append((str(path.relative_to(ROOT)), path.read_text("utf-8")))
    yield from stray_secrets(texts, read_allowed(ALLOWED.read_text("utf-8")))


def links_in_documents_lead_somewhere() -> Iterator[str]:
    """Relative links of every Markdown page name a file that exists."""
    for path in tracked("*.md"):
        for target, _ in _LINK.findall(path.read_text("utf-8")):
            if "://" not in target and not (path.parent / target).exists():
                yield f"{path.relative_to(ROOT)} links to {target}, which is not there"


def tests_named_in_documents_exist() -> Iterator[str]:
    """Every promise in a document that names a test (`tests/…::test_…`) has that test."""
    for page in tracked("docs/*.md"):
        for name, test in _TEST.findall(page.read_text("utf-8")):
            path = ROOT / name
            if not path.is_file() or f"def {test}(" not in path.read_text("utf-8"):
                yield f"{page.relative_to(ROOT)} names {name}::{test}, which is not there"


def every_threat_has_a_test_or_a_limit() -> Iterator[str]:
    """Each attempt in the table of threats names a test or a limit, each secret a test."""
    threats = (ROOT / "docs" / "threats.md").read_text("utf-8")
    for row in _rows(threats):
        if not _TEST.search(row) and "**Limit.**" not in row:
            yield f"docs/threats.md has neither test nor limit: {row[:60]}"
    security = (ROOT / "docs" / "security.md").read_text("utf-8")
    for row in _rows(security.partition("## Secrets")[2].partition("\n## ")[0]):
        if not _TEST.search(row):
            yield f"docs/security.md has a secret without a test: {row[:60]}"


def _rows(text: str) -> Iterator[str]:
    """Yield the rows of a page's tables, without their heads."""
    for line, following in pairwise([*text.splitlines(), ""]):
        if (
            line.startswith("| ")
            and not line.startswith("| --")
            and not following.startswith(("|--", "| --"))
        ):
            yield line


def containers_are_built_to_rule() -> Iterator[str]:
    """Every tier's container runs unprivileged, is probed, and copies what exists."""
    for tier in TIERS:
        path = ROOT / f"deploy/Containerfile.{tier}"
        instructions = [
            line.split(maxsplit=1)
            for line in path.read_text().replace("\\\n", " ").splitlines()
            if line and not line.startswith("#")
        ]
        names = [name for name, _ in instructions]
        last_user = next((rest for name, rest in reversed(instructions) if name == "USER"), "0")
        if not last_user.isdigit() or last_user == "0":
            yield f"{path.name} does not end as an unprivileged numeric user"
        for wanted in ("HEALTHCHECK", "ENTRYPOINT"):
            if wanted not in names:
                yield f"{path.name} has no {wanted}"
        for name, rest in instructions:
            sources = rest.split()[:-1]
            if name == "COPY" and not rest.startswith("--from"):
                for source in sources:
                    if not (ROOT / source).exists():
                        yield f"{path.name} copies {source}, which is not there"


def compose_files_are_built_to_rule() -> Iterator[str]:
    """Every service drops privileges and restarts; what it names is defined."""
    for path in sorted((ROOT / "deploy").glob("compose.*.yaml")):
        compose: dict[str, Any] = yaml.safe_load(path.read_text())
        for name, service in compose["services"].items():
            for problem in _service_problems(service, compose, path.parent):
                yield f"{path.name}: {name} {problem}"


def _service_problems(
    service: dict[str, Any], compose: dict[str, Any], folder: Path
) -> Iterator[str]:
    if service.get("cap_drop") != ["ALL"]:
        yield "keeps capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "may gain privileges"
    if build := service.get("build"):
        recipe = (folder / build["context"]).resolve() / build["dockerfile"]
        if not recipe.is_file():
            yield f"builds from {build['dockerfile']}, which is not there"
    secrets = (s if isinstance(s, str) else s["source"] for s in service.get("secrets", ()))
    volumes = (volume.split(":")[0] for volume in service.get("volumes", ()))
    configs = [config["source"] for config in service.get("configs", ())]
    yield from (
        f"reads {compose['configs'][one]['file']}, which is not there"
        for one in set(configs) & set(compose.get("configs", ()))
        if not (folder / compose["configs"][one]["file"]).is_file()
    )
    for kind, used in {
        "configs": configs,
        "secrets": secrets,
        "networks": service.get("networks", ()),
        "volumes": volumes,
        "services": service.get("depends_on", ()),
    }.items():
        yield from (f"uses {one}, not defined" for one in set(used) - set(compose.get(kind) or ()))


def units_are_built_to_rule() -> Iterator[str]:
    """Each unit restarts however often, dumps no core, locks its memory, starts what exists."""
    for path in sorted((ROOT / "deploy/systemd").glob("*.service")):
        settings = dict(
            line.split("=", 1)
            for line in path.read_text().splitlines()
            if "=" in line and not line.startswith("#")
        )
        wanted = {
            "Restart": "always",
            "StartLimitIntervalSec": "0",
            "LimitCORE": "0",
            "LimitMEMLOCK": "infinity",
            "UMask": "0077",
        }
        for key, value in wanted.items():
            if settings.get(key) != value:
                yield f"{path.name} lacks {key}={value}"
        command = settings["ExecStart"].split()[1:]
        help_text = subprocess.run(
            [sys.executable, "-m", "gatehouse", *command, "--help"],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
        if help_text.returncode:
            yield f"{path.name} starts 'gatehouse {' '.join(command)}', which does not exist"


def migrations_make_one_line_per_tier() -> Iterator[str]:
    """Each migration follows another one: two that follow the same leave no newest."""
    for folder in sorted({path.parent for path in tracked("migrations/*/*.py")}):
        texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("0*.py"))}
        before = None
        for name, text in texts.items():
            follows = _FOLLOWS.search(text)
            revision = name.split("_")[0]
            if follows is None or follows.groups() != (revision, before):
                yield f"migrations/{folder.name}/{name} does not follow {before}"
            before = revision


def no_secret_is_shown_by_a_repr() -> Iterator[str]:
    """No dataclass, model or message shows a field that holds a secret in its `repr`."""
    packages = [path for path in tracked("*.py") if path.relative_to(ROOT).parts[0] not in _NO_TIER]
    yield from shown_secrets(packages, ROOT)


def every_secret_has_its_row() -> Iterator[str]:
    """What makes a secret, or takes one as a setting, has its row in the table of secrets."""
    security = (ROOT / "docs" / "security.md").read_text("utf-8")
    table = security.partition("## Secrets")[2].partition("\n## ")[0]
    sources = [
        path
        for path in tracked("*.py", "web/*.ts")
        if path.relative_to(ROOT).parts[0] not in _NO_TIER - {"web"}
        and "tests" not in path.relative_to(ROOT).parts
    ]
    yield from secrets_without_a_row(sources, ROOT, table)


CHECKS: Final[tuple[Callable[[], Iterator[str]], ...]] = (
    no_registry_host_or_private_path,
    tier_locks_agree_with_the_main_lock,
    every_pin_has_its_hash,
    nothing_is_installed_unpinned,
    no_pinned_version_has_a_known_advisory,
    no_secret_strayed_in,
    links_in_documents_lead_somewhere,
    tests_named_in_documents_exist,
    every_threat_has_a_test_or_a_limit,
    containers_are_built_to_rule,
    compose_files_are_built_to_rule,
    units_are_built_to_rule,
    migrations_make_one_line_per_tier,
    no_secret_is_shown_by_a_repr,
    every_secret_has_its_row,
)


def main() -> int:
    """Run every check; print what breaks a rule; return 1 if anything does."""
    problems = [problem for check in CHECKS for problem in check()]
    for problem in problems:
        print(f"check: {problem}", file=sys.stderr)
    print(f"repository: {len(CHECKS)} rules, {len(problems)} broken")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

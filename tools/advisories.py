"""Holds what is pinned against known advisories, from a snapshot that lies in the repository.

    python tools/advisories.py            what of the pinned is affected, by the snapshot
    python tools/advisories.py renew      writes the snapshot anew, where OSV can be reached

The snapshot (`advisories.json`) keeps of each record of OSV (https://ossf.github.io/osv-schema/)
what is needed here: its id and other names, a sentence, and per package the ranges of versions. A
check that needs no network says nothing about what became known since: its age is told each time.
"""

import json
import re
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from packaging.version import Version

ROOT: Final = Path(__file__).parent.parent
SNAPSHOT: Final = Path(__file__).with_name("advisories.json")
OLD_DAYS: Final = 30
"""Days after which the snapshot's age is told as a warning: releases are more frequent."""
OSV: Final = "https://api.osv.dev/v1"
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\;]+)", re.MULTILINE)
_TIMEOUT_S: Final = 30


@dataclass(frozen=True, order=True)
class Pinned:
    """A package in the version that is installed; `ecosystem` is `PyPI` or `npm`."""

    ecosystem: str
    name: str
    version: str


def pinned(root: Path) -> set[Pinned]:
    """Return what the locks pin: those of Python and the pages'."""
    found = set()
    for lock in [root / "requirements.lock", *sorted((root / "deploy").rglob("*.lock"))]:
        for name, version in _PIN.findall(lock.read_text("utf-8")):
            found.add(Pinned("PyPI", normal(name), version))
    packages = json.loads((root / "web/package-lock.json").read_text("utf-8"))["packages"]
    for place, package in packages.items():
        if place:
            name = place.rpartition("node_modules/")[2]
            found.add(Pinned("npm", name, package["version"]))
    return found


def normal(name: str) -> str:
    """Return a Python package's name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def affected(snapshot: Mapping[str, Any], installed: Iterable[Pinned]) -> Iterator[str]:
    """Yield what is pinned in a version that an advisory names, unless it is called harmless."""
    versions: dict[tuple[str, str], set[str]] = {}
    for one in installed:
        versions.setdefault((one.ecosystem, one.name), set()).add(one.version)
    passed = {(one["id"], normal(one["package"])) for one in snapshot.get("harmless", ())}
    for record in snapshot["advisories"]:
        for place in record["affected"]:
            ecosystem, name = place["package"]["ecosystem"], place["package"]["name"]
            name = normal(name) if ecosystem == "PyPI" else name
            if (record["id"], normal(name)) in passed:
                continue
            for version in sorted(versions.get((ecosystem, name), ())):
                if is_in(version, place):
                    yield f"{name} {version} is affected by {record['id']}: {record['summary']}"


def is_in(version: str, place: Mapping[str, Any]) -> bool:
    """Say whether a version is among those that a record names, as OSV evaluates its events."""
    if version in place.get("versions", ()):
        return True
    return any(
        _within(Version(version), span["events"])
        for span in place.get("ranges", ())
        if span["type"] in {"ECOSYSTEM", "SEMVER"}
    )


def _within(version: Version, events: Iterable[Mapping[str, str]]) -> bool:
    inside = False
    for event in sorted(events, key=_moment):
        (kind, text), *_ = event.items()
        if kind == "introduced":
            inside = inside or version >= _version(text)
        elif (kind == "fixed" and version >= _version(text)) or (
            kind == "last_affected" and version > _version(text)
        ):
            inside = False
    return inside


def _moment(event: Mapping[str, str]) -> Version:
    return _version(next(iter(event.values())))


def _version(text: str) -> Version:
    return Version("0.dev0" if text == "0" else text)


def read_snapshot() -> dict[str, Any]:
    """Return the snapshot that lies here."""
    snapshot: dict[str, Any] = json.loads(SNAPSHOT.read_text("utf-8"))
    return snapshot


def age_warning(snapshot: Mapping[str, Any], today: date) -> str:
    """Return what is to be said of the snapshot's age; empty while it is fresh."""
    days = (today - date.fromisoformat(snapshot["as_of"])).days
    if days <= OLD_DAYS:
        return ""
    return (
        f"the snapshot of advisories is of {snapshot['as_of']}, {days} days ago: nothing that "
        "became known since is in it; renew it with 'python tools/advisories.py renew'"
    )


def renew(snapshot: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Ask OSV about every package that is pinned, whatever version, and return a new snapshot.

    Raises:
        OSError: OSV cannot be reached.
    """
    names = sorted({(one.ecosystem, one.name) for one in pinned(ROOT)})
    queries = [{"package": {"ecosystem": ecosystem, "name": name}} for ecosystem, name in names]
    answers = _ask("/querybatch", {"queries": queries})["results"]
    ids = sorted({one["id"] for answer in answers for one in answer.get("vulns", ())})
    records = [_kept(_ask(f"/vulns/{one}"), set(names)) for one in ids]
    return {
        "as_of": today.isoformat(),
        "source": "OSV, by querybatch of every pinned package",
        "harmless": snapshot.get("harmless", []),
        "advisories": [record for record in records if record["affected"]],
    }


def _kept(record: Mapping[str, Any], names: set[tuple[str, str]]) -> dict[str, Any]:
    summary = record.get("summary") or record.get("details", "").strip().partition("\n")[0]
    places = []
    for place in record.get("affected", ()):
        package = {key: place["package"][key] for key in ("ecosystem", "name")}
        name = normal(package["name"]) if package["ecosystem"] == "PyPI" else package["name"]
        if (package["ecosystem"], name) in names and "withdrawn" not in record:
            ranges = [span for span in place.get("ranges", ()) if span["type"] != "GIT"]
            versions = [] if ranges else place.get("versions", [])
            places.append({"package": package, "ranges": ranges, "versions": versions})
    return {
        "id": record["id"],
        "aliases": record.get("aliases", []),
        "summary": summary[:200],
        "affected": places,
    }


def _ask(path: str, body: object = None) -> dict[str, Any]:
    sent = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(OSV + path, sent, headers)  # noqa: S310 -- OSV's own address
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 -- the same
        found: dict[str, Any] = json.load(answer)
    return found


def main() -> int:
    """Check, or renew; return 1 where something is affected or OSV cannot be reached."""
    snapshot, today = read_snapshot(), datetime.now(UTC).date()
    if sys.argv[1:] == ["renew"]:
        try:
            snapshot = renew(snapshot, today)
        except OSError as error:
            print(f"OSV cannot be reached: {error}", file=sys.stderr)
            return 1
        SNAPSHOT.write_text(json.dumps(snapshot, indent=1, ensure_ascii=False) + "\n", "utf-8")
    problems = list(affected(snapshot, pinned(ROOT)))
    print(*problems, age_warning(snapshot, today), sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

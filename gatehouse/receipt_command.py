"""`gatehouse verify-receipt`: check a receipt offline, and say what it proves, and what not."""

import sys
from pathlib import Path
from typing import cast

import click
import msgspec

from tier_kit.catalogue import CatalogueError
from tier_kit.language import LANGUAGES, Language, terminal_language
from tier_kit.receipts import WORDS, tell_receipt
from tier_link.errors import InvitationMalformed, LinkError, ReceiptRefused
from tier_link.invitations import FINGERPRINT_SIZE, parse_link
from tier_link.receipts import MAX_FILE, OpenedReceipt, open_receipt
from tier_link.retired_keys import open_retired_keys


class _Root(click.ParamType[bytes]):
    """A root's fingerprint: 64 hex digits, or any link of the estate's, which carries it."""

    name = "fingerprint"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        if isinstance(value, bytes):
            return value
        text = str(value).strip()
        try:
            if "#" in text:
                return parse_link(text).invitation.fingerprint
            found = bytes.fromhex(text.replace(":", ""))
        except (InvitationMalformed, ValueError):
            found = b""
        if len(found) != FINGERPRINT_SIZE:
            self.fail("64 hex digits, or a link of the estate's", param, ctx)
        return found


@click.command("verify-receipt")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--root", type=_Root(), help="The estate's root: fingerprint, or one of its links.")
@click.option(
    "--retired",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The estate's signed list of retired keys.",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="Default: this terminal's.")
def verify_receipt(
    file: Path, root: bytes | None, retired: Path | None, language: str | None
) -> None:
    """Check a receipt offline, and say what it proves and what it does not.

    Exit status 0 where it is valid, 1 where it is not.
    """
    reader = cast("Language", language) if language else terminal_language()
    with file.open("rb") as source:
        data = source.read(MAX_FILE + 1)
    try:
        opened = open_receipt(data, root)
        if retired is not None:
            _refuse_retired(opened, retired)
    except LinkError as refused:
        click.echo(_refusal(reader, refused), err=True)
        sys.exit(1)
    for line in tell_receipt(msgspec.to_builtins(opened.receipt), reader):
        click.echo(line)
    listed = "retired-unknown" if retired is None else "retired-not"
    known = "root-unknown" if root is None else "root-right"
    click.echo()
    click.echo(WORDS.say(reader, "valid"))
    click.echo(WORDS.say(reader, "root", fingerprint=opened.fingerprint.hex()))
    for key in (known, listed, "proves", "proves-not"):
        click.echo(WORDS.say(reader, key))


def _refuse_retired(opened: OpenedReceipt, list_file: Path) -> None:
    with list_file.open("rb") as source:
        retired = open_retired_keys(source.read(MAX_FILE + 1), opened.fingerprint)
    if retired.ended(opened.key, opened.receipt.signed_at):
        raise ReceiptRefused("signed by a retired key", code="receipt-key-retired")


def _refusal(language: Language, refused: LinkError) -> str:
    try:
        reason = WORDS.say(language, f"reasons.{refused.code}")
    except CatalogueError:
        reason = refused.code
    return WORDS.say(language, "refused", reason=reason)

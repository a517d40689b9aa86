"""`gatehouse verify-form`: compare the forms that a cloud serves with those that are built here."""

import ssl
import sys
from pathlib import Path
from typing import cast

import click
import httpx

from gatehouse.served_forms import TIMEOUT_S, NotServed, built_files, compare
from tier_kit.catalogue import Catalogue
from tier_kit.language import LANGUAGES, Language, terminal_language
from tier_kit.pages import PagesNotBuilt


@click.command("verify-form")
@click.argument("address", required=False)
@click.option(
    "--authority",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM file of the authority that certified the address; default: the system's.",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="Default: this terminal's.")
def verify_form(address: str | None, authority: Path | None, language: str | None) -> None:
    """Compare the forms at ADDRESS, a link of an estate's, with what is built here.

    The part behind the # is not sent. Without ADDRESS, print the SHA-256 of each file built here.
    Exit status 0 where all is the same, 1 where something differs, 2 where nothing can be compared.
    """
    reader = cast("Language", language) if language else terminal_language()
    words = Catalogue.load("gatehouse")

    def say(key: str, **values: object) -> None:
        click.echo(words.say(reader, f"verify-form.{key}", **values))

    try:
        if address is None:
            for name, sha256 in built_files().items():
                click.echo(f"{sha256}  {name}")
            return
        differ = 0
        trust = ssl.create_default_context(cafile=str(authority) if authority else None)
        with httpx.Client(timeout=TIMEOUT_S, verify=trust) as http:
            for one in compare(http, address):
                say("same" if one.same else "differs", name=one.name, sha256=one.built)
                differ += not one.same
    except (NotServed, PagesNotBuilt) as failed:
        say("failed", why=str(failed))
        sys.exit(2)
    say("all-differs" if differ else "all-same", count=differ)
    if not differ:
        say("limit")
    sys.exit(1 if differ else 0)

"""`gatehouse server change-master-key`."""

import os
from typing import Final

import click

from community_server.errors import ServerError
from community_server.settings import Settings
from community_server.vault.changing import change_in
from community_server.vault.master_key import choose_source
from tier_kit.settings import ConfigurationRefused
from tier_link.errors import LinkError

NEW_PASSPHRASE_VARIABLE: Final = "GATEHOUSE_SERVER_NEW_PASSPHRASE"  # noqa: S105 -- a name
"""Where programs put a new passphrase; people are asked for it, twice."""


@click.command("change-master-key")
@click.option("--to", help="Where the new key is to be, as `master_key` names it; default: as now.")
def change_master_key(to: str | None) -> None:
    """Give the vault another master key, while the server is stopped."""
    try:
        settings = Settings.read()
        wanted = to or settings.master_key
        change_in(settings, choose_source(wanted, settings.data / "vault", _ask_new))
    except (ServerError, ConfigurationRefused, LinkError) as error:
        raise click.ClickException(f"{error} [{error.code}]") from error
    click.echo("The vault has another master key; the one before opens nothing any more.")
    if wanted != settings.master_key:
        click.echo(f"Set master_key = '{wanted}' in [server] before you start the server.")


def _ask_new() -> str:
    if given := os.environ.get(NEW_PASSPHRASE_VARIABLE, ""):
        return given
    return str(click.prompt("The new passphrase", hide_input=True, confirmation_prompt=True))

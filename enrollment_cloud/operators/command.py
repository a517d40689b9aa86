"""`gatehouse cloud add-group …`: property groups and operators, made by whoever has the machine."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment_cloud.clock import unix_now
from enrollment_cloud.database import Database
from enrollment_cloud.operators import accounts
from enrollment_cloud.operators.tables import Operator, PropertyGroup
from tier_kit.forms.errors import FormRefused, NotFound

OpenDatabase: TypeAlias = Callable[[], Database]


def add_commands(to: click.Group, open_database: OpenDatabase) -> None:
    """Add the commands to `gatehouse cloud`."""

    @to.command("add-group")
    @click.argument("name")
    def add_group(name: str) -> None:
        """Register the property group NAME and print its id."""
        with open_database().write.begin() as session, _explained():
            click.echo(accounts.add_group(session, name, unix_now()).id)

    @to.command("add-operator")
    @click.argument("name")
    @click.option("--group", help="Id of their property group; without it, of the provider.")
    def add_operator(name: str, group: str | None) -> None:
        """Make an account for NAME and print the key, which is shown once."""
        with open_database().write.begin() as session, _explained():
            issued = accounts.add_operator(session, name, group, unix_now())
        click.echo(f"Operator: {issued.operator}")
        click.echo(f"Key:      {issued.key}")
        click.echo("They sign in with it at /operator. It is stored nowhere and not shown again.")

    @to.command()
    def operators() -> None:
        """List groups and operators, a line of JSON each."""
        with open_database().read() as session:
            for facts in _everybody(session):
                click.echo(json.dumps(facts, ensure_ascii=False))

    @to.command("revoke-operator")
    @click.argument("operator")
    def revoke_operator(operator: str) -> None:
        """End OPERATOR's account and sessions."""
        with open_database().write.begin() as session, _explained():
            accounts.revoke_operator(session, operator, unix_now())
        click.echo(f"{operator} is revoked.")


def _everybody(session: Session) -> Iterator[dict[str, str | None]]:
    for group in session.scalars(select(PropertyGroup).order_by(PropertyGroup.id)):
        yield {"group": group.id, "name": group.name}
    for one in session.scalars(select(Operator).order_by(Operator.created_at, Operator.id)):
        state = "active" if one.revoked_at is None else "revoked"
        yield {"operator": one.id, "name": one.name, "group": one.group_id, "state": state}


@contextmanager
def _explained() -> Iterator[None]:
    """Turn a refusal into a sentence."""
    try:
        yield
    except NotFound as error:
        raise click.ClickException("there is no group or operator of that id") from error
    except FormRefused as error:
        raise click.ClickException("a name has 1 to 100 characters") from error

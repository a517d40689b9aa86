"""The `gatehouse` command: one group per tier, loaded only when named."""

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import click

_SUBCOMMANDS = {
    "cloud": ("enrollment_cloud.command", "cloud", "The public forms and the relay (tier 1)."),
    "server": ("community_server.command", "server", "The estate's own server (tier 2)."),
    "door": ("door_terminal.command", "door", "The unit at a gate (tier 3)."),
    "models": ("gatehouse.models_command", "models", "Fetch, list and verify face models."),
    "evaluate": (
        "gatehouse.evaluate_command",
        "evaluate",
        "Measure the face engine on a folder of photos.",
    ),
    "evaluate-liveness": (
        "gatehouse.evaluate_liveness_command",
        "evaluate_liveness",
        "Measure how faces are told from pictures of faces.",
    ),
    "threshold": (
        "gatehouse.threshold_command",
        "threshold",
        "Explain what an error budget asks of the doors.",
    ),
    "bench": ("gatehouse.bench_command", "bench", "Time the face models on this machine."),
    "demo": ("gatehouse.demo_command", "demo", "All three tiers on this machine."),
    "verify-receipt": (
        "gatehouse.receipt_command",
        "verify_receipt",
        "Check what an estate states that it has destroyed.",
    ),
    "verify-form": (
        "gatehouse.form_command",
        "verify_form",
        "Compare the forms that a cloud serves with those built here.",
    ),
    "doctor": ("gatehouse.doctor_command", "doctor", "Say what this machine lacks."),
}


class _LazyGroup(click.Group):
    """Keeps `gatehouse door` from importing a web console it has not installed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _SUBCOMMANDS:
            return None
        module_name, attribute, _ = _SUBCOMMANDS[cmd_name]
        try:
            with _collector_at_rest():
                module = importlib.import_module(module_name)
        except ModuleNotFoundError as missing:
            raise click.ClickException(
                f"'gatehouse {cmd_name}' needs the Python package '{missing.name}', "
                f"which is not installed here. Install this tier's extra, "
                f"for instance: pip install 'gatehouse-access[{cmd_name}]'",
            ) from missing
        return cast("click.Command", getattr(module, attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _SUBCOMMANDS.items()])


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Import without the garbage collector, which finds nothing in modules that are to stay.

    It takes an eighth of a server's start, and later would walk what was imported each time again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gatehouse-access", prog_name="gatehouse")
def main() -> None:
    """Face access control for residential communities."""

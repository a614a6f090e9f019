"""The command line: `mmbio VERB`. Verbs are loaded when named, libraries inside commands."""

import copy
import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import click

from mmbio import __version__

VERBS: Final = (
    *("download", "datasets", "build-virtual", "extract", "train", "eval", "reproduce", "attention", "corrupt"),
    *("audit", "tables", "report", "import", "metrics", "compare", "score", "purge", "doctor"),
)
MODULES: Final = {"import": "import_"}  # where the verb is a word of Python
# Names in the context that all commands share.
TYPED: Final = "mmbio.typed"
VERBOSE: Final = "mmbio.verbose"
RUN: Final = "mmbio.run"


def _loud(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Remember -v, whether it stands before the verb or after it."""
    if value:
        ctx.meta[VERBOSE] = True
        if (run := ctx.meta.get(RUN)) is not None:
            run.verbose = True


verbose: Final = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=_loud,
    help="What libraries warn of, and what is going on, on stderr.",
)


class Verbs(click.Group):
    """Loads each verb's module on demand, and runs it with a log, in which a mistake is one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"mmbio.cli.{MODULES.get(cmd_name, cmd_name.replace('-', '_'))}")
        command: click.Command = copy.copy(module.command)
        assert command.callback is not None
        command.params = list(command.params)
        command.callback = _announced(cmd_name, command.callback)
        return verbose(command)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[TYPED] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            from mmbio.cli.running import Run

            with Run(ctx.meta[TYPED], VERBOSE in ctx.meta) as run:
                ctx.meta[RUN] = run
                return super().invoke(ctx)
        except KeyboardInterrupt:  # so early that nobody listened
            click.echo("stopped; nothing was begun\nrun the same command again to go on", err=True)
            ctx.exit(130)


def _announced(verb: str, callback: Callable[..., Any]) -> Callable[..., Any]:
    """A verb's function that first says what is about to run, where a run goes on around it."""

    @wraps(callback)
    def run(**given: Any) -> Any:
        around = click.get_current_context().meta.get(RUN)
        if around is not None:
            around.verb(verb, given)
        return callback(**given)

    return run


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mmbio")
@verbose
def main() -> None:
    """A benchmark for multimodal biometrics: from samples to the papers' tables, with error bars.

    \b
    Everyday use, in this order; each step does what is missing before it:
      mmbio build-virtual
      mmbio train --fusion attention
      mmbio eval --noise face=0.97
      mmbio tables

    \b
    Face and voice verification is the other protocol:
      mmbio train --protocol audiovisual --fusion attention
      mmbio eval --protocol audiovisual --noise voice=random
      mmbio attention

    \b
    Your own embeddings and scores:
      mmbio import --modality face=FILE --modality voice=FILE --out mine
      mmbio metrics scores.csv

    \b
    Real data, and whether all is well:
      mmbio datasets
      mmbio download ecg-id --to data
      mmbio doctor
    """

"""The command line: `mmbio VERB`. Verbs are loaded when named, libraries inside commands."""

import importlib
import sys
from typing import Final

import click

from mmbio import __version__
from mmbio.errors import MmbioError

VERBS: Final = (
    *("download", "build-virtual", "extract", "train", "eval", "reproduce", "attention", "corrupt"),
    *("audit", "tables", "report", "import", "metrics", "compare", "score"),
)
MODULES: Final = {"import": "import_"}  # where the verb is a word of Python


class Verbs(click.Group):
    """Loads each verb's module on demand and shows a user's mistake as one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"mmbio.cli.{MODULES.get(cmd_name, cmd_name.replace('-', '_'))}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except MmbioError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(2)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mmbio")
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
    """

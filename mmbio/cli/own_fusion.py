"""The option by which a user lets a fusion class of their own be imported, where a file names it."""

from typing import Final

import click

from mmbio.errors import MmbioError


def _allow(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> None:  # noqa: ARG001
    for name in value:
        if ":" not in name:
            raise MmbioError(
                f"--fusion {name}: here it only names a class of your own, as package.module:Class; leave it out"
            )
    if value:
        from mmbio.fuse import fusions

        for name in value:
            fusions.allow(name)


own_fusion: Final = click.option(
    "--fusion",
    "own_fusions",
    multiple=True,
    metavar="MODULE:CLASS",
    callback=_allow,
    expose_value=False,
    help="A fusion class of your own: it is imported, and so its code run, only where you name it. Repeatable.",
)

"""mmbio doctor."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from mmbio.cli import options

if TYPE_CHECKING:
    from mmbio.cli.findings import Finding

COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@click.command("doctor", short_help="Check the installation and this machine, and say what to do.")
@click.option("--data", metavar="ROOT", help="Folder with the public sets.  [default: $MMBIO_DATA]")
@options.out
@options.as_json
@options.quiet
def command(data: str | None, out: str | None, as_json: bool, quiet: bool) -> None:
    """Check the installation and this machine, and say what to do.

    Looks at Python and the libraries, whether torch and torchvision fit, extras and weights, the processor, threads,
    memory, disk, locks and the proxy, computes a batch of vectors, and reads the sets at the data root: which are
    there, whole by names and sizes, and readable. Changes nothing, fetches nothing. Ends with exit code 1 where
    something does not work, 0 otherwise.

    \b
    Examples:
      mmbio doctor
      mmbio doctor --data data
      mmbio doctor --json
    """
    from mmbio.cli import checks_data
    from mmbio.cli.checks_installed import installed
    from mmbio.cli.checks_machine import machine

    findings = [*installed(), *machine(out), *checks_data.data(data)]
    failed = sum(finding.state == "fail" for finding in findings)
    if as_json:
        checks = [
            {"check": found.check, "state": found.state, "found": found.found, "cure": found.cure} for found in findings
        ]
        click.echo(json.dumps({"ok": not failed, "checks": checks}))
    elif not quiet:
        _show(findings)
    if failed:
        click.get_current_context().exit(1)


def _show(findings: "Sequence[Finding]") -> None:
    """A table, the cure below what was found, and how many checks went well."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 1), show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in findings:
        found = Text(one.found)
        if one.cure:
            found.append(f"\n-> {one.cure}", style="bold")
        table.add_row(Text(one.state, style=COLOURS[one.state]), one.check, found)
    console.print(table)
    n = {state: sum(one.state == state for one in findings) for state in COLOURS}
    end = "mmbio works here" if not n["fail"] else "mend these first"
    console.print(Text(f"{n['ok']} ok, {n['warn']} to look at, {n['fail']} failed: {end}"))

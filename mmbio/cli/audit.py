"""mmbio audit."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.protocols import PROTOCOLS

if TYPE_CHECKING:
    from mmbio.data.manifest import Manifest
    from mmbio.measure.leaks.audit import Audit
    from mmbio.measure.trials import Trials

OF_TRIALS: Final = ("trials", "strip_suffix", "missing_trials")
COLOURS: Final = {"leak": "bold red", "by design": "yellow", "not known": "cyan", "none": "green"}


@click.command("audit", short_help="Find what training and test share.")
@options.protocol
@options.manifest
@click.option(
    "--trials", metavar="FILE", help="Trial list by ids, '1 a b', 'a b target' or CSV.  [default: the manifest's]"
)
@click.option("--strip-suffix", metavar="SUFFIX", help="Taken off the ids of list and data before they are compared.")
@click.option("--missing-trials", type=click.Choice(["error", "skip"]), default="error", show_default=True,
              help="Trials of ids that are not known: refuse, or leave them out and count them.")  # fmt: skip
@click.option("--near", type=float, default=0.999, show_default=True,
              help="Cosine from which two vectors, less the mean of all, count as near-identical.")  # fmt: skip
@click.option("--extract", is_flag=True, help="Make the vectors that are not there yet; beats are cut from records.")
@click.option("--verify", is_flag=True, help="Read every file again and compare its content with the manifest's.")
@click.option("--strict", is_flag=True, help="Exit with code 1 where there is a leak.")
@options.extraction
@options.out
@options.as_json
@options.quiet
def command(
    protocol: str,
    manifest: str | None,
    trials: str | None,
    strip_suffix: str | None,
    missing_trials: str,
    near: float,
    extract: bool,
    verify: bool,
    strict: bool,
    backbone_weights: str,
    precision: str,
    device: str,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Find what training, tuning and test share, and what is wrong with trials, of any manifest or trial list.

    For each modality: source files, beats, sessions and people on both sides, identical files, near-identical
    vectors of different subjects; for trials: shared files and sessions, duplicates, untrue labels. Each finding is
    a leak, by design, not known, or none. Writes audit.json and audit.txt. The exit code is 0 also where a leak is
    found; with --strict it is then 1.

    \b
    Examples:
      mmbio audit
      mmbio audit --manifest runs/manifests/multitask-record-quick-4a991f32 --extract --strict
      mmbio audit --protocol audiovisual --trials veri_test2.txt --strip-suffix .wav
    """
    from mmbio.cli.progress import progress
    from mmbio.files import write_json, write_text
    from mmbio.measure.leaks.audit import audit

    options.only_for(PROTOCOLS[protocol], {"audiovisual": OF_TRIALS})
    if not 0 < near <= 1:
        raise MmbioError(f"--near {near:g}: expected a cosine above 0 and at most 1, such as 0.999")
    if strip_suffix and trials is None:
        raise MmbioError(f"--strip-suffix {strip_suffix}: is for the ids of a list; add --trials, or leave it out")
    settings = options.settings(out, backbone_weights, precision, device)
    found = options.open_manifest(manifest, protocol, settings.home, quiet or as_json)
    options.check_extraction(found, settings)
    listed = _listed(found, trials, strip_suffix, missing_trials == "skip")
    with progress(quiet or as_json) as report:
        told = audit(found, settings, listed, near=near, extract=extract, verify=verify, report=report)
    folder = settings.home / "audits" / found.hash[:8]
    write_json(folder / "audit.json", told.to_json())
    write_text(folder / "audit.txt", "\n".join(told.lines()) + "\n")
    if as_json:
        click.echo(json.dumps(told.to_json()))
    elif not quiet:
        _show(told)
        click.echo(f"written: {folder} (audit.json, audit.txt)")
    if strict and told.leaks:
        sys.exit(1)


def _listed(found: "Manifest", path: str | None, suffix: str | None, skip: bool) -> "Trials | None":
    """The trials of a user's list, None for the manifest's own; ids that are not known are shown unless skipped."""
    if path is None:
        return None
    from mmbio.data import trial_lists
    from mmbio.measure.leaks.audit import listed

    asked = trial_lists.read(Path(path))
    trials = listed(found, asked, f"list {Path(path).name}", suffix)
    known = (trials.enrolment >= 0) & (trials.probe >= 0)
    if not known.any() or not (skip or known.all()):
        ids = found.items["id"].to_numpy(str)
        raise trial_lists.not_found(ids, asked, trials.enrolment, trials.probe, f"--trials {path}")
    return trials


def _show(told: "Audit") -> None:
    """A table of every check, the verdict in sentences, and remarks, as wide as the terminal or $COLUMNS, else 80."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from mmbio.measure.leaks.audit import HEADER

    console = Console(highlight=False)
    console.print(Text(told.head()))
    table = Table(*HEADER, box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for column in table.columns[3:5]:
        column.justify = "right"
    for column in table.columns[3:]:
        column.no_wrap = True
    for cells in told.rows():
        *first, kind = cells
        table.add_row(*first, Text(kind, COLOURS[kind]))
    console.print()
    console.print(table)
    console.print()
    grid = Table.grid(padding=(0, 1, 0, 0))
    for line in told.verdict():
        kind, _, says = line.partition(": ")
        grid.add_row(Text(kind, COLOURS.get(kind, "green")), Text(says))
    console.print(grid)
    for line in told.remarks():
        console.print(Padding(Text(line.strip()), (0, 0, 0, 2 if line.startswith(" ") else 0)))

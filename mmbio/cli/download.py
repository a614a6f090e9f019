"""mmbio download."""

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.words import plural

if TYPE_CHECKING:
    from mmbio.data.fetch.dataset import Dataset
    from mmbio.data.fetch.whence import Options

_LOG: Final = logging.getLogger(__name__)


@click.command("download", short_help="Put data sets where mmbio finds them.")
@click.argument("names", metavar="SET...", nargs=-1, required=True)
@click.option(
    "--to",
    metavar="DIR",
    help="Data root to put sets in; of synthetic: the root itself."
    "  [default: $MMBIO_DATA, else the home folder's data; of synthetic: the home folder's data/synthetic]",
)
@click.option("--from", "source", metavar="DIR_OR_ARCHIVE", help="Take the set from here: verify, unpack and place it.")
@click.option("--mirror", metavar="URL", help="Fetch from this address instead of the set's own; hashes still hold.")
@click.option("--dry-run", is_flag=True, help="List files, sizes and free space; write nothing.")
@click.option(
    "--jobs", type=click.IntRange(1, 32), default=4, show_default=True, help="Files that are fetched at a time."
)
@click.option("--keep-archives", is_flag=True, help="Keep archives once they are unpacked.")
@options.seed
@options.out
@options.as_json
@options.quiet
def command(
    names: tuple[str, ...],
    to: str | None,
    source: str | None,
    mirror: str | None,
    dry_run: bool,
    jobs: int,
    keep_archives: bool,
    seed: int,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Put data sets where mmbio finds them.

    SET is a name that `mmbio datasets` lists, or `synthetic`: small sets of simulated ECGs, drawn faces and grown
    fingerprints in the real sets' own layouts, made on this machine without a network. The other verbs make that
    one by themselves where no other data is named.

    A download that was cut or ended goes on where it was when the same command is run again. Each file is
    compared with the hash that the set's owners publish; where there is none, with the first that came, which
    mmbio-lock.json at the data root remembers. A set behind a form or a licence that is not here prints the steps
    to it, and the exit code is 1, with --dry-run too, since such a command puts nothing in place.
    HTTPS_PROXY and NO_PROXY are heeded.

    \b
    Examples:
      mmbio download ecg-id faces94 fvc2002 --to data
      mmbio download librispeech-dev-clean --dry-run
      mmbio download fvc2006 --from Downloads/fvc2006
      mmbio download synthetic --to synthetic-root --seed 1
    """
    from mmbio.data.fetch.whence import Options

    sets = [_dataset(name) for name in dict.fromkeys(name.casefold() for name in names)]
    _check(sets, to, source, mirror)
    if sets == [None]:
        _synthetic(to, seed, out, dry_run, as_json, quiet)
        return
    root, home = _root(to, out, dry_run), Path(out or os.environ.get("MMBIO_HOME") or "runs")
    wanted = Options(mirror, jobs, keep_archives)
    absent = False
    for dataset in sets:
        if dataset is None:
            _synthetic(None, seed, out, dry_run, as_json, quiet)
        elif source is not None:
            _place(dataset, Path(source), root, home, dry_run, as_json, quiet)
        elif dataset.steps:
            absent |= not _given(dataset, root, dry_run, as_json, quiet)
        elif dry_run:
            _plan(dataset, root, wanted, as_json, quiet)
        else:
            _fetch(dataset, root, home, wanted, as_json, quiet)
    if absent:
        click.get_current_context().exit(1)


def _dataset(name: str) -> "Dataset | None":
    """A set of the catalogue by its name, None for synthetic."""
    import difflib

    from mmbio.data.fetch.catalogue import CATALOGUE

    if name == "synthetic":
        return None
    if name not in CATALOGUE:
        known = ["synthetic", *CATALOGUE]
        near = [other for other in known if other.startswith(name)] or difflib.get_close_matches(name, known, 1, 0.6)
        meant = f"; did you mean {' or '.join(near[:2])}" if near else ""
        raise MmbioError(f"SET {name}: no such set{meant}; choose from {', '.join(known)}")
    return CATALOGUE[name]


def _check(sets: "list[Dataset | None]", to: str | None, source: str | None, mirror: str | None) -> None:
    """Refuse options that would change nothing, or that one set alone can have."""
    from mmbio.data.fetch.addresses import mirror_of

    context = click.get_current_context()
    seeded = context.get_parameter_source("seed") is click.core.ParameterSource.COMMANDLINE
    for option, given in (("--from", source), ("--mirror", mirror)):
        if given is not None and (len(sets) > 1 or sets == [None]):
            raise MmbioError(f"{option} {given}: belongs to one set that is not synthetic; name it alone")
    if source is not None and mirror is not None:
        raise MmbioError("--from and --mirror: a set comes from one of them; leave the other out")
    if seeded and None not in sets:
        raise MmbioError("--seed: only synthetic is drawn; leave it out")
    if to is not None and None in sets and len(sets) > 1:
        raise MmbioError(f"--to {to}: synthetic takes a folder of its own; download it by itself")
    if mirror is not None:
        mirror_of(mirror)


def _root(to: str | None, out: str | None, dry_run: bool) -> Path:
    """The data root to put sets in."""
    from mmbio.data.sources import SIMULATED, SYNTHETIC
    from mmbio.files import home

    named = to or os.environ.get("MMBIO_DATA")
    if named and (to or named not in (SYNTHETIC, SIMULATED)):
        return Path(named)
    return (Path(out or os.environ.get("MMBIO_HOME") or "runs") if dry_run else home(out)) / "data"


def _synthetic(to: str | None, seed: int, out: str | None, dry_run: bool, as_json: bool, quiet: bool) -> None:
    from mmbio.cli.progress import progress
    from mmbio.data.sources import synthetic_root
    from mmbio.data.synthetic.root import ensure
    from mmbio.files import home

    if dry_run:
        where = str(to or synthetic_root(Path(out or os.environ.get("MMBIO_HOME") or "runs")))
        told = {"set": "synthetic", "root": where, "dry_run": True}
        _print([f"synthetic: made on this machine at {where}"], told, as_json, quiet)
        return
    root = Path(to) if to else synthetic_root(home(out))
    with progress(quiet or as_json) as report:
        made = ensure(root, seed, report)
    n_files = sum(1 for path in root.rglob("*") if path.is_file())
    line = f"{'written' if made else 'already there'}: {root} ({plural(n_files, 'file')}, seed {seed}, synthetic)"
    told = {"set": "synthetic", "root": str(root), "made": made, "seed": seed, "n_files": n_files}
    _print([line], told, as_json, quiet)


def _given(dataset: "Dataset", root: Path, dry_run: bool, as_json: bool, quiet: bool) -> bool:
    """Whether a set that nobody but its owners may give is here; the steps to what is not."""
    from mmbio.cli.download_words import gated, gated_json
    from mmbio.cli.progress import progress
    from mmbio.data.fetch.state import look

    with progress(quiet or as_json) as report:
        state = look(dataset, root, report=report)
    here = state.present and not state.faults
    told = gated_json(dataset, state, root) | ({"dry_run": True} if dry_run else {})
    _print(gated(dataset, state), told, as_json, quiet and here)
    return here


def _plan(dataset: "Dataset", root: Path, wanted: "Options", as_json: bool, quiet: bool) -> None:
    from mmbio.cli.download_words import already_placed, planned, planned_json
    from mmbio.cli.transfer_bars import transfer_bars
    from mmbio.data.fetch.get import placed_by_hand, plan

    n_placed = placed_by_hand(dataset, root)
    if n_placed:
        lines, told = already_placed(n_placed, dataset, root)
        _print(lines, told | {"dry_run": True}, as_json, quiet)
        return
    with transfer_bars(quiet or as_json) as (counts, _):
        found = plan(dataset, root, wanted, counts)
    _print(planned(found), planned_json(found), as_json, quiet)


def _fetch(dataset: "Dataset", root: Path, home: Path, wanted: "Options", as_json: bool, quiet: bool) -> None:
    from mmbio.cli.download_words import already_placed, ended, fetched, fetched_json
    from mmbio.cli.transfer_bars import transfer_bars
    from mmbio.data.fetch.get import get, placed_by_hand

    n_placed = placed_by_hand(dataset, root)
    if n_placed:
        _print(*already_placed(n_placed, dataset, root), as_json, quiet)
        return
    try:
        with transfer_bars(quiet or as_json) as (counts, amounts):
            got = get(dataset, root, wanted, counts, amounts)
    except KeyboardInterrupt:
        click.echo(ended(root / dataset.folder), err=True)
        raise
    _print(fetched(got, root), fetched_json(got, root), as_json, quiet)
    _warn_of_excluded(dataset, root, home)


def _place(dataset: "Dataset", source: Path, root: Path, home: Path, dry_run: bool, as_json: bool, quiet: bool) -> None:
    from mmbio.cli.download_words import placed_json, placed_lines
    from mmbio.cli.progress import progress
    from mmbio.data.fetch.place import place

    if dry_run:
        raise MmbioError("--dry-run and --from: what is given is looked at when it is placed; leave one of them out")
    with progress(quiet or as_json) as report:
        placed = place(dataset, source, root, report)
    told = placed_json(placed, dataset, root, source)
    _print(placed_lines(placed, dataset, root), told, as_json, quiet)
    _warn_of_excluded(dataset, root, home)


def _warn_of_excluded(dataset: "Dataset", root: Path, home: Path) -> None:
    """Say that files of people came whom `mmbio purge` took out of the home."""
    from mmbio.data import excluded
    from mmbio.purge import sources

    if dataset.reader is None or not (home / excluded.FILE).exists():
        return
    n = excluded.returned(home, sources.sets(root, dataset.reader))
    if n:
        _LOG.warning(
            "%s: people came whom mmbio purge excluded: %d; build-virtual leaves them out, purge removes them",
            dataset.name,
            n,
        )


def _print(lines: list[str], told: dict[str, Any], as_json: bool, quiet: bool) -> None:
    """Print lines, or one JSON object a set."""
    if as_json:
        click.echo(json.dumps(told))
    elif not quiet:
        click.echo("\n".join(lines))

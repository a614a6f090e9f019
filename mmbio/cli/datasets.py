"""mmbio datasets."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmbio.cli import options
from mmbio.errors import MmbioError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbio.data.fetch.dataset import Dataset
    from mmbio.data.fetch.state import State


@click.command("datasets", short_help="List the public sets, and which of them are here.")
@click.argument("name", metavar="[SET]", required=False)
@click.option(
    "--data",
    metavar="ROOT",
    help="Folder with the public sets.  [default: $MMBIO_DATA, else the home folder's data]",
)
@click.option("--verify", is_flag=True, help="Hash every file whose hash is known, not names and sizes alone.")
@options.out
@options.as_json
@options.quiet
def command(name: str | None, data: str | None, verify: bool, out: str | None, as_json: bool, quiet: bool) -> None:
    """List the public sets: what for, licence, size, how to get them, which are here and whole.

    Below the list stands which sets each paper needs together, what of them is here, and the commands to type next.
    SET is a name in that list; with it, its page: subjects by gender, citation (BibTeX), licence, address, the steps
    to it, where it is on this machine, and what of it is missing. Nothing is fetched or changed.

    \b
    Examples:
      mmbio datasets
      mmbio datasets ecg-id
      mmbio datasets --data data --verify --json
    """
    from mmbio.cli import datasets_words as words
    from mmbio.cli.datasets_papers import papers
    from mmbio.cli.progress import progress
    from mmbio.data.fetch.catalogue import CATALOGUE
    from mmbio.data.fetch.state import look

    wanted = [_named(name)] if name is not None else list(CATALOGUE.values())
    root = _root(data, out)
    with progress(quiet or as_json) as report:
        states = {dataset.name: look(dataset, root, verify=verify, report=report) for dataset in wanted}
    if as_json:
        told = [_told(dataset, states[dataset.name]) for dataset in wanted]
        click.echo(json.dumps(told[0] if name is not None else told))
    elif not quiet:
        if name is not None:
            lines = words.page(wanted[0], states[wanted[0].name])
        else:
            to = [] if data is None and out is None else ["--to", str(root)]
            lines = [*words.table(states), *papers(states, root, to), *words.end(states, root)]
        lines += _purged(wanted, states, root, Path(out or os.environ.get("MMBIO_HOME") or "runs"))
        click.echo("\n".join(lines))


def _purged(sets: "Sequence[Dataset]", states: "Mapping[str, State]", root: Path, home: Path) -> list[str]:
    """What to do after people were purged, where sets are here that they may have been in."""
    from mmbio.cli.datasets_papers import purged
    from mmbio.data import excluded
    from mmbio.purge import sources

    readers = {one.reader for one in sets if one.reader is not None and states[one.name].present}
    if not readers or not (home / excluded.FILE).exists():
        return []
    return purged(excluded.returned(home, [s for reader in readers for s in sources.sets(root, reader)]), root, home)


def _named(name: str) -> "Dataset":
    import difflib

    from mmbio.data.fetch.catalogue import CATALOGUE

    found = CATALOGUE.get(name.casefold())
    if found is None:
        near = [known for known in CATALOGUE if known.startswith(name.casefold())]
        near = near or difflib.get_close_matches(name.casefold(), CATALOGUE, 1)
        meant = f"; did you mean {' or '.join(near[:2])}" if near else ""
        raise MmbioError(f"SET {name}: no such set{meant}; choose from {', '.join(CATALOGUE)}")
    return found


def _root(data: str | None, out: str | None) -> Path:
    """The data root to look at, which need not be there unless it is named."""
    from mmbio.data.sources import SIMULATED, SYNTHETIC

    if data is not None and not Path(data).is_dir():
        raise MmbioError(f"--data {data}: no such folder; give the folder that holds the sets' folders")
    named = data or os.environ.get("MMBIO_DATA")
    if named and (data or named not in (SYNTHETIC, SIMULATED)):
        return Path(named)
    return Path(out or os.environ.get("MMBIO_HOME") or "runs") / "data"


def _told(dataset: "Dataset", state: "State") -> dict[str, Any]:
    """A set for --json: what the catalogue says of it, and what is here."""
    from mmbio.data.fetch.needed import papers_of

    here = {
        "folder": None if state.folder is None else str(state.folder),
        "present": state.present,
        "whole": state.whole,
        "checked": state.checked,
        "n_files": state.n_files,
        "size": state.size,
        "parts": list(state.parts),
        "n_parts": state.n_parts,
        "faults": list(state.faults),
        "notes": list(state.notes),
        "subjects": None if state.subjects is None else asdict(state.subjects),
    }
    return {
        "set": dataset.name,
        "title": dataset.title,
        "modalities": list(dataset.modalities),
        "purpose": dataset.purpose,
        "papers": list(papers_of(dataset.name)),
        "licence": dataset.licence,
        "size": dataset.size,
        "subjects": asdict(dataset.subjects),
        "page": dataset.page,
        "base": dataset.base,
        "steps": list(dataset.steps),
        "citation": dataset.citation,
        "here": here,
    }

"""Words: the table of the public sets and the page of one, fit for 80 columns."""

import shutil
import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

import click

from mmbio.data.fetch.catalogue import CATALOGUE
from mmbio.data.fetch.dataset import Dataset, Subjects
from mmbio.data.fetch.space import amount
from mmbio.data.fetch.state import State
from mmbio.words import plural

NARROW: Final = 80
WIDE: Final = 100
COLUMNS: Final = "{:27} {:>24} {:>7}  {:8} {}"


def table(states: Mapping[str, State]) -> list[str]:
    """Two lines a set below each modality: its figures, and what it is for and under which licence."""
    lines = [click.style(COLUMNS.format("set", "subjects", "size", "got by", "here"), bold=True)]
    ordered = sorted(CATALOGUE.values(), key=lambda dataset: sorted(dataset.modalities))
    for modalities, group in groupby(ordered, key=lambda dataset: " and ".join(sorted(dataset.modalities))):
        lines += ["", click.style(modalities, bold=True)]
        for dataset in group:
            lines += _row(dataset, states[dataset.name])
    return lines


def end(states: Mapping[str, State], root: Path) -> list[str]:
    """How many sets are here, and where to read on."""
    n_here = sum(state.present for state in states.values())
    n_whole = sum(state.whole for state in states.values())
    checked = "by name and size" if not any(s.checked.startswith("the hashes") for s in states.values()) else "by hash"
    n = len(states)
    return [
        "",
        f"{root}: {n_here} of {n} sets are here, {n_whole} whole {checked}",
        "one set: mmbio datasets SET    to get one: mmbio download SET",
    ]


def page(dataset: Dataset, state: State) -> list[str]:
    """All that is known of a set."""
    facts = [
        ("what for", dataset.purpose),
        ("modality", ", ".join(dataset.modalities)),
        ("subjects", _people(dataset.subjects) or "not published"),
        ("size", _size(dataset)),
        ("licence", dataset.licence),
        ("page", dataset.page),
        *([("from", dataset.base)] if not dataset.steps else []),
        ("verified", _hashes(dataset)),
        ("here", where(state)),
        *(("", part) for part in state.parts),
        *([("", f"{_people(state.subjects)} in it")] if state.subjects else []),
        *(("fault", fault) for fault in state.faults),
        *(("note", note) for note in state.notes),
    ]
    lines = [click.style(f"{dataset.title} ({dataset.name})", bold=True), ""]
    for key, text in facts:
        lines += wrapped(text, f"  {key:9} ", " " * 12)
    if not state.whole:
        lines += ["", "To get it:", *steps(dataset)]
    lines += ["", "To cite it:"]
    return [*lines, *(f"  {line}" for line in dataset.citation.splitlines())]


def _row(dataset: Dataset, state: State) -> Iterator[str]:
    figures = (_people(state.subjects or dataset.subjects), _size(dataset), "by hand" if dataset.steps else "download")
    yield COLUMNS.format(dataset.name, *figures, _here(state)).rstrip()
    for line in wrapped(f"{dataset.purpose}; {dataset.licence}", " " * 2, " " * 2):
        yield click.style(line, dim=True)


def _here(state: State) -> str:
    if not state.present:
        return "-"
    if state.whole:
        return click.style("whole", "green")
    if state.faults:
        return click.style("not whole", "red")
    return click.style(f"{len(state.parts)} of {state.n_parts}", "yellow")


def where(state: State) -> str:
    """In which folder a set is, how much of it, and how that was seen."""
    if not state.present:
        return "no"
    parts = "" if len(state.parts) == state.n_parts else f", {len(state.parts)} of {state.n_parts} parts"
    how = "not whole" if state.faults else f"whole by {state.checked}"
    return f"{state.folder} ({plural(state.n_files, 'file', spec=',')}, {amount(state.size)}{parts}; {how})"


def _size(dataset: Dataset) -> str:
    return "-" if dataset.size is None else amount(dataset.size)


def _people(subjects: Subjects | None) -> str:
    if subjects is None or subjects.n is None:
        return ""
    by_gender = (
        "" if subjects.female is None or subjects.male is None else f" ({subjects.female:,} F, {subjects.male:,} M)"
    )
    if subjects.noun == "subject":
        return f"{subjects.n:,}{by_gender}"
    return plural(subjects.n, subjects.noun, spec=",") + by_gender


def _hashes(dataset: Dataset) -> str:
    if dataset.sums:
        return f"every file by the set's own {dataset.sums}"
    known = [file for file in (*dataset.files, *dataset.archives) if file.hash]
    if known and len(known) == len(dataset.files):
        return "every file by its published hash"
    if known:
        return f"{', '.join(file.path for file in known)} by published hashes; all else on first use"
    return "on first use: no hashes are published, so the first copy is recorded and compared with ever after"


def steps(dataset: Dataset) -> list[str]:
    """The numbered steps to a set, or the command that fetches it."""
    if not dataset.steps:
        return [f"  mmbio download {dataset.name}"]
    return [
        line for number, step in enumerate(dataset.steps, start=1) for line in wrapped(step, f"  {number}. ", " " * 5)
    ]


def width() -> int:
    """Columns of the terminal, from 80 to 100."""
    return max(NARROW, min(WIDE, shutil.get_terminal_size((WIDE, 24)).columns))


def wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    """A text in lines of the terminal's width, from 80 to 100 columns; `first` and `rest` begin them."""
    return textwrap.wrap(
        text, width() - 1, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )

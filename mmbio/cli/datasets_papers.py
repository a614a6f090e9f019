"""Words: which sets each paper needs together, which of them are here, and what to type next, fit for 80 columns."""

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Final

import click

from mmbio.cli.datasets_words import width, wrapped
from mmbio.cli.download_words import SYNTHETIC, TABLES, modalities, tables_on
from mmbio.data.fetch.catalogue import CATALOGUE
from mmbio.data.fetch.needed import PAPERS, Standing, standing
from mmbio.data.fetch.state import State
from mmbio.protocols import PROTOCOLS

KEY: Final = 9  # columns of a line's first word
INDENT: Final = " " * (KEY + 3)


def papers(states: Mapping[str, State], root: Path, to: Sequence[str]) -> list[str]:
    """A part for each paper; `to` are the words that put a download at this root."""
    lines = ["", click.style("what each paper needs together", bold=True)]
    for protocol, needs in PAPERS.items():
        lines += ["", click.style(protocol, bold=True)]
        all_of_it = [standing(need, states) for need in needs]
        for one in all_of_it:
            lines += wrapped(_told(one, states), _head(one.need.modality), INDENT)
        lines += _next(protocol, all_of_it, root, to)
    return lines


def purged(n_here: int, root: Path, home: Path) -> list[str]:
    """What to do after mmbio purge excluded people from a home, files of `n_here` of whom are at the root."""
    if n_here:
        told = [f"files of {n_here} of them are here; they are removed by:"]
        command = typed(["mmbio", "purge", "SET:NAME", "--data", str(root)])
    else:
        told = [
            "none of them is here. Sets may not be whole without their files, as it should be; fetching or placing"
            " such a set again would bring them back. What was made on them is made anew by:"
        ]
        runs = [_run(name, root, {*modalities(root)}) for name in PAPERS]
        command = [line for words in runs if words for line in typed(words)]
    lines = wrapped(f"mmbio purge excluded people from {home}: no new manifest takes them, and {told[0]}")
    return ["", *lines, *command]


def typed(words: Sequence[str], first: str = "  ", rest: str = "    ") -> list[str]:
    """A command in lines of the terminal's width, each but the last with the backslash that lets a shell go on.

    An option and its value stay together.
    """
    quoted = [shlex.quote(word) for word in words]
    starts = [i for i in range(len(words)) if i == 0 or not words[i - 1].startswith("--")]
    lines, line = [], first
    for start, end in pairwise([*starts, len(words)]):
        piece = " ".join(quoted[start:end])
        if start and len(line) + len(piece) + 2 > width():
            lines.append(f"{line}\\")
            line = rest
        line += f"{piece} "
    return [*lines, line.rstrip()]


def _told(one: Standing, states: Mapping[str, State]) -> str:
    own = ", ".join(f"{name} {_state(states[name])}" for name in one.need.own)
    instead = ", ".join(f"{name} {_state(states[name])}" for name in one.instead)
    return own + (f"; here in their place: {instead}" if one.absent and instead else "")


def _state(state: State) -> str:
    if not state.present:
        return "missing"
    return "whole" if state.whole else "not whole" if state.faults else f"{len(state.parts)} of {state.n_parts}"


def _next(protocol: str, found: Sequence[Standing], root: Path, to: Sequence[str]) -> Iterator[str]:
    """The commands: what is fetched, what a user asks its owners for, what is faulty, and the tables."""
    lacking = _once(name for one in found for name in (*one.absent, *one.partial))
    fetched = [name for name in lacking if not CATALOGUE[name].steps]
    if fetched:
        yield from _line("get", ["mmbio", "download", *fetched, *to])
    for name in lacking:
        if CATALOGUE[name].steps:
            yield from _line("steps", ["mmbio", "download", name, *to])
    unusable = [one.need for one in found if not one.usable]
    if any(need.free for need in unusable):
        free = (need.free or [name for name in need.own if not CATALOGUE[name].steps][:1] for need in unusable)
        yield from _line("or get", ["mmbio", "download", *_once(chain(*free)), *to])
    for name in _once(name for one in found for name in one.faulty):
        yield from _line("look at", ["mmbio", "datasets", name, *_data(root)])
    here = {*modalities(root)}
    if not here & set(PROTOCOLS[protocol].modalities):
        yield from _line("synthetic", ["mmbio", "tables", *TABLES[protocol]])
    elif run := _run(protocol, root, here):
        yield from _line("run", run)
        if any(one.absent or one.partial for one in found):
            yield from wrapped("the smallest set decides how many subjects that is", INDENT, INDENT)


def _run(protocol: str, root: Path, here: Collection[str]) -> list[str]:
    """The command that makes a paper's tables on what is here; empty where that is nothing, or too little."""
    which = PROTOCOLS[protocol]
    enough = all(m in here or m in SYNTHETIC for m in which.modalities) and any(m in here for m in which.modalities)
    return shlex.split(tables_on(which, root, here)) if enough else []


def _line(key: str, words: Sequence[str]) -> list[str]:
    return typed(words, _head(key), INDENT)


def _head(key: str) -> str:
    return f"  {key:{KEY}} "


def _data(root: Path) -> list[str]:
    return ["--data", str(root)]


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))

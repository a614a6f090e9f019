"""Remove: people taken out of a home so that a kill at any moment leaves what the same command finishes.

A journal with their marks is written first and removed last, after the proof; in between each thing goes in one step.
"""

import csv
import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmbio.data import excluded, vector_sets
from mmbio.data.numpy_files import mapped
from mmbio.errors import MmbioError
from mmbio.files import alone, locked, read_json, replacing, write_json
from mmbio.purge import aside, made, order, person, proof, sources, traces
from mmbio.purge import marks as marks_of
from mmbio.purge.marks import Marks
from mmbio.purge.person import Person
from mmbio.purge.proof import JOURNAL, LOCK, Proof
from mmbio.purge.search import Search
from mmbio.purge.sources import Unread
from mmbio.purge.traces import Thing, Traces

REAL = (False,)  # of the kinds of people who are excluded
ROUNDS = 5  # a run that was at work may write once more what it had begun


@dataclass(frozen=True)
class Plan:
    """Who goes, and what of a home and of a data root, where one is named."""

    home: Path
    asked: tuple[str, ...]  # this time, and by purges that were interrupted
    marks: Marks
    traces: Traces
    root: Path | None
    sources: tuple[Path, ...]  # files at roots, the home's own too, and lists and vector sets there that lose rows
    elsewhere: tuple[Path, ...]  # folders with source files that stay
    unread: tuple[Unread, ...] = ()  # folders of sets at roots of which nobody can tell who is in them
    already: bool = False  # purged before: what is known of who goes is their name alone
    forms: tuple[str, ...] = ()  # of a virtual subject, all ways to name it
    commands: tuple[str, ...] = ()  # that make anew what goes, in the order in which they are run
    lists: tuple[Path, ...] = ()  # of the sources, those that lose lines or rows
    made: bool = False  # true where there are synthetic roots, which stay


def plan(subject: str, home: Path, root: Path | None = None) -> Plan:
    """What purging SUBJECT would do, and what is left of purges that were interrupted or could not remove all.

    Raises MmbioError where nobody or several people are meant.
    """
    before, marks = _journal(home)
    roots = _roots(home, root)
    unread = dict.fromkeys(one for r in roots for one in sources.read(r)[1])
    everybody = person.known(home, *roots) | {p for r in roots for p in sources.people(r)}
    already = person.excluded(subject, home, everybody)
    forms = person.forms(subject, home)
    numbered = not forms and excluded.holds(home, person.NUMBERED, subject)  # all who stood behind it went
    try:
        who = () if numbered else person.meant(subject, home, everybody | set(already))
        new = marks_of.of(who, home, everybody, *roots, real=set(who) - _own(home, roots, who))
        marks = marks.and_of(new) if marks else new
    except MmbioError as error:
        if marks is None or subject not in before:
            raise MmbioError(
                "; ".join([str(error), *(f"{folder} {why}" for folder, why in list(unread)[:1])])
            ) from error
    edited = [p for r in roots for p in sources.lists(r, marks.persons)]
    edited += [s for s in person.sets(root) if traces.rows_of(s, marks)] if root else []
    at_root = [*(p for r in roots for p in sources.files(r, marks.persons)), *edited]
    elsewhere = [
        p for p in person.folders(home, marks.persons) if not any(p.is_relative_to(r.resolve()) for r in roots)
    ]
    found = traces.find(home, marks)
    return Plan(
        home,
        tuple(sorted({subject, *before})),
        marks,
        found,
        root,
        tuple(dict.fromkeys(at_root)),
        tuple(elsewhere),
        tuple(unread),
        (bool(already) or numbered) and not before,
        forms,
        order.commands(found.things, home),
        tuple(edited),
        bool(made.any_below(home, *roots)),
    )


def purge(planned: Plan, unknown: bool) -> tuple[list[Thing], Proof]:
    """Remove what is planned and what appears meanwhile; returns what went, and the search of what is left.

    Runs that are at work in the home are waited for. `unknown` takes also what no manifest here tells the people of.
    """
    home = planned.home
    gone: list[Thing] = []
    with alone(home), locked(home / LOCK), ExitStack() as stack:
        before, theirs = _journal(home)  # of a purge that was killed since this one was planned, too
        marks = planned.marks.and_of(theirs) if theirs else planned.marks
        asked = sorted({*planned.asked, *before})
        write_json(home / JOURNAL, {"asked": asked, "marks": marks.to_json()})
        _exclude(planned, marks)
        for _ in range(ROUNDS):
            found = traces.find(home, marks)
            things = [*found.things, *(found.unknown if unknown else ())]
            search = Search(marks, found.made)
            for thing in things:
                _remove(thing, home, marks, search)
                if thing.path == home:  # a set itself, so that another folder stands there now
                    stack.enter_context(alone(home))
            gone += things
            if not things:
                break
        unread = dict.fromkeys(one for root in _roots(home, planned.root) for one in _from_root(root, home, marks))
        proved = proof.prove(home, marks, [planned.root] if planned.root else [], _namesakes(home, marks))
        proved = replace(proved, found=(*proved.found, *unread))
        if not proved.found:
            (home / JOURNAL).unlink()
    return gone, proved


def _exclude(planned: Plan, marks: Marks) -> None:
    """Keep people out of later manifests: of a real and a synthetic person of one name the one who is here."""
    home = planned.home
    theirs = _own(home, _roots(home, planned.root), marks.persons)
    names = {p: (p.set_name, p.subject) for p in marks.persons}
    excluded.add(home, [names[p] for p in theirs], synthetic=True)
    new = [name for p, name in names.items() if p not in theirs and not excluded.holds(home, *name, REAL)]
    excluded.add(home, [*new, *((person.NUMBERED, form) for form in planned.forms)])


def _own(home: Path, roots: Sequence[Path], people: Iterable[Person]) -> set[Person]:
    """Those of people whom mmbio alone made, so that no real one of their name is here, or was purged."""
    real = {p for folder in person.sets(home, *roots) for p in person.known_in(folder)}
    real |= {p for root in roots for p in sources.people(root)}
    made = person.synthetic(home, real) & set(people)
    return {p for p in made if not excluded.holds(home, p.set_name, p.subject, REAL)}


def _namesakes(home: Path, marks: Marks) -> list[Path]:
    """The manifests that name people who went, but are of those whom mmbio made for their names."""
    real = [p for p in marks.persons if excluded.holds(home, p.set_name, p.subject, REAL)]
    return person.namesakes(home, marks.persons, real)


def _journal(home: Path) -> tuple[list[str], Marks | None]:
    """What was asked of purges that were interrupted or could not remove all, and their marks."""
    if not (home / JOURNAL).is_file():
        return [], None
    found = read_json(home / JOURNAL, "journal of a purge")
    try:
        return [str(one) for one in found["asked"]], Marks.from_json(found["marks"])
    except (KeyError, TypeError) as error:
        raise MmbioError(f"{home / JOURNAL}: not as mmbio purge wrote it; remove it and purge again") from error


def _roots(home: Path, root: Path | None) -> list[Path]:
    """The data roots that people's source files are removed from."""
    return [*([root] if root else []), *sources.inside(home)]


def _from_root(root: Path, home: Path, marks: Marks) -> list[Unread]:
    """Remove people at a data root; returns what there could not be read, and what is left."""
    for folder in person.sets(root):
        if traces.rows_of(folder, marks):
            _without_rows(folder, home, marks)
    unread = sources.read(root)[1]
    return [*unread, *sources.remove(root, marks.persons)]


def _remove(thing: Thing, home: Path, marks: Marks, search: Search) -> None:
    with _alone(thing.path):
        if thing.path.name == traces.RESULTS:
            _rewrite_results(thing.path.resolve(), search)
        elif thing.rewritten:
            _without_rows(thing.path, home, marks)
        elif thing.path == home / aside.ASIDE:
            aside.empty(home)
        else:
            if thing.path.suffix == ".safetensors":
                aside.gone(thing.path.with_suffix(".json"), home)
            aside.gone(thing.path, home)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else at work on a thing, where those who work on such things lock it."""
    name = path.name.removesuffix(".safetensors")
    lock = path.with_name(f".{name}.lock")
    if not lock.exists() and path.parent.name not in ("store", "results", "checkpoints"):
        yield
        return
    with locked(lock):
        yield
        if not path.exists():
            lock.unlink(missing_ok=True)


def _rewrite_results(path: Path, search: Search) -> None:
    """results.csv without the rows that the plan counted; bytes of others that are no UTF-8 stay as they are."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(row for row in traces.rows(path) if not traces.holds(search, row))
    with replacing(path) as scratch:
        scratch.write_bytes(out.getvalue().encode(errors="surrogateescape"))


def _without_rows(folder: Path, home: Path, marks: Marks) -> None:
    """Write a vector set anew without some people; one that is then of nobody goes, but for what else lies there."""
    found = vector_sets.read(folder)
    left = sorted(set(range(len(found.samples))) - set(traces.rows_of(folder, marks)))
    if not left:
        _without_set(folder, home)
        return
    samples = found.samples.iloc[left].reset_index(drop=True)
    vectors: dict[str, dict[str, np.ndarray]] = {}
    for modality in found.modalities:
        rows = samples[modality].to_numpy(np.int64)
        kept = np.unique(rows[rows >= 0])
        samples[modality] = np.where(rows < 0, -1, np.searchsorted(kept, rows))
        for segment in found.info["modalities"][modality]["segments"] or [""]:
            stored = mapped(folder / vector_sets.file_name(modality, segment))
            vectors.setdefault(modality, {})[segment] = stored[kept]
    vector_sets.write(
        folder.resolve(),
        found.name,
        samples,
        vectors,
        synthetic=bool(found.info["synthetic"]),
        notes=tuple(found.info["notes"]),
        made=found.info["made"],
    )


def _without_set(folder: Path, home: Path) -> None:
    """Remove a vector set in one step; what else lies in its folder, as in a home that is a set itself, stays."""
    own = {vector_sets.MARKER, *read_json(folder / vector_sets.MARKER, "vector set").get("files", ())}
    others = [entry for entry in folder.iterdir() if entry.name not in own]
    if not others:
        aside.gone(folder, home)
        return
    with replacing(folder.resolve()) as scratch:
        scratch.mkdir()
        for entry in others:
            (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, scratch / entry.name)

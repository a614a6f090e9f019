"""Remove: people taken out of a home so that a kill at any moment leaves what the same command finishes.

A journal with their marks is written first and removed last, after the proof; in between each thing goes in one step.
"""

import csv
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmbio.data import excluded, vector_sets
from mmbio.errors import MmbioError
from mmbio.files import locked, private_folder, read_json, write_json, write_text
from mmbio.purge import marks as marks_of
from mmbio.purge import person, proof, sources, traces
from mmbio.purge.marks import Marks
from mmbio.purge.proof import JOURNAL, LOCK, Proof
from mmbio.purge.traces import Thing, Traces

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


def plan(subject: str, home: Path, root: Path | None = None) -> Plan:
    """What purging SUBJECT would do, and what is left of purges that were interrupted or could not remove all.

    Raises MmbioError where nobody or several people are meant.
    """
    asked, marks = [subject], None
    if (home / JOURNAL).is_file():
        found = read_json(home / JOURNAL, "journal of a purge")
        marks, asked = Marks.from_json(found["marks"]), sorted({subject, *map(str, found["asked"])})
    roots = _roots(home, root)
    everybody = person.known(home, *roots) | {p for r in roots for p in sources.people(r)}
    try:
        new = marks_of.of(person.meant(subject, home, everybody), home, everybody, *roots)
        marks = marks.and_of(new) if marks else new
    except MmbioError:
        if marks is None or (asked != [subject] and subject not in found["asked"]):
            raise
    at_root = [p for r in roots for p in (*sources.files(r, marks.persons), *sources.lists(r, marks.persons))]
    at_root += [s for s in person.sets(root) if traces.rows_of(s, marks)] if root else []
    elsewhere = [
        p for p in person.folders(home, marks.persons) if not any(p.is_relative_to(r.resolve()) for r in roots)
    ]
    return Plan(
        home, tuple(asked), marks, traces.find(home, marks), root, tuple(dict.fromkeys(at_root)), tuple(elsewhere)
    )


def purge(planned: Plan, unknown: bool) -> tuple[list[Thing], Proof]:
    """Remove what is planned and what appears meanwhile; returns what went, and the search of what is left.

    `unknown` takes also what no manifest here tells the people of.
    """
    home, marks = planned.home, planned.marks
    gone: list[Thing] = []
    with locked(home / LOCK):
        write_json(home / JOURNAL, {"asked": list(planned.asked), "marks": marks.to_json()})
        excluded.add(home, [(p.set_name, p.subject) for p in marks.persons])
        for _ in range(ROUNDS):
            found = traces.find(home, marks)
            things = [*found.things, *(found.unknown if unknown else ())]
            for thing in things:
                _remove(thing, home, marks)
            gone += things
            if not things:
                break
        for root in _roots(home, planned.root):
            _from_root(root, marks)
        proved = proof.prove(home, marks)
        if not proved.found:
            (home / JOURNAL).unlink()
    return gone, proved


def _roots(home: Path, root: Path | None) -> list[Path]:
    """The data roots that people's source files are removed from."""
    return [*([root] if root else []), *sources.below(home)]


def _from_root(root: Path, marks: Marks) -> None:
    for folder in person.sets(root):
        if traces.rows_of(folder, marks):
            _without_rows(folder, marks)
    sources.remove(root, marks.persons)


def _remove(thing: Thing, home: Path, marks: Marks) -> None:
    with _alone(thing.path):
        if thing.path.name == traces.RESULTS:
            _rewrite_results(thing.path, home, marks)
        elif thing.rewritten:
            _without_rows(thing.path, marks)
        elif thing.path == home / traces.ASIDE:
            shutil.rmtree(thing.path)
        else:
            if thing.path.suffix == ".safetensors":
                thing.path.with_suffix(".json").unlink(missing_ok=True)
            _gone(thing.path, home)


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


def _gone(path: Path, home: Path) -> None:
    """Move a thing aside in one step, then remove it; what a kill leaves aside, the next run removes."""
    private_folder(home / traces.ASIDE)
    with suppress(FileNotFoundError):  # another run took it away meanwhile
        aside = Path(tempfile.mkdtemp(dir=home / traces.ASIDE))
        path.rename(aside / "gone")
    shutil.rmtree(home / traces.ASIDE)


def _rewrite_results(path: Path, home: Path, marks: Marks) -> None:
    """results.csv without the rows that the plan counted."""
    search = traces.search_of(home, marks)
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(row for row in rows if not search.text(",".join(row)))
    write_text(path, out.getvalue())


def _without_rows(folder: Path, marks: Marks) -> None:
    """Write a vector set anew without some people; one that is then of nobody is removed."""
    found = vector_sets.read(folder)
    left = sorted(set(range(len(found.samples))) - set(traces.rows_of(folder, marks)))
    if not left:
        shutil.rmtree(folder)
        return
    samples = found.samples.iloc[left].reset_index(drop=True)
    vectors: dict[str, dict[str, np.ndarray]] = {}
    for modality in found.modalities:
        rows = samples[modality].to_numpy(np.int64)
        kept = np.unique(rows[rows >= 0])
        samples[modality] = np.where(rows < 0, -1, np.searchsorted(kept, rows))
        for segment in found.info["modalities"][modality]["segments"] or [""]:
            stored = np.load(folder / vector_sets.file_name(modality, segment), mmap_mode="r", allow_pickle=False)
            vectors.setdefault(modality, {})[segment] = stored[kept]
    vector_sets.write(
        folder,
        found.name,
        samples,
        vectors,
        synthetic=bool(found.info["synthetic"]),
        notes=tuple(found.info["notes"]),
        made=found.info["made"],
    )

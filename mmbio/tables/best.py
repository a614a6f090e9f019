"""best: in each column the best of the rows that a spec compares, and those that cannot be told from it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mmbio.embed.settings import threads
from mmbio.files import bytes_hash
from mmbio.measure import stored
from mmbio.measure.decisions import VERIFICATION, Decisions
from mmbio.measure.paired import DRAWS, accuracy_draws, difference, score_draws
from mmbio.measure.stored import Stored
from mmbio.tables.metrics import METRICS
from mmbio.tables.run import Finished
from mmbio.tables.spec import Cell, TableSpec, cells

MARK: Final = "*"
COMPARABLE: Final = ("accuracy", "eer", "min_dcf", "act_dcf", "cllr", "min_cllr")
Place = tuple[str, str]  # (row, column)


@dataclass(frozen=True)
class Best:
    """The figures to mark, the groups that could not be compared, and all figures that were."""

    places: frozenset[Place]
    left_out: tuple[str, ...] = ()  # such as "EER (%) of segment_s=1.015"
    compared: frozenset[Place] = frozenset()

    def notes(self, spec: TableSpec) -> list[str]:
        """What the mark means, and what was not compared; nothing where there is nothing to say."""
        found = []
        if self.places:
            shared = [key.header for key in spec.keys if key.name in (spec.compare or ())]
            rows = f"the rows with the same {' and '.join(shared)}" if shared else "all rows"
            found.append(
                f"{MARK}: the best of {rows}, or not told from it: the difference to it has a 95 % interval that holds"
                f" 0 ({DRAWS} draws of subjects, the same for both)."
            )
        if self.left_out:
            found.append(f"Not compared, for they rest on different test decisions: {'; '.join(self.left_out)}.")
        return found


@dataclass(frozen=True, eq=False)
class _Candidate:
    """One figure: where it stands, the decisions it rests on, and its value and draws, of which higher is better."""

    place: Place
    decides: str
    value: float
    draws: np.ndarray


def best_or_level(finished: Finished) -> Best:
    """The places of the best figure of each group and column, and of those whose difference to it may be 0.

    A group are the rows with the same texts of the keys in the spec's `compare`. One row alone is not marked, nor
    is a group whose figures do not all rest on the same decisions of the same subjects. Differences are those of
    the paired subject bootstrap. Raises MmbioError for results without the arrays that it takes.
    """
    if finished.spec.compare is None:
        return Best(frozenset())
    by_result: dict[Path, list[Cell]] = {}
    for cell in cells(finished.spec):
        if METRICS[cell.metric].better and cell.metric in COMPARABLE and not cell.given:
            by_result.setdefault(finished.result_of(cell), []).append(cell)
    with ThreadPoolExecutor(threads()) as pool:
        read = pool.map(lambda result: _candidates(finished, *result), by_result.items())
        found = {one.place: one for candidates in read for one in candidates}
    places: set[Place] = set()
    compared: set[Place] = set()
    left_out = []
    for name, group in _groups(finished.spec):
        for column in finished.spec.columns:
            candidates = [found[row, column.key] for row in group if (row, column.key) in found]
            if len({c.decides for c in candidates}) > 1:
                left_out.append(f"{column.header}{name and f' of {name}'}")
            elif len(candidates) > 1:
                places |= set(_level(candidates))
                compared |= {c.place for c in candidates}
    return Best(frozenset(places), tuple(left_out), frozenset(compared))


def _candidates(finished: Finished, folder: Path, group: Sequence[Cell]) -> list[_Candidate]:
    """The figures of the cells that show one result."""
    result = stored.read(folder, finished.runner.extraction.home)
    of = _of_trials if result.verifies else _of_items
    found = []
    for cell, (decides, draws) in of(result, group, finished.runner.seed):
        sign = 1 if METRICS[cell.metric].better == "higher" else -1
        place = cell.row, cell.column
        found.append(_Candidate(place, decides, sign * finished.rows[place].value, sign * draws))
    return found


def _of_items(result: Stored, group: Sequence[Cell], seed: int) -> Iterator[tuple[Cell, tuple[str, np.ndarray]]]:
    """Each cell with what its accuracy rests on, and its draws."""
    for cell in group:
        decisions, correct = Decisions.of(result, cell.task), result.correct(cell.task)
        tested = ~np.isnan(correct).all(0)
        share = np.nanmean(correct[:, tested], axis=0)
        decides = decisions.hash + bytes_hash(tested.tobytes()) + result.rows[0].manifest
        yield cell, (decides, accuracy_draws(share, decisions.subjects[tested], seed))


def _of_trials(result: Stored, group: Sequence[Cell], seed: int) -> Iterator[tuple[Cell, tuple[str, np.ndarray]]]:
    """The same of figures of trials; draws that the evaluation kept are taken from there."""
    decisions = Decisions.of(result, VERIFICATION)
    names = {cell.metric for cell in group}
    kept = result.rows[0].seed == seed and all(result.has(f"draws_{name}") for name in names)
    drawn = (
        {name: result.array(f"draws_{name}") for name in names}
        if kept
        else score_draws(
            result.array("scores"),
            decisions.labels,
            (decisions.sides[0], decisions.sides[1]),
            seed,
            result.costs,
            llr=result.array("llr") if names & {"cllr", "act_dcf", "min_cllr"} else None,
        )
    )
    decides = decisions.hash + result.cost_text
    for cell in group:
        yield cell, (decides, drawn[cell.metric])


def _level(candidates: Sequence[_Candidate]) -> Iterator[Place]:
    best = max(candidates, key=lambda c: c.value)
    for one in candidates:
        if one is best or not difference(best.value, one.value, best.draws, one.draws).is_told:
            yield one.place


def _groups(spec: TableSpec) -> list[tuple[str, list[str]]]:
    """What the rows of a group share, and their ids, in order."""
    shared = [i for i, key in enumerate(spec.keys) if key.name in (spec.compare or ())]
    found: dict[str, list[str]] = {}
    for row in spec.rows:
        name = ", ".join(f"{spec.keys[i].name}={row.key[i]}" for i in shared)
        found.setdefault(name, []).append(row.id)
    return list(found.items())

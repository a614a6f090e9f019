"""footnotes: what a table's figures themselves need said: their n, intervals, obstacles, and what is within chance."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Final

from mmbio.tables.beside import Compared, Measured, Place
from mmbio.tables.metrics import METRICS
from mmbio.tables.reported import RATE_OF, within_chance
from mmbio.tables.spec import Row, TableSpec

ELSEWHERE: Final = "elsewhere"


def of_reported(spec: TableSpec, reported: Mapping[Place, str], brackets: str) -> list[str]:
    """How the intervals of the paper's figures were made, and how many of its differences are within chance.

    `brackets` names them, such as `In brackets`.
    """
    shown = {c.metric for c in spec.columns if any((row.id, c.key) in reported for row in spec.rows)}
    metrics = [metric for metric in RATE_OF if metric in shown]
    if not spec.reported_n or not metrics:
        return []
    kind = " or ".join(RATE_OF[metric] for metric in metrics)
    design, subjects = spec.reported_design, spec.protocol.n_subjects
    times = f"{design:.3g} times as much as that of independent ones, for they share {subjects} subjects"
    how = "taken as independent" if design == 1 else f"whose mean varies {times}"
    none = " minDCF has none: it takes the scores." if "min_dcf" in shown else ""
    counts = [f"{header} {x} of {of}" for header, (x, of) in within_chance(spec, reported).items()]
    notes = [f"{brackets}: Wilson's 95 % interval of {spec.reported_n:,} {kind}, {how}; ours, not the paper's.{none}"]
    if counts:
        notes.append(
            f"Of the paper's differences between two {_rows(spec)}, these intervals cannot tell from 0:"
            f" {', '.join(counts)}. A paired test might, but takes decisions that the paper does not give."
        )
    return notes


def of_figures(
    spec: TableSpec, measured: Mapping[Place, Measured], found: Mapping[Place, Compared], brackets: str
) -> list[str]:
    """The n of the figures and its smallest step, what the brackets are, and how differences were made."""
    intervals = dict.fromkeys(one.interval for one in measured.values() if not math.isnan(one.low))
    notes = _counts(spec, measured)
    notes += [f"{brackets}: {', '.join(intervals)}."] if intervals else []
    headers = {column.key: column.header for column in spec.columns}
    named = [f"{d.header} is {headers[d.of[0]]} minus {headers[d.of[1]]}" for d in spec.differences]
    notes += [f"{'; '.join(named)}."] if named else []
    beside = any(one.difference is not None for one in found.values())
    notes += ["diff.: measured minus reported."] if beside else []
    if (beside or named) and any(_of_two(one) for one in found.values()):
        notes.append("A difference's interval is made of both figures' as if they were independent (MOVER).")
    return notes


def of_obstacles(measured: Mapping[Place, Measured]) -> list[str]:
    """One note on what keeps the figures from being reproductions, shared reasons first."""
    reasons = Counter(reason for found in measured.values() for reason in found.why)
    texts = [f"{reason}{_of(n, len(measured))}" for reason, n in sorted(reasons.items(), key=lambda item: -item[1])]
    return [f"No reproduction of the paper's figures: {'; '.join(texts)}."] if texts else []


def _of(n: int, whole: int) -> str:
    return f" ({n} of {whole} figures)" if n < whole else ""


def _of_two(one: Compared) -> bool:
    made = one.difference if one.measured else one.figure
    return made is not None and not math.isnan(made.low)


def _rows(spec: TableSpec) -> str:
    shared = [key.header for key in spec.keys if key.name in (spec.compare or ())]
    return f"rows of the same {' and '.join(shared)}" if shared else "rows"


def _counts(spec: TableSpec, measured: Mapping[Place, Measured]) -> list[str]:
    """n and its step where figures move in steps; else n alone, where it differs from cell to cell."""
    steps = {column.key: METRICS[column.metric].counted for column in spec.columns}
    counted = {found.n for (_, key), found in measured.items() if steps[key]}
    counts = {found.n for found in measured.values()}
    if len(counts) == 1:
        step = [f"The smallest step that the test set can show: 1/{n} = {100 / n:.2f} %." for n in counted]
        return step or [f"n = {n:,} in every cell." for n in counts]
    places = _places(spec, measured)
    parts = [
        f"{n:,}{f' ({100 / n:.2f} %)' if n in counted else ''} {where}"
        for n, where in sorted(places.items(), key=lambda item: item[1] == ELSEWHERE)
    ]
    what = "n (and the smallest step that it can show)" if counted else "n"
    return [f"{what}: {'; '.join(parts)}."]


def _places(spec: TableSpec, measured: Mapping[Place, Measured]) -> dict[int, str]:
    """n -> where it stands: in which columns, else in which rows, else in which cells; the commonest is `elsewhere`."""
    headers = {column.key: column.header for column in spec.columns}
    labels = {row.id: _label(spec, row) for row in spec.rows}
    by_column = {place: headers[place[1]] for place in measured}
    by_row = {place: labels[place[0]] for place in measured}
    by_cell = {place: f"{labels[place[0]]}: {headers[place[1]]}" for place in measured}
    names = next((by for by in (by_column, by_row) if _agree(by, measured)), by_cell)
    where: dict[int, dict[str, None]] = {}
    for place, found in measured.items():
        where.setdefault(found.n, {})[names[place]] = None
    common, times = Counter(found.n for found in measured.values()).most_common(1)[0]
    elsewhere = common if 2 * times > len(measured) and len(where[common]) > 1 else None
    return {n: ELSEWHERE if n == elsewhere else f"in {', '.join(named)}" for n, named in where.items()}


def _agree(names: Mapping[Place, str], measured: Mapping[Place, Measured]) -> bool:
    """True where all cells of one name have one n."""
    pairs = {(names[place], found.n) for place, found in measured.items()}
    return len(pairs) == len(set(names.values()))


def _label(spec: TableSpec, row: Row) -> str:
    marks = [key.header for key, text in zip(spec.keys, row.key, strict=True) if key.mark and text == "1"]
    texts = [text for key, text in zip(spec.keys, row.key, strict=True) if not key.mark and text]
    return " ".join([" + ".join(marks), *texts] if marks else texts) or row.id

"""drawn: finished tables -> the figures that their specs ask for, and figures.json, which lists them."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from mmbio.files import Json
from mmbio.tables import captions, shown
from mmbio.tables.gathered import Picked, pick
from mmbio.tables.kept import Made, Notes, write_changed
from mmbio.tables.metrics import METRICS
from mmbio.tables.plots import attention, bins, curve, det, reliability, samples, scores, style
from mmbio.tables.run import Finished
from mmbio.tables.spec_figures import FigureSpec

LIST: Final = "figures.json"
TEXTS: Final = ("table", "name", "svg", "png")  # of each entry of the list
BAND_DRAWS: Final = 200  # of the bands of DET curves
N_SAMPLES: Final = 4

Groups = dict[str, list[Picked]]
Call = tuple[Callable[..., object], tuple[Any, ...]]  # a function of a module, and what it is given


@dataclass(frozen=True)
class Drawing:
    """A figure that is gathered and can be drawn, here or in another process."""

    call: Call
    title: str
    caption: str


@dataclass(frozen=True)
class Entry:
    """A figure on its way: its files, what they are noted to be made of, and, unless they stand, their drawing."""

    name: str
    of: Json
    made: Made
    call: Call | None = None
    drawing: "Future[object] | None" = None
    stands: bool = False

    def finish(self) -> None:
        """Wait until it is drawn; where the process that drew it was lost, draw it here."""
        if self.call is None:
            return
        function, given = self.call
        try:
            if self.drawing is not None:
                self.drawing.result()
                return
        except BrokenExecutor:
            pass
        function(*given)


@dataclass(frozen=True)
class Begun:
    """A table's figures on their way: those that stand, and those that are being drawn."""

    table: str
    folder: Path
    notes: Notes | None
    entries: Sequence[Entry]

    def finish(self) -> list[Path]:
        """The figures' files, once all are drawn, noted and listed."""
        for entry in self.entries:
            entry.finish()
            if self.notes is not None and not entry.stands:
                self.notes.add(entry.name, entry.of, entry.made)
        _list(self.folder, self.table, [entry.made.told for entry in self.entries if entry.made.told])
        return [path for entry in self.entries for path in entry.made.files]


def draw(finished: Finished, out: Path) -> list[Path]:
    """Draw a table's figures as `out`/figures/TABLE-NAME.png and .svg and list them in `out`/figures/figures.json.

    A figure without anything to show is left out: of rows that the data do not have, of real people's samples,
    of weights or log-likelihood ratios that there are none of. Raises MmbioError for results that are gone.
    """
    return begin(finished, out, Here()).finish()


def begin(finished: Finished, out: Path, pool: Executor, notes: Notes | None = None, of: Json = None) -> Begun:
    """Gather what the figures show and hand them to `pool`; those noted to be drawn of the same stand as they are.

    `of` is what the table is made of. Raises as `draw`.
    """
    folder, table = out / "figures", finished.spec.name
    entries = []
    for figure in finished.spec.figures:
        path = folder / f"{table}-{figure.name}"
        name, made_of = f"{out.name}/figure {path.name}", [of, repr(figure)]
        kept = notes.find(name, made_of) if notes is not None else None
        if kept is not None:
            entries.append(Entry(name, made_of, kept, stands=True))
            continue
        drawing = _samples(finished, figure, path) if figure.kind == "samples" else _rows(finished, figure, path)
        if drawing is None:
            entries.append(Entry(name, made_of, Made()))
            continue
        files = {suffix: f"{path.name}.{suffix}" for suffix in ("svg", "png")}
        about = {"kind": figure.kind, "title": drawing.title, "caption": drawing.caption}
        told = {"table": table, "name": figure.name, **about, **files}
        made = Made(tuple(path.with_name(file) for file in files.values()), told)
        entries.append(Entry(name, made_of, made, drawing.call, _handed(drawing.call, pool)))
    return Begun(table, folder, notes, entries)


def _handed(call: Call, pool: Executor) -> "Future[object] | None":
    """The drawing as `pool` has it; None where its processes are lost."""
    function, given = call
    try:
        return pool.submit(function, *given)
    except BrokenExecutor:
        return None


class Here(Executor):
    """Draws at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def _rows(finished: Finished, figure: FigureSpec, path: Path) -> Drawing | None:
    """A figure of rows."""
    picked = pick(finished, figure)
    needed = _needed(figure, picked)
    picked = [one for one in picked if one.has(needed)] if needed else picked
    if not picked:
        return None
    title = captions.titled(figure.title, picked[0].manifest)
    call, told = GATHERERS[figure.kind](finished, figure, picked, title, path)
    return Drawing(call, title, f"{told} {captions.of_data(picked)}")


def _needed(figure: FigureSpec, picked: Sequence[Picked]) -> str:
    """The array that a figure cannot do without and a result may not have."""
    verifies = bool(picked) and picked[0].row.task == "verification"
    return "weights" if figure.kind == "attention" else "llr" if figure.kind == "reliability" and verifies else ""


def _det(_: Finished, __: FigureSpec, picked: Sequence[Picked], title: str, path: Path) -> tuple[Call, str]:
    from mmbio.measure import rates
    from mmbio.measure.det_band import det_band

    eers = [rates.eer(one.points) for one in picked]
    banded = len(picked) <= style.N_BANDS
    grid = det.grid(eers)
    curves = []
    for one, eer in zip(picked, eers, strict=True):
        band = None
        if banded:
            trials = one.array("scores"), one.array("genuine"), one.pairs[:, 0], one.pairs[:, 1]
            band = grid, *det_band(*trials, one.seed, grid, BAND_DRAWS)
        curves.append(det.Curve(one.label, *rates.det(one.points), eer, band))
    return (det.draw, (curves, title, path)), captions.det(BAND_DRAWS if banded else 0)


def _scores(_: Finished, __: FigureSpec, picked: Sequence[Picked], title: str, path: Path) -> tuple[Call, str]:
    from mmbio.measure import rates

    panels = []
    for one in picked:
        found, genuine = one.array("scores"), one.array("genuine")
        panels.append(scores.Panel(one.label, found[genuine], found[~genuine], rates.eer(one.points), one.threshold()))
    return (scores.draw, (panels, title, path)), captions.SCORES


def _curve(
    finished: Finished, figure: FigureSpec, picked: Sequence[Picked], title: str, path: Path
) -> tuple[Call, str]:
    column = next(column for column in finished.spec.columns if column.key == figure.column)
    metric = METRICS[column.metric]
    lines = []
    for label, group in _grouped(picked).items():
        found = [(p.row.value, p.row.low, p.row.high) for p in group]
        y, low, high = metric.scale * np.array([[np.nan if v is None else v for v in one] for one in found]).T
        lines.append(curve.Line(label, _levels(group), y, low, high))
    y_label = " ".join(column.header.split())
    x_label = _header(finished, figure.x)
    areas = not isinstance(lines[0].x[0], str) and None not in curve.comparable_areas(lines)
    call = curve.draw, (lines, title, path, x_label, y_label, metric.better)
    return call, captions.curve(y_label, x_label, areas)


def _attention(
    finished: Finished, figure: FigureSpec, picked: Sequence[Picked], title: str, path: Path
) -> tuple[Call, str]:
    panels = []
    for label, group in _grouped(picked).items():
        found = [one.weights() for one in group]
        ends = ({m: np.array([of[m][k] for of in found]) for m in found[0]} for k in range(3))
        panels.append(attention.Panel(label, _levels(group), *ends))
    x_label = _header(finished, figure.x)
    call = attention.draw, (panels, title, path, x_label)
    return call, captions.attention(x_label, isinstance(panels[0].levels[0], str))


def _reliability(_: Finished, __: FigureSpec, picked: Sequence[Picked], title: str, path: Path) -> tuple[Call, str]:
    panels = []
    for one in picked:
        confidence, right, subjects = one.decisions()
        panels.append(reliability.Panel(one.label, bins.equal_mass(confidence, right, subjects, one.seed), confidence))
    verifies = picked[0].row.task == "verification"
    call = reliability.draw, (panels, title, path, *captions.AXES[verifies])
    return call, captions.reliability(verifies, bins.DRAWS)


Gather = Callable[[Finished, FigureSpec, Sequence[Picked], str, Path], tuple[Call, str]]
GATHERERS: Final[Mapping[str, Gather]] = MappingProxyType(
    {"det": _det, "scores": _scores, "curve": _curve, "attention": _attention, "reliability": _reliability}
)


def _samples(finished: Finished, figure: FigureSpec, path: Path) -> Drawing | None:
    """Samples before and after the protocol's noise, where they are synthetic."""
    manifest, level = finished.runner.manifest, finished.spec.protocol.noise.get(figure.modality)
    if level is None or not manifest.info["sources"][figure.modality]["synthetic"]:
        return None
    rows = shown.first_of_subjects(manifest, N_SAMPLES)
    before, after = (shown.samples(manifest, figure.modality, rows, at) for at in (0.0, level))
    title = f"{figure.title} ({figure.modality}={level:g}, synthetic data)"
    call = samples.before_after, (before, after, title, path)
    return Drawing(call, title, captions.samples(figure.modality, level, len(rows)))


def _grouped(picked: Sequence[Picked]) -> Groups:
    """The rows of each line or panel, in the order of their levels where these are numbers."""
    groups: Groups = {}
    for one in picked:
        groups.setdefault(one.label, []).append(one)
    if all(isinstance(one.level, float) for one in picked):
        return {label: sorted(group, key=lambda one: float(one.level)) for label, group in groups.items()}
    return groups


def _levels(group: Sequence[Picked]) -> list[float] | list[str]:
    numbers = [one.level for one in group if isinstance(one.level, float)]
    return numbers if len(numbers) == len(group) else [one.at for one in group]


def _header(finished: Finished, name: str) -> str:
    return next(" ".join(key.header.split()) for key in finished.spec.keys if key.name == name)


def _list(folder: Path, table: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Put a table's figures in the list; those of other tables stay as long as their files are there."""
    path = folder / LIST
    if not entries and not path.exists():
        return
    kept = [e for e in _listed(path) if e["table"] != table and all((folder / e[s]).is_file() for s in ("svg", "png"))]
    write_changed(path, json.dumps(sorted([*kept, *entries], key=lambda e: str(e["table"])), indent=2) + "\n")


def _listed(path: Path) -> list[dict[str, Any]]:
    """What the list holds; of one that is not there, or damaged, nothing, so that it is written anew."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    entries = found if isinstance(found, list) else []
    return [e for e in entries if isinstance(e, dict) and all(isinstance(e.get(k), str) for k in TEXTS)]

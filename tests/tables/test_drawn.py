"""Figures of finished tables: which rows they show, what is left out, the list, the captions, the same bytes."""

import json
import re
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from mmbio.data.manifest import Manifest
from mmbio.errors import MmbioError
from mmbio.measure.results import ResultRow
from mmbio.tables import shown
from mmbio.tables.drawn import Here, begin, draw
from mmbio.tables.gathered import pick
from mmbio.tables.kept import Notes
from mmbio.tables.run import Finished
from mmbio.tables.spec import TableSpec, cells, load
from mmbio.tables.spec_figures import FigureSpec

TRIALS = """
protocol = "audiovisual"
name = "own"
title = "My own"
keys = ["system", "level"]
[[columns]]
key = "eer"
header = "EER (%)"
task = "verification"
metric = "eer"
"""
CLASSES = """
protocol = "multitask"
name = "own"
title = "My own"
keys = ["ecg", "face"]
[[columns]]
key = "id"
header = "ID (%)"
task = "identification"
metric = "accuracy"
[[rows]]
key = { ecg = 1, face = 0 }
set = { modalities = ["ecg"] }
[[rows]]
key = { ecg = 1, face = 1 }
set = { modalities = ["ecg", "face"] }
"""
N_SUBJECTS, N_ITEMS = 8, 48
DET = FigureSpec("det", "det", "DET", "eer", only=(("level", ("0.0",)),))
CURVE = FigureSpec("curve", "curve", "Curve", "eer", "system", "level")
ATTENTION = FigureSpec("attention", "attention", "Attention", "eer", "system", "level")
RELIABLE = FigureSpec("reliability", "reliability", "Reliability", "eer", only=(("system", ("C",)),))
ID = FigureSpec("reliability", "id", "Reliability", "id")


def write_trials(folder: Path, rng: np.random.Generator) -> None:
    sides = rng.integers(0, N_ITEMS, (2, 600))
    genuine = sides[0] % N_SUBJECTS == sides[1] % N_SUBJECTS
    scores = rng.normal(2.0 * genuine)
    weights = rng.dirichlet([2, 3], (1, N_ITEMS)).astype(np.float32)
    arrays = {"scores": scores, "genuine": genuine, "enrolment": sides[0], "probe": sides[1], "llr": 2 * scores - 2}
    save(folder, arrays | {"weights": weights, "rows": np.arange(N_ITEMS), "present": np.ones((N_ITEMS, 2), bool)})


def write_classes(folder: Path, rng: np.random.Generator) -> None:
    posteriors = rng.dirichlet(np.full(N_SUBJECTS, 0.2), (3, N_ITEMS)).astype(np.float32)
    posteriors[1, ::2] = np.nan  # a fold that does not test half of the items
    labels = np.arange(N_ITEMS) % N_SUBJECTS
    save(folder, {"posterior_identification": posteriors, "label_identification": labels, "rows": np.arange(N_ITEMS)})


def save(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    folder.mkdir(parents=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def row(task: str, value: float) -> ResultRow:
    counts = {"n_genuine": 100, "n_impostor": 500} if task == "verification" else {}
    known: dict[str, Any] = {"task": task, "value": value, "low": value - 0.02, "high": value + 0.02, "n": 48, **counts}
    return cast(ResultRow, SimpleNamespace(**known))


def fake(spec: TableSpec, home: Path, *figures: FigureSpec, data: str = "simulated") -> Finished:
    """A table whose results are made up: of simulated data, or of any other."""
    unreal = data in ("simulated", "synthetic")
    modalities = spec.protocol.modalities
    info = {"data": data, "n_subjects": {"all": N_SUBJECTS}, "sources": {m: {"synthetic": unreal} for m in modalities}}
    items = pd.DataFrame({"item": np.arange(N_ITEMS)[::-1], "subject": np.arange(N_ITEMS)[::-1] % N_SUBJECTS})
    manifest = SimpleNamespace(info=info, modalities=modalities, items=items, is_synthetic=unreal)
    found = cells(spec)
    for i, cell in enumerate(found):
        folder = home / cell.row
        if not folder.exists():
            write = write_trials if spec.protocol.verifies else write_classes
            write(folder, np.random.default_rng(i))
    return cast(
        Finished,
        SimpleNamespace(
            spec=SimpleNamespace(**{**vars(spec), "figures": figures}),
            runner=SimpleNamespace(manifest=manifest, manifest_of=lambda _: manifest, seed=0),
            rows={(c.row, c.column): row(c.task, 0.1 + 0.03 * i) for i, c in enumerate(found)},
            result_of=lambda cell: home / cell.row,
        ),
    )


def of_trials(folder: Path, levels: tuple[str, ...] = ("0.9", "0", "0.50")) -> TableSpec:
    systems = (("A", "concat"), ("C", "attention"))
    rows = [
        f'[[rows]]\nkey = {{ system = "{name}", level = "{level}" }}\nset = {{ fusion = "{fusion}" }}\n'
        for name, fusion in systems
        for level in levels
    ]
    return spec_of(folder, TRIALS + "".join(rows))


def spec_of(folder: Path, text: str) -> TableSpec:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.toml").write_text(text)
    return load(folder / "own.toml")


def listed(out: Path) -> list[dict[str, str]]:
    return cast(list[dict[str, str]], json.loads((out / "figures" / "figures.json").read_text()))


@pytest.fixture
def trials(tmp_path: Path) -> TableSpec:
    return of_trials(tmp_path / "spec")


@pytest.mark.parametrize(
    ("figure", "words", "caption"),
    [
        (DET, ("A, EER ", "C, EER "), r"Bands: 95 % at each false match rate by subject bootstrap \(200 draws\)"),
        (replace(DET, kind="scores"), ("A, EER ", "threshold of the EER"), "Histograms in percent"),
        (CURVE, ("EER (%)", "A (", "C (", "lower is better"), "EER .%. against level. Bars: .* area under the curve"),
        (replace(CURVE, only=(("level", ("0.5",)),)), (">A<",), "Bars"),
        (ATTENTION, (">A<", ">C<", ">face<", ">voice<"), "Mean attention weight .* Bands: 95 % subject bootstrap"),
        (RELIABLE, ("0.9", "0.50", "mean distance"), "posterior at this share, from LLRs calibrated on dev trials"),
    ],
)
def test_figures_of_trials(
    trials: TableSpec, tmp_path: Path, figure: FigureSpec, words: tuple[str, ...], caption: str
) -> None:
    drawn = draw(fake(trials, tmp_path / "home", figure), tmp_path)
    names = [f"own-{figure.name}.{suffix}" for suffix in ("svg", "png")]
    assert drawn == [tmp_path / "figures" / name for name in names]
    text = drawn[0].read_text()
    assert [word for word in words if word not in text] == []
    entry = listed(tmp_path)[0]
    assert (entry["table"], entry["name"], entry["kind"]) == ("own", figure.name, figure.kind)
    assert [entry["svg"], entry["png"]] == names
    assert entry["title"] == f"{figure.title} (simulated data)"
    assert entry["caption"].endswith("Data: simulated; 8 subjects, 100 genuine and 500 impostor trials.")
    assert re.search(caption, entry["caption"])


def test_reliability_of_decisions(tmp_path: Path) -> None:
    finished = fake(spec_of(tmp_path / "spec", CLASSES), tmp_path / "home", ID, data="ecg-id")
    text = draw(finished, tmp_path)[0].read_text()
    assert ">face<" in text  # the one key in which the rows differ
    assert "(real); 8 subjects, n = 48 distinct test decisions." in listed(tmp_path)[0]["caption"]


def test_the_same_bytes_each_time(trials: TableSpec, tmp_path: Path) -> None:
    finished = fake(trials, tmp_path / "home", DET, CURVE)
    first, second = (draw(finished, tmp_path / name) for name in "xy")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert listed(tmp_path / "x") == listed(tmp_path / "y")


@pytest.mark.parametrize("at_once", [True, False])
def test_processes_that_are_lost_change_nothing(trials: TableSpec, tmp_path: Path, at_once: bool) -> None:
    class Lost(Here):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
            if at_once:
                raise BrokenProcessPool(f"{fn}, {len(args)}, {kwargs}")
            found: Future[Any] = Future()
            found.set_exception(BrokenProcessPool())
            return found

    finished = fake(trials, tmp_path / "home", CURVE)
    there, here = begin(finished, tmp_path / "x", Lost()).finish(), draw(finished, tmp_path / "y")
    assert [path.read_bytes() for path in there] == [path.read_bytes() for path in here]


def test_what_is_noted_is_not_gathered_again(trials: TableSpec, tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    first = begin(fake(trials, tmp_path / "home", CURVE), tmp_path / "out", Here(), notes, "of this").finish()
    notes.save()
    gone = cast(Finished, SimpleNamespace(spec=SimpleNamespace(name="own", figures=(CURVE,))))
    assert begin(gone, tmp_path / "out", Here(), Notes(tmp_path), "of this").finish() == first
    assert [entry["name"] for entry in listed(tmp_path / "out")] == ["curve"]


def test_levels_stand_in_their_order(trials: TableSpec, tmp_path: Path) -> None:
    picked = pick(fake(trials, tmp_path / "home"), CURVE)
    assert [(one.label, one.level) for one in picked[:3]] == [("A", 0.9), ("A", 0.0), ("A", 0.5)]
    assert draw(fake(trials, tmp_path / "home", CURVE), tmp_path)  # which the axis sorts


def test_a_trials_subjects_and_threshold(trials: TableSpec, tmp_path: Path) -> None:
    one = pick(fake(trials, tmp_path / "home"), CURVE)[0]
    assert (one.pairs[:, 0] == one.array("enrolment") % N_SUBJECTS).all()
    assert ((one.pairs[:, 0] == one.pairs[:, 1]) == one.array("genuine")).all()
    at = one.points.thresholds.tolist().index(one.threshold())
    assert one.points.fnmr[at] >= one.points.fmr[at]
    assert one.points.fnmr[at - 1] < one.points.fmr[at - 1]


def test_rows_that_cannot_be_told_apart(trials: TableSpec, tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"own, figure 'det': the rows .*level=0.9 and .*level=0 cannot be"):
        draw(fake(trials, tmp_path / "home", replace(DET, lines="system", only=())), tmp_path)


@pytest.mark.parametrize(
    ("figure", "gone"),
    [(replace(DET, only=(("level", ("7.0",)),)), ""), (ATTENTION, "weights"), (RELIABLE, "llr")],
)
def test_nothing_to_show(trials: TableSpec, tmp_path: Path, figure: FigureSpec, gone: str) -> None:
    finished = fake(trials, tmp_path / "home", figure)
    for path in (tmp_path / "home").rglob(f"{gone}.npy"):
        path.unlink()
    assert draw(finished, tmp_path) == []
    assert not (tmp_path / "figures").exists()


def test_a_result_that_is_gone(trials: TableSpec, tmp_path: Path) -> None:
    finished = fake(trials, tmp_path / "home", DET)
    for path in (tmp_path / "home").rglob("scores.npy"):
        path.write_bytes(b"")
    with pytest.raises(MmbioError, match=r"scores.npy: not a readable array .*; move .* away and run the mmbio tables"):
        draw(finished, tmp_path)


def test_the_list_keeps_other_tables(trials: TableSpec, tmp_path: Path) -> None:
    draw(fake(replace(trials, name="b"), tmp_path / "home", CURVE, ATTENTION), tmp_path)
    draw(fake(replace(trials, name="a"), tmp_path / "home", CURVE), tmp_path)
    draw(fake(replace(trials, name="b"), tmp_path / "home", CURVE), tmp_path)
    assert [(entry["table"], entry["name"]) for entry in listed(tmp_path)] == [("a", "curve"), ("b", "curve")]
    (tmp_path / "figures" / "b-curve.svg").unlink()
    draw(fake(replace(trials, name="a"), tmp_path / "home", CURVE), tmp_path)
    assert [entry["table"] for entry in listed(tmp_path)] == ["a"]


@pytest.mark.parametrize("text", ["", "[{", "{}", "3", '[3, {"table": "b"}, {"table": 1, "svg": null}]'])
def test_a_damaged_list_is_written_anew(trials: TableSpec, tmp_path: Path, text: str) -> None:
    finished = fake(trials, tmp_path / "home", CURVE)
    draw(finished, tmp_path)
    path = tmp_path / "figures" / "figures.json"
    before = path.read_text()
    path.write_text(text)
    draw(finished, tmp_path)
    assert path.read_text() == before


@pytest.mark.parametrize("modality", ["ecg", "face", "finger"])
def test_samples(tiny_manifest: Manifest, tmp_path: Path, modality: str) -> None:
    figure = FigureSpec("samples", modality, "Samples", modality=modality)
    finished = fake(spec_of(tmp_path / "spec", CLASSES), tmp_path / "home", figure)
    cast(Any, finished.runner).manifest = tiny_manifest
    assert len(draw(finished, tmp_path)) == 2
    assert listed(tmp_path)[0]["title"].endswith("synthetic data)")
    assert "before and after" in listed(tmp_path)[0]["caption"]


def test_real_peoples_samples_are_never_drawn(
    tiny_manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "samples", None)
    sources = {m: s | {"synthetic": m == "finger"} for m, s in tiny_manifest.info["sources"].items()}
    figure = FigureSpec("samples", "face", "Samples", modality="face")
    finished = fake(spec_of(tmp_path / "spec", CLASSES), tmp_path / "home", figure)
    cast(Any, finished.runner).manifest = replace(tiny_manifest, info=tiny_manifest.info | {"sources": sources})
    assert draw(finished, tmp_path) == []

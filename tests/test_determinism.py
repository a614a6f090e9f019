"""Determinism: the same seed, data and version give identical CSVs twice, in any home, on any number of workers."""

from dataclasses import replace
from pathlib import Path

import pytest

from mmbio.conditions import parse
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.run import train
from mmbio.measure.evaluate import Evaluator
from mmbio.protocols import MULTITASK

FEW = Optimiser(epochs=3)
PAIRS = Optimiser(epochs=2, steps=2)
ECG = Config("multitask", "attention", ("ecg",), MULTITASK.tasks, folds=3, optimiser=FEW)
OF_PAIRS = Config("audiovisual", "attention", ("face", "voice"), ("verification",), optimiser=PAIRS, segment_s=1.015)
LOGISTIC = replace(OF_PAIRS, fusion="score-logistic")


def written(manifest: Manifest, config: Config, condition: str, settings: Settings) -> dict[str, bytes]:
    """What training and evaluation leave in the home that is compared: all but sidecars, logs and locks."""
    checkpoint = train(manifest, config, settings)
    evaluator = Evaluator(manifest, checkpoint, parse(condition), settings)
    evaluator.save(evaluator.run())
    paths = [p for p in settings.home.rglob("*") if p.suffix in (".csv", ".npy", ".safetensors")]
    found = {p.relative_to(settings.home).as_posix(): p.read_bytes() for p in paths}
    found |= {"key.json": (evaluator.folder / "key.json").read_bytes()}
    assert {"results.csv", f"results/{evaluator.hash}/rows.csv"} <= found.keys()
    return found


def test_samples_in_two_homes(tiny_manifest: Manifest, tiny_settings: Settings, tmp_path: Path) -> None:
    config = replace(ECG, fusion="score-sum", modalities=("ecg", "face"), condition=parse("face=0.97"), folds=2)
    first, again = (
        written(tiny_manifest, config, "ecg=0.1,face=0.97", replace(tiny_settings, home=tmp_path / name))
        for name in ("one", "two")
    )
    assert sorted(first) == sorted(again)
    assert [name for name in first if first[name] != again[name]] == []


@pytest.mark.parametrize(("config", "condition"), [(ECG, "ecg=0.1"), (ECG, "ecg=random")])
def test_workers_of_classification(
    config: Config,
    condition: str,
    tiny_manifest: Manifest,
    tiny_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = []
    for number in ("1", "2", "3"):
        monkeypatch.setenv("MMBIO_THREADS", number)
        found.append(written(tiny_manifest, config, condition, replace(tiny_settings, home=tmp_path / number)))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("config", "condition"), [(OF_PAIRS, "voice=random@probe"), (LOGISTIC, "clean"), (LOGISTIC, "missing=face")]
)
def test_workers_of_verification(
    config: Config,
    condition: str,
    av_manifest: Manifest,
    av_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = []
    for number in ("1", "2"):
        monkeypatch.setenv("MMBIO_THREADS", number)
        found.append(written(av_manifest, config, condition, replace(av_settings, home=tmp_path / number)))
    assert found[0] == found[1]


def test_another_seed_is_another_result(av_manifest: Manifest, av_settings: Settings, tmp_path: Path) -> None:
    first, other = (
        written(av_manifest, replace(OF_PAIRS, seed=s), "clean", replace(av_settings, home=tmp_path / str(s)))
        for s in (0, 1)
    )
    assert not {name for name in first if name != "results.csv" and first[name] == other.get(name)}
    assert first["results.csv"] != other["results.csv"]

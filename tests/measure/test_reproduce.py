"""Reproduce: results of all kinds come back byte for byte; what is gone, edited or newer is refused."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbio.conditions import parse
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash
from mmbio.fuse import fusions
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.run import train
from mmbio.measure import sidecar
from mmbio.measure.dcf import Cost
from mmbio.measure.evaluate import Evaluator
from mmbio.measure.reproduce import Moved, Reproduction, recorded, reproduce
from mmbio.measure.trials import Trials, of_manifest
from mmbio.measure.verify import DEFAULT, Options
from mmbio.protocols import MULTITASK

ECG = Config("multitask", "concat", ("ecg",), MULTITASK.tasks, folds=2, optimiser=Optimiser(epochs=2))
RULE = replace(ECG, fusion="score-sum", modalities=("ecg", "face"), rule_weights={"ecg": 0.75, "face": 0.25})
PAIRS = Config(
    "audiovisual",
    "attention",
    ("face", "voice"),
    ("verification",),
    optimiser=Optimiser(epochs=2, steps=2),
    segment_s=1.015,
)
LOGISTIC = replace(PAIRS, fusion="score-logistic")
THERE = Moved()
OWN = """from torch import nn

from mmbio.fuse.concat import Concat


class Own(Concat):
    def forward(self, vectors, present):
        return nn.functional.relu(super().forward(vectors, present)[0]), None
"""


@dataclass(frozen=True)
class Made:
    folder: Path
    manifest: Manifest
    settings: Settings


Make = Callable[..., Made]


@pytest.fixture
def make(
    tiny_manifest: Manifest, tiny_settings: Settings, av_manifest: Manifest, av_settings: Settings, tmp_path: Path
) -> Make:
    def made(
        config: Config, condition: str = "clean", trials: Trials | None = None, options: Options = DEFAULT
    ) -> Made:
        manifest, settings = (av_manifest, av_settings) if config.verifies else (tiny_manifest, tiny_settings)
        settings = replace(settings, home=tmp_path / "home")
        evaluator = Evaluator(manifest, train(manifest, config, settings), parse(condition), settings, trials, options)
        evaluator.save(evaluator.run())
        return Made(evaluator.folder, manifest, settings)

    return made


@pytest.fixture(scope="module")
def ruled_once(
    tiny_manifest: Manifest, tiny_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A home with a score rule's result, whose faces went through ResNet-50, and the result's hash."""
    settings = replace(tiny_settings, home=tmp_path_factory.mktemp("ruled") / "home")
    evaluator = Evaluator(tiny_manifest, train(tiny_manifest, RULE, settings), parse("missing=ecg"), settings)
    evaluator.save(evaluator.run())
    return settings.home, evaluator.hash


@pytest.fixture
def ruled(ruled_once: tuple[Path, str], tiny_manifest: Manifest, tiny_settings: Settings, tmp_path: Path) -> Made:
    """The score rule's result in a home that the test may break."""
    home, name = ruled_once
    shutil.copytree(home, tmp_path / "home")
    settings = replace(tiny_settings, home=tmp_path / "home")
    return Made(settings.home / "results" / name, tiny_manifest, settings)


def again(made: Made, moved: Moved = THERE, from_checkpoint: bool = False) -> Reproduction:
    scratch = made.settings.home / "reproduced"
    return reproduce(recorded(made.folder), scratch, moved, from_checkpoint)


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


@pytest.mark.parametrize(
    ("config", "condition", "options"),
    [
        (ECG, "ecg=0.1", DEFAULT),
        (replace(ECG, tasks=("gender",), unseen=True, folds=None), "clean", DEFAULT),
        (PAIRS, "voice=random@probe", Options("rocch", "sre12", Cost(), by_gender=True)),
        (LOGISTIC, "face=zeros", Options(cost=Cost(0.05), skip_missing=True)),
        (replace(PAIRS, fusion="cosine", modalities=("voice",)), "clean", DEFAULT),
    ],
    ids=["ecg", "unseen", "attention", "logistic", "cosine"],
)
@pytest.mark.parametrize("from_checkpoint", [False, True])
def test_every_kind_comes_back(
    make: Make, config: Config, condition: str, options: Options, from_checkpoint: bool
) -> None:
    made = make(config, condition, options=options)
    before = {p: p.read_bytes() for p in made.settings.home.rglob("*") if p.is_file() and p.suffix != ".lock"}
    found = again(made, from_checkpoint=from_checkpoint)
    assert (found.comparison.verdict, found.comparison.left_out, found.changes) == ("same bytes", {}, {})
    assert found.comparison.n_arrays == len([*made.folder.glob("*.npy")])
    assert found.folder != made.folder
    assert {p: p.read_bytes() for p in before} == before


@pytest.mark.parametrize("from_checkpoint", [False, True])
def test_a_score_rule_comes_back(ruled: Made, from_checkpoint: bool) -> None:
    found = again(ruled, from_checkpoint=from_checkpoint)
    assert (found.comparison.verdict, found.comparison.left_out, found.changes) == ("same bytes", {}, {})


def test_a_list_of_ones_own_with_unknown_trials(make: Make, av_manifest: Manifest) -> None:
    own = of_manifest(av_manifest)
    some = np.arange(0, len(own.genuine), 3)
    listed = Trials(own.enrolment[some], own.probe[some].copy(), own.genuine[some], "list mine.txt")
    listed.probe[:2] = -1
    made = make(PAIRS, trials=listed, options=Options(skip_missing=True))
    found = recorded(made.folder)
    back = sidecar.trials_of(made.folder, found.sidecar, found.key)
    assert back is not None
    assert back.hash == listed.hash
    assert again(made).comparison.verdict == "same bytes"
    np.save(made.folder / sidecar.LISTED, np.zeros((3, 4), np.int64))
    with pytest.raises(MmbioError, match=r"asked_trials\.npy: not as mmbio wrote it, the file was edited"):
        again(made)


def test_a_fusion_of_ones_own(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_fusion_reproduced.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    fusions.allow("own_fusion_reproduced:Own")
    made = make(replace(ECG, fusion="own_fusion_reproduced:Own"))
    assert again(made).comparison.verdict == "same bytes"
    (tmp_path / "own_fusion_reproduced.py").write_text(f"{OWN}# later\n")
    found = again(made)
    assert found.comparison.verdict == "same figures"
    assert list(found.comparison.left_out) == ["result"]
    assert list(found.changes) == ["checkpoint fusion_code"]


def test_threads_are_those_of_then(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBIO_THREADS", "1")
    made = make(ECG)
    assert json.loads((made.folder / "run.json").read_text())["settings"]["threads"] == 1
    monkeypatch.setenv("MMBIO_THREADS", "2")
    assert again(made).changes == {}
    assert os.environ["MMBIO_THREADS"] == "2"
    monkeypatch.delenv("MMBIO_THREADS")
    assert again(made).changes == {}
    assert "MMBIO_THREADS" not in os.environ


def test_a_figure_that_was_another(make: Make) -> None:
    made = make(ECG)
    rows = (made.folder / "rows.csv").read_text()
    value = rows.splitlines()[1].split(",")[21]
    (made.folder / "rows.csv").write_text(rows.replace(f",{value},", ",0.125,"))
    with pytest.raises(MmbioError, match=r"rows\.csv: not as mmbio wrote it, the file was edited"):
        again(made, from_checkpoint=True)
    written = bytes_hash((made.folder / "rows.csv").read_bytes())  # as if another machine had found it
    edit(made.folder / "run.json", lambda told: told["files"].update({"rows.csv": written}))
    found = again(made, from_checkpoint=True)
    assert found.comparison.verdict == "different"
    assert found.comparison.columns["value"][1] == pytest.approx(abs(float(value) - 0.125))


def test_the_sidecar_says_what_the_key_does_not(ruled: Made) -> None:
    made = ruled
    told = json.loads((made.folder / "run.json").read_text())
    assert (told["result"], told["manifest"]) == (made.folder.name, made.manifest.hash)
    assert Path(told["manifest_folder"]).expanduser() == made.manifest.folder.resolve()
    assert told["checkpoint"].startswith("checkpoints/multitask-score-sum-ecg+face-")
    assert told["settings"].items() >= {"weights": "random", "precision": "auto", "device": "cpu"}.items()
    assert told["began"].endswith("+00:00")
    assert told["seconds"] >= 0
    assert told["environment"]["libraries"]


def no_sidecar(made: Made) -> None:
    (made.folder / "run.json").unlink()


def newer(made: Made) -> None:
    edit(made.folder / "run.json", lambda told: told.update(schema=2))


def cut(made: Made) -> None:
    (made.folder / "run.json").write_text('{"schema": 1')


def lacking(made: Made) -> None:
    edit(made.folder / "run.json", lambda told: told.pop("settings"))


def no_setting(made: Made) -> None:
    edit(made.folder / "run.json", lambda told: told.update(settings={}))


def edited(made: Made) -> None:
    edit(made.folder / "key.json", lambda key: key.update(condition="ecg=0.5"))


def no_manifest(made: Made) -> None:
    edit(made.folder / "run.json", lambda told: told.update(manifest_folder="manifests/gone"))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (no_sidecar, r"has no run\.json, so an older mmbio wrote it; evaluate it again with mmbio eval"),
        (newer, r"run\.json: schema 2, this mmbio reads 1; use the mmbio that wrote it, or evaluate"),
        (cut, r"run\.json: not a readable record of a run"),
        (lacking, r"run\.json: not as mmbio wrote it, .*settings"),
        (no_setting, r"run\.json: not as mmbio wrote it, 'weights'"),
        (edited, r"key\.json: not as mmbio wrote it, the file was edited"),
        (no_manifest, r"manifest [0-9a-f]{8} is not there; build it again or give --manifest"),
    ],
)
def test_damage(make: Make, damage: Callable[[Made], None], told: str) -> None:
    made = make(ECG)
    damage(made)
    with pytest.raises(MmbioError, match=told):
        again(made)


def test_a_checkpoint_that_is_gone(ruled: Made) -> None:
    for pattern in ("*-concat-face-*.safetensors", "*-score-sum-*.safetensors"):
        next((ruled.settings.home / "checkpoints").glob(pattern)).unlink()
        with pytest.raises(MmbioError, match="the checkpoint is not there; leave --from-checkpoint out to train"):
            again(ruled, from_checkpoint=True)


def test_a_checkpoint_that_is_another(make: Make) -> None:
    made, other = make(ECG), make(replace(ECG, seed=1))
    kept = recorded(other.folder).sidecar.checkpoint
    edit(made.folder / "run.json", lambda told: told.update(checkpoint=kept))
    with pytest.raises(MmbioError, match="another checkpoint than that of the result; leave --from-checkpoint out"):
        again(made, from_checkpoint=True)


def test_a_manifest_that_moved(make: Make, av_manifest: Manifest, tmp_path: Path) -> None:
    made = make(replace(PAIRS, fusion="cosine"))
    no_manifest(made)
    moved = shutil.copytree(av_manifest.folder, tmp_path / "moved")
    assert again(made, Moved(manifest=moved)).comparison.verdict == "same bytes"
    shutil.copytree(av_manifest.folder, made.settings.home / "manifests" / av_manifest.folder.name)
    assert again(made).comparison.verdict == "same bytes"


def test_another_manifest(make: Make, av_manifest: Manifest) -> None:
    with pytest.raises(MmbioError, match=r"manifest [0-9a-f]{8}, where the result is of [0-9a-f]{8}; give that one's"):
        again(make(ECG), Moved(manifest=av_manifest.folder))


def test_samples_that_are_gone(make: Make, tiny_manifest: Manifest, tmp_path: Path) -> None:
    made = make(ECG)
    folder = shutil.copytree(tiny_manifest.folder, tmp_path / "moved")
    info = json.loads((folder / "manifest.json").read_text())
    info["sources"]["ecg"]["folder"] = str(tmp_path / "nowhere")
    (folder / "manifest.json").write_text(json.dumps(info))
    with pytest.raises(MmbioError, match=r"nowhere.*: a sample of the manifest is not there"):
        again(made, Moved(manifest=folder))


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ("imagenet", "--weights imagenet: not the weights of the result, which are random-0; give that file"),
        ("nofile", "nofile: the weights of the result are not there; say where with --weights PATH"),
    ],
)
def test_other_weights(ruled: Made, weights: str, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        again(ruled, Moved(weights=weights))


def test_weights_of_no_network(make: Make) -> None:
    with pytest.raises(MmbioError, match=r"--weights random: no ResNet-50 behind [0-9a-f]+; leave --weights out"):
        again(make(ECG), Moved(weights="random"))


def test_an_array_that_is_gone(make: Make) -> None:
    made = make(ECG)
    (made.folder / "subject.npy").unlink()
    with pytest.raises(MmbioError, match=r"subject\.npy: of this result, and gone"):
        recorded(made.folder)

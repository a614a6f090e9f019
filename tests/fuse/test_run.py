"""Running: what is trained once is not trained again, and the same work gives the same bytes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from mmbio.conditions import parse
from mmbio.data import vector_sets, virtual
from mmbio.data.manifest import Manifest
from mmbio.data.plan import Plan
from mmbio.data.sources import resolve
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.fuse import checkpoint, fusions, run
from mmbio.fuse.config import OF_PAIRS, Config, Optimiser
from mmbio.fuse.run import classes_of, partitions_of, plan, train
from mmbio.fuse.train import new_network
from mmbio.protocols import AUDIOVISUAL, MULTITASK

ECG = Config("multitask", "concat", ("ecg",), MULTITASK.tasks, folds=2, optimiser=Optimiser(epochs=2))


def never(*_: object) -> Any:
    raise AssertionError("trained again")


@pytest.fixture
def own_home(tmp_path: Path, tiny_settings: Settings) -> Settings:
    """A home of its own that has the tests' vectors."""
    (tiny_settings.home / "store").mkdir(exist_ok=True)
    (tmp_path / "store").symlink_to(tiny_settings.home / "store")
    return replace(tiny_settings, home=tmp_path)


def test_trained_once(tiny_manifest: Manifest, own_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int, int]] = []
    first = train(tiny_manifest, ECG, own_home, lambda *what: seen.append(what))
    assert seen == [("training networks", 1, 2), ("training networks", 2, 2)]
    monkeypatch.setattr(run, "train_fold", never)
    again = train(tiny_manifest, ECG, own_home)
    assert again == first == plan(tiny_manifest, ECG, own_home)
    assert again.path.parent == own_home.home / "checkpoints"
    cost = again.cost()
    assert cost["epochs"] == [2, 2]
    assert cost["n_parameters"] < 1_000_000  # the branches of face and finger are not counted
    for change in ({"seed": 1}, {"folds": 1}, {"condition": parse("ecg=0.1")}, {"optimiser": Optimiser(epochs=1)}):
        with pytest.raises(AssertionError, match="trained again"):
            train(tiny_manifest, replace(ECG, **change), own_home)


def test_two_homes_get_the_same_bytes(tiny_manifest: Manifest, own_home: Settings, tmp_path: Path) -> None:
    other = replace(own_home, home=tmp_path / "other")
    (other.home).mkdir()
    (other.home / "store").symlink_to(own_home.home / "store")
    config = replace(ECG, fusion="attention", modalities=("ecg", "face"), tasks=("identification",))
    first, second = (train(tiny_manifest, config, settings) for settings in (own_home, other))
    assert first.path.name == second.path.name
    assert first.path != second.path
    assert first.path.read_bytes() == second.path.read_bytes()


def test_networks_trained_at_once_are_the_same_bytes(
    tiny_manifest: Manifest, own_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    for threads in ("1", "4"):
        monkeypatch.setenv("MMBIO_THREADS", threads)
        home = tmp_path / threads
        files.append(train(tiny_manifest, replace(ECG, folds=4), replace(own_home, home=home)).path.read_bytes())
    assert files[0] == files[1]


def test_score_rules_share_their_networks(
    tiny_manifest: Manifest, own_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(ECG, fusion="score-sum", modalities=("ecg", "finger"), tasks=("gender",))
    seen: list[tuple[str, int, int]] = []
    first = train(tiny_manifest, config, own_home, lambda *what: seen.append(what))
    assert [s for s in seen if s[0] == "training networks"] == [("training networks", i, 4) for i in (1, 2, 3, 4)]
    monkeypatch.setattr(run, "train_fold", never)
    other = replace(config, fusion="score-max", rule_weights={"ecg": 1.0, "finger": 2.0})
    second = train(tiny_manifest, other, own_home)
    assert second.path != first.path
    assert second.members() == first.members() == [train(tiny_manifest, m, own_home) for m in config.members()]
    assert [m.config for m in checkpoint.read(second.path).members()] == list(config.members())
    assert first.cost()["n_parameters"] == sum(m.cost()["n_parameters"] for m in first.members())


def test_a_checkpoint_carries_no_idle_branch(tiny_manifest: Manifest, own_home: Settings) -> None:
    network = train(tiny_manifest, replace(ECG, folds=1), own_home)
    assert network.path.stat().st_size < 4 * network.cost()["n_parameters"] + 100_000
    assert set(network.network(0).state_dict()) > {"branches.face.fc.weight"}


@pytest.mark.parametrize(("folds", "n"), [(None, 8), (2, 2), (100, 8)])
def test_the_first_so_many_folds(tiny_manifest: Manifest, folds: int | None, n: int) -> None:
    assert len(partitions_of(tiny_manifest, replace(ECG, folds=folds))) == n


def test_classes(tiny_manifest: Manifest) -> None:
    assert classes_of(tiny_manifest, ECG) == {"identification": 6, "gender": 2}
    assert classes_of(tiny_manifest, replace(ECG, tasks=("gender",))) == {"gender": 2}


AV = Config(
    "audiovisual",
    "attention",
    AUDIOVISUAL.modalities,
    AUDIOVISUAL.tasks,
    optimiser=Optimiser(epochs=2, steps=3, batch=20),
    segment_s=1.015,
)
AV_SHAPES = {"face": (16,), "voice": (12,)}


def av_states(manifest: Manifest, config: Config, settings: Settings) -> dict[str, Any]:
    return dict(train(manifest, config, settings).network(0).state_dict())


@pytest.fixture
def own_av_home(tmp_path: Path, av_settings: Settings) -> Settings:
    """A home of its own; the vectors lie in their set."""
    return replace(av_settings, home=tmp_path)


@pytest.mark.parametrize("fusion", OF_PAIRS)
def test_pairs_train_to_the_same_bytes_whatever_the_home_and_threads(
    av_manifest: Manifest, own_av_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fusion: str
) -> None:
    config, files = replace(AV, fusion=fusion), []
    for threads in ("1", "4"):
        monkeypatch.setenv("MMBIO_THREADS", threads)
        found = train(av_manifest, config, replace(own_av_home, home=tmp_path / threads))
        files.append((found.path.name, found.path.read_bytes()))
        for member in found.members():
            member.network(0)  # fits its configuration
    assert files[0] == files[1]


def test_pairs_are_trained_on(av_manifest: Manifest, own_av_home: Settings) -> None:
    found = train(av_manifest, AV, own_av_home)
    assert found.shapes == AV_SHAPES
    assert found.key["classes"] == {}
    assert found.embeddings() == {}  # vectors are there, none was extracted
    assert found.cost()["epochs"] == [2]
    untrained = new_network(AV, {}, found.shapes, 0).state_dict()
    trained = found.network(0).state_dict()
    assert not any(torch.equal(trained[name], untrained[name]) for name in trained)


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"segment_s": 0.115}, {"condition": parse("voice=random")}, {"modalities": ("voice",)}],
)
def test_what_changes_the_networks_of_pairs(
    av_manifest: Manifest, own_av_home: Settings, change: dict[str, Any]
) -> None:
    first, other = (train(av_manifest, config, own_av_home) for config in (AV, replace(AV, **change)))
    assert first.path != other.path
    a, b = (found.network(0).state_dict() for found in (first, other))
    assert any(not torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("chimeric", [False, True])
def test_a_modality_that_is_missing_in_training_is_not_learnt_from(
    av_manifest: Manifest, own_av_home: Settings, chimeric: bool
) -> None:
    manifest = replace(av_manifest, info=av_manifest.info | {"chimeric": chimeric})
    how = Optimiser(epochs=1, steps=2, batch=20, weight_decay=0)
    config = replace(AV, fusion="sum", condition=parse("missing=voice"), optimiser=how)
    trained, untrained = av_states(manifest, config, own_av_home), new_network(config, {}, AV_SHAPES, 0).state_dict()
    kept = {name for name in trained if torch.equal(trained[name], untrained[name])}
    assert kept == {"fusion.projections.layers.1.weight", "fusion.projections.layers.1.bias"}


@pytest.mark.parametrize("chimeric", [False, True])
def test_nothing_left_to_train_on(av_manifest: Manifest, own_av_home: Settings, chimeric: bool) -> None:
    manifest = replace(av_manifest, info=av_manifest.info | {"chimeric": chimeric})
    config = replace(AV, condition=parse("missing=face,missing=voice"))
    with pytest.raises(MmbioError, match="'missing=face,missing=voice': leaves no modality to train on"):
        train(manifest, config, own_av_home)


def test_chimeric_people_train_other_networks(av_manifest: Manifest, own_av_home: Settings, tmp_path: Path) -> None:
    chimeric = replace(av_manifest, info=av_manifest.info | {"chimeric": True})
    homes = (replace(own_av_home, home=tmp_path / name) for name in ("together", "apart"))
    a, b = (av_states(m, AV, home) for m, home in zip((av_manifest, chimeric), homes, strict=True))
    assert any(not torch.equal(a[name], b[name]) for name in a)


def test_a_modality_that_the_manifest_does_not_have(av_manifest: Manifest, own_av_home: Settings) -> None:
    with pytest.raises(MmbioError, match="--modalities finger: the manifest has face, voice; choose from these"):
        train(av_manifest, replace(AV, modalities=("face", "finger")), own_av_home)


def test_a_segment_length_that_the_set_does_not_have(av_manifest: Manifest, own_av_home: Settings) -> None:
    with pytest.raises(MmbioError, match=r"--segment 2\.0: the set has segments of 0\.115, 1\.015 s"):
        train(av_manifest, replace(AV, segment_s=2.0), own_av_home)


@pytest.mark.parametrize("fusion", ["concat", "sum", "attention"])
def test_three_modalities(tmp_path: Path, own_av_home: Settings, fusion: str) -> None:
    rng = np.random.default_rng(0)
    names = [(part, f"{part}{i}", video) for part in ("dev", "test") for i in range(10) for video in "ab"]
    rows = [(f"{name}/{video}", name, "F", video, f"{name}/{video}", part) for part, name, video in names]
    table = pd.DataFrame(rows, columns=list(vector_sets.COLUMNS))
    dims = {"face": 8, "finger": 5, "voice": 6}
    for modality in dims:
        table[modality] = np.arange(len(table))
    vectors = {m: {"": rng.standard_normal((len(table), dim))} for m, dim in dims.items()}
    vector_sets.write(tmp_path / "three", "three", table, vectors)
    sets = resolve(AUDIOVISUAL, str(tmp_path / "three"), {}, tmp_path)
    manifest = virtual.build(sets, Plan(AUDIOVISUAL), tmp_path)
    config = replace(AV, fusion=fusion, modalities=("voice", "finger", "face"), segment_s=None)
    found = train(manifest, config, own_av_home)
    assert found.config.modalities == manifest.modalities == ("face", "finger", "voice")
    out = found.network(0).eval()(
        {m: torch.rand(2, dim) for m, dim in dims.items()}, torch.ones(2, 3, dtype=torch.bool)
    )
    assert out.fused.shape == (2, 600)
    assert (out.weights is None) is (fusion != "attention")


OWN = """
import torch


class Mixed(torch.nn.Module):
    def __init__(self, dims, sizes, norm):
        super().__init__()
        self.register_buffer("mix", torch.rand(dims[0], sizes[-1]))

    def forward(self, vectors, present):
        return vectors[0] @ self.mix, None
"""


def test_a_users_fusion_without_parameters_keeps_its_numbers(
    av_manifest: Manifest, own_av_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mmbio_test_mixed.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    fusions.allow("mmbio_test_mixed:Mixed")
    found = train(av_manifest, replace(AV, fusion="mmbio_test_mixed:Mixed"), own_av_home)
    assert found.cost()["n_parameters"] == 0
    first, again = (found.network(0).state_dict()["fusion.mix"] for _ in range(2))
    assert torch.equal(first, again)

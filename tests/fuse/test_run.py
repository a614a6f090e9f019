"""Running: what is trained once is not trained again, and the same work gives the same bytes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmbio.conditions import parse
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings
from mmbio.fuse import checkpoint, run
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.run import classes_of, partitions_of, plan, train
from mmbio.protocols import MULTITASK

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

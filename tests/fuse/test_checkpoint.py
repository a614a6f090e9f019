"""Checkpoints: what is written comes back; what is broken or foreign is refused."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from mmbio.embed.backbones import resnet50
from mmbio.errors import MmbioError
from mmbio.files import remember
from mmbio.fuse import checkpoint
from mmbio.fuse.checkpoint import Checkpoint
from mmbio.fuse.config import Config
from mmbio.fuse.network import Network
from mmbio.protocols import MULTITASK

CLASSES = {"identification": 3, "gender": 2}
SHAPES = {"ecg": (3, 300), "face": (2048,), "finger": (2048,)}


def key(config: Config) -> dict[str, Any]:
    embeddings = {m: {"weights": "random-0"} for m in config.modalities if m != "ecg"}
    shapes = [[m, list(shape)] for m, shape in SHAPES.items()]
    made_on = {"manifest": "0" * 16, "classes": CLASSES, "shapes": shapes}
    return {"config": config.to_json(), "embeddings": embeddings, **made_on}


def config(fusion: str = "attention", *modalities: str) -> Config:
    return Config("multitask", fusion, modalities or ("ecg",), MULTITASK.tasks)


def networks(fusion: str, n: int = 2) -> list[Network]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return [Network(MULTITASK, fusion, CLASSES, SHAPES).eval() for _ in range(n)]


def saved(folder: Path, made: Config) -> tuple[Checkpoint, list[Network]]:
    """A checkpoint of ECG networks, without the branches that idle."""
    folds = networks(made.fusion)
    idle = checkpoint.idle_branches(made, SHAPES)
    states = [{k: v for k, v in n.state_dict().items() if not k.startswith(idle)} for n in folds]
    path = folder / checkpoint.file_name(key(made))
    return checkpoint.write(path, key(made), states, {"seconds": 1.5, "n_parameters": 7}), folds


def test_write_and_read(tmp_path: Path) -> None:
    written, folds = saved(tmp_path, config())
    found = checkpoint.read(written.path, "multitask")
    assert found == written
    assert found.config == config()
    assert found.hash == written.hash
    assert found.cost() == {"seconds": 1.5, "n_parameters": 7}
    assert found.members() == [found]
    assert found.shapes == SHAPES
    beats, present = torch.rand(4, 3, 300), torch.tensor([[True, False, False]]).repeat(4, 1)
    for fold, network in enumerate(folds):
        out, expected = found.network(fold).eval()({"ecg": beats}, present), network({"ecg": beats}, present)
        assert torch.equal(out.fused, expected.fused)
        assert all(torch.equal(out.logits[task], expected.logits[task]) for task in CLASSES)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first, _ = saved(tmp_path / "a", config())
    second, _ = saved(tmp_path / "b", config())
    assert first.path.name == second.path.name
    assert first.path.read_bytes() == second.path.read_bytes()


def test_the_name_says_what_it_is() -> None:
    name = checkpoint.file_name(key(config("my.package:Own", "face", "ecg")))
    assert name.startswith("multitask-my-package-Own-ecg+face-identification+gender-")
    assert name.endswith(".safetensors")
    assert name != checkpoint.file_name(key(config("my.package:Own", "face", "ecg")) | {"manifest": "1" * 16})


@pytest.mark.parametrize(
    ("modalities", "idle"),
    [(("ecg",), ("branches.face.", "branches.finger.")), (MULTITASK.modalities, ())],
)
def test_idle_branches(modalities: tuple[str, ...], idle: tuple[str, ...]) -> None:
    assert checkpoint.idle_branches(config("concat", *modalities), SHAPES) == idle


def test_networks_that_do_not_fit(tmp_path: Path) -> None:
    made = config()
    state = networks("attention", 1)[0].state_dict()
    lacking = {k: v for k, v in state.items() if not k.startswith("heads.")}
    for states in ([lacking], [state | {"more": torch.zeros(1)}]):
        found = checkpoint.write(tmp_path / "x.safetensors", key(made), states, {})
        with pytest.raises(MmbioError, match="do not fit its configuration; train it again"):
            found.network(0)


def test_no_such_fold(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match="do not fit"):
        saved(tmp_path, config())[0].network(2)


def test_score_level_names_its_members(tmp_path: Path) -> None:
    rule = config("score-sum", "ecg", "face")
    members = [saved(tmp_path, member)[0] for member in rule.members()]
    both = {"config": rule.to_json(), "manifest": "0" * 16, "members": [m.key for m in members]}
    written = checkpoint.write(tmp_path / checkpoint.file_name(both), both, [], {})
    found = checkpoint.read(written.path)
    assert found.members() == members
    assert found.embeddings() == {"face": {"weights": "random-0"}}
    members[1].path.unlink()
    with pytest.raises(MmbioError, match=re.escape(f"{members[1].path}: not a readable mmbio checkpoint")):
        found.members()


@pytest.mark.parametrize("size", [0, 5, 40, 3000])
def test_a_file_cut_short(tmp_path: Path, size: int) -> None:
    path = saved(tmp_path, config())[0].path
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(MmbioError, match="not a readable mmbio checkpoint"):
        checkpoint.read(path)


def test_no_checkpoint(tmp_path: Path) -> None:
    text, foreign = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    text.write_text("this is no checkpoint at all")
    save_file({"a": torch.zeros(1)}, foreign, metadata={"other": "1"})
    for path in (text, foreign, tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(MmbioError, match=re.escape(f"{path}: not a readable mmbio checkpoint")):
            checkpoint.read(path)


@pytest.mark.parametrize(
    ("change", "asked", "words"),
    [
        ({"schema": 1}, None, "written by another version of mmbio; train it again"),
        ({"schema": None}, None, "written by another version"),
        ({}, "audiovisual", "a checkpoint of protocol multitask, expected audiovisual"),
        ({"config": {"protocol": "other"}}, None, "a checkpoint of protocol other, expected multitask"),
        ({"config": {"protocol": "multitask"}}, None, "not what mmbio train writes"),
        ({"config": 1}, None, "not what mmbio train writes"),
    ],
)
def test_foreign(tmp_path: Path, change: dict[str, Any], asked: str | None, words: str) -> None:
    path = tmp_path / "a.safetensors"
    content = json.dumps({"schema": checkpoint.SCHEMA, **key(config()), **change})
    save_file({"a": torch.zeros(1)}, path, metadata={"mmbio": content})
    with pytest.raises(MmbioError) as caught:
        checkpoint.read(path, asked)
    assert words in str(caught.value)


@pytest.mark.parametrize("content", ["[]", "1", '"text"', "null", "{}"])
def test_metadata_that_is_no_object(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"mmbio": content})
    with pytest.raises(MmbioError, match="written by another version of mmbio"):
        checkpoint.read(path)


@pytest.mark.parametrize("name", ["config", "manifest"])
def test_metadata_that_lacks_something(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.safetensors"
    lacking = {k: v for k, v in {"schema": checkpoint.SCHEMA, **key(config())}.items() if k != name}
    save_file({"a": torch.zeros(1)}, path, metadata={"mmbio": json.dumps(lacking)})
    with pytest.raises(MmbioError, match="not what mmbio train writes"):
        checkpoint.read(path)


def test_no_training_record(tmp_path: Path) -> None:
    found, _ = saved(tmp_path, config())
    found.path.with_suffix(".json").unlink()
    with pytest.raises(MmbioError, match="not a readable training record"):
        found.cost()


def test_newest_is_the_one_remembered(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path, "multitask") is None
    found, _ = saved(tmp_path / "checkpoints", config())
    remember(found.path.parent, "multitask", found.path)
    assert checkpoint.newest(tmp_path, "multitask") == found.path
    found.path.unlink()
    assert checkpoint.newest(tmp_path, "multitask") is None


def test_loading_draws_from_no_other_threads_stream(tmp_path: Path) -> None:
    written, _ = saved(tmp_path, config())
    alone = resnet50._load("random").state_dict()
    with ThreadPoolExecutor(3) as pool:
        loads = [pool.submit(written.network, 0) for _ in range(60)]
        for state in pool.map(lambda _: resnet50._load("random").state_dict(), range(3)):
            assert all(torch.equal(tensor, alone[name]) for name, tensor in state.items())
        assert all(load.result() for load in loads)

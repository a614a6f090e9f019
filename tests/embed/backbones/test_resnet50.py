"""ResNet-50: the same function as torchvision's, from weights that are there and are what they say."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torchvision.models import resnet50 as torchvision_resnet50

from mmbio.embed.backbones import onednn, resnet50
from mmbio.embed.backbones.resnet50 import COMPILE_FROM, MEAN, STD, ResNet50, execution_of, resize, stack, weights_id
from mmbio.errors import MmbioError


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of four small images: the same code in a hundredth of the time."""
    monkeypatch.setattr(resnet50, "BATCH", 4)
    monkeypatch.setattr(resnet50, "PACKED_BATCH", 4)
    monkeypatch.setenv("MMBIO_THREADS", "1")
    monkeypatch.setattr(resnet50, "SIZE", 64)


def images(n: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, 64, 64, 3), dtype=np.uint8)


def plain(seed: int = 0) -> torch.nn.Module:
    """Torchvision's network with batch norms that do something, up to its average pool."""
    torch.manual_seed(seed)
    network: torch.nn.Module = torchvision_resnet50(weights=None)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = 0.1 * torch.randn(module.num_features)
            module.running_var = 0.5 + torch.rand(module.num_features)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0.0, 0.1)
    return network.eval()


def vectors_of(network: torch.nn.Module, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    network.fc = torch.nn.Identity()
    scaled = (torch.from_numpy(pixels).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    with torch.inference_mode():
        return np.asarray(network(scaled.permute(0, 3, 1, 2)))


def test_folded_batch_norms_are_the_same_function(tmp_path: Path) -> None:
    network = plain()
    torch.save(network.state_dict(), tmp_path / "w.pth")
    expected = vectors_of(network, images())
    found = ResNet50(str(tmp_path / "w.pth"), "fp32", "cpu").embed(images())
    assert found.shape == (3, resnet50.DIM)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


def test_random_weights_are_torchvisions_own_and_leave_the_generator_alone() -> None:
    torch.manual_seed(7)
    state = torch.random.get_rng_state()
    found = ResNet50("random", "fp32", "cpu").embed(images())
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(resnet50.RANDOM_SEED)
    expected = vectors_of(torchvision_resnet50(weights=None).eval(), images())
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


needs_packed = pytest.mark.skipif(
    not (onednn.available(torch.float32) and onednn.available(torch.bfloat16)), reason="not on this processor"
)
PACKED = pytest.param("packed", marks=needs_packed)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("execution", ["eager", PACKED])
def test_a_vector_does_not_depend_on_its_company(precision: str, execution: str) -> None:
    network = ResNet50("random", precision, "cpu", execution)
    together = network.embed(images(5))
    assert together.shape == (5, resnet50.DIM)
    assert len(np.unique(together, axis=0)) == 5
    for i in range(5):
        assert np.array_equal(network.embed(images(5)[i : i + 1])[0], together[i])


@needs_packed
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_packed_vectors_depend_on_neither_threads_nor_the_length_of_a_batch(
    monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    found = []
    for threads, batch in (("1", 4), ("2", 2), ("3", 1)):
        monkeypatch.setenv("MMBIO_THREADS", threads)
        monkeypatch.setattr(resnet50, "PACKED_BATCH", batch)
        found.append(ResNet50("random", precision, "cpu", "packed").embed(images(5)))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def lookalikes(n: int = 24) -> NDArray[np.uint8]:
    """Smooth pictures (n, 64, 64, 3): pairs that differ by noise, all of one scene in different light."""
    rng = np.random.default_rng(1)
    coarse = rng.uniform(0, 255, (n // 2 + 1, 8, 8, 3)).astype(np.uint8)
    fine = np.stack([resize(picture) for picture in coarse]).astype(float)
    pairs = (fine[:1] + fine[1:]).repeat(2, axis=0) / 2
    return np.asarray((pairs + rng.normal(0, 8, pairs.shape)).clip(0, 255), dtype=np.uint8)


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of all pairs (n, m)."""
    length = [np.linalg.norm(vectors, axis=1) for vectors in (one, other)]
    return np.asarray(one @ other.T / length[0][:, None] / length[1])


@pytest.mark.parametrize(
    ("precision", "execution", "least", "least_centred"),
    [
        ("bf16", "eager", 0.999, 0.9),
        pytest.param("bf16", "packed", 0.999, 0.9, marks=needs_packed),
        pytest.param("fp32", "packed", 1 - 1e-6, 1 - 1e-4, marks=needs_packed),
    ],
)
@pytest.mark.parametrize("trained", [False, True])
def test_fast_vectors_point_where_torchvisions_do_and_rank_alike(
    tmp_path: Path, precision: str, execution: str, least: float, least_centred: float, trained: bool
) -> None:
    torch.manual_seed(resnet50.RANDOM_SEED)
    network = plain() if trained else torchvision_resnet50(weights=None).eval()
    torch.save(network.state_dict(), tmp_path / "w.pth")
    pixels = lookalikes()
    expected = vectors_of(network, pixels)
    found = ResNet50(str(tmp_path / "w.pth"), precision, "cpu", execution).embed(pixels)
    assert np.diag(cosines(expected, found)).min() >= least
    # Random weights give all images a large common part; what tells them apart is the rest.
    expected, found = expected - expected.mean(0), found - found.mean(0)
    assert np.diag(cosines(expected, found)).min() >= least_centred
    nearest = [(cosines(v, v) - 2 * np.eye(len(v))).argmax(1) for v in (expected, found)]
    assert np.array_equal(*nearest)


def test_where_the_packed_operators_are_missing_the_plain_ones_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn, "available", lambda _: False)
    monkeypatch.setattr(resnet50, "can_compile", lambda: True)
    assert execution_of("fp32", "cpu", COMPILE_FROM - 1) == "eager"
    assert execution_of("fp32", "cpu", COMPILE_FROM) == "compiled"
    monkeypatch.setattr(onednn, "available", lambda _: True)
    assert execution_of("bf16", "cpu", 1) == "packed"
    assert execution_of("bf16", "cuda:1", 1) == "eager"
    assert execution_of("bf16", "cuda:1", COMPILE_FROM) == "compiled"


def test_weights_of_a_file_are_the_same_in_either_format(tmp_path: Path) -> None:
    state = plain(1).state_dict()
    torch.save(state, tmp_path / "w.pth")
    save_file(state, str(tmp_path / "w.safetensors"))
    pth, safe = (ResNet50(str(tmp_path / name), "fp32", "cpu").embed(images()) for name in ("w.pth", "w.safetensors"))
    assert np.array_equal(pth, safe)
    assert not np.array_equal(pth, ResNet50("random", "fp32", "cpu").embed(images()))


class Code:
    """A pickle that runs code when it is loaded."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, ("made-by-a-pickle",)


def saved(value: object) -> Callable[[Path], object]:
    return lambda path: torch.save(value, path)


def raw(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (saved([torch.zeros(1)]), "not a readable state dict"),
        (saved(torch.zeros(1)), "not a readable state dict"),
        (saved({"conv1.weight": 1}), "not a readable state dict"),
        (saved({"conv1.weight": torch.zeros(1)}), "not the state dict of torchvision's resnet50"),
        (saved({1: torch.zeros(1)}), "not the state dict of torchvision's resnet50"),
        (saved({}), "not the state dict of torchvision's resnet50"),
        (raw(pickle.dumps(Code(), protocol=2)), "not a readable state dict"),
        (raw(pickle.dumps([1, 2], protocol=2)[:-3]), "not a readable state dict"),
        (raw(b""), "not a readable state dict"),
        (raw(b"hello"), "not a readable state dict"),
        (raw(bytes(100)), "not a readable state dict"),
        (raw(b"PK\x03\x04cut short"), "not a readable state dict"),
    ],
)
def test_a_file_that_is_no_state_dict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "w.pth")
    with pytest.raises(MmbioError, match=rf"--weights .*w\.pth: {told}; give "):
        ResNet50(str(tmp_path / "w.pth"), "fp32", "cpu")
    assert [path.name for path in tmp_path.iterdir()] == ["w.pth"]


@pytest.mark.parametrize("content", [b"", b"hello", bytes(16)])
def test_a_file_that_is_no_safetensors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(MmbioError, match=r"w\.safetensors: not a readable state dict"):
        ResNet50(str(tmp_path / "w.safetensors"), "fp32", "cpu")


def test_no_network_and_no_file_names_both_remedies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    told = r"no file at .*resnet50-.*\.pth and no download .*put the file there or .*--weights PATH, .*--weights random"
    with pytest.raises(MmbioError, match=told):
        ResNet50("imagenet", "fp32", "cpu")


@pytest.mark.parametrize(("weights", "name"), [("imagenet", "imagenet1k-v1"), ("random", "random-0")])
def test_weights_have_a_name(weights: str, name: str) -> None:
    assert weights_id(weights) == name


def test_a_files_weights_are_named_by_their_content(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (weights_id(str(tmp_path / name)) for name in "abc")
    assert a == b != c
    for nothing in (tmp_path / "d", tmp_path):
        with pytest.raises(MmbioError, match="expected imagenet, random, or the path of a ResNet-50 state dict"):
            weights_id(str(nothing))


def test_images_of_any_size_become_one_array() -> None:
    flat = [np.full((h, w, 3), (1, 2, 3), np.uint8) for h, w in ((200, 180), (96, 96), (64, 64), (1, 1))]
    found = stack(flat)
    assert found.shape == (4, 64, 64, 3)
    assert (found == (1, 2, 3)).all()
    assert np.array_equal(resize(images(1)[0]), images(1)[0])

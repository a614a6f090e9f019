"""FaceNet: the package's own vectors, a row a chip, and one sentence where package or weights are not there."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from mmbio.embed.backbones import dlib_face, facenet
from mmbio.embed.backbones.facenet import DIM, FILE, Face, align, weights_id
from mmbio.errors import MmbioError

INSTALLED = find_spec("facenet_pytorch") is not None


def chips(n: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, 160, 160, 3), dtype=np.uint8)


class Small(nn.Module):
    """A network with the interface of the package's."""

    def __init__(self, pretrained: str | None = None) -> None:
        super().__init__()
        if pretrained is not None:
            raise URLError("no network")
        self.linear = nn.Linear(3, DIM)
        self.dropout = nn.Dropout(0.6)

    def forward(self, pixels: Tensor) -> Tensor:
        return nn.functional.normalize(self.dropout(self.linear(pixels.mean((2, 3)))))


def standardise(pixels: Tensor) -> Tensor:
    return (pixels - 127.5) / 128


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of a small network and a small file for the landmarks; returns where its weights belong."""
    home = SimpleNamespace(inception_resnet_v1=SimpleNamespace(get_torch_home=lambda: str(tmp_path)))
    stub = SimpleNamespace(InceptionResnetV1=Small, fixed_image_standardization=standardise, models=home)
    landmarks = tmp_path / "landmarks"
    landmarks.write_bytes(b"landmarks")
    monkeypatch.setattr(facenet, "BATCH", 4)
    monkeypatch.setattr(facenet, "_package", lambda: stub)
    monkeypatch.setattr(dlib_face, "weights_file", lambda _: landmarks)
    weights_id.cache_clear()
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints" / FILE


def state(seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return dict(Small().state_dict()) | {"logits.weight": torch.zeros(5, DIM)}


def test_vectors_are_the_networks_own_a_row_a_chip(package: Path) -> None:
    torch.save(state(), package)
    torch.manual_seed(0)
    network = Small().eval()
    with torch.inference_mode():
        own = network(standardise(torch.from_numpy(chips(6)).permute(0, 3, 1, 2).float())).numpy()
    found = Face("cpu").embed([*chips(6)[:2], None, *chips(6)[2:]])
    assert found.shape == (7, DIM)
    assert found.dtype == np.float32
    assert np.isnan(found).all(axis=1).tolist() == [False, False, True, False, False, False, False]
    assert np.abs(np.delete(found, 2, axis=0) - own).max() < 1e-6
    assert np.array_equal(Face("cpu").embed([chips(6)[3]])[0], found[4])


def test_without_any_chip_and_with_what_is_none(package: Path) -> None:
    torch.save(state(), package)
    assert np.isnan(Face("cpu").embed([None, None])).all()
    assert Face("cpu").embed([]).shape == (0, DIM)
    with pytest.raises(ValueError, match=r"expected a chip \(160, 160, 3\) uint8, not \(150, 150, 3\) uint8"):
        Face("cpu").embed([np.zeros((150, 150, 3), np.uint8)])


def test_weights_of_a_path_in_either_format_leave_the_generator_alone(package: Path) -> None:
    torch.save(state(), package)
    torch.save(state(1), package.with_name("w.pt"))
    save_file(state(1), str(package.with_name("w.safetensors")))
    before = torch.random.get_rng_state()
    pt, safe = (Face("cpu", str(package.with_name(name))).embed([*chips()]) for name in ("w.pt", "w.safetensors"))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert np.array_equal(pt, safe)
    assert not np.array_equal(pt, Face("cpu").embed([*chips()]))


def test_weights_are_named_by_their_content(package: Path) -> None:
    package.write_bytes(b"1")
    for name, content in (("a", b"1"), ("b", b"2")):
        package.with_name(name).write_bytes(content)
    a, b = (weights_id(str(package.with_name(name))) for name in "ab")
    assert weights_id() == a != b
    assert len(a) == 16


@pytest.mark.parametrize("use", [lambda: Face("cpu"), weights_id])
def test_no_network_and_no_file_names_both_remedies(package: Path, use: Callable[[], object]) -> None:
    told = rf"no file at .*{FILE} and no download .*no network.*; put the file there or give it with --weights PATH"
    with pytest.raises(MmbioError, match=told):
        use()


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04cut short"])
def test_a_file_that_is_no_state_dict(package: Path, content: bytes) -> None:
    package.write_bytes(content)
    with pytest.raises(MmbioError, match=r"--weights .*: not a readable state dict"):
        Face("cpu")


def test_weights_of_another_network_and_a_path_where_nothing_is(package: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(1)}, package)
    with pytest.raises(MmbioError, match=r"--weights casia-webface: not the state dict of .*InceptionResnetV1; give"):
        Face("cpu")
    with pytest.raises(MmbioError, match=r"--weights .*none\.pt: expected casia-webface, or the path of"):
        Face("cpu", str(package.with_name("none.pt")))


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    facenet._package.cache_clear()
    monkeypatch.setattr(facenet, "version", missing)
    with pytest.raises(MmbioError, match=r"facenet-pytorch, .*pip install --no-deps facenet-pytorch"):
        Face("cpu")


@pytest.mark.skipif(find_spec("dlib") is None, reason="needs mmbio[face]")
def test_no_face_no_chip() -> None:
    assert align(np.zeros((200, 180, 3), np.uint8)) is None


@pytest.mark.skipif(not INSTALLED, reason="needs facenet-pytorch")
def test_the_package_itself_with_random_weights(tmp_path: Path) -> None:
    facenet._package.cache_clear()
    package = facenet._package()
    torch.manual_seed(0)
    network = package.InceptionResnetV1().eval()
    torch.save(network.state_dict(), tmp_path / "w.pt")
    with torch.inference_mode():
        own = network(package.fixed_image_standardization(torch.from_numpy(chips()).permute(0, 3, 1, 2).float()))
    assert np.abs(Face("cpu", str(tmp_path / "w.pt")).embed([*chips()]) - own.numpy()).max() < 1e-6

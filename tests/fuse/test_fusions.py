"""Fusions by name: ours, a user's own, and what is none."""

from pathlib import Path

import pytest
import torch

from mmbio.errors import MmbioError
from mmbio.fuse import fusions
from mmbio.fuse.config import COSINE, FEATURE_FUSIONS
from mmbio.fuse.fusions import CLASSES, fusion

OWN = """
import torch


class First(torch.nn.Module):
    def __init__(self, dims, sizes, norm):
        super().__init__()
        self.given = (list(dims), list(sizes), norm)

    def forward(self, vectors, present):
        return vectors[0] * present[:, :1], None


class Plain:
    pass


def function(dims, sizes, norm):
    return None
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "mmbio_test_own"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "fusions.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def test_names_are_those_of_the_configuration() -> None:
    assert tuple(CLASSES) == (*FEATURE_FUSIONS, COSINE)


@pytest.mark.parametrize("name", FEATURE_FUSIONS)
def test_by_name(name: str) -> None:
    module = fusion(name, [3, 4], (5, 6), "batch")
    assert type(module) is CLASSES[name]
    fused, _ = module([torch.rand(2, 3), torch.rand(2, 4)], torch.ones(2, 2, dtype=torch.bool))
    assert fused.shape == (2, 6)


@pytest.mark.usefixtures("own")
def test_a_users_own() -> None:
    fusions.allow("mmbio_test_own.fusions:First")
    module = fusion("mmbio_test_own.fusions:First", [3, 3], (3,), "l2")
    assert module.given == ([3, 3], [3], "l2")
    fused, weights = module([torch.ones(1, 3)] * 2, torch.ones(1, 2, dtype=torch.bool))
    assert fused.tolist() == [[1.0, 1.0, 1.0]]
    assert weights is None


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("median", "unknown; choose from concat, sum, attention, cosine, score-sum"),
        ("", "unknown"),
        ("score-sum", "unknown"),
        ("mmbio_test_own.fusions", "unknown"),
        ("mmbio_test_own.fusions:Plain", "unknown"),
        ("mmbio_test_own.fusions:function", "unknown"),
        ("mmbio_test_own.fusions:torch", "unknown"),
        ("mmbio_test_own.fusions:Missing", "cannot be imported"),
        ("mmbio_test_own.nowhere:First", "cannot be imported"),
        ("mmbio_test_nobody.fusions:First", "cannot be imported"),
        ("mmbio_test_own.fusions:", "cannot be imported"),
        (":First", "cannot be imported"),
        (".fusions:First", "cannot be imported"),
    ],
)
def test_no_fusion(name: str, words: str) -> None:
    fusions.allow(name)
    with pytest.raises(MmbioError) as caught:
        fusion(name, [3], (3,), "batch")
    assert str(caught.value).startswith(f"--fusion {name}: {words}")
    assert "package.module:Class" in str(caught.value)


def test_a_class_that_is_called_otherwise() -> None:
    fusions.allow("torch.nn:Linear")
    with pytest.raises(MmbioError, match=r"--fusion torch\.nn:Linear: cannot be called"):
        fusion("torch.nn:Linear", [3], (3,), "batch")


def test_a_class_that_nobody_named_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mmbio_test_stranger.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    for ask in (fusions.find, fusions.source_hash, lambda name: fusion(name, [3], (3,), "batch")):
        with pytest.raises(MmbioError, match=r"add --fusion mmbio_test_stranger:Own if you trust that code"):
            ask("mmbio_test_stranger:Own")
    assert not (tmp_path / "ran").exists()

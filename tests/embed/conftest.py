"""What the tests of embed share: a network on small images, in a home of its own."""

from pathlib import Path

import pytest

from mmbio.embed.backbones import resnet50
from mmbio.embed.settings import Settings


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small images on one thread: the same code in a tenth of the time. Not for the home that all tests share."""
    monkeypatch.setattr(resnet50, "SIZE", 64)
    monkeypatch.setenv("MMBIO_THREADS", "1")


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for vectors of small images."""
    return tmp_path_factory.mktemp("small")


@pytest.fixture
def small_settings(small: None, small_home: Path) -> Settings:
    """Random weights, small images."""
    return Settings(small_home, weights="random", device="cpu")

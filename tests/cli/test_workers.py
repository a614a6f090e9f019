"""--workers and --scheduler: the same files, and lines about the workers on stderr alone."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]
Refused = Callable[..., None]


@pytest.fixture
def dask() -> None:
    pytest.importorskip("distributed", reason="no Dask: pip install 'mmbio[dask]'")


@pytest.mark.usefixtures("dask")
def test_vectors_of_a_worker(good: Call, home: Path, tmp_path: Path) -> None:
    manifest = next((home / "manifests").glob("*/manifest.json")).parent
    words = ("extract", "--manifest", manifest, "--noise", "face=0.5")
    good(*words, "--out", tmp_path / "here")
    told = good(*words, "--workers", 1, "--out", tmp_path / "there").stderr
    assert re.fullmatch(r"worker tcp://127\.0\.0\.1:\d+: 2 shards in \S+ s\n", told)
    stores = sorted(p.relative_to(tmp_path / "here") for p in (tmp_path / "here").glob("store/*/*"))
    assert len(stores) == 6
    assert all((tmp_path / "here" / p).read_bytes() == (tmp_path / "there" / p).read_bytes() for p in stores)


@pytest.mark.usefixtures("dask")
def test_what_is_trained_already_needs_no_workers(good: Call, home: Path) -> None:
    assert "worker" not in good("train", "--fusion", "attention", "--workers", 1, "--out", home).stderr


@pytest.mark.usefixtures("dask")
@pytest.mark.parametrize("verb", ["extract", "train", "eval", "tables"])
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--workers 2 --scheduler tcp://there:1", "--workers and --scheduler: .*; give one of them"),
        ("--scheduler tcp://there:1 --workers 2", "--workers and --scheduler: .*; give one of them"),
        ("--scheduler there", "--scheduler there: expected tcp://HOST:PORT, as dask scheduler prints it"),
        ("--workers 0", "'--workers': 0 is not in the range"),
    ],
)
def test_what_is_refused(refused: Refused, home: Path, verb: str, words: str, told: str) -> None:
    refused(told, f"{verb} {words}", home)


def test_without_dask(refused: Refused, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbio.workers.connect.find_spec", lambda _: None)
    refused(r"--workers 2: needs dask and distributed, .*; pip install 'mmbio\[dask\]'", "extract --workers 2", home)

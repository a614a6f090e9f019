"""written: what is new in a home, by name, and nothing that stood there before."""

import os
import time
from pathlib import Path

import pytest

from mmbio.cli import written

OLD = ("results.csv", "old.html", "results/a/rows.csv", "tables/t/figures/x.png", "logs/1.log", "store/s/key.json")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of an hour ago."""
    for name in OLD:
        put(tmp_path, name)
    for path in sorted(tmp_path.rglob("*"), reverse=True):
        os.utime(path, (time.time() - 3600,) * 2)
    return tmp_path


def put(home: Path, name: str) -> None:
    """As everything is written: aside, and then to its place."""
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(".aside").write_text("x")
    path.with_name(".aside").replace(path)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((), []),
        (("results.csv", "report.html"), ["report.html", "results.csv"]),
        (("results/b/rows.csv", "results/b/key.json"), ["results/b/"]),
        (("tables/t/figures/x.png",), ["tables/t/"]),
        (("checkpoints/c.safetensors", "checkpoints/c.json"), ["checkpoints/c.json", "checkpoints/c.safetensors"]),
        (("logs/2.log", "checkpoints/.c.lock", ".latest-x", "store/.done"), []),
    ],
)
def test_what_is_new(home: Path, names: tuple[str, ...], told: list[str]) -> None:
    began = time.time() - 60
    for name in names:
        put(home, name)
    assert written.told(home, began) == [f"written below {home}: {len(told) or 'nothing'}", *told]


def test_many(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "MOST", 2)
    for i in range(5):
        put(home, f"results/{i}/rows.csv")
    told = written.told(home, time.time() - 60)
    assert told[1:] == ["results/0/", "results/1/", "and 3 more"]


def test_a_home_that_went_away(tmp_path: Path) -> None:
    assert written.told(tmp_path / "no", 0.0) == [f"written below {tmp_path / 'no'}: nothing"]

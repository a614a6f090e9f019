"""Reliability diagrams: a picture of any bins, the same bytes each time."""

from pathlib import Path

import numpy as np
import pytest

from mmbio.tables.plots.bins import equal_mass
from mmbio.tables.plots.reliability import Panel, draw


def panel(name: str, n: int = 300) -> Panel:
    rng = np.random.default_rng(0)
    confidence = rng.random(n)
    subjects = np.stack([np.arange(n) % 7] * 2, axis=1)
    return Panel(name, equal_mass(confidence, rng.random(n) < confidence, subjects, 0, 50), confidence)


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_same_bytes_each_time(tmp_path: Path, suffix: str) -> None:
    first, second = (draw([panel("A")], "t", tmp_path / name / f"a.{suffix}", "x", "y")[0] for name in "xy")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_panel_each(tmp_path: Path, n: int) -> None:
    text = draw([panel(f"system {i}") for i in range(n)], "title", tmp_path / "a.svg", "confidence", "right")[0]
    assert text.read_text().count(">system ") == text.read_text().count(">mean distance ") == n


def test_one_decision(tmp_path: Path) -> None:
    assert draw([panel("", 1)], "title", tmp_path / "a.png", "confidence", "right")[0].is_file()

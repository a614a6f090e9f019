"""Score histograms: shares of each kind, any scores, the same bytes each time."""

from pathlib import Path

import numpy as np
import pytest

from mmbio.tables.plots.scores import Panel, draw

RNG = np.random.default_rng(0)
GENUINE, IMPOSTOR = RNG.normal(2, 1, 300), RNG.normal(0, 1, 500)


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_same_bytes_each_time(tmp_path: Path, suffix: str) -> None:
    first, second = (
        draw([Panel("A", GENUINE, IMPOSTOR, 0.16, 1.0)], "title", tmp_path / name / f"a.{suffix}")[0] for name in "xy"
    )
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_panel_each_and_one_legend(tmp_path: Path, n: int) -> None:
    panels = [Panel(f"system {i}", GENUINE, IMPOSTOR, 0.16, 1.0) for i in range(n)]
    text = draw(panels, "title", tmp_path / "a.svg")[0].read_text()
    assert text.count(", EER 16.00 %") == n
    assert text.count(">genuine<") == 1


@pytest.mark.parametrize(
    ("genuine", "impostor"),
    [
        (np.zeros(3), np.zeros(5)),  # all tied
        (np.ones(1), np.zeros(1)),
        (np.array([0, 0, 1.0]), np.array([0, 0, -1.0])),
        (GENUINE.astype(np.float32), IMPOSTOR.astype(np.float32)),
    ],
)
def test_any_scores(tmp_path: Path, genuine: np.ndarray, impostor: np.ndarray) -> None:
    assert draw([Panel("", genuine, impostor, 0.5, 0.0)], "title", tmp_path / "a.png")[0].is_file()

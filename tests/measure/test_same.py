"""Same: comparisons by hand of rows and arrays, and what lies between two runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmbio.errors import MmbioError
from mmbio.measure.results import ResultRow, to_csv
from mmbio.measure.same import changes, compare

ROW = ResultRow(
    result="abcd",
    protocol="multitask",
    data="synthetic",
    manifest="0123",
    n_subjects=6,
    split="triplet",
    scale="quick",
    segment_s="",
    fusion="sum",
    rule_weights="",
    modalities="ecg",
    trained_tasks="gender",
    backbone="beats",
    weights="",
    precision="fp32",
    train_condition="clean",
    test_condition="clean",
    task="gender",
    fold="mean",
    metric="accuracy",
    convention="",
    value=0.5,
    low=0.25,
    high=None,
    interval="",
    given="",
    trials="",
    n=6,
    n_genuine=None,
    n_impostor=None,
    n_imputed=0,
    n_missing=0,
    seed=0,
    version="0.1.0",
)
ROWS = [ROW, replace(ROW, fold="0", value=0.75)]
SCORES = np.array([0.5, np.nan, 1.0], np.float32)


def folder(path: Path, rows: list[ResultRow], **arrays: np.ndarray) -> Path:
    path.mkdir()
    (path / "rows.csv").write_text(to_csv(rows))
    for name, array in arrays.items():
        np.save(path / f"{name}.npy", array)
    return path


@pytest.mark.parametrize(
    ("rows", "scores", "verdict", "sentence"),
    [
        (ROWS, SCORES, "same bytes", "Same bytes: 2 rows and 1 array agree to the last bit."),
        (
            ROWS,
            SCORES + np.float32(0.25),
            "same figures",
            "Same figures in 2 rows, but arrays differ by at most 0.25 (scores).",
        ),
        (ROWS, SCORES[:2], "same figures", "Same figures in 2 rows, but scores cannot be compared."),
        (ROWS, SCORES.astype(np.float64), "same figures", "Same figures in 2 rows, but scores cannot be compared."),
        (ROWS, np.nan_to_num(SCORES), "same figures", "Same figures in 2 rows, but scores cannot be compared."),
        (ROWS, None, "same figures", "Same figures in 2 rows, but scores cannot be compared."),
        (ROWS[::-1], SCORES, "same figures", "Same figures in 2 rows; the bytes of 1 array agree."),
        (
            [replace(r, result="ef", version="9") for r in ROWS],
            SCORES,
            "same figures",
            "Same figures in 2 rows; the bytes of 1 array agree.",
        ),
        ([*ROWS, replace(ROW, metric="more")], SCORES, "same figures", "Same figures in 2 rows; the bytes of 1 array"),
        (
            [replace(ROW, value=0.625, high=1.0), replace(ROWS[1], value=0.5)],
            SCORES,
            "different",
            "Different: value in 2 of 2 rows (by at most 0.25), high in 1 of 2 rows.",
        ),
        (ROWS[:1], SCORES, "different", "Different: 1 row not there any more (gender 0 accuracy)."),
        (
            [replace(ROW, weights="random-0"), ROWS[1]],
            SCORES + np.float32(1),
            "different",
            "Different: weights in 1 of 2 rows, but arrays differ by at most 1 (scores).",
        ),
    ],
)
def test_by_hand(rows: list[ResultRow], scores: np.ndarray | None, verdict: str, sentence: str, tmp_path: Path) -> None:
    then = folder(tmp_path / "then", ROWS, scores=SCORES)
    now = folder(tmp_path / "now", rows, more=SCORES, **({} if scores is None else {"scores": scores}))
    found = compare(then, now)
    assert (found.verdict, found.sentence[: len(sentence)]) == (verdict, sentence)


def test_rows_of_one_name_are_told_apart(tmp_path: Path) -> None:
    then = folder(tmp_path / "then", [ROW, ROW, ROW])
    now = folder(tmp_path / "now", [ROW, ROW, replace(ROW, value=1.0)])
    assert compare(then, now).columns == {"value": (1, 0.5)}


def test_columns_of_another_version_are_left_out(tmp_path: Path) -> None:
    then, now = (folder(tmp_path / name, ROWS) for name in ("then", "now"))
    lines = (then / "rows.csv").read_text().splitlines()
    (then / "rows.csv").write_text("".join(f"{line},{end}\n" for line, end in zip(lines, ("old", 1, 2), strict=True)))
    (now / "rows.csv").write_text((now / "rows.csv").read_text().replace("n_imputed", "n_filled"))
    found = compare(then, now)
    assert found.verdict == "same figures"
    assert found.left_out == {
        "old": "not among the columns of now",
        "n_imputed": "not among the columns of now",
        "n_filled": "not among the columns of then",
    }


def test_what_names_the_code_is_left_out(tmp_path: Path) -> None:
    then, now = folder(tmp_path / "then", ROWS), folder(tmp_path / "now", [replace(r, result="ef") for r in ROWS])
    assert compare(then, now).left_out == {"result": "names the code, not a figure"}


@pytest.mark.parametrize("text", ["", "a,b\n", "a,b\n1\n", "a,b\n1,2,3\n"])
def test_rows_that_were_cut(text: str, tmp_path: Path) -> None:
    then, now = (folder(tmp_path / name, ROWS) for name in ("then", "now"))
    (then / "rows.csv").write_text(text)
    with pytest.raises(MmbioError, match=r"rows\.csv: cut short or edited; move .* away and run"):
        compare(then, now)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    then, now = (folder(tmp_path / name, ROWS, scores=SCORES) for name in ("then", "now"))
    (then / "scores.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(MmbioError, match=r"scores\.npy: not readable as an array"):
        compare(then, now)
    (then / "rows.csv").unlink()
    with pytest.raises(MmbioError, match=r"rows\.csv: not readable as results"):
        compare(then, now)


@pytest.mark.parametrize(
    ("then", "now", "found"),
    [
        ({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 2]}, {}),
        ({"a": 1}, {"a": 2, "b": None}, {"a": ("1", "2"), "b": ("not there", "None")}),
        ({"began": 1, "seconds": 2, "command": ["x"]}, {}, {}),
        (
            {"checkpoint": {"members": [{"code": {"data": "a"}}, {"code": {"data": "a"}}]}, "code": {"measure": "x"}},
            {"checkpoint": {"members": [{"code": {"data": "b"}}, {"code": {"data": "b"}}]}, "code": {"measure": "x"}},
            {"code data": ("a", "b")},
        ),
        (
            {"embeddings": {"face": {"libraries": {"torch": "1"}, "threads": 1}}},
            {"embeddings": {"face": {"libraries": {"torch": "2"}, "threads": 2}}},
            {"libraries torch": ("1", "2"), "embeddings face threads": ("1", "2")},
        ),
    ],
)
def test_changes(then: dict[str, object], now: dict[str, object], found: dict[str, tuple[str, str]]) -> None:
    assert changes(then, now) == found

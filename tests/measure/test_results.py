"""Result rows: to CSV and back; a file of another version is left alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from mmbio.errors import MmbioError
from mmbio.measure.results import COLUMNS, CURE, ResultRow, append, differing, read, to_csv

ROW = ResultRow(
    result="abcd",
    protocol="multitask",
    data='ecg-id + "faces94", so to say',
    manifest="0123",
    n_subjects=53,
    split="triplet",
    scale="quick",
    segment_s="",
    fusion="score-sum",
    rule_weights="ecg=0.5 face=0.5",
    modalities="ecg+face",
    trained_tasks="identification",
    backbone="resnet50",
    weights="random-0",
    precision="bf16",
    train_condition="ecg=0.1,face=0.97",
    test_condition="clean",
    task="identification",
    fold="mean",
    metric="accuracy",
    convention="",
    value=0.1 + 0.2,
    low=0.0,
    high=None,
    interval="subject-bootstrap",
    given="gender=F",
    trials="of different videos",
    n=159,
    n_genuine=None,
    n_impostor=0,
    n_imputed=5,
    n_missing=3,
    seed=7,
    version="0.1.0",
)
OTHER = replace(ROW, result="ef01", fold="3", value=1.0, low=None, n_genuine=4)


@pytest.mark.parametrize("rows", [[], [ROW], [ROW, OTHER, replace(OTHER, data="two\nlines")]])
def test_csv_and_back(tmp_path: Path, rows: list[ResultRow]) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(to_csv(rows), newline="")
    assert read(path) == rows


def test_csv_by_hand() -> None:
    header, line, end = to_csv([OTHER]).split("\n")
    assert header == ",".join(COLUMNS)
    assert line.startswith('ef01,multitask,"ecg-id + ""faces94"", so to say",0123,53,triplet,quick,,score-sum,')
    assert line.endswith(
        ",identification,3,accuracy,,1.0,,,subject-bootstrap,gender=F,of different videos,159,4,0,5,3,7,0.1.0"
    )
    assert end == ""


def test_append(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.csv"
    append(path, [ROW, replace(ROW, fold="0")])
    append(path, [OTHER])
    assert read(path) == [ROW, replace(ROW, fold="0"), OTHER]
    append(path, [OTHER])
    assert read(path) == [ROW, replace(ROW, fold="0"), OTHER]


def test_append_replaces_the_rows_of_the_same_evaluation(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    append(path, [ROW, replace(ROW, fold="0"), OTHER])
    append(path, [replace(ROW, value=0.9)])
    assert read(path) == [OTHER, replace(ROW, value=0.9)]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", r" \(columns missing result, protocol, data, \.\.\.\)"),
        ("a,b", r" \(columns unknown a, b; missing result, protocol, data, \.\.\.\)"),
        (",".join(COLUMNS[:-1]), r" \(columns missing version\)"),
        (",".join((*COLUMNS, "more")), r" \(columns unknown more\)"),
        (",".join(reversed(COLUMNS)), ""),
    ],
)
def test_other_columns_are_refused(tmp_path: Path, header: str, told: str) -> None:
    path = tmp_path / "results.csv"
    path.write_text(f"{header}\n1,2\n")
    sentence = rf"results\.csv: its columns are those of another mmbio version; {CURE}{told}$"
    with pytest.raises(MmbioError, match=sentence):
        read(path)
    with pytest.raises(MmbioError, match=sentence):
        append(path, [ROW])
    assert path.read_text() == f"{header}\n1,2\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [(",159,", ",many,"), (",0.1.0\n", "\n"), (",0.1.0\n", ",0.1.0,more\n"), ("0.30000000000000004", "")],
)
def test_broken_rows(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "rows.csv"
    assert old in to_csv([ROW])
    path.write_text(to_csv([ROW]).replace(old, new))
    with pytest.raises(MmbioError, match=r"rows\.csv: not readable as results"):
        read(path)
    with pytest.raises(MmbioError, match=r"rows\.csv: not readable as results .*; move it away"):
        append(path, [ROW])


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match="not readable as results"):
        read(tmp_path / "rows.csv")


BODY = to_csv([ROW, OTHER])
CHANGES: dict[str, tuple[str, bool]] = {
    "as it was": (BODY, False),
    "in another order": (to_csv([OTHER, ROW]), False),
    "with others": (to_csv([replace(ROW, result="0000"), ROW, OTHER]), False),
    "a number written otherwise": (BODY.replace(",1.0,,", ",1.00,,"), False),
    "a figure changed": (BODY.replace(",1.0,,", ",1.1,,"), True),
    "a word changed": (BODY.replace("gender=F", "gender=M"), True),
    "a row gone": (to_csv([ROW]), True),
    "a row twice": (to_csv([ROW, OTHER, OTHER]), True),
    "a row more": (to_csv([ROW, OTHER, replace(OTHER, fold="4")]), True),
    "nothing left": (to_csv([]), True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_rows_are_those_of_their_evaluation(tmp_path: Path, change: str) -> None:
    text, differs = CHANGES[change]
    parts = [tmp_path / f"{row.result}.csv" for row in (ROW, OTHER)]
    for part, row in zip(parts, (ROW, OTHER), strict=True):
        part.write_text(to_csv([row]))
    (tmp_path / "results.csv").write_text(text)
    assert (differing(tmp_path / "results.csv", parts) is not None) is differs


def test_a_file_that_was_cut_short(tmp_path: Path) -> None:
    for name, text in (("rows.csv", to_csv([ROW])), ("results.csv", to_csv([ROW])[:-20])):
        (tmp_path / name).write_text(text)
    with pytest.raises(MmbioError, match=r"results\.csv: not readable as results .*; move it away and run"):
        differing(tmp_path / "results.csv", [tmp_path / "rows.csv"])

"""Score files: the forms that give the same scores, what is counted, and what is wrong with a file."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbio.data.score_files import Scores, read
from mmbio.errors import MmbioError

LIST = "1 a b\n0 a c\n1 d e\n0 d a\n"
TEXTS = {
    "csv": ("score,genuine\n0.1,1\n-0.5,0\n0.25,1\n1e-3,0\n", None),
    "csv, words": ("id,Score,label\nx, 0.1, Genuine\ny,-5e-1,impostor\n\nz,.25,GENUINE\nw,0.001,Impostor\n", None),
    "tsv": ("target\tscore\ntarget\t0.1\nnontarget\t-0.5\ntarget\t0.25\nnontarget\t0.001\n", None),
    "kaldi": ("d a 0.001\n\na b 0.1\na c -0.5\nd e 0.25\n", LIST),
    "kaldi, tabs": (
        "a\tb\t0.1\r\na\tc\t-0.5\r\nd\te\t0.25\r\nd\ta\t0.001\r\n",
        "a b target\na c nontarget\nd e target\nd a nontarget",
    ),
    "wespeaker": ("d a 0.00100 nontarget\na b 0.1 target\n\na c -0.50000 Nontarget\nd e 0.25 target\n", None),
    "csv and a list": ("probe,score,enroll\nb,0.1,a\nc,-0.5,a\ne,0.25,d\na,0.001,d\n", LIST),
}


def given(folder: Path, scores: Any, labels: Any = None) -> tuple[Path, Path | None]:
    """Files of scores and of labels: text as .txt, bytes as they are, anything else as .npy."""
    paths: list[Path | None] = []
    for name, value in (("scores", scores), ("labels", labels)):
        path = folder / f"{name}{'.txt' if isinstance(value, str) else '.npy'}"
        if isinstance(value, str | bytes):
            path.write_bytes(value if isinstance(value, bytes) else value.encode())
        elif value is not None:
            np.save(path, value)
        paths.append(None if value is None else path)
    assert paths[0] is not None
    return paths[0], paths[1]


def found_in(folder: Path, scores: Any, labels: Any = None, missing: str = "error") -> Scores:
    return read(*given(folder, scores, labels), missing)


@pytest.mark.parametrize("form", TEXTS)
def test_forms_read_alike(tmp_path: Path, form: str) -> None:
    found = found_in(tmp_path, *TEXTS[form])
    assert sorted(found.genuine.tolist()) == [0.1, 0.25]
    assert sorted(found.impostor.tolist()) == [-0.5, 0.001]
    assert (found.n_expected, found.n_scored, found.n_missing, found.n_unlisted) == (4, 4, 0, 0)


@pytest.mark.parametrize(("kind", "kept"), [("f4", "f4"), ("f8", "f8"), (">f4", "f4"), ("i8", "f8"), ("f2", "f8")])
@pytest.mark.parametrize("marks", [[1, 0, 1], [True, False, True], [1.0, 0.0, 1.0]])
def test_npy_keeps_its_precision(tmp_path: Path, kind: str, kept: str, marks: list[Any]) -> None:
    found = found_in(tmp_path, np.array([3, 1, 2], kind), np.array(marks))
    assert (found.genuine.tolist(), found.impostor.tolist()) == ([3, 2], [1])
    assert found.genuine.dtype == found.impostor.dtype == np.dtype(kept)
    assert found.n_expected == 3


def test_text_keeps_every_digit(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).standard_normal(1000)
    text = "score,genuine\n" + "".join(f"{score!r},{i % 2}\n" for i, score in enumerate(scores.tolist()))
    found = found_in(tmp_path, text)
    assert np.array_equal(found.genuine, scores[1::2])
    assert np.array_equal(found.impostor, scores[::2])


ODD = ("plain", "a space", "a quote", "blank rows", "an empty score", "a nul", "a word too long", "CRLF", "BOM")


@pytest.mark.parametrize("odd", ODD)
def test_with_pandas_and_without_the_same_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    rng = np.random.default_rng(1)
    rows = [f"{score!r},{label}" for score, label in zip(rng.normal(size=9).tolist(), "10" * 5, strict=False)]
    rows[1] = {
        "a space": " 0.5 , target ",
        "a quote": '"0.5","1"',
        "blank rows": "\n\n0.5,Target\n",
        "an empty score": ",1",
        "a nul": "0.5,1\0",
        "a word too long": "0.5,nontargets and more",
    }.get(odd, "5e-1,GENUINE")
    end = "\r\n" if odd == "CRLF" else "\n"
    text = end.join(["score,genuine", *rows, ""])
    (tmp_path / "scores.csv").write_bytes(text.encode("utf-8-sig" if odd == "BOM" else "utf-8"))

    def told() -> tuple[list[float], list[float], int] | str:
        try:
            found = read(tmp_path / "scores.csv", missing="skip")
        except MmbioError as error:
            return str(error)
        return found.genuine.tolist(), found.impostor.tolist(), found.n_missing

    either = told()
    monkeypatch.setattr("mmbio.data.score_files.SMALL", 0)
    assert told() == either


def test_plain_files_are_read_without_pandas(tmp_path: Path) -> None:
    scores, _ = given(tmp_path, "score,label\n0.1,target\n0.2,nontarget\n")
    code = (
        "import sys; from pathlib import Path; from mmbio.data.score_files import read; read(Path(sys.argv[1]));"
        " print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(scores)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_trials_twice_in_the_list_count_twice(tmp_path: Path) -> None:
    found = found_in(tmp_path, "a b 0.1\na c 0.2\na b 0.1\n", "1 a b\n0 a c\n1 a b\n")
    assert (found.genuine.tolist(), found.n_expected, found.n_unlisted) == ([0.1, 0.1], 3, 0)
    assert found.n_repeated == 1


@pytest.mark.parametrize(
    ("rows", "n"),
    [
        ("a,b,0.1,1\na,c,0.2,0\na,b,1e-1,target\na,b,0.1,1\n", 2),
        ("a,b,0.1,1\nb,a,0.2,0\n", 0),
        ("a,b,,1\na,b,0.1,1\n\na,b,,1\na,c,0.2,0\na,b,0.1,1\n", 1),
        (",b,0.1,1\n,b,0.2,0\nb,,0.3,1\nb,,0.3,1\n", 0),
    ],
)
def test_trials_twice_in_a_table_count_twice(tmp_path: Path, rows: str, n: int) -> None:
    found = found_in(tmp_path, f"enrolment,probe,score,genuine\n{rows}", missing="skip")
    assert found.n_repeated == n
    assert found.n_scored == sum(bool(row.split(",")[2]) for row in rows.split())


def test_the_sides_of_a_pair_are_not_swapped(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match="'a b' has no score"):
        found_in(tmp_path, "b a 0.1\na c 0.2\n", "1 a b\n0 a c\n")


def test_scores_of_no_trial_are_counted_and_shown(tmp_path: Path) -> None:
    extra = "x y 1\na b 0.1\na c -0.5\nb a 2\nd e 0.25\nd a 0.001\nq r 3\ns t 4\n"
    found = found_in(tmp_path, extra, LIST)
    assert (found.n_expected, found.n_scored, found.n_unlisted) == (4, 4, 4)
    assert found.unlisted == ("x y", "b a", "q r")


@pytest.mark.parametrize(
    ("scores", "labels", "told"),
    [
        ("a b 0.1\na c 0.2\n", LIST, r"labels\.txt: 'd e' has no score in .*scores\.txt: 2 of 4 trials have no score"),
        ("enrol,probe,score\na,b,0.1\na,c,0.2\nd,e,\n", LIST, "'d e' has no score in .*: 2 of 4 trials"),
        (
            "score,genuine\n0.1,1\n0.2,0\n,1\n,0\n",
            None,
            "row 4: ',1': 2 of 4 trials have no score; score them, or .*--missing-trials skip",
        ),
    ],
)
def test_missing_trials(tmp_path: Path, scores: str, labels: str | None, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        found_in(tmp_path, scores, labels)
    found = found_in(tmp_path, scores, labels, "skip")
    assert (found.genuine.tolist(), found.impostor.tolist()) == ([0.1], [0.2])
    assert (found.n_expected, found.n_scored, found.n_missing) == (4, 2, 2)


ONE, TWO = np.array([0.5]), np.array([0.5, 0.25])


@pytest.mark.parametrize(
    ("scores", "labels", "told"),
    [
        # arrays
        (TWO, None, r"scores\.npy: has no labels; give another \.npy"),
        (TWO, np.array([1, 0, 1]), r"scores\.npy: 2 scores, but 3 labels in .*labels\.npy"),
        (np.array([0.5, np.nan, np.inf]), np.array([1, 0, 1]), r"row 2 is nan \(2 of 3 scores are NaN or infinite\)"),
        (np.array([-np.inf, 0.5]), np.array([1, 0]), r"scores\.npy: row 1 is -inf \(1 of 2"),
        (TWO, np.array([1, 2]), r"labels\.npy: row 2 is the unknown label 2; expected 0, 1, False or True"),
        (TWO, np.zeros(2, [("a", "f8")]), r"labels\.npy: of type .*, where labels 0 and 1 were expected"),
        (TWO, np.array(["1", "x"]), r"labels\.npy: of type <U1, where labels 0 and 1 were expected"),
        (TWO, np.array([1.0, np.nan]), r"labels\.npy: row 2 is the unknown label nan"),
        (TWO, np.array([1, 1]), r"labels\.npy: all 2 scored trials are genuine; give labels of both kinds"),
        (TWO, np.array([False, False]), r"labels\.npy: all 2 scored trials are impostor"),
        (TWO, b"", r"labels\.npy: not a \.npy file; write it with numpy\.save"),
        (b"PK\x03\x04", TWO, r"scores\.npy: not a \.npy file"),
        (b"\x93NUMPY\x01\x00", TWO, r"scores\.npy: cannot be read"),
        (np.array([{}, []], dtype=object), TWO, r"scores\.npy: is a pickle, which is never loaded"),
        (TWO, np.array([{}, []], dtype=object), r"labels\.npy: is a pickle"),
        (TWO[:, None], np.array([1, 0]), r"scores\.npy: has the shape \(2, 1\), where \(N,\) was expected"),
        (np.zeros(0), np.zeros(0), r"scores\.npy: empty"),
        (np.array(0.5), np.array([1]), r"has the shape \(\)"),
        (np.array([1j, 2]), np.array([1, 0]), r"of type complex128, where real numbers were expected"),
        # text
        ("", None, r"scores\.txt: empty"),
        ("score,genuine\n", None, r"scores\.txt: empty"),
        ("0.5\n0.25\n", None, r"row 1: '0\.5' has 1 column and is of no known form; write 'enrol probe score'"),
        ("1 a b\n", None, r"row 1: '1 a b' has 3 columns and is of no known form"),
        ("a b 0.5 1\n", None, r"row 1: 'a b 0\.5 1' has 4 columns and is of no known form"),
        (
            "a b 0.5 target\na c 0.1 impostor\n",
            None,
            r"row 2: .*unknown label 'impostor'; expected one of target, nont",
        ),
        ("a b 0.5 target\na c 0.1\n", None, r"row 2: 'a c 0\.1' has no genuine; write enrolment probe score genuine"),
        ("a b 0.5 target\na b 0.5 nontarget\n", None, r"row 1: .* and row 2: .*one trial as genuine and as impostor"),
        ("a b 0.5 target\n", LIST, r"has labels of its own; leave --labels out"),
        ("score\n0.5\n", None, r"scores\.txt: has no labels; add a column genuine"),
        ("score\n0.5\n", LIST, r"has no columns enrolment and probe to find its labels by"),
        ("label,value\n1,0.5\n", None, r"row 1 names no column score"),
        ("score,genuine\n0.5,1\n", LIST, r"--labels .*labels\.txt: .*scores\.txt has labels of its own"),
        ("score,genuine\n0.5,1\n\nnan,0\n", None, r"row 4: 'nan,0': score 'nan' is not a number; mend it"),
        ("score,genuine\n0.5,1\nx,0\n", None, r"row 3: 'x,0': score 'x' is not a number"),
        ("score,genuine\n0.5,1\n1_0,0\n", None, r"row 3: '1_0,0': score '1_0' is not a number"),
        ("score,genuine\n0.5,1\n-inf,0\n", None, r"row 3: '-inf,0': the score is infinite"),
        ("score,genuine\n0.5,1\n1e400,0\n", None, r"row 3: '1e400,0': the score is infinite"),
        ("score,genuine\n0.5,1\n0.5,2\n", None, r"row 3: '0\.5,2': unknown label '2'; expected one of 1, true"),
        ("score,genuine\n0.5,1\n0.5,\n", None, r"row 3: '0\.5,' has no genuine"),
        ("score,genuine\n0.5,1\n0.5,0,1\n", None, r"row 3: '0\.5,0,1' has 3 columns where 2 were expected"),
        ("score,genuine\n0.5,1\n0.2,1\n", None, r"scores\.txt: all 2 scored trials are genuine"),
        ("a b 0.5\n", None, r"scores\.txt: has no labels; give a trial list with --labels"),
        ("a b 0.5\na c\n", LIST, r"row 2: 'a c' has no score; write enrolment probe score in every row"),
        ("a b 0.5\na c x\n", LIST, r"row 2: 'a c x': score 'x' is not a number"),
        ("a b nan\na c 1\n", LIST, r"row 1: 'a b nan': score 'nan' is not a number"),
        ("a b 0.5\na c 1 2\n", LIST, r"row 2: 'a c 1 2' has 4 columns where 3 were expected"),
        (
            "a b 0.5\na c 1\na b 0.6\n",
            LIST,
            r"scores\.txt: row 1: 'a b 0\.5' and row 3: 'a b 0\.6': one trial with two scores; keep one of them",
        ),
        (
            "a b 0.5\na c 1\n",
            LIST + "0 a b\n",
            r"labels\.txt: row 1: '1 a b' and row 5: '0 a b': one trial as genuine and as impostor; keep one",
        ),
        (
            "score,genuine,probe,enrol\n0.5,1,b,a\n\n0.5,0,c,a\n0.6,1,b,a\n",
            None,
            r"scores\.txt: row 2: '0\.5,1,b,a' and row 5: '0\.6,1,b,a': one trial with two scores",
        ),
        (
            "score,genuine,probe,enrol\n0.5,1,b,a\n0.5,0,b,a\n",
            None,
            r"scores\.txt: row 2: '0\.5,1,b,a' and row 3: '0\.5,0,b,a': one trial as genuine and as impostor",
        ),
        (
            "u v 0.5\n",
            LIST,
            r"none of the 4 trials of .* like 'a', 'd' where those scored are like 'u'; write ids alike",
        ),
        ("a b 0.5\n", "1 a b\n", r"labels\.txt: all 1 scored trials are genuine"),
        ("a b 0.5\n", "1 a\n", r"labels\.txt: row 1: '1 a' has 2 columns"),
        ("a b 0.5\n", TWO, r"labels\.npy: cannot be read \('utf-8' codec"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, scores: Any, labels: Any, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        found_in(tmp_path, scores, labels)


def test_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_bytes(b"score,genuine\n0.5,1\n0.25,\xff\n")
    with pytest.raises(MmbioError, match=r"scores\.csv: cannot be read \('utf-8' codec .*; give a text file in UTF-8"):
        read(tmp_path / "scores.csv")


def test_npy_under_another_name(tmp_path: Path) -> None:
    scores, labels = given(tmp_path, TWO, np.array([1, 0]))
    assert read(scores.rename(tmp_path / "scores"), labels).n_scored == 2


@pytest.mark.parametrize("name", ["nowhere.npy", "nowhere.csv", "."])
def test_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(MmbioError, match=rf"^{re.escape(str(tmp_path / name))}: cannot be read \("):
        read(tmp_path / name)


def test_what_the_caller_gets_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected missing error or skip, got x"):
        read(tmp_path / "scores.npy", None, "x")

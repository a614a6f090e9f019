"""Trial lists: three forms that read alike, ids and the rows they stand for, and what is wrong with a list."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.data import trial_lists
from mmbio.data.trial_lists import TrialList
from mmbio.errors import MmbioError

FORMS = {
    "voxceleb": "1 a b\n0 a c\n",
    "voxceleb, spaced": "\n  1   a\tb \r\n\r\n0 a c",
    "kaldi": "a b target\na c nontarget\n",
    "kaldi, any case, tabs": "a\tb\tTarget\na\tc\tNONTARGET\n",
    "kaldi, ids that are digits or quoted": '1 "b target\n1 c nontarget\n',
    "csv": "enrolment,probe,genuine\na,b,1\na,c,0\n",
    "csv, quoted, spaced, BOM": '\ufeffenrolment, probe, genuine\n"a", b, True\na,"c",FALSE\n\n',
    "csv, other names and order": "label,test,enroll,score\ngenuine,b,a,0.5\nImpostor,c,a,\n",
    "csv, unnamed columns": ",,enrollment,probe,target\n0,0,a,b,target\n1,1,a,c,nontarget\n",
    "tsv": "Enrol\tProbe\tTarget\na\tb\t1\na\tc\t0\n",
}


def written(folder: Path, text: str) -> Path:
    path = folder / "list.txt"
    path.write_bytes(text.encode())
    return path


def trials(*rows: tuple[str, str, bool]) -> TrialList:
    enrolment, probe, genuine = zip(*rows, strict=True)
    return TrialList(np.array(enrolment, object), np.array(probe, object), np.array(genuine))


def rows(found: TrialList) -> list[tuple[str, str, bool]]:
    return list(zip(found.enrolment.tolist(), found.probe.tolist(), found.genuine.tolist(), strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_forms_read_alike(tmp_path: Path, form: str) -> None:
    found = trial_lists.read(written(tmp_path, FORMS[form]))
    expected = [("a", "b", True), ("a", "c", False)]
    if "digits" in form:
        expected = [("1", '"b', True), ("1", "c", False)]
    assert rows(found) == expected
    assert found.genuine.dtype == bool
    assert len(found) == 2


@pytest.mark.parametrize("text", ["1 a b\n", "a b nontarget\n", "enrolment,probe,genuine\nNA,null,0\n"])
def test_one_class_and_odd_ids_are_fine(tmp_path: Path, text: str) -> None:
    assert len(trial_lists.read(written(tmp_path, text))) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "list.txt: empty"),
        (" \n\n", "list.txt: empty"),
        ("enrolment,probe,genuine\n\n", "list.txt: empty"),
        ("a b\n", "row 1: 'a b' has 2 columns and is of no known form; write '1 a b'"),
        ("1 a b c\n", "row 1: '1 a b c' has 4 columns"),
        ("a b 0.3\n", "row 1: 'a b 0.3' has 3 columns and is of no known form"),
        ("a,b,1\n", "row 1: 'a,b,1' has 1 column and is of no known form"),
        ("1 a b\n\n0 a\n", "row 3: '0 a' has no probe; write genuine enrolment probe in every row"),
        ("1 a b\n\n0 a b c\n", "row 3: '0 a b c' has 4 columns where 3 were expected"),
        ("\n1 a b\n2 a b\n", "row 3: '2 a b': unknown label '2'; expected one of 1, 0"),
        ("a b target\na c foe\n", "row 2: 'a c foe': unknown label 'foe'; expected one of target, nontarget"),
        ("1 a b\n0 a c\na b target\n", "row 3: 'a b target' is of another form than the rows before it"),
        ("a b target\n0 a c\n", "row 2: '0 a c' is of another form"),
        ("enrolment,probe,genuine\na,b,maybe\n", "row 2: 'a,b,maybe': unknown label 'maybe'"),
        ("enrolment,probe,genuine\na,b,1\n\n,b,1\n", "row 4: ',b,1' has no enrolment"),
        ("enrolment,probe,genuine\na,b\n", "row 2: 'a,b' has no genuine; write enrolment,probe,genuine"),
        ("enrolment,probe,genuine\na,b,1,x\n", "row 2: 'a,b,1,x' has 4 columns where 3 were expected"),
        ("enrolment,probe,genuine\na,b,1\na,b,1,x\n", "row 3: 'a,b,1,x' has 4 columns where 3 were expected"),
        ("enrolment,probe,genuine\n1 a b\n", "row 2: '1 a b' has no probe"),
        ('enrolment,probe,genuine\n"a,b,1\n', "list.txt: cannot be taken apart .*EOF inside string"),
        ("enrolment,genuine\na,1\n", "row 1 names no column probe; write the header"),
        ("enrolment,probe,label,target\na,b,1,1\n", "row 1 has the columns label and target; keep one of them"),
        (
            "1 a b\n0 a c\n\n0 a b\n",
            "list.txt: row 1: '1 a b' and row 4: '0 a b': one trial as genuine and as impostor",
        ),
        ("a b target\na b nontarget\n", "row 1: 'a b target' and row 2: 'a b nontarget': one trial as"),
        ("enrolment,probe,genuine\na,b,1\na,b,0\n", "row 2: 'a,b,1' and row 3: 'a,b,0': one trial as genuine"),
        ("x" * 200_000, "row 1: 'x{80}' has 1 column"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        trial_lists.read(written(tmp_path, text))


@pytest.mark.parametrize("content", [b"\xff\xfe1 a b\n", b"1 a b\n" * 100_000 + b"0 a \xff\n"])
def test_not_utf8(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(MmbioError, match=r"list\.txt: cannot be read \('utf-8' codec .*; give a text file in UTF-8"):
        trial_lists.read(tmp_path / "list.txt")


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(MmbioError, match=r"cannot be read \((No such file|Is a directory)"):
        trial_lists.read(tmp_path / name)


IDS = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1)


@given(given_rows=st.lists(st.tuples(IDS, IDS, st.booleans()), min_size=1, unique_by=lambda row: row[:2]))
def test_what_is_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory, given_rows: list[tuple[str, str, bool]]
) -> None:
    path = tmp_path_factory.mktemp("lists") / "list.csv"
    trial_lists.write(path, trials(*given_rows))
    assert rows(trial_lists.read(path)) == given_rows


def test_the_same_bytes_each_time_and_nothing_beside_them(tmp_path: Path) -> None:
    for _ in range(2):
        trial_lists.write(tmp_path / "list.csv", trials(("a", "b", True), ("a,c", "d", False)))
        assert (tmp_path / "list.csv").read_bytes() == b'enrolment,probe,genuine\na,b,1\n"a,c",d,0\n'
    assert len(list(tmp_path.iterdir())) == 1


def test_many_rows_keep_their_order(tmp_path: Path) -> None:
    n = 300_000  # more than the reader takes in one go
    text = "".join(f"{i % 3 % 2} id{i % 1000} id{i}\n" for i in range(n))
    found = trial_lists.read(written(tmp_path, text))
    assert found.probe.tolist() == [f"id{i}" for i in range(n)]
    assert found.enrolment[-1] == "id999"
    assert found.genuine.sum() == n // 3
    with pytest.raises(MmbioError, match=rf"row {n + 1}: '7 a b': unknown label '7'"):
        trial_lists.read(written(tmp_path, text + "7 a b\n"))


@pytest.mark.parametrize("form", ["{g} {a} {b}\n", "{a} {b} {g}\n", "{a},{b},{g}\n"])
def test_repeats_stand_and_are_marked(tmp_path: Path, form: str) -> None:
    marks = ("target", "nontarget") if form.startswith("{a} ") else ("1", "0")
    listed = ["a b", "a c", "b a", "a b", "a c", "a b"]
    kinds = [marks[one == "a c"] for one in listed]
    text = "".join(form.format(a=one[0], b=one[2], g=kind) for one, kind in zip(listed, kinds, strict=True))
    found = trial_lists.read(written(tmp_path, ("enrolment,probe,genuine\n" if "," in form else "") + text))
    assert found.repeated is not None
    assert found.repeated.tolist() == [False, False, False, True, True, True]
    assert found.n_repeated(found.genuine) == 2
    assert trials(("a", "b", True)).n_repeated(np.array([True])) == 0


def test_arrays_of_different_length() -> None:
    with pytest.raises(ValueError, match=r"expected three arrays \(T,\)"):
        TrialList(np.array(["a"], object), np.array(["b"], object), np.array([True, False]))


@pytest.mark.parametrize(
    ("ids", "suffix", "enrolment", "probe"),
    [
        (["c", "b", "a"], None, [2, 2, -1], [1, 0, -1]),
        (["c.wav", "b", "a"], None, [2, 2, -1], [1, -1, -1]),
        (["c.wav", "b", "a"], ".wav", [2, 2, 2], [1, 0, -1]),
        ([], None, [-1, -1, -1], [-1, -1, -1]),
    ],
)
def test_matched(ids: list[str], suffix: str | None, enrolment: list[int], probe: list[int]) -> None:
    listed = trials(("a", "b", True), ("a", "c", False), ("a.wav", "d", False))
    found = trial_lists.matched(np.array(ids, dtype=object), listed, suffix)
    assert [side.tolist() for side in found] == [enrolment, probe]
    assert all(side.dtype == np.int64 for side in found)


def test_ids_that_become_the_same() -> None:
    listed = trials(("a", "b", True))
    with pytest.raises(MmbioError, match=r"--strip-suffix \.wav: 'a' and 'a\.wav' become the same id"):
        trial_lists.matched(np.array(["a", "b", "a.wav"]), listed, ".wav")
    with pytest.raises(ValueError, match="'a' twice"):
        trial_lists.matched(np.array(["a", "a"]), listed)


def test_not_found_shows_three_of_each_side() -> None:
    listed = trials(("a.wav", "b.wav", True), ("a.wav", "d", False), ("d", "e", False), ("c.wav", "x.wav", False))
    ids = np.array(["a", "b", "c", "d", "e"])
    told = (
        "--trials: 3 of 4 trials name ids that are not known ('a.wav', 'c.wav', 'b.wav', ...), where those known are"
        " like 'a', 'b', 'c', ...; strip what they differ by, as --strip-suffix .wav does, or leave these trials out"
        " with --missing-trials skip"
    )
    error = trial_lists.not_found(ids, listed, *trial_lists.matched(ids, listed))
    assert re.fullmatch(re.escape(told), str(error))


def test_the_voxceleb_list(real_data: Path) -> None:
    path = real_data / "voxceleb" / "veri_test2.txt"
    if not path.is_file():
        pytest.skip("no VoxCeleb list")
    found = trial_lists.read(path)
    assert (len(found), int(found.genuine.sum())) == (37_611, 18_802)

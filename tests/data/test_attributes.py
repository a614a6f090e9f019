"""Attributes: what each kind of column becomes, matching by id, and bad input."""

from math import nan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmbio.data.attributes import Attributes, matched, of_table, read
from mmbio.errors import MmbioError


def of(column: str, cells: str) -> Attributes:
    values = cells.split(",")
    return of_table(pd.DataFrame({"id": [f"s{i}" for i in range(len(values))], column: values}, dtype=str))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("0,1,,1", [0, 1, nan, 1]),
        ("True,FALSE,true,", [1, 0, 1, nan]),
        ("yes,No,YES,no", [1, 0, 1, 0]),
        ("-1,1,,-1", [0, 1, nan, 0]),
        ("1.0,0.0,nan,NaN", [1, 0, nan, nan]),  # as pandas writes a column with gaps
        (" 1 ,0,yes,0", [1, 0, 1, 0]),
        ("-1,-1,-1,", [0, 0, 0, nan]),
        ("1,1,,1", [1, 1, nan, 1]),
    ],
)
def test_booleans(cells: str, expected: list[float]) -> None:
    found = of("Bald", cells)
    assert list(found.flags) == ["Bald"]
    np.testing.assert_array_equal(found.flags["Bald"], expected)
    assert not found.notes


@pytest.mark.parametrize("column", ["yaw", "pitch", "Roll"])
def test_angles_have_the_papers_bins(column: str) -> None:
    found = of(column, "-12,30,-45.5,60,180,,0")
    expected = {
        f"{column}:0-30": [1, 0, 0, 0, 0, nan, 1],
        f"{column}:30-60": [0, 1, 1, 0, 0, nan, 0],
        f"{column}:60-": [0, 0, 0, 1, 1, nan, 0],
    }
    assert list(found.flags) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found.flags[name], values)
    assert set(found.columns.values()) == {column}


def test_angles_are_angles_even_where_they_look_boolean() -> None:
    assert list(of("yaw", "0,1,1").flags) == ["yaw:0-30", "yaw:30-60", "yaw:60-"]


def test_angles_that_look_like_radians_are_noted() -> None:
    assert "radians" in of("yaw", "0.1,-1.2").notes[0]


def test_other_numbers_get_their_quartiles() -> None:
    found = of("age", "1,2,3,4,5,6,7,8,")
    assert found.notes == ("attributes: column 'age': cut at its own quartiles 2.75, 4.5, 6.25",)
    for k in range(4):
        expected = [*(float(i // 2 == k) for i in range(8)), nan]
        np.testing.assert_array_equal(found.flags[f"age:Q{k + 1}"], expected)


@pytest.mark.parametrize(
    ("cells", "names"),
    [("5,5,5", ["age:Q4"]), ("-1,0,1", ["age:Q1", "age:Q3", "age:Q4"]), ("2,3,3,3,3", ["age:Q1", "age:Q4"])],
)
def test_ties_leave_fewer_quartiles(cells: str, names: list[str]) -> None:
    found = of("age", cells)
    assert list(found.flags) == names
    np.testing.assert_array_equal(np.sum(list(found.flags.values()), axis=0), 1)


def test_texts_become_one_attribute_a_value() -> None:
    found = of("hair", "blond,black,,blond")
    np.testing.assert_array_equal(found.flags["hair=black"], [0, 1, nan, 0])
    np.testing.assert_array_equal(found.flags["hair=blond"], [1, 0, nan, 1])
    assert list(found.flags) == ["hair=black", "hair=blond"]


def test_twenty_texts_are_few_enough() -> None:
    assert len(of("hair", ",".join(f"t{i}" for i in range(20))).flags) == 20


def test_an_empty_column_is_left_out_and_noted() -> None:
    found = of("hair", ",,")
    assert not found.flags
    assert "is empty and left out" in found.notes[0]


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufeffBald, id ,hair\n1,a,"x, y"\n\n0, b,\n1,a,"x, y"\n', encoding="utf-8")
    found = read(path)
    assert found.ids.tolist() == ["a", "b"]
    np.testing.assert_array_equal(found.flags["Bald"], [1, 0])
    np.testing.assert_array_equal(found.flags["hair=x, y"], [1, nan])
    assert found.columns == {"Bald": "Bald", "hair=x, y": "hair"}
    assert found.notes == (f"{path}: 1 repeated rows left out",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no rows; write a head line"),
        (b"id,Bald\n", "has no rows"),
        (b"name,Bald\na,1\n", "its columns are 'name,Bald'; expected id"),
        (b"id\na\n", "its columns are 'id'"),
        (b"id,Bald,\na,1,0\n", "expected id and a named column"),
        (b"id,Bald,Bald\na,1,0\n", "two columns are named 'Bald'"),
        (b"id,Bald\na,1\na,0\n", "id 'a' is given twice with different values"),
        (b"id,Bald\na,1\n,0\n", "the id of sample 2 is empty"),
        (b"id,Bald\na,1\n\nb,0,1\n", "row 4 has 3 values where 2 were expected"),
        (b"id,Bald\na\n", "row 2 has 1 value where 2 were expected"),
        (b"id,Bald\na,1\xff\n", "not a readable CSV file .*UTF-8"),
        ("id,Bald\na,1\n".encode("utf-16"), "not a readable CSV file"),
        (b'id,Bald\na,"1\n', "not a readable CSV file"),
        (b"id,age\na,1\nb,-inf\n", "column 'age': '-inf' is not finite"),
        (b"id,yaw\na,1\nb,left\n", "column 'yaw': 'left' is no angle"),
        (b"id,yaw\na,1\nb,359\n", "column 'yaw': '359' is no angle; write degrees from -180 to 180"),
        (b"id,x,x=a\na,a,1\n", "columns 'x' and 'x=a' both give 'x=a'"),
        (b"id,x\n" + b"".join(b"%d,t%d\n" % (i, i) for i in range(21)), "column 'x': has 21 different texts"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(MmbioError, match=message) as error:
        read(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["", "gone.csv"])
def test_unreadable(tmp_path: Path, name: str) -> None:
    with pytest.raises(MmbioError, match="not a readable CSV file"):
        read(tmp_path / name)


def test_matched() -> None:
    attributes = of("Bald", "1,0,1,")
    found = matched(["s3", "other", "s0", "s0"], attributes)
    assert found.rows.tolist() == [3, -1, 0, 0]
    assert (found.n_unknown, found.n_unused) == (1, 2)
    np.testing.assert_array_equal(attributes.at(found.rows)["Bald"], [nan, nan, 1, 1])


def test_nothing_matches() -> None:
    with pytest.raises(MmbioError, match=r"have 'a', 'b', 'c', the attributes 's0', 's1', 's2'; write"):
        matched(np.array(["a", "b", "c", "d"]), of("Bald", "1,0,1,0"))

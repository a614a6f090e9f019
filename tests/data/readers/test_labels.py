"""Labels: genders.csv and its template."""

from pathlib import Path

import pytest

from mmbio.data.readers.labels import Label, find_labels, parse_age, read_labels, require_labels
from mmbio.errors import MmbioError


def csv(folder: Path, text: str) -> Path:
    path = folder / "genders.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("cell", "gender"), [("F", "F"), ("f", "F"), ("female", "F"), ("Female", "F"), ("M", "M"), (" MALE ", "M")]
)
def test_gender_is_read_in_any_case(tmp_path: Path, cell: str, gender: str) -> None:
    assert read_labels(csv(tmp_path, f"subject,gender\nanna,{cell}\n")) == {"anna": Label(gender)}


def test_ages_blank_lines_byte_order_mark_and_column_order(tmp_path: Path) -> None:
    path = csv(tmp_path, "\ufeffAge,Subject,Gender\r\n33,anna,F\r\n\r\n,bob,M\r\n")
    assert read_labels(path) == {"anna": Label("F", 33), "bob": Label("M")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "row 1 is ''"),
        ("subject;gender\na;F\n", "row 1 is 'subject;gender'"),
        ("subject,gender\na,F\nb,x\n", "row 3: gender 'x' of subject 'b'"),
        ("subject,gender\na,\n", "row 2: gender '' of subject 'a'"),
        ("subject,gender,age\na,F,old\n", "row 2: age 'old' of subject 'a'"),
        ("subject,gender,age\na,F,131\n", "row 2: age '131'"),
        ("subject,gender,age\na,F,-1\n", "row 2: age '-1'"),
        ("subject,gender\n,F\n", "row 2: ',F' names no subject"),
        ("subject,gender\na\n", "row 2: 'a' has 1 value where 2 were expected"),
        ("subject,gender\na,F\na,M\n", "row 3: subject 'a' has another label further up"),
    ],
)
def test_errors_name_file_row_and_value(tmp_path: Path, text: str, told: str) -> None:
    path = csv(tmp_path, text)
    with pytest.raises(MmbioError) as error:
        read_labels(path)
    assert str(path) in str(error.value)
    assert told in str(error.value)


def test_bytes_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "genders.csv"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(MmbioError, match="not a readable CSV file"):
        read_labels(path)


@pytest.mark.parametrize(
    ("text", "age"), [("25", 25), ("0", 0), ("130", 130), ("131", None), ("n/a", None), ("", None)]
)
def test_parse_age(text: str, age: int | None) -> None:
    assert parse_age(text) == age


def test_labels_are_looked_for_in_the_set_beside_it_and_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, here = tmp_path / "root" / "set", tmp_path / "here"
    folder.mkdir(parents=True)
    here.mkdir()
    monkeypatch.chdir(here)
    assert find_labels(folder) is None
    for place in (here, folder.parent, folder):
        csv(place, "subject,gender\n")
        assert find_labels(folder) == place / "genders.csv"


def test_without_labels_a_template_is_written_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "root" / "set"
    folder.mkdir(parents=True)
    with pytest.raises(MmbioError) as error:
        require_labels(folder, ["anna", "bob", "anna"])
    template = folder / "genders-template.csv"
    assert template.read_text() == "subject,gender,age\nanna,,\nbob,,\n"
    assert str(template) in str(error.value)
    assert str(folder / "genders.csv") in str(error.value)


def test_missing_subjects_are_named_and_what_is_known_stands_in_the_template(tmp_path: Path) -> None:
    path = csv(tmp_path, "subject,gender,age\nanna,F,33\n")
    with pytest.raises(MmbioError, match=r"no row for 1 of 2 subjects \(bob\)"):
        require_labels(tmp_path, ["anna", "bob"])
    assert (tmp_path / "genders-template.csv").read_text() == "subject,gender,age\nanna,F,33\nbob,,\n"
    assert require_labels(tmp_path, ["anna"]) == ({"anna": Label("F", 33)}, path)


def test_a_template_that_the_user_has_filled_in_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    template = tmp_path / "genders-template.csv"
    template.write_text("subject,gender,age\nanna,F,\n")
    with pytest.raises(MmbioError, match=r"fill in F or M in .*genders-template\.csv"):
        require_labels(tmp_path, ["anna", "bob"])
    assert template.read_text() == "subject,gender,age\nanna,F,\n"


def test_a_read_only_set_has_its_template_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, here = tmp_path / "set", tmp_path / "here"
    here.mkdir()
    folder.mkdir(mode=0o555)
    monkeypatch.chdir(here)
    with pytest.raises(MmbioError) as error:
        require_labels(folder, ["anna"])
    assert (here / "genders-template.csv").is_file()
    assert str(here / "genders.csv") in str(error.value)
    assert list(folder.iterdir()) == []


def test_without_a_place_for_a_template_the_columns_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "set"
    folder.mkdir(mode=0o555)
    monkeypatch.chdir(folder)
    with pytest.raises(MmbioError, match=r"supply genders\.csv with the columns subject,gender\[,age\]"):
        require_labels(folder, ["anna"])

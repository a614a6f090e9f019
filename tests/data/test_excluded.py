"""Excluded people stay out of sets, and the list names nobody."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmbio.data import excluded
from mmbio.data.samples import Sample, SampleSet
from mmbio.errors import MmbioError


def people(name: str, *subjects: str) -> SampleSet:
    samples = tuple(Sample("face", s, f"{s}/{i}", i, f"{s}/{i}.png") for s in subjects for i in range(2))
    return SampleSet(name, Path("there"), samples)


def test_without_a_list_nothing_changes(tmp_path: Path) -> None:
    one = people("a", "anna", "bob")
    assert excluded.without({"face": [one]}, tmp_path) == {"face": (one,)}


def test_who_is_excluded_is_left_out_of_that_set_alone(tmp_path: Path) -> None:
    excluded.add(tmp_path, [("a", "anna")])
    excluded.add(tmp_path, [("a", "carl"), ("a", "anna")])
    first, second = excluded.without({"face": [people("a", "anna", "bob"), people("b", "anna")]}, tmp_path)["face"]
    assert {s.subject for s in first.samples} == {"bob"}
    assert first.notes == ("a: 1 left out, whom mmbio purge excluded",)
    assert second == people("b", "anna")
    text = (tmp_path / excluded.FILE).read_text()
    assert "anna" not in text
    assert "carl" not in text


def test_adding_again_changes_no_byte(tmp_path: Path) -> None:
    excluded.add(tmp_path, [("a", "anna")])
    before = (tmp_path / excluded.FILE).read_bytes()
    excluded.add(tmp_path, [("a", "anna")])
    assert (tmp_path / excluded.FILE).read_bytes() == before


def test_another_home_has_another_salt(tmp_path: Path) -> None:
    for home in (tmp_path / "one", tmp_path / "two"):
        excluded.add(home, [("a", "anna")])
    one, two = (json.loads((tmp_path / home / excluded.FILE).read_text()) for home in ("one", "two"))
    assert one["salt"] != two["salt"]
    assert one["people"] != two["people"]


@pytest.mark.parametrize("text", ["[]", "{}", '{"salt": 1, "people": []}', '{"salt": "xyz", "people": []}', "nothing"])
def test_a_damaged_list_lets_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / excluded.FILE).write_text(text)
    with pytest.raises(MmbioError, match=r"excluded\.json: "):
        excluded.without({"face": [people("a", "anna")]}, tmp_path)


def test_a_real_and_a_synthetic_person_of_one_name(tmp_path: Path) -> None:
    real = people("a", "anna")
    made = replace(real, vectors={"synthetic": True})
    for synthetic, left in ((False, made), (True, real)):
        home = tmp_path / str(synthetic)
        home.mkdir()
        excluded.add(home, [("a", "anna")], synthetic=synthetic)
        assert excluded.holds(home, "a", "anna")
        found = excluded.without({"face": [real, made]}, home)["face"]
        assert [one for one in found if one.samples] == [left]

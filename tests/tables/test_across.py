"""Columns on every split side by side."""

from pathlib import Path

from mmbio.tables.across import across
from mmbio.tables.spec import cells, load

TABLES = Path(__file__).parents[2] / "tables"


def test_each_column_stands_on_every_split_and_gender_on_unseen_subjects_too() -> None:
    found = across(load(TABLES / "multitask-table1.toml"))
    assert [c.key for c in found.columns] == [
        *("identification", "identification_source", "identification_record"),
        *("gender", "gender_source", "gender_record", "gender_unseen"),
    ]
    assert [d.of for d in found.differences] == [
        ("identification", "identification_source"),
        ("identification", "identification_record"),
        ("gender", "gender_source"),
        ("gender", "gender_record"),
        ("gender", "gender_unseen"),
    ]
    assert (found.name, found.reported, found.compare) == ("multitask-table1-leakage", "multitask-table1", None)


def test_cells_ask_for_their_split() -> None:
    found = {c.column: c.settings for c in cells(across(load(TABLES / "multitask-table1.toml")))}
    assert {k: (s.split, s.unseen, s.tasks) for k, s in found.items() if k.startswith("gender")} == {
        "gender": ("triplet", False, ("gender",)),
        "gender_source": ("source", False, ("gender",)),
        "gender_record": ("record", False, ("gender",)),
        "gender_unseen": ("triplet", True, ("gender",)),
    }


def test_rows_with_tasks_of_their_own_have_no_unseen_column() -> None:
    found = across(load(TABLES / "multitask-table2.toml"))
    assert not any(s.settings.unseen for s in cells(found))

"""The report's folders: which are taken, what is read of them, and what is refused in one sentence."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmbio.errors import MmbioError
from mmbio.tables import report
from mmbio.tables.report_html.stored_table import is_table

Json = dict[str, Any]
Written = Callable[..., str]
TABLE = "multitask-table1.json"
LISTED = "figures/figures.json"


Damage = Callable[[Path], object]


def spoil(name: str, change: Callable[[Any], object]) -> Damage:
    """Damage to the JSON of a file."""

    def spoiled(place: Path) -> None:
        content = json.loads((place / name).read_text())
        change(content)
        (place / name).write_text(json.dumps(content))

    return spoiled


def text_of(name: str, content: str) -> Damage:
    """A file that holds something else."""
    return lambda place: (place / name).write_text(content)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (text_of(TABLE, "{"), r"table1\.json: not a readable table .*; write it again"),
        (spoil(TABLE, lambda t: t.update(schema=2)), r"written by a newer mmbio \(schema 2, known up to 1\); up"),
        (spoil(TABLE, lambda t: t.pop("cells")), "not a whole table .cells is no list of objects.; run mmbio tables"),
        (spoil(TABLE, lambda t: t.pop("synthetic")), "synthetic is neither true nor false"),
        (spoil(TABLE, lambda t: t["cells"][0].update(value="x")), "value is no number"),
        (spoil(TABLE, lambda t: t["cells"][0].update(value=float("nan"))), "value is no number"),
        (spoil(TABLE, lambda t: t["cells"][0].update(n=0.5)), "n is no count"),
        (spoil(TABLE, lambda t: t["cells"][0].update(row="x")), "a cell belongs to no row or column"),
        (spoil(TABLE, lambda t: t["rows"][0].update(key=["O"])), "a row has more or fewer keys than the table"),
        (spoil(TABLE, lambda t: t["columns"][0].update(better="x")), "better is 'x'"),
        (spoil(TABLE, lambda t: t["columns"][0].update(decimals=99)), "decimals is 99"),
        (spoil(TABLE, lambda t: t.update(title=3)), "title is no text"),
        (spoil(TABLE, lambda t: t.update(notes=[3])), "notes is no list of texts"),
        (text_of("audit.json", "["), r"audit\.json: not a readable audit"),
        (text_of("environment.json", "[]"), r"environment\.json: expected a note of the environment"),
        (spoil("audit.json", lambda a: a.update(schema=2)), r"audit\.json: written by a newer mmbio"),
        (text_of(LISTED, "{}"), r"figures\.json: not a readable list of figures .expected a list of objects"),
        (spoil(LISTED, lambda f: f[0].update(svg="../../secret.svg")), "a figure names no file beside the list"),
        (lambda place: (place / "figures" / "f1.svg").unlink(), r"f1\.svg: a figure that is listed cannot be read"),
        (text_of("figures/f0.svg", "<svg"), r"f0\.svg: not a readable SVG .*; run mmbio tables again"),
    ],
)  # fmt: skip
def test_what_is_refused_in_one_sentence(one_label: Path, written: Written, damage: Damage, told: str) -> None:
    damage(one_label / "tables" / "one")
    with pytest.raises(MmbioError, match=told) as caught:
        written(one_label)
    assert "\n" not in str(caught.value)
    assert not (one_label / "report.html").exists()


def test_the_same_folders_give_the_same_bytes(two_labels: Path, written: Written) -> None:
    path = two_labels / "tables" / "synthetic-120-subject-quick"
    assert written(two_labels, path.name) == written(two_labels, str(path))


def test_what_is_a_table(multitask_table: Json) -> None:
    assert is_table(multitask_table)
    assert is_table({"schema": 9, "columns": []})
    assert not is_table({"schema": 1, "result": "x"})


def test_folders_are_taken_newest_first_or_as_named(two_labels: Path) -> None:
    names = ["ecg-id+faces94-53-triplet-quick", "synthetic-120-subject-quick"]
    for newest, time in zip(names, (1, 2), strict=True):
        for path in (two_labels / "tables" / newest).glob("*.json"):
            os.utime(path, (time, time))
    assert [place.name for place in report.folders(two_labels)] == names[::-1]
    assert [place.name for place in report.folders(two_labels, names + names)] == names


@pytest.mark.parametrize(
    ("names", "told"),
    [([], "tables: no tables there; run mmbio tables first"), (["x"], "LABEL x: no tables .*; run mmbio tables first")],
)
def test_nothing_to_report(tmp_path: Path, names: list[str], told: str) -> None:
    (tmp_path / "tables" / "reported").mkdir(parents=True)
    with pytest.raises(MmbioError, match=told):
        report.folders(tmp_path, names)


def test_an_unknown_label_is_told_the_known_ones(two_labels: Path) -> None:
    with pytest.raises(MmbioError, match=r"LABEL x: .*; choose from ecg-id\+faces94-53-triplet-quick, synthetic"):
        report.folders(two_labels, ["x"])

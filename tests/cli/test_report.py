"""mmbio report: what it writes and prints, where, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Call = Callable[..., Result]
Listing = Callable[[Path], dict[str, bytes]]
Refused = Callable[..., None]
TABLE: dict[str, Any] = {
    **{"schema": 1, "name": "mine", "title": "A title", "data": "simulated", "synthetic": True},
    "keys": [{"name": "system", "header": "System"}],
    "columns": [{"key": "eer", "header": "EER (%)", "unit": "%", "decimals": 2, "better": "lower"}],
    "rows": [{"id": "A", "key": ["A"]}],
    "cells": [{"row": "A", "column": "eer", "value": 7.25, "low": 6.5, "high": 8.0, "n": 66290}],
}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A home with the tables of two labels."""
    for label in ("one", "other"):
        place = tmp_path / "runs" / "tables" / label
        place.mkdir(parents=True)
        (place / "mine.json").write_text(json.dumps(TABLE))
    return tmp_path / "runs"


def test_all_labels_into_the_home(good: Call, runs: Path) -> None:
    result = good("report", "--out", runs)
    page = (runs / "report.html").read_text(encoding="utf-8")
    size = f"{len(page.encode()) / 1e3:.0f} kB"
    assert result.stdout == f"written: {runs / 'report.html'} (2 labels, 2 tables, 0 figures; {size})\n"
    assert page.count("7.25") >= 2
    assert '<h1 id="to-top">Multimodal biometrics, measured</h1>' in page


@pytest.mark.parametrize("label", ["other", "{runs}/tables/other"])
def test_one_label_elsewhere_as_json(good: Call, runs: Path, listing: Listing, label: str) -> None:
    before = listing(runs)
    to = runs.parent / "pages" / "page.html"
    words = ("report", label.format(runs=runs), "--out", runs, "--to", to, "--title", "<Mine>", "--json")
    told = json.loads(good(*words).stdout)
    page = to.read_text(encoding="utf-8")
    assert told["file"] == str(to)
    assert told["n_bytes"] == len(page.encode())
    assert list(told["labels"]) == ["other"]
    assert told["labels"]["other"] | {"folder": ""} == {
        **{"folder": "", "tables": ["mine"], "n_figures": 0, "audit": False, "environment": False},
    }
    assert "<title>&lt;Mine&gt;</title>" in page
    assert listing(runs) == before


def test_quiet_prints_nothing_and_replaces_the_page(good: Call, runs: Path) -> None:
    (runs / "report.html").write_text("old")
    assert good("report", "--out", runs, "--quiet").output == ""
    assert "old" not in (runs / "report.html").read_text(encoding="utf-8")[:9]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("report --out {home}/empty", "tables: no tables there; run mmbio tables first"),
        ("report nowhere", "LABEL nowhere: no tables of this label or folder; choose from one, other"),
        ("report {home}", "LABEL .*runs: no tables of this label or folder; choose from one, other"),
        ("report --to {home}/tables", "--to .*tables: a folder, which would be replaced; give the name of a file"),
        ("report --to {home}/tables/one/mine.json/x.html", r"x\.html: cannot be written"),
        ("report --title=", "--title: empty; give a heading for the page, or leave it out"),
    ],
)
def test_what_is_refused(refused: Refused, runs: Path, listing: Listing, words: str, told: str) -> None:
    before = listing(runs)
    refused(told, words, runs)
    assert listing(runs) == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", r"mine\.json: not a readable table"),
        (
            json.dumps(TABLE | {"schema": 2}),
            r"mine\.json: written by a newer mmbio \(schema 2, known up to 1\); update",
        ),
        (
            json.dumps(TABLE | {"rows": []}),
            r"mine\.json: not a whole table .a cell belongs to no row or column.; run mm",
        ),
    ],
)
def test_a_damaged_table(refused: Refused, runs: Path, content: str, told: str) -> None:
    (runs / "tables" / "one" / "mine.json").write_text(content)
    refused(told, "report", runs)
    assert not (runs / "report.html").exists()


def test_a_figure_that_is_gone(refused: Refused, runs: Path) -> None:
    (runs / "tables" / "one" / "figures").mkdir()
    listed = [{"table": "mine", "title": "DET", "svg": "mine-det.svg"}]
    (runs / "tables" / "one" / "figures" / "figures.json").write_text(json.dumps(listed))
    refused(r"mine-det\.svg: a figure that is listed cannot be read .*; run mmbio tables again", "report", runs)

"""What the tests of the report share: folders as `mmbio tables` writes them, and a look into a page."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mmbio.tables import report

Json = dict[str, Any]
DRAWING = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="200pt" height="100pt">
<metadata>left out</metadata><style>* {fill: red}</style><script>bad()</script>
<defs><path id="m" d="M0 0h9"/><clipPath id="c"><rect width="9" height="9"/></clipPath></defs>
<g id="axes" clip-path="url(#c)" onclick="bad()"><use xlink:href="#m"/><use xlink:href="http://there/x#m"/>
<image href="http://there/x.png"/><rect style="fill: url(http://there/)"/><text x="1" y="9">false &lt; true</text></g>
</svg>"""


def cell(row: str, column: str, value: float, **more: Any) -> Json:
    found = {"row": row, "column": column, "value": value, "low": value - 4.25, "high": value + 1.5, "n": 159}
    return {**found, "interval": "95 % subject bootstrap", "step": 0.63, "best": None, "result": "0123abcd", **more}


def column(key: str, header: str, **more: Any) -> Json:
    return {"key": key, "header": header, "metric": key, "unit": "%", "decimals": 1, "better": "higher", **more}


def multitask() -> Json:
    """Table 1 of the multitask paper in short: marks as keys, figures beside reported ones."""
    ids = {"ecg=1": ["O", ""], "face=1": ["", "O"], "both": ["O", "O"]}
    beside = {"reported": "77.49", "reported_low": 70.75, "reported_high": 83.11, "difference": 8.8}
    cells = [
        cell("ecg=1", "identification", 86.3, best=False, **beside),
        cell("face=1", "identification", 88.0, mark="s", difference=-2.5, reported="90.5"),
        cell("both", "identification", 98.5, best=True),
        cell("ecg=1", "gender", 84.3, why="the weights are behind a form"),
        cell("both", "gender", 98.2, low=None, high=None),
    ]
    return {
        **{"schema": 1, "name": "multitask-table1", "title": "Accuracy & modalities", "protocol": "multitask"},
        **{"data": "ecg-id + faces94; 53 subjects", "synthetic": False, "text": {"ignored": True}},
        "keys": [{"name": "ecg", "header": "ECG"}, {"name": "face", "header": "Face"}],
        "columns": [column("identification", "ID (%)"), column("gender", "Gender")],
        "rows": [{"id": row, "key": key} for row, key in ids.items()],
        "cells": cells,
        "notes": ["Always answering the majority gender: 64.2 %."],
    }


def audiovisual(n: int = 16) -> Json:
    """Table 2 of the audio-visual paper in shape: four keys, EER and minDCF, lower is better."""
    rows = [(f"r{i}", ["score-level fusion", "ABC"[i % 3]][i % 2], f"{i % 3}", "voice", "zeros") for i in range(n)]
    trials = {"n_genuine": 30290, "n_impostor": 36000, "n_imputed": 0, "n_missing": 0, "step": None, "n": 66290}
    cells = [cell(row, "eer", 9.75 + (7 * i) % n, low=6.5, **trials) for i, (row, *_) in enumerate(rows)]
    cells += [cell(row, "min_dcf", 0.125 + i / 50, low=0.1, high=0.5, **trials) for i, (row, *_) in enumerate(rows)]
    lower = {"better": "lower"}
    return {
        **{"schema": 1, "name": "audiovisual-table2", "title": "Corrupted and missing", "protocol": "audiovisual"},
        **{"data": "simulated; 120 subjects", "synthetic": True},
        "keys": [{"name": name, "header": name.title()} for name in ("system", "speech", "nulled", "null")],
        "columns": [
            column("eer", "EER (%)", decimals=2, **lower),
            column("min_dcf", "minDCF", unit="", decimals=3, **lower),
        ],
        "rows": [{"id": row, "key": key} for row, *key in rows],
        "cells": cells,
    }


AUDIT: Json = {
    **{"schema": 1, "manifest": "8feb1c2c", "split": "triplet", "seed": 0},
    "findings": [
        {"level": "beat", "modality": "ecg", "between": "train and test", "count": 1431, "of": 1502, "kind": "leak",
         "says": "1431 of 1502 beats of the test side are on the training side."},
    ],
    "pairings": [{"seed": 0, "modality": "face", "pairs": 53}],
    "trials": {"test": {"n_genuine": 30290}},
}  # fmt: skip
ENVIRONMENT: Json = {
    **{"mmbio": "0.2.0", "processor": "a processor of a long name", "scale": "quick", "seconds": 412.7},
    **{"libraries": {"numpy": "2.2.1", "torch": "2.9.0"}, "command": ["mmbio", "tables", "a b"]},
}


def folder(place: Path, *tables: Json, figures: int = 2) -> Path:
    """A folder as `mmbio tables` writes it, figures, audit and environment included."""
    (place / "figures").mkdir(parents=True)
    for table in tables:
        (place / f"{table['name']}.json").write_text(json.dumps(table))
    listed = [
        {
            "table": tables[0]["name"],
            "name": f"f{i}",
            "title": f"DET {i}",
            "caption": f"Caption {i}",
            "svg": f"f{i}.svg",
        }
        for i in range(figures)
    ]
    for entry in listed:
        (place / "figures" / entry["svg"]).write_text(DRAWING)
    files = {"figures/figures.json": listed, "audit.json": AUDIT, "environment.json": ENVIRONMENT}
    for name, content in files.items():
        (place / name).write_text(json.dumps(content))
    return place


class Page(HTMLParser):
    """What a page is made of; fails where elements do not nest."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.feed(content)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        assert len({name for name, _ in attrs}) == len(attrs)
        if tag not in ("meta", "wbr", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words += data

    def all(self, name: str) -> list[str]:
        return [given[name] for _, given in self.elements if name in given]

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.elements)


@pytest.fixture
def drawing() -> str:
    """An SVG with all that has no place in a page."""
    return DRAWING


@pytest.fixture
def multitask_table() -> Json:
    """A table with reported figures."""
    return multitask()


@pytest.fixture
def audiovisual_tables() -> list[Json]:
    """One table of 16 rows, one of two."""
    return [audiovisual(), audiovisual(2) | {"synthetic": False}]


@pytest.fixture
def make_folder() -> Callable[..., Path]:
    """`folder(place, *tables, figures=2)`."""
    return folder


@pytest.fixture
def page_of() -> Callable[[str], Page]:
    """A page looked into; fails where its elements do not nest."""
    return Page


@pytest.fixture
def one_label(tmp_path: Path) -> Path:
    """A home with one table of real data, two figures, an audit and an environment."""
    folder(tmp_path / "tables" / "one", multitask())
    return tmp_path


@pytest.fixture
def two_labels(tmp_path: Path) -> Path:
    """A home with tables of synthetic and of real data."""
    folder(tmp_path / "tables" / "synthetic-120-subject-quick", audiovisual())
    folder(tmp_path / "tables" / "ecg-id+faces94-53-triplet-quick", multitask(), audiovisual(2) | {"synthetic": False})
    return tmp_path


@pytest.fixture
def written() -> Callable[..., str]:
    """`written(home, *names)`: the text of the report of these labels."""

    def write(home: Path, *names: str) -> str:
        path = home / "report.html"
        report.write([report.read(place) for place in report.folders(home, names)], path)
        return path.read_text(encoding="utf-8")

    return write

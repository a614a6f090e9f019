"""The page: whole HTML that loads nothing, all figures in it, and hostile texts harmless."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from mmbio.tables.report_html.stored_table import of_content
from mmbio.tables.report_html.table import to_csv

Json = dict[str, Any]
Written = Callable[..., str]
Look = Callable[[str], Any]
Make = Callable[..., Path]
HOSTILE = "<script>bad()</script>\"'><img src=x onerror=bad()>&amp;"


def test_the_page_is_whole_and_loads_nothing(two_labels: Path, written: Written, page_of: Look) -> None:
    content = written(two_labels)
    page = page_of(content)
    ids = page.all("id")
    assert len(set(ids)) == len(ids)
    targets = [href for href in page.all("href") if not href.startswith("data:text/csv")]
    assert all(href.startswith("#") and href[1:] in ids for href in targets)
    assert set(re.findall(r"url\(([^)]*)", content)) <= {f"#{name}" for name in ids}
    assert not re.search(r"(src|href|action)=.https?:|@import|//there", content)
    assert (page.count("script"), page.count("link"), page.count("iframe"), page.count("style")) == (1, 0, 0, 1)
    assert "default-src 'none'" in page.all("content")[0]


def test_every_figure_is_in_the_page(
    two_labels: Path, written: Written, page_of: Look, multitask_table: Json, audiovisual_tables: list[Json]
) -> None:
    words = page_of(written(two_labels)).words
    for table in (multitask_table, *audiovisual_tables):
        decimals = {c["key"]: c["decimals"] for c in table["columns"]}
        for one in table["cells"]:
            places = decimals[one["column"]]
            numbers = [one[key] for key in ("value", "low", "high") if one[key] is not None]
            assert all(f"{number:.{places}f}" in words for number in numbers)
            assert all(one.get(key) or "" in words for key in ("reported", "why", "result", "interval"))
            assert f"{one['n']:,}" in words
        texts = [table["title"], *table.get("notes", ()), table["data"], *(c["header"] for c in table["columns"])]
        assert all(word in words for word in texts)
    for told in ("paper 77.49", "+8.8", "\N{MINUS SIGN}2.5", "[70.8, 83.1]", "behind a form", "30,290", "0.63", "best"):
        assert told in words


def test_figures_audit_and_environment_are_in_the_page(two_labels: Path, written: Written, page_of: Look) -> None:
    page = page_of(written(two_labels))
    drawings = [given for tag, given in page.elements if given.get("role") == "img" and tag == "svg"]
    assert [given["aria-label"] for given in drawings] == ["Caption 0", "Caption 1"] * 2
    for told in (
        "1431 of 1502 beats of the test side are on the training side.",
        "1431 of 1502",
        "30290",
        "a processor of a long name",
        "torch 2.9.0",
    ):
        assert told in page.words
    assert "mmbio tables 'a b'" in page.words


def test_synthetic_is_said_at_the_top_of_a_label(two_labels: Path, written: Written) -> None:
    page = written(two_labels)
    synthetic, real = (re.search(rf'<h2 id="to-{name}.*?</h3>', page, re.DOTALL) for name in ("synthetic", "ecg"))
    assert synthetic and "Synthetic data" in synthetic[0] and "Real" not in synthetic[0]
    assert real and "Real data: " in real[0] and ">real<" in real[0] and "triplet split" in real[0]


@pytest.mark.parametrize(
    ("flags", "data", "told"),
    [
        ((True, True), "synthetic", "Synthetic data"),
        ((False, False), "ecg-id + fvc2006 (synthetic)", "Real data in part"),
        ((True, False), "simulated", "Mixed"),
    ],
)
def test_what_the_data_are(
    *,
    tmp_path: Path,
    written: Written,
    make_folder: Make,
    multitask_table: Json,
    flags: tuple[bool, bool],
    data: str,
    told: str,
) -> None:
    tables = zip((multitask_table, multitask_table | {"name": "other"}), flags, strict=True)
    make_folder(tmp_path / "tables" / "one", *(table | {"synthetic": flag, "data": data} for table, flag in tables))
    assert told in written(tmp_path)


def test_hostile_texts_stay_texts(
    tmp_path: Path, written: Written, page_of: Look, make_folder: Make, multitask_table: Json
) -> None:
    table = multitask_table | {"title": HOSTILE, "data": HOSTILE, "notes": [HOSTILE, "\x00\u202e\ud800"]}
    table["keys"][0]["header"] = table["columns"][0]["header"] = table["cells"][0]["why"] = HOSTILE
    table["rows"][0] = {"id": HOSTILE, "key": [HOSTILE, HOSTILE]}
    for one in table["cells"]:
        one["row"] = HOSTILE if one["row"] == "ecg=1" else one["row"]
    place = make_folder(tmp_path / "tables" / f"x{HOSTILE.replace('/', '')}", table)
    (place / "environment.json").write_text(json.dumps({HOSTILE: {HOSTILE: HOSTILE}, "command": [HOSTILE]}))
    (place / "audit.json").write_text(
        json.dumps({"findings": [{"says": HOSTILE, "kind": HOSTILE}], HOSTILE: [{HOSTILE: 1}]})
    )
    content = written(tmp_path)
    page = page_of(content)
    assert page.count("script") == 1
    assert page.count("img") == 0
    assert not [name for _, given in page.elements for name in given if name.startswith("on")]
    assert page.words.count(HOSTILE) > 10
    assert "\x00" not in content


def test_what_is_optional(tmp_path: Path, written: Written, page_of: Look, multitask_table: Json) -> None:
    place = tmp_path / "tables" / "bare"
    place.mkdir(parents=True)
    least = {key: value for key, value in multitask_table.items() if key not in ("schema", "notes", "protocol", "data")}
    least["cells"] = [{"row": "both", "column": "gender", "value": None, "why": "no weights", "later": 1}]
    least["columns"] = [{"key": "gender", "header": "Gender"}]
    (place / "bare.json").write_text(json.dumps(least))
    (place / "bare-cost.json").write_text('{"n_parameters": 1}')
    page = page_of(written(tmp_path))
    assert "Not reproduced" in page.words
    assert "no weights" in page.words
    assert page.count("table") == 1


def test_the_csv_in_the_page_is_that_of_the_table(
    two_labels: Path, written: Written, page_of: Look, multitask_table: Json, audiovisual_tables: list[Json]
) -> None:
    hrefs = page_of(written(two_labels, "ecg-id+faces94-53-triplet-quick")).all("href")
    expected = [to_csv(of_content(table, Path("t"))) for table in (audiovisual_tables[1], multitask_table)]
    assert [unquote(href.partition(",")[2]) for href in hrefs if href.startswith("data:text/csv")] == expected


def test_a_figure_without_an_svg_is_its_png(
    tmp_path: Path, written: Written, page_of: Look, make_folder: Make, multitask_table: Json
) -> None:
    place = make_folder(tmp_path / "tables" / "one", multitask_table, figures=1)
    listed = [{"table": "x", "svg": None, "png": "f.png"}]
    (place / "figures" / "figures.json").write_text(json.dumps(listed))
    (place / "figures" / "f.png").write_bytes(b"png")
    assert "data:image/png;base64,cG5n" in page_of(written(tmp_path)).all("src")

"""The report in a browser, where there is a Chromium: at two widths nothing is missing or cut off, and it sorts."""

import html
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmbio.tables.report_html.page import policy

NAMES = ("chromium", "chromium-browser", "google-chrome")
PROBE = """
const wide = document.documentElement.clientWidth;
const shown = (element) => element.getClientRects().length > 0;
const box = (element) => element.getBoundingClientRect();
const all = (selector) => [...document.querySelectorAll(selector)];
const name = (element) => `${element.tagName}.${element.getAttribute("class")} ${element.textContent.slice(0, 30)}`;
const inside = (inner, outer) => box(inner).left >= box(outer).left - 1 && box(inner).right <= box(outer).right + 1;
const free = all("body *").filter((e) => shown(e) && !e.closest(".scroll, .unseen, .skip, script, svg"));
const cells = all("td.figure").filter(shown);
const values = (table) => [...table.tBodies[0].rows].map((row) => row.querySelector("td.figure").dataset.value);
const sorted = (table) => {
  const head = table.querySelector("th.figure");
  const states = [[head.ariaSort, values(table)]];
  for (let i = 0; i < 3; i++) {
    head.querySelector("button").click();
    states.push([head.ariaSort, values(table)]);
  }
  return states;
};
const found = {
  width: innerWidth,
  overflow: document.documentElement.scrollWidth - wide,
  outside: free.filter((e) => box(e).right > wide + 1 || box(e).left < -1).map(name),
  spilt: cells.flatMap((cell) => [...cell.querySelectorAll("summary *")].filter((e) => !inside(e, cell)).map(name)),
  hidden: all(".scroll").filter((e) => getComputedStyle(e).overflowX !== "auto").length,
  regions: all(".scroll").filter((e) => e.tabIndex === 0 && e.ariaLabel).length,
  rows: all("table.figures tbody tr").filter(shown).length,
  cells: cells.length,
  bars: all("td .bar").filter((e) => box(e).width > 60).length,
  drawings: all("svg.drawing").filter((e) => box(e).width > 100 && box(e).height > 50).length,
  buttons: all("th button").filter((e) => shown(e) && box(e).height >= 24).length,
  sorted: all("table.figures").map(sorted),
  foreign: performance.getEntriesByType("resource").length,
  bad: typeof bad,
};
document.querySelector(".tools button").click();
found.opened = all("details[open]").length;
const facts = all("details[open] dd").filter(shown);
found.squeezed = facts.filter((e) => box(e).height > 60 || !inside(e, e.closest("td"))).map(name);
found.overflow += document.documentElement.scrollWidth - wide;
parent.document.documentElement.dataset.probe = JSON.stringify(found);
"""


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)}")
    return found


@pytest.fixture
def looked(chromium: str, tmp_path: Path, page_of: Callable[[str], Any]) -> Callable[[str, int], dict[str, Any]]:
    """What the probe finds in a copy of a page at a width."""

    def look(content: str, width: int) -> dict[str, Any]:
        own = page_of(content).all("content")[0]
        script = content.rpartition("<script>")[2].partition("</script>")[0]
        assert own.replace("'", "&#x27;") in content
        assert policy(script) == own
        allowed = content.replace(own.replace("'", "&#x27;"), policy(script, PROBE).replace("'", "&#x27;"))
        probed = allowed.replace("</body>", f"<script>{PROBE}</script></body>")
        frame = f'<iframe style="width: {width}px; height: 900px; border: 0" srcdoc="{html.escape(probed)}"></iframe>'
        copy = tmp_path / "page.html"  # in a frame, for windows have a least width
        copy.write_text(f"<!DOCTYPE html><body>{frame}</body>", encoding="utf-8")
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # which root cannot have
        words = ["--headless", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--no-first-run", *sandbox]
        words += ["--window-size=1400,1000", "--dump-dom", copy.as_uri()]
        done = subprocess.run([chromium, *words], capture_output=True, text=True, check=False, timeout=60)
        if "<iframe" not in done.stdout:
            pytest.skip(f"this Chromium opens no file of ours: {done.stderr[-200:]}")
        return dict(json.loads(page_of(done.stdout).all("data-probe")[0]))

    return look


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_missing_or_cut_off(
    two_labels: Path, written: Callable[..., str], looked: Callable[[str, int], dict[str, Any]], width: int
) -> None:
    found = looked(written(two_labels), width)
    assert found["width"] == width
    assert (found["overflow"], found["outside"], found["spilt"], found["hidden"]) == (0, [], [], 0)
    assert (found["rows"], found["cells"], found["drawings"]) == (16 + 3 + 2, 32 + 6 + 4, 4)
    assert found["bars"] == 32 + 5 + 4  # one figure of the multitask table does not exist
    assert found["regions"] == 3 + 2 * 2  # tables of figures; the audit's findings and pairings
    assert found["buttons"] == (3 * 3 if width < 640 else 6 + 6 + 4)  # all columns of keys are one on a phone
    assert (found["foreign"], found["bad"]) == (0, "undefined")
    assert (found["opened"] > 0, found["squeezed"]) == (True, [])


def test_a_click_sorts(
    two_labels: Path, written: Callable[..., str], looked: Callable[[str, int], dict[str, Any]]
) -> None:
    for states in looked(written(two_labels), 1280)["sorted"]:
        (none, given), (first, best_first), (second, worst_first), (again, back) = states
        numbers = sorted(map(float, given))
        lower = first == "ascending"
        assert (none, again, back) == ("none", "none", given)
        assert {first, second} == {"ascending", "descending"}
        assert list(map(float, best_first)) == (numbers if lower else numbers[::-1])
        assert list(map(float, worst_first)) == (numbers[::-1] if lower else numbers)

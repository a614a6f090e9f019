"""Stored results: found by hash or folder, read as they are, and refused where they are broken or another version's."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmbio.errors import MmbioError
from mmbio.measure.dcf import DEFAULT, PRESETS, Cost
from mmbio.measure.results import to_csv
from mmbio.measure.stored import find, read

Write = Callable[..., Path]
HASHES = ("00ff00ff00ff00ff", "1234aaaaaaaaaaaa", "1234bbbbbbbbbbbb", "cafe000000000000")


@pytest.fixture
def home(write_result: Write, tmp_path: Path) -> Path:
    for name in HASHES:
        write_result(name, {})
    (tmp_path / "results" / ".cafe.lock").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("given", "which"), [("00ff", 0), ("1234a", 1), (HASHES[2], 2), ("{home}/results/cafe000000000000", 3)]
)
def test_found(home: Path, given: str, which: int) -> None:
    assert find(home, given.format(home=home)) == home / "results" / HASHES[which]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("1234", "RESULT 1234: 2 results begin so, such as 1234aaaaaaaaaaaa, 1234bbbbbbbbbbbb; give more digits"),
        ("caf", "RESULT caf: fewer than 4 digits, such as cafe000000000000; give more digits"),
        ("beef", "RESULT beef: no such result .* 00ff00ff00ff00ff, 1234aaaaaaaaaaaa, 1234bbbbbbbbbbbb, ...; give"),
        ("", "RESULT : no such result"),
        ("../results", "no such result"),
        ("CAFE", "no such result"),
        ("{home}", "RESULT .*: a folder without rows.csv; give a result's folder, or its hash"),
    ],
)
def test_not_found(home: Path, given: str, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        find(home, given.format(home=home))


def test_a_home_without_results(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match="results holds no result; run mmbio eval first, or give --out"):
        find(tmp_path, "cafe")


def test_read(write_result: Write, tmp_path: Path) -> None:
    posteriors = np.array([[[0.9, 0.1], [0.2, 0.8]]], np.float32)
    folder = write_result("cafe", {"posterior_gender": posteriors, "label_gender": [0, 0]}, ("gender",))
    found = read("cafe", tmp_path)
    assert (found.folder, found.hash, found.tasks, found.verifies) == (folder, "cafe", ("gender",), False)
    assert found.costs == (DEFAULT,)
    assert found.correct("gender").tolist() == [[1, 0]]
    assert found.has("label_gender")
    assert not found.has("scores")


@pytest.mark.parametrize(
    ("options", "costs", "text"),
    [
        ({"preset": "", "cost": {"p_target": 0.05, "c_miss": 1.0, "c_fa": 1.0}}, (Cost(0.05),), "P=0.05 C=1,1"),
        ({"preset": "sre12", "cost": {}}, PRESETS["sre12"], "mean of P=0.01 C=1,1 and P=0.001 C=1,1"),
    ],
)
def test_costs(write_result: Write, tmp_path: Path, options: object, costs: object, text: str) -> None:
    write_result("cafe", {}, ("verification",), {"options": options})
    found = read("cafe", tmp_path)
    assert found.verifies
    assert (found.costs, found.cost_text) == (costs, text)


def header(folder: Path, change: Callable[[str], str]) -> None:
    path = folder / "rows.csv"
    first, rest = path.read_text().split("\n", 1)
    path.write_text(f"{change(first)}\n{rest}")


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "newer": (lambda f: header(f, lambda h: f"{h},colour"), "rows.csv: it has colour, so another version of mmbio"),
    "older": (lambda f: header(f, lambda h: h.replace("precision,", "")), "it lacks precision, so another version"),
    "order": (lambda f: header(f, lambda h: ",".join(reversed(h.split(",")))), "its columns stand in another order"),
    "empty": (lambda f: (f / "rows.csv").write_text(""), "it lacks result, protocol, data"),
    "no row": (lambda f: (f / "rows.csv").write_text(to_csv([])), "rows.csv: no row in it"),
    "binary": (lambda f: (f / "rows.csv").write_bytes(b"\xff\xfe"), "rows.csv: not readable as results"),
    "no key": (lambda f: (f / "key.json").unlink(), "key.json: not a readable key of a result"),
    "options": (lambda f: (f / "key.json").write_text('{"options": {"preset": "sre99"}}'), "its options are no"),
    "cost": (lambda f: (f / "key.json").write_text('{"options": {"preset": "", "cost": {"x": 1}}}'), "no options of"),
    "schema": (lambda f: (f / "run.json").write_text('{"schema": 99}'), "run.json: schema 99, this mmbio reads 1"),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
def test_spoilt(write_result: Write, tmp_path: Path, what: str) -> None:
    spoil, told = SPOILT[what]
    spoil(write_result("cafe", {}))
    with pytest.raises(MmbioError, match=told) as caught:
        read("cafe", tmp_path)
    assert "\n" not in str(caught.value)


def test_arrays_that_are_not_there_or_broken(write_result: Write, tmp_path: Path) -> None:
    folder = write_result("cafe", {"id": ["a", "b"], "item": [1, 2, 3], "none": 3})
    np.save(folder / "pickled.npy", np.array([{}], dtype=object))
    (folder / "cut.npy").write_bytes((folder / "item.npy").read_bytes()[:-5])
    found = read(folder, tmp_path)
    with pytest.raises(MmbioError, match=re.escape("subject.npy: not there, an older mmbio did not keep it; evaluate")):
        found.array("subject")
    for name in ("pickled", "cut"):
        with pytest.raises(MmbioError, match=f"{name}.npy: not a readable array"):
            found.array(name)
    for names in (("id", "item"), ("id", "none")):
        with pytest.raises(MmbioError, match=f"{', '.join(names)} are of different lengths"):
            found.arrays(*names)


@pytest.mark.parametrize("posteriors", [np.zeros((1, 3, 2)), np.zeros((2, 2))])
def test_posteriors_of_other_items(write_result: Write, tmp_path: Path, posteriors: np.ndarray) -> None:
    folder = write_result("cafe", {"posterior_gender": posteriors, "label_gender": [0, 1]})
    with pytest.raises(MmbioError, match=r"posterior_gender\.npy: not of 2 items"):
        read(folder, tmp_path).correct("gender")

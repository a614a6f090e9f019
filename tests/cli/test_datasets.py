"""mmbio datasets: the table, the page of a set, and JSON."""

import json
from copy import copy  # a command keeps the help option that it was first asked with
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from mmbio.cli.datasets import command
from mmbio.data.fetch.catalogue import CATALOGUE
from mmbio.errors import MmbioError


def run(*words: str, columns: int = 80) -> Result:
    result = CliRunner().invoke(
        copy(command), list(words), catch_exceptions=False, standalone_mode=False, env={"COLUMNS": str(columns)}
    )
    assert not result.stderr
    return result


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MMBIO_DATA", raising=False)
    monkeypatch.setenv("MMBIO_HOME", str(tmp_path / "home"))
    folder = tmp_path / "root/fvc2000/DB1_B"
    folder.mkdir(parents=True)
    for finger in range(101, 111):
        for impression in range(1, 9):
            (folder / f"{finger}_{impression}.tif").write_text("x")
    return tmp_path / "root"


@pytest.mark.parametrize("columns", [80, 100])
def test_the_table_lists_every_set_and_fits(root: Path, columns: int) -> None:
    lines = run("--data", str(root), columns=columns).stdout.splitlines()
    assert all(len(line) <= columns for line in lines[:-2] if str(root) not in line)
    for name in CATALOGUE:
        assert sum(line.startswith(f"{name} ") for line in lines) == 1
    (row,) = (line for line in lines if line.startswith("fvc2000 "))
    assert row.split() == ["fvc2000", "10", "fingers", "38", "MB", "download", "1", "of", "4"]
    assert lines[-2] == f"{root}: 1 of {len(CATALOGUE)} sets are here, 0 whole by name and size"


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_page_of_each_set_fits_80_columns_and_says_how(root: Path, name: str) -> None:
    told = run(name, "--data", str(root)).stdout
    own = [line for line in told.splitlines() if str(root) not in line]
    assert max(len(line) for line in own) <= 80
    for text in (CATALOGUE[name].title, CATALOGUE[name].page, f"mmbio download {name}", "@"):
        assert text in told


def test_what_is_missing_is_told(root: Path) -> None:
    (root / "fvc2000/DB1_B/101_1.tif").unlink()
    told = run("fvc2000", "--data", str(root)).stdout
    assert "fault     DB1_B: 79 of 80 (DB1_B/*.tif)" in told
    assert "not whole" in run("--data", str(root)).stdout


def test_json(root: Path) -> None:
    every = json.loads(run("--json", "--data", str(root)).stdout)
    assert [told["set"] for told in every] == list(CATALOGUE)
    one = json.loads(run("FVC2000", "--json", "--data", str(root), "--verify").stdout)
    assert one["here"]["parts"] == ["DB1_B: 80"]
    assert one["here"]["subjects"] == {"n": 10, "female": None, "male": None, "noun": "finger"}
    assert one["citation"].startswith("@article")


def test_quiet_prints_nothing(root: Path) -> None:
    assert run("--quiet", "--data", str(root)).stdout == ""


def test_nothing_is_made_where_nothing_is(root: Path, tmp_path: Path) -> None:
    assert "0 of" in run().stdout
    assert not (tmp_path / "home").exists()
    assert root.exists()


def test_the_root_of_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBIO_DATA", str(root))
    assert f"{root}: 1 of" in run().stdout
    monkeypatch.setenv("MMBIO_DATA", "synthetic")
    assert "home/data: 0 of" in run().stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("ecgid",), "SET ecgid: no such set; did you mean ecg-id; choose from ecg-id, ptb"),
        (("fvc",), "SET fvc: no such set; did you mean fvc2000 or fvc2002; choose from"),
        (("zebra",), "SET zebra: no such set; choose from"),
        (("--data", "/no/such/root"), "--data /no/such/root: no such folder; give the folder that holds"),
    ],
)
def test_bad_input(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises((MmbioError, click.ClickException), match=sentence):
        run(*words)

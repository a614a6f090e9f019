"""mmbio tables again: a run that stands whole is shown without torch or results; anything changed is looked into."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mmbio.tables.publish import Published, publish

Call = Callable[..., Result]
SPEC = """
protocol = "multitask"
name = "own"
title = "My own"
keys = ["what"]
[base]
modalities = ["ecg"]
tasks = ["identification"]
[[columns]]
key = "id"
header = "ID (%)"
task = "identification"
metric = "accuracy"
[[rows]]
key = { what = "feature level" }
[[figures]]
kind = "reliability"
name = "reliability"
title = "Reliability"
column = "id"
"""
WITHOUT_TORCH = """
import sys
from mmbio.cli.main import main
try:
    main(sys.argv[1:])
finally:
    assert not {"torch", "matplotlib", "sklearn", "scipy"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "own.toml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def words(spec: Path, tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The words of a small run."""
    home = tmp_path_factory.mktemp("standing") / "runs"
    return ["tables", str(spec), "--data", str(tiny_root), "--folds", "1", "--out", str(home)]


@pytest.fixture(scope="module")
def first(good: Call, words: list[str]) -> Result:
    """What the run printed when all was computed."""
    return good(*words)


@pytest.fixture
def home(words: list[str], first: Result) -> Path:
    assert "written: " in first.stdout
    return Path(words[-1])


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Says whether runs since were found standing; those that are not do all they have to."""
    made: list[object] = []

    def noted(*given: Any) -> Published:
        made.append(given)
        return publish(*given)

    monkeypatch.setattr("mmbio.tables.publish.publish", noted)
    return lambda: not made


def everything(home: Path) -> dict[str, tuple[bytes, int]]:
    found = [path for path in home.rglob("*") if path.is_file() and path.parent != home / "logs"]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_it_prints_the_same_and_touches_nothing(
    good: Call, words: list[str], first: Result, home: Path, standing: Callable[[], bool]
) -> None:
    before = everything(home)
    assert good(*words).output == first.output
    assert good(*words, "--explain").stdout.endswith("1 of 1 cell is finished\n")
    assert standing()
    assert everything(home) == before


@pytest.mark.parametrize("more", [[], ["--explain"], ["--json"]])
def test_it_loads_little(words: list[str], home: Path, more: list[str]) -> None:
    run = [sys.executable, "-c", WITHOUT_TORCH, *words, *more]
    found = subprocess.run(run, capture_output=True, text=True, env=os.environ, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert home.name in found.stdout or "finished" in found.stdout


@pytest.mark.parametrize(
    "name", ["own.txt", "own-rows.csv", "figures/own-reliability.png", "figures/figures.json", "audit.txt"]
)
def test_what_was_edited_is_mended(
    good: Call, words: list[str], first: Result, home: Path, standing: Callable[[], bool], name: str
) -> None:
    path = next(home.glob("tables/synthetic-*")) / name
    before = path.read_bytes()
    path.write_bytes(b"edited")
    assert good(*words).output == first.output
    assert path.read_bytes() == before
    assert not standing()


@pytest.mark.parametrize("name", ["results/*/rows.csv", "results/*/posterior_identification.npy", "results.csv",
                                  "manifests/*/items.csv"])  # fmt: skip
def test_what_it_rests_on_is_looked_into(
    good: Call, words: list[str], first: Result, home: Path, standing: Callable[[], bool], name: str
) -> None:
    path = next(home.glob(name))
    if name == "results.csv":
        path.unlink()
    else:
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert good(*words).output == first.output
    assert not standing()


@pytest.mark.parametrize("more", [["--under", "ecg=0.1"], ["--seed", "1"], ["--precision", "fp32"]])
def test_another_run_is_another(good: Call, words: list[str], home: Path, more: list[str]) -> None:
    assert home.is_dir()
    assert "finished" in good(*words, *more, "--explain").stdout


def test_a_changed_spec_is_another_run(
    good: Call, words: list[str], home: Path, spec: Path, standing: Callable[[], bool]
) -> None:
    assert home.is_dir()
    spec.write_text(SPEC.replace("My own", "My other"))
    assert "My other" in good(*words).stdout
    assert not standing()
    spec.write_text(SPEC)
    assert "My own" in good(*words).stdout


def test_changed_code_or_data_is_another_run(
    good: Call, words: list[str], home: Path, tiny_root: Path, standing: Callable[[], bool]
) -> None:
    assert home.is_dir()
    record = next(tiny_root.rglob("*.dat"))
    times = record.stat().st_atime_ns, record.stat().st_mtime_ns
    os.utime(record, ns=(times[0], times[1] + 1))
    good(*words)
    assert not standing()
    os.utime(record, ns=times)


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def lost_a_row(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def another_figure(path: Path) -> None:
    path.write_text(path.read_text().replace(",mean,accuracy,", ",mean,accuracy, "))


DAMAGED = [(name, shortened) for name in ("run.json", "key.json", "posterior_identification.npy", "rows.csv")]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((f"results/*/{name}", damage) for name, damage in DAMAGED),
        *(("results/*/rows.csv", damage) for damage in (lost_a_row, another_figure)),
        *(("results.csv", damage) for damage in (shortened, another_figure)),
    ],
)
def test_what_is_damaged_is_told_with_what_mends_it(
    mmbio: Call, good: Call, words: list[str], first: Result, home: Path, tmp_path: Path, name: str,
    damage: Callable[[Path], None],
) -> None:  # fmt: skip
    path = next(home.glob(name))
    before = path.read_bytes()
    damage(path)
    told = mmbio(*words)
    cure = re.search(r"move (.+) away and run (?:the )?mmbio tables", told.stderr)
    assert (told.exit_code, bool(cure)) == (2, True), told.output
    assert cure is not None
    away = path if cure[1] == "it" else Path(cure[1])
    away.rename(tmp_path / "away")
    assert good(*words).stdout == first.stdout
    assert path.read_bytes() == before or name.endswith("run.json")

"""mmbio datasets: which sets each paper needs together, what to type next, and what to do after a purge."""

import shlex
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from mmbio.cli.datasets_papers import papers, typed
from mmbio.data.fetch.state import State
from tests.data.fetch.states import HERE, states

Call = Callable[..., Result]


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def told(root: Path, to: tuple[str, ...] = (), **here: State) -> tuple[list[str], list[str]]:
    """The lines of the two papers."""
    lines = [click.unstyle(line) for line in papers(states(**here), root, to)]
    start = lines.index("audiovisual")
    return lines[lines.index("multitask") + 1 : start - 1], lines[start + 1 :]


def test_where_nothing_is_everything_is_named(tmp_path: Path) -> None:
    multitask, audiovisual = told(tmp_path)
    assert multitask == [
        "  ecg       ecg-id missing, ptb missing",
        "  face      faces95 missing",
        "  finger    fvc2006 missing",
        "  get       mmbio download ecg-id ptb faces95",
        "  steps     mmbio download fvc2006",
        "  or get    mmbio download ecg-id faces94 fvc2002",
        "  synthetic mmbio tables",
    ]
    assert audiovisual[-1] == "  synthetic mmbio tables audiovisual-table1 audiovisual-table2"
    assert max(map(len, (*multitask, *audiovisual))) <= 80


def test_what_is_here_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBIO_DATA", str(tmp_path))
    for name in ("ecg-id-database-1.0.0", "ptbdb", "fvc2000"):
        (tmp_path / name).mkdir()
    given = {"ecg-id": HERE["whole"], "ptb": HERE["faulty"], "fvc2000": HERE["partial"]}
    multitask, _ = told(tmp_path, ("--to", "x"), **given)
    assert [*multitask[:6], *multitask[-2:]] == [
        "  ecg       ecg-id whole, ptb not whole",
        "  face      faces95 missing",
        "  finger    fvc2006 missing; here in their place: fvc2000 1 of 2",
        "  get       mmbio download faces95 --to x",
        "  steps     mmbio download fvc2006 --to x",
        "  or get    mmbio download faces94 --to x",
        "  run       mmbio tables --source face=synthetic",
        "            the smallest set decides how many subjects that is",
    ]
    assert shlex.split("".join(line.rstrip("\\") for line in multitask[6:-2])) == [
        *("look", "at", "mmbio", "datasets", "ptb", "--data", str(tmp_path))
    ]


def test_whole_papers_are_run(tmp_path: Path) -> None:
    for name in ("ecg-id-database-1.0.0", "faces95", "fvc2006", "voxceleb"):
        (tmp_path / name).mkdir()
    names = ("ecg-id", "ptb", "faces95", "fvc2006", "voxceleb2", "voxceleb-lists")
    multitask, audiovisual = told(tmp_path, (), **dict.fromkeys(names, HERE["whole"]))
    assert [line.split()[0] for line in multitask if line[2] != " "] == ["ecg", "face", "finger", "run"]
    assert [line.split()[0] for line in audiovisual if line[2] != " "] == ["face", "voice", "run"]


def test_a_long_command_is_one_that_a_shell_reads_as_one() -> None:
    words = ["mmbio", "download", *("set-of-many-letters",) * 5, "--to", "a folder/" + "x" * 30]
    lines = typed(words)
    assert max(map(len, lines)) <= 80
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == words
    assert any(line.split() == ["--to", "'a", "folder/" + "x" * 30 + "'"] for line in lines)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home, and a root with ten fingers in it."""
    folder = tmp_path / "root/fvc2000/DB1_B"
    folder.mkdir(parents=True)
    for finger in range(101, 111):
        for impression in range(1, 9):
            (folder / f"{finger}_{impression}.tif").write_text("x")
    return tmp_path / "home"


def test_after_a_purge(good: Call, home: Path) -> None:
    root = home.parent / "root"
    words = ("datasets", "--data", root, "--out", home)
    assert "mmbio purge" not in good(*words).stdout
    name = "fvc2000:101"
    good("purge", name, "--data", root, "--out", home, "--yes")
    text = " ".join(good(*words).stdout.split())
    assert f"mmbio purge excluded people from {home}: no new manifest takes them, and none of them is here." in text
    assert "would bring them back. What was made on them is made anew by: mmbio tables --data" in text.replace(
        "\\ ", ""
    )
    assert "get mmbio download fvc2000" not in text
    (root / "fvc2000/DB1_B/101_1.tif").write_text("x")
    text = " ".join(good("datasets", "fvc2000", "--data", root, "--out", home).stdout.split())
    assert "files of 1 of them are here; they are removed by: mmbio purge SET:NAME" in text

"""Provenance: what stands in it, what never does, and commits read by hand."""

import getpass
import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from mmbio import provenance
from mmbio.provenance import commit, environment, moment, typed

ONE, OTHER = "1" * 40, "a" * 64
KEYS = {
    *("mmbio", "commit", "python", "libraries", "system", "processor", "cores", "bf16", "threads", "variables"),
    *("accelerator", "command", "began", "seconds"),
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_what_stands_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBIO_THREADS", "7")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/mmbio", "tables", "--out", f"{Path.home()}/runs"])
    found = environment(began=0.0)
    assert set(found) == KEYS
    assert found["threads"] == "7"
    assert found["variables"]["OMP_NUM_THREADS"] == "3"
    assert found["command"] == ["mmbio", "tables", "--out", typed(Path.home() / "runs")]
    assert found["began"] == "1970-01-01T00:00:00+00:00"
    assert found["libraries"]["numpy"].startswith(__import__("numpy").__version__)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_neither_machine_nor_user_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["mmbio"])
    text = json.dumps(environment())
    for name in {platform.node(), getpass.getuser()} - {"", "root", "localhost"}:
        assert name not in text


def test_a_returned_dict_is_the_callers() -> None:
    environment()["libraries"]["numpy"] = "0"
    assert environment()["libraries"]["numpy"] != "0"


def test_it_loads_nothing_heavy() -> None:
    code = "import sys, mmbio.provenance as p; p.environment(); print({'torch', 'numpy', 'click'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("text", "model", "bf16"),
    [
        ("model name\t: Some CPU @ 2\nflags\t\t: sse amx_tile\n\nmodel name\t: Other\n", "Some CPU @ 2", True),
        ("model name : Old\nflags : sse avx512f\n", "Old", False),
        ("processor : 0\n", platform.machine(), None),
        (None, platform.machine(), None),
    ],
)
def test_processor(
    text: str | None, model: str, bf16: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        write(tmp_path, {"cpuinfo": text})
    monkeypatch.setattr(provenance, "CPUINFO", tmp_path / "cpuinfo")
    found = provenance._lasting.__wrapped__()
    assert (found["processor"], found["bf16"]) == (model, bf16)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("/home/ann/runs", "~/runs"),
        ("/home/ann", "~"),
        ("face=/home/ann/f.npz", "face=~/f.npz"),
        ("/home/anna/runs", "/home/anna/runs"),
        ("/mnt/home/ann/runs", "/mnt/home/ann/runs"),
        ("../home/ann", "../home/ann"),
        ("runs", "runs"),
        (Path("/home/ann/x"), "~/x"),
    ],
)
def test_typed(word: str | Path, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert typed(word) == shown


def test_a_home_that_is_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    assert typed("/a/b") == "/a/b"


def test_moment() -> None:
    assert moment(86400.9) == "1970-01-02T00:00:00+00:00"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, ""),
        ({".git/HEAD": f"{ONE}\n"}, ONE),
        ({".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": f"{ONE}\n"}, ONE),
        ({".git/HEAD": "ref: refs/heads/a/b\n", ".git/packed-refs": f"# pack\n{ONE} refs/heads/a/b\n^{ONE}\n"}, ONE),
        ({".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": f"{OTHER} refs/heads/main\n"}, OTHER),
        ({".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": f"{ONE} refs/heads/mainly\n"}, ""),
        ({".git/HEAD": "ref: refs/heads/main\n"}, ""),
        ({".git/HEAD": "nonsense\n"}, ""),
        ({".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": "nonsense\n"}, ""),
        ({".git": "gitdir: elsewhere\n"}, ""),
        (
            {
                ".git": "gitdir: main/.git/worktrees/w\n",
                "main/.git/worktrees/w/HEAD": "ref: refs/heads/w\n",
                "main/.git/worktrees/w/commondir": "../..\n",
                "main/.git/refs/heads/w": f"{ONE}\n",
            },
            ONE,
        ),
        (
            {
                ".git": "gitdir: main/.git/worktrees/w\n",
                "main/.git/worktrees/w/HEAD": "ref: refs/heads/w\n",
                "main/.git/worktrees/w/commondir": "../..\n",
                "main/.git/packed-refs": f"{OTHER} refs/heads/w\n",
            },
            OTHER,
        ),
    ],
)
def test_commit(files: dict[str, str], found: str, tmp_path: Path) -> None:
    assert commit(write(tmp_path, files)) == found


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / ".git").write_bytes(b"\xff\xfe")
    assert commit(tmp_path) == ""

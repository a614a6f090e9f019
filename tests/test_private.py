"""What a run leaves is for nobody but its owner: folders 0700, and no file that others can read."""

import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from mmbio.cli.main import main


@pytest.fixture(scope="module")
def home(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of a small run, made under a umask that lets others in."""
    folder = tmp_path_factory.mktemp("private")
    np.savez(folder / "v.npz", ids=np.array(["a/1", "a/2", "b/1"]), vectors=np.eye(3, dtype=np.float32))
    before = os.umask(0o022)
    try:
        for words in (
            f"build-virtual --data {tiny_root} --triplets 5 --folds 2 --out {folder}/deep/runs",
            f"train --modalities ecg,face --out {folder}/deep/runs",
            f"eval --out {folder}/deep/runs",
            f"audit --out {folder}/deep/runs",
            f"corrupt --noise ecg=0.1 --number 1 --out {folder}/deep/runs",
            f"import --modality face={folder}/v.npz --out {folder}/deep/runs/mine",
        ):
            result = CliRunner().invoke(main, words.split(), catch_exceptions=False)
            assert result.exit_code == 0, result.output
    finally:
        os.umask(before)
    return folder / "deep"


def modes(home: Path) -> dict[str, int]:
    return {str(p.relative_to(home)): p.stat().st_mode & 0o777 for p in home.rglob("*")}


def test_folders_are_for_their_owner(home: Path) -> None:
    folders = {name: mode for name, mode in modes(home).items() if (home / name).is_dir()}
    assert len(folders) > 10
    assert {name: oct(mode) for name, mode in folders.items() if mode != 0o700} == {}
    assert home.stat().st_mode & 0o777 == 0o700


def test_files_cannot_be_reached_by_others(home: Path) -> None:
    """Each file stands below a folder that lets nobody else in, whatever its own mode."""
    files = [p for p in home.rglob("*") if p.is_file()]
    assert len(files) > 30
    assert all(any(above.stat().st_mode & 0o077 == 0 for above in p.parents) for p in files)


def test_stores_hold_no_names(home: Path) -> None:
    store = b"".join(p.read_bytes() for p in (home / "runs" / "store").rglob("*") if p.is_file())
    subjects = (home / "runs" / "manifests").glob("*/subjects.csv")
    cells = {cell for path in subjects for row in path.read_text().split() for cell in row.split(",")}
    names = {cell.rpartition("/")[2] for cell in cells if "/" in cell}
    assert store
    assert {name for name in names if len(name) > 3 and name.encode() in store} == set()
    assert b"synthetic" not in store

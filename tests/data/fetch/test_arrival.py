"""Arrival: sets that share a folder, folders that are links or disks of their own."""

import os
import shutil
import threading
from pathlib import Path

import pytest

from mmbio.data.fetch import arrival, space
from mmbio.data.fetch.arrival import alone, arriving
from mmbio.data.fetch.dataset import Dataset, Part
from mmbio.data.fetch.place import place
from mmbio.errors import MmbioError


def written(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def arrive(target: Path) -> None:
    with arriving(target) as scratch:
        written(scratch / "new" / "1.jpg")


def held(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def sharing(name: str) -> Dataset:
    parts = (Part("clips", f"{name}/*.flac"),)
    return Dataset(name, name, ("voice",), "", "", "", "", folder="Shared", base="https://x/", parts=parts)


def test_two_sets_that_share_a_folder_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    written(root / "Shared/README.TXT")
    first_merges, second_merges = threading.Event(), threading.Event()
    merge = arrival._merge

    def slow(staging: Path, target: Path) -> None:
        if threading.current_thread().name == "dev":
            first_merges.set()
            second_merges.wait(0.5)
        else:
            second_merges.set()
        merge(staging, target)

    def placing(name: str) -> None:
        if name == "test":
            first_merges.wait(10)
        place(sharing(name), written(tmp_path / "got" / name / "Shared" / name / "1.flac", name).parents[1], root)

    monkeypatch.setattr(arrival, "_merge", slow)
    threads = [threading.Thread(target=placing, args=(name,), name=name) for name in ("dev", "test")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert held(root / "Shared") == {"README.TXT", "dev/1.flac", "test/1.flac"}


@pytest.mark.parametrize(("one", "other"), [("A", "A"), ("A", "A/b"), ("A/b", "A/c")])
def test_folders_in_one_another_are_held_together(one: str, other: str, tmp_path: Path) -> None:
    inside = threading.Event()

    def hold() -> None:
        with alone(tmp_path, other):
            inside.set()

    with alone(tmp_path, one):
        thread = threading.Thread(target=hold)
        thread.start()
        assert not inside.wait(0.1)
    thread.join(10)
    assert inside.is_set()


@pytest.mark.parametrize("many", [0, 100])
def test_what_came_is_brought_to_the_disk(many: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path | None] = []
    monkeypatch.setattr(arrival, "MANY", many)
    monkeypatch.setattr(arrival, "sync_entry", synced.append)
    monkeypatch.setattr(os, "sync", lambda: synced.append(None))
    target = tmp_path.resolve() / "set"
    written(target / "old.jpg")
    arrive(target)
    assert set(synced) == ({target, target / "new"} if many else {None})


def test_what_was_to_come_and_is_gone_is_told(tmp_path: Path) -> None:
    written(tmp_path / "set/old.jpg")
    with pytest.raises(MmbioError, match=r"set: another run took away what was to come here; run the command again"):
        arrival._merge(tmp_path / ".set.arriving", tmp_path / "set")


@pytest.mark.parametrize("old", [[], ["old.jpg"]], ids=["empty", "with files"])
def test_a_link_to_another_folder_stays_one(old: list[str], tmp_path: Path) -> None:
    (tmp_path / "big/set").mkdir(parents=True)
    for name in old:
        written(tmp_path / "big/set" / name)
    (tmp_path / "root").mkdir()
    (tmp_path / "root/faces").symlink_to(tmp_path / "big/set")
    arrive(tmp_path / "root/faces")
    assert (tmp_path / "root/faces").is_symlink()
    assert held(tmp_path / "big/set") == {"new/1.jpg", *old}
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["faces"]
    assert [path.name for path in (tmp_path / "big").iterdir()] == ["set"]


@pytest.mark.parametrize("old", [[], ["old.jpg"]], ids=["empty", "with files"])
def test_a_link_to_another_disk(old: list[str], tmp_path: Path) -> None:
    if not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second disk")
    big = Path("/dev/shm") / f"mmbio-{tmp_path.name}-{len(old)}-{threading.get_native_id()}"
    try:
        (big / "set").mkdir(parents=True)
        for name in old:
            written(big / "set" / name)
        (tmp_path / "faces").symlink_to(big / "set")
        arrive(tmp_path / "faces")
        assert (tmp_path / "faces").is_symlink()
        assert held(big / "set") == {"new/1.jpg", *old}
    finally:
        shutil.rmtree(big, ignore_errors=True)


def test_a_folder_that_is_a_disk_is_filled_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "faces"
    target.mkdir()
    number = target.stat().st_ino
    monkeypatch.setattr(Path, "is_mount", lambda path: path == target.resolve())
    arrive(target)
    assert target.stat().st_ino == number
    assert held(target) == {"new/1.jpg"}
    assert [path.name for path in target.iterdir()] == ["new"]


def test_space_is_that_of_the_disk_a_link_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def usage(path: Path) -> object:
        asked.append(path)
        return shutil._ntuple_diskusage(9, 9, 9)

    (tmp_path / "big").mkdir()
    (tmp_path / "faces").symlink_to(tmp_path / "big")
    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert [space.free_space(tmp_path / "faces"), space.free_space(tmp_path / "faces/to/be/made")] == [9, 9]
    assert asked == [(tmp_path / "big").resolve()] * 2

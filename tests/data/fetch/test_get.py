"""Get: whole sets from a faulty server, killed, resumed, raced, and never half in place."""

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbio.data.fetch import get as getting
from mmbio.data.fetch import lock, space
from mmbio.data.fetch.catalogue import ECG_ID
from mmbio.data.fetch.dataset import Dataset, File, Part
from mmbio.data.fetch.get import get, placed_by_hand, plan
from mmbio.data.fetch.place import place
from mmbio.data.fetch.transfer import Wire
from mmbio.data.fetch.wanted import Wanted
from mmbio.data.fetch.whence import Options
from mmbio.errors import MmbioError
from tests.data.fetch.server import Served, serving, write_sums

FAST = Wire(wait=0.001, read=5.0)
LISTED = Dataset(
    "listed", "Listed", ("ecg",), "", "", "", "", "ecg", "https://example.invalid/set/", sums="SHA256SUMS.txt"
)
PACKED = Dataset("packed", "Packed", ("face",), "", "", "", "", "faces94", "https://example.invalid/set/")
N, SIZE = 12, 30_000


def contents(folder: Path) -> dict[str, bytes]:
    """The visible files of a set."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A PhysioNet set of twelve files, one of them with a name that wants quoting, one empty."""
    folder = tmp_path / "served"
    rng = np.random.default_rng(1)
    for i in range(N - 2):
        path = folder / f"Person_{i // 2:02d}" / f"rec_{i % 2}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.bytes(SIZE))
    (folder / "read me #1?.md").write_bytes(b"x")
    (folder / "EMPTY").write_bytes(b"")
    write_sums(folder)
    return folder


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """A folder with two archives of three files each."""
    folder = tmp_path / "archives"
    folder.mkdir()
    for name in ("a", "b"):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            for i in range(3):
                archive.writestr(f"{name}/{i}.jpg", np.random.default_rng(i).bytes(5_000))
    return folder


def archives(folder: Path, algorithm: str | None = "md5") -> Dataset:
    files = []
    for path in sorted(folder.iterdir()):
        digest = f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}" if algorithm else None
        size = path.stat().st_size if algorithm else None
        files.append(File(path.name, path.name, size, digest, unpack=True))
    return replace(PACKED, files=tuple(files), size=30_000)


def mirrored(server: Served, **more: Any) -> Options:
    return Options(server.url, wire=replace(FAST, stop=threading.Event()), **more)


@pytest.mark.parametrize("jobs", [1, 4])
def test_a_listed_set_comes_whole_and_once(served: Path, tmp_path: Path, jobs: int) -> None:
    root = tmp_path / "root"
    with serving(served) as server:
        got = get(LISTED, root, mirrored(server, jobs=jobs))
        assert contents(root / "ecg") == contents(served)
        assert server.n_requests == N + 1
        again = get(LISTED, root, mirrored(server, jobs=jobs))
        assert server.n_requests == N + 1
    assert (got.n_files, got.n_fetched, got.verified, got.without_tls) == (N, N, {lock.MIRRORED_LIST: N}, True)
    assert (again.n_files, again.n_fetched, again.n_bytes) == (N, 0, 0)
    entries = lock.read(root)
    assert set(entries) == {f"ecg/{name}" for name in contents(served)}
    assert {entry.verified for name, entry in entries.items()} == {lock.MIRRORED_LIST, lock.FIRST_USE}
    for name, content in contents(served).items():
        assert entries[f"ecg/{name}"].sha256 == hashlib.sha256(content).hexdigest()
        assert entries[f"ecg/{name}"].size == len(content)


def test_only_what_is_missing_or_damaged_is_fetched(served: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with serving(served) as server:
        get(LISTED, root, mirrored(server))
        (root / "ecg" / "Person_00" / "rec_0.dat").unlink()
        (root / "ecg" / "Person_01" / "rec_1.dat").write_bytes(b"other")
        server.forget()
        got = get(LISTED, root, mirrored(server))
        assert sorted(asked.path for asked in server.asked) == ["/Person_00/rec_0.dat", "/Person_01/rec_1.dat"]
    assert (got.n_fetched, got.n_bytes) == (2, 2 * SIZE)
    assert contents(root / "ecg") == contents(served)


@pytest.mark.parametrize(
    ("faults", "told", "n_whole"),
    [
        (
            {"status": 404, "only": "rec_1"},
            r"rec_1\.dat: not there \(404\).* \(7 of 12 files .* and 4 more failed\)",
            7,
        ),
        ({"wrong": True, "only": "01/rec_1"}, r"rec_1\.dat: not the file expected .* \(11 of 12 files are here", 11),
        ({"status": 500, "only": "01/rec_1"}, r"rec_1\.dat: the server answered 500, 6 times", None),
        ({"status": 404, "only": "SUMS"}, r"SHA256SUMS\.txt: not there \(404\)", 0),
        ({"html": True, "only": "SUMS"}, r"SHA256SUMS\.txt: a web page came instead", 0),
        ({"wrong": True, "only": "SUMS"}, r"SHA256SUMS\.txt: not a list of hashes in UTF-8", 0),
    ],
    ids=str,
)
def test_failures_leave_whole_files_and_the_next_run_goes_on(
    served: Path, tmp_path: Path, faults: dict[str, Any], told: str, n_whole: int | None
) -> None:
    root = tmp_path / "root"
    with serving(served, **faults) as server:
        with pytest.raises(MmbioError, match=told):
            get(LISTED, root, mirrored(server))
        here = {name: c for name, c in contents(root / "ecg").items() if ".part" not in name}
        assert here.items() <= contents(served).items()
        assert n_whole is None or len(set(here) - {"SHA256SUMS.txt"}) == n_whole
        server.faults.status, server.faults.wrong, server.faults.html = None, False, False
        get(LISTED, root, mirrored(server))
    assert contents(root / "ecg") == contents(served)


@pytest.mark.parametrize("path", ["../out", "/tmp/out", "a/../../out", "Person_00", "x.part"])
def test_a_hostile_list_places_nothing(served: Path, tmp_path: Path, path: str) -> None:
    sums = served / "SHA256SUMS.txt"
    sums.write_text(f"{sums.read_text()}{'0' * 64} {path}\n")
    before = set(tmp_path.rglob("*"))
    with serving(served) as server, pytest.raises(MmbioError, match=r"not one below the set.s folder|and as a folder"):
        get(LISTED, tmp_path / "root", mirrored(server))
    assert contents(tmp_path / "root") == {}
    assert {path for path in tmp_path.rglob("*") if "root" not in path.parts} >= before


def test_a_list_that_changes_is_refused(served: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with serving(served) as server:
        get(LISTED, root, mirrored(server))
        (root / "ecg" / "SHA256SUMS.txt").unlink()
        (served / "new").write_bytes(b"new")
        write_sums(served)
        with pytest.raises(MmbioError, match=r"SHA256SUMS\.txt: another file than on .*remove the entry"):
            get(LISTED, root, mirrored(server))
    assert not (root / "ecg" / "SHA256SUMS.txt").exists()


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("algorithm", ["md5", None])
def test_archives_are_fetched_and_unpacked(packed: Path, tmp_path: Path, algorithm: str | None, keep: bool) -> None:
    root, dataset = tmp_path / "root", archives(packed, algorithm)
    with serving(packed) as server:
        got = get(dataset, root, mirrored(server, keep_archives=keep))
        again = get(dataset, root, mirrored(server, keep_archives=keep))
        assert server.n_requests == 2
    assert got.verified == {lock.OFFICIAL_MD5 if algorithm else lock.FIRST_USE: 2}
    assert (got.n_fetched, got.n_unpacked, again.n_fetched, again.n_unpacked) == (2, 6, 0, 0)
    kept = {"a.zip", "b.zip"} if keep else set()
    assert set(contents(root / "faces94")) == {f"{name}/{i}.jpg" for name in "ab" for i in range(3)} | kept


def test_what_an_archive_brought_and_is_gone_comes_again(packed: Path, tmp_path: Path) -> None:
    root, dataset = tmp_path / "root", archives(packed)
    with serving(packed) as server:
        get(dataset, root, mirrored(server))
        (root / "faces94" / "a" / "1.jpg").unlink()
        got = get(dataset, root, mirrored(server))
    assert (got.n_fetched, got.n_unpacked) == (1, 3)
    assert len(contents(root / "faces94")) == 6


def test_an_archive_that_was_fetched_is_not_fetched_again_to_be_unpacked(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, dataset = tmp_path / "root", archives(packed, None)

    def refuse(*_: Any, **__: Any) -> list[Path]:
        raise MmbioError("no room")

    with serving(packed) as server:
        with monkeypatch.context() as patch, pytest.raises(MmbioError, match="no room"):
            patch.setattr(getting, "unpack", refuse)
            get(dataset, root, mirrored(server))
        got = get(dataset, root, mirrored(server))
        assert server.n_requests == 2
    assert (got.n_fetched, got.n_unpacked) == (0, 6)


def test_a_first_use_file_that_is_another_later_is_refused(packed: Path, tmp_path: Path) -> None:
    root, dataset = tmp_path / "root", archives(packed, None)
    with serving(packed) as server:
        get(dataset, root, mirrored(server))
        for path in (root / "faces94").rglob("*.jpg"):
            path.unlink()
        with zipfile.ZipFile(packed / "a.zip", "a") as archive:
            archive.writestr("a/evil.jpg", b"x")
        with pytest.raises(MmbioError, match=r"a\.zip: another file than on .*remove the entry 'faces94/a\.zip'"):
            get(dataset, root, mirrored(server))
    assert not (root / "faces94" / "a").exists() or not (root / "faces94" / "a" / "evil.jpg").exists()


LISTS = replace(PACKED, folder="lists", files=(File("a.csv", "a.csv", 400), File("b.csv", "b.csv")))


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """Two lists without hashes, one of them of a size that a source tells."""
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"a" * 400)
    (folder / "b.csv").write_bytes(b"b" * 300)
    return folder


def test_a_file_of_another_size_than_published_is_not_whole(lists: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "lists").mkdir(parents=True)
    (root / "lists" / "a.csv").write_text("cut")
    with serving(lists) as server:
        assert [one.state for one in plan(LISTS, root, mirrored(server)).found] == ["damaged", "absent"]
        assert get(LISTS, root, mirrored(server)).n_fetched == 2
    assert contents(root / "lists") == contents(lists)


def test_a_file_found_here_is_not_said_to_have_been_fetched(lists: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "lists").mkdir(parents=True)
    (root / "lists" / "b.csv").write_bytes(b"b" * 300)
    with serving(lists) as server:
        for n_fetched in (1, 0):
            got = get(LISTS, root, mirrored(server))
            assert (got.n_fetched, got.verified) == (n_fetched, {lock.FIRST_USE: 1, lock.FOUND_HERE: 1})
            entry = lock.read(root)["lists/b.csv"]
            assert (entry.url, entry.verified) == ("", lock.FOUND_HERE)
        (root / "lists" / "b.csv").unlink()
        assert get(LISTS, root, mirrored(server)).verified == {lock.FIRST_USE: 2}
        assert lock.read(root)["lists/b.csv"].url == f"{server.url}b.csv"


@pytest.mark.parametrize("dataset", [LISTED, LISTS])
def test_a_mirrors_password_is_not_written_down(dataset: Dataset, served: Path, lists: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with serving(served if dataset is LISTED else lists) as server:
        mirror = server.url.replace("//", "//me:hunter2@")
        get(dataset, root, replace(mirrored(server), mirror=mirror))
        urls = {entry.url for entry in lock.read(root).values()}
        assert all(url.startswith(server.url) for url in urls)
    assert all(b"hunter2" not in path.read_bytes() for path in root.rglob("*") if path.is_file())


def test_what_is_expected_is_the_mean_of_what_came() -> None:
    expected = space.Expected(total=9, n_unknown=3, known=100)
    items = [Wanted(file, file.path, "", "") for file in (*LISTS.files, File("c.csv", "c.csv"))]
    for item, size, total in zip(items, (400, 10, 21), (9, 130, 100 + 46), strict=True):
        expected.came(item, size)
        assert expected.total == total


def test_a_plan_writes_nothing(served: Path, packed: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with serving(served) as server:
        found = plan(replace(LISTED, size=400_000), root, mirrored(server))
    assert (len(found.found), {one.state for one in found.found}) == (N, {"absent"})
    assert (found.to_come, found.needed) == (400_000 // N * N, 400_000 // N * N)
    with serving(packed) as server:
        found = plan(archives(packed), root, mirrored(server))
        assert server.n_requests == 0
    size = sum(path.stat().st_size for path in packed.iterdir())
    assert (found.to_come, found.needed) == (size, 2 * size)
    assert not root.exists()


def test_a_disk_that_is_too_small(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, dataset = tmp_path / "root", archives(packed)
    monkeypatch.setattr(space, "free_space", lambda _: space.MARGIN + 1000)
    with serving(packed) as server:
        with pytest.raises(MmbioError, match=r"faces94: about 6[0-9] kB are needed and 67 MB are free; .*--to"):
            get(dataset, root, mirrored(server))
        assert server.n_requests == 0


def test_reports_add_up(served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getting, "TELL", 0.0)
    told: list[tuple[str, int, int]] = []
    with serving(served, cut=20_000, only="rec_1") as server:
        get(LISTED, tmp_path / "root", mirrored(server), amounts=lambda *x: told.append(x))
    assert told[-1] == ("fetching listed", (N - 2) * SIZE + 1, (N - 2) * SIZE + 1)
    assert all(done <= total for _, done, total in told)


CODE = """if True:
    import json, sys
    from dataclasses import replace
    from pathlib import Path
    from mmbio.data.fetch.get import get
    from mmbio.data.fetch.whence import Options
    from mmbio.data.fetch.transfer import Wire
    from mmbio.data.fetch.dataset import Dataset
    set = Dataset("listed", "", ("ecg",), "", "", "", "", "ecg", "https://example.invalid/", sums="SHA256SUMS.txt")
    got = get(set, Path(sys.argv[1]), Options(sys.argv[2], wire=Wire(wait=0.01)))
    print(json.dumps([got.n_fetched, got.n_bytes]))"""


def start(root: Path, server: Served) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", CODE, str(root), server.url]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not there():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_process_that_is_killed_is_gone_on_with_by_range(served: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with serving(served, slow=40_000, chunk=2_000, only="rec_") as server:
        for n_bytes in (60_000, 150_000):
            running = start(root, server)
            until(lambda n=n_bytes: server.n_bytes >= n)  # type: ignore[misc]
            os.kill(running.pid, signal.SIGKILL)
            running.communicate(timeout=30)
            here = contents(root / "ecg")
            whole = {name: content for name, content in here.items() if ".part" not in name}
            assert whole.items() <= contents(served).items()
            assert any(name.endswith(".part") for name in here)
        server.faults.slow = None
        running = start(root, server)
        out, err = running.communicate(timeout=60)
        assert running.returncode == 0, err
        assert contents(root / "ecg") == contents(served)
        ranged = [asked for asked in server.asked if asked.status == 206]
        assert len(ranged) >= 4
        total = sum(map(len, contents(served).values()))
        assert json.loads(out)[1] < total - 100_000
        assert server.n_bytes < total + 2 * 100_000  # only what was under way at the kills came twice


def test_two_runs_at_once_fetch_each_file_once(served: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "root"
    with serving(served, slow=400_000) as server:
        first = start(root, server)
        until(lambda: server.n_requests > 3)
        with caplog.at_level(logging.WARNING, logger="mmbio"):
            second = get(LISTED, root, mirrored(server))
        out, err = first.communicate(timeout=60)
        assert first.returncode == 0, err
        assert server.n_requests == N + 1
    assert (json.loads(out)[0], second.n_fetched) == (N, 0)
    assert "another run is at work here" in caplog.text
    assert contents(root / "ecg") == contents(served)


def test_nothing_was_placed_by_hand(tmp_path: Path) -> None:
    assert placed_by_hand(LISTED, tmp_path) == 0


def test_a_set_is_placed_by_hand_when_all_its_parts_are(tmp_path: Path) -> None:
    dataset = replace(LISTS, parts=tuple(Part(name, f"{name}.csv", (1,), optional=True) for name in "ab"))
    for n, name in ((0, "a"), (2, "b")):
        folder = tmp_path / f"got-{name}"
        folder.mkdir()
        (folder / f"{name}.csv").write_text(name)
        place(dataset, folder, tmp_path / "root")
        assert placed_by_hand(dataset, tmp_path / "root") == n
    (tmp_path / "root/lists/a.csv").write_text("longer")
    assert placed_by_hand(dataset, tmp_path / "root") == 0


def test_only_the_databases_that_were_not_placed_by_hand_are_fetched(packed: Path, tmp_path: Path) -> None:
    whole = archives(packed, None)
    dataset = replace(
        whole,
        files=tuple(replace(file, into=file.path[0]) for file in whole.files),
        parts=tuple(Part(name, f"{name}/*.jpg", (3,), optional=True) for name in "ab"),
    )
    root, own = tmp_path / "root", tmp_path / "own/a"
    own.mkdir(parents=True)
    for i in range(3):
        (own / f"{i}.jpg").write_bytes(b"mine")
    place(dataset, own.parent, root)
    with serving(packed) as server:
        planned = plan(dataset, root, mirrored(server))
        assert [(one.state, one.by_hand) for one in planned.found] == [("whole", True), ("absent", False)]
        got = get(dataset, root, mirrored(server))
        assert [asked.path for asked in server.asked] == ["/b.zip"]
        again = get(dataset, root, mirrored(server))
        assert server.n_requests == 1
        (root / "faces94/a/0.jpg").unlink()
        get(dataset, root, mirrored(server))
        assert [asked.path for asked in server.asked] == ["/b.zip", "/a.zip"]
    assert (got.n_files, got.n_fetched, got.verified) == (2, 1, {"placed by hand": 1, lock.FIRST_USE: 1})
    assert again.n_fetched == 0
    assert (root / "faces94/b/0.jpg").stat().st_size == 5_000


def test_ecg_id_with_its_own_list(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "ecg-id-database-1.0.0"
    if not (source / "SHA256SUMS.txt").is_file():
        pytest.skip("no list of ECG-ID there")
    listed = {line.split(" ", 1)[1] for line in (source / "SHA256SUMS.txt").read_text().splitlines()}
    here = {name for name in listed if (source / name).is_file()}
    root = tmp_path / "root"
    with serving(source) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(getting, "BEARABLE", len(listed))
        if here == listed:
            get(ECG_ID, root, mirrored(server))
        else:  # a copy may leave out the web pages
            with pytest.raises(MmbioError, match=rf"not there \(404\).*\({len(here)} of {len(listed)} files are here"):
                get(ECG_ID, root, mirrored(server))
    found = contents(root / ECG_ID.folder)
    assert len(set(found) & here) >= 930 - 930 % 10
    assert {name: hashlib.sha256(found[name]).hexdigest() for name in here if not name.startswith(".")} == {
        name: hashlib.sha256((source / name).read_bytes()).hexdigest() for name in here if not name.startswith(".")
    }
    assert not [name for name in found if ".part" in name]

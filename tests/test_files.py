"""Files: whole or not at all, and hashes of content alone."""

import errno
import fcntl
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio import files
from mmbio.errors import MmbioError
from mmbio.files import (
    Json,
    alone,
    bytes_hash,
    content_hash,
    home,
    locked,
    read_json,
    remember,
    remembered,
    replacing,
    shared,
    write_json,
    write_text,
)


def names(folder: Path) -> list[str]:
    return sorted(entry.relative_to(folder).as_posix() for entry in folder.rglob("*"))


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    for text in ("one\n", "two\n"):
        write_text(path, text)
        assert path.read_bytes() == text.encode()
    assert names(tmp_path) == ["new", "new/a.txt"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with replacing(tmp_path / "out") as scratch:
            scratch.mkdir()
            (scratch / name).touch()
    assert names(tmp_path) == ["out", "out/new"]


def test_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        fsync(handle)
        events.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink().name}")

    def replaced(path: Path, target: Path) -> Path:
        events.append(f"place {target.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    write_text(tmp_path / "a", "text")
    assert events == ["sync a", "place a", f"sync {tmp_path.name}"]


def test_before_the_end_nothing_is_to_be_seen(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "old")
    with replacing(tmp_path / "a") as scratch:
        scratch.write_text("new")
        assert (tmp_path / "a").read_text() == "old"
    assert (tmp_path / "a").read_text() == "new"


@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
def test_after_an_exception_all_is_as_it_was(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out"
    if kind == "file":
        path.write_text("old")
    elif kind == "folder":
        path.mkdir()
        (path / "old").touch()
    before = names(tmp_path)
    with pytest.raises(KeyboardInterrupt), replacing(path) as scratch:
        scratch.mkdir()
        (scratch / "half").touch()
        raise KeyboardInterrupt
    assert names(tmp_path) == before


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), OSError("odd")])
def test_a_full_disk_is_one_sentence(tmp_path: Path, error: OSError) -> None:
    told = r"a: could not be written \((No space left on device|odd)\); nothing was changed"
    with pytest.raises(MmbioError, match=told), replacing(tmp_path / "a") as scratch:
        scratch.touch()
        raise error
    assert names(tmp_path) == []


def test_a_block_that_writes_nothing_changes_nothing(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "old")
    with pytest.raises(MmbioError, match="a: could not be written"), replacing(tmp_path / "a"):
        pass
    assert (tmp_path / "a").read_text() == "old"


def test_a_folder_comes_back_where_its_successor_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()

    def full(path: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    monkeypatch.setattr(files, "_exchanged", lambda _one, _other: False)
    with pytest.raises(MmbioError, match="nothing was changed"), replacing(tmp_path / "out") as scratch:
        scratch.mkdir()
    assert names(tmp_path) == ["out", "out/old"]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_folder_is_exchanged_at_once_or_in_two_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    if not at_once:
        monkeypatch.setattr(files, "_exchanged", lambda _one, _other: False)
    for name in ("old", "new"):
        with replacing(tmp_path / "out") as scratch:
            scratch.mkdir()
            (scratch / name).touch()
    assert names(tmp_path) == ["out", "out/new"]


def left_by_a_killed_run(tmp_path: Path, *entries: str) -> Path:
    scratch = tmp_path / ".out.abcd1234"
    scratch.mkdir()
    (scratch / ".owner").touch()
    for entry in entries:
        (scratch / entry).mkdir()
        (scratch / entry / "old").touch()
    return scratch


def test_what_killed_runs_left_is_removed(tmp_path: Path) -> None:
    left_by_a_killed_run(tmp_path, "out")
    write_text(tmp_path / "out", "text")
    assert names(tmp_path) == ["out"]


def test_what_looks_like_it_but_is_a_users_own_stays(tmp_path: Path) -> None:
    left_by_a_killed_run(tmp_path, "mine")
    (tmp_path / ".empty.folder12").mkdir()
    write_text(tmp_path / "out", "text")
    assert names(tmp_path) == [
        *(".empty.folder12", ".out.abcd1234", ".out.abcd1234/.owner"),
        *(".out.abcd1234/mine", ".out.abcd1234/mine/old", "out"),
    ]


def test_an_old_empty_scratch_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".out.abcd1234").mkdir()
    os.utime(tmp_path / ".out.abcd1234", (0, 0))
    write_text(tmp_path / "out", "text")
    assert names(tmp_path) == ["out"]


def test_a_scratch_swept_before_it_is_locked_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, swept = fcntl.flock, list[bool]()

    def late(handle: Any, how: int) -> None:
        if how == fcntl.LOCK_EX and not swept:
            swept.append(True)
            files._swept.clear()
            files._sweep(tmp_path)
        real(handle, how)

    monkeypatch.setattr("mmbio.files.fcntl.flock", late)
    write_text(tmp_path / "out", "text")
    assert swept
    assert names(tmp_path) == ["out"]


def test_an_interrupt_between_two_steps_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    real = Path.rename

    def interrupted(path: Path, target: Path) -> Path:
        moved = real(path, target)
        if target.name == "replaced":
            raise KeyboardInterrupt
        return moved

    monkeypatch.setattr(Path, "rename", interrupted)
    monkeypatch.setattr(files, "_exchanged", lambda _one, _other: False)
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "out") as scratch:
        scratch.mkdir()
    assert names(tmp_path) == ["out", "out/old"]


def test_a_lock_file_that_was_removed_is_locked_anew(tmp_path: Path) -> None:
    lock = tmp_path / ".store.lock"
    with lock.open("a") as other, ThreadPoolExecutor(1) as pool:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = pool.submit(hold, lock)
        time.sleep(0.05)
        lock.unlink()
        with lock.open("a") as third:
            fcntl.flock(third, fcntl.LOCK_EX)
            fcntl.flock(other, fcntl.LOCK_UN)
            time.sleep(0.05)
            assert not waiting.done()
        assert waiting.result() == "held"


def test_who_wants_a_home_alone_waits_for_those_who_share_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    order: list[str] = []

    def lonely() -> None:
        with alone(tmp_path):
            order.append("alone")

    with ThreadPoolExecutor(1) as pool:
        with shared(tmp_path), shared(tmp_path):
            waiting = pool.submit(lonely)
            while not caplog.messages:
                time.sleep(0.001)
            order.append("shared")
        waiting.result()
    assert order == ["shared", "alone"]
    assert caplog.messages == [f"{tmp_path}: another run is at work here; waiting for it to finish"]
    assert names(tmp_path) == []


def test_a_home_that_is_exchanged_is_waited_for_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    other.mkdir()
    order: list[str] = []

    def lonely() -> None:
        with alone(home):
            order.append("alone")

    with ThreadPoolExecutor(1) as pool:
        with shared(other):
            with shared(home):
                waiting = pool.submit(lonely)
                while not caplog.messages:
                    time.sleep(0.001)
                assert files._exchanged(home, other)
            time.sleep(0.05)
            order.append("shared")
        waiting.result()
    assert order == ["shared", "alone"]


def test_a_home_that_is_not_there_is_shared_by_nobody(tmp_path: Path) -> None:
    with shared(tmp_path / "runs"), alone(tmp_path / "runs"):
        pass
    assert names(tmp_path) == []


def test_what_a_living_run_writes_is_left_alone(tmp_path: Path) -> None:
    with replacing(tmp_path / "out") as scratch:
        scratch.write_text("first")
        write_text(tmp_path / "out", "second")
        assert scratch.read_text() == "first"
    assert (tmp_path / "out").read_text() == "first"
    assert names(tmp_path) == ["out"]


def test_a_folder_that_a_killed_run_held_aside_comes_back(tmp_path: Path) -> None:
    left_by_a_killed_run(tmp_path, "replaced")
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "out"):
        raise KeyboardInterrupt
    assert names(tmp_path) == ["out", "out/old"]


def test_new_folders_are_private(tmp_path: Path) -> None:
    with replacing(home(tmp_path / "runs") / "store" / "face") as scratch:
        scratch.mkdir()
    made = [tmp_path / "runs", tmp_path / "runs" / "store", tmp_path / "runs" / "store" / "face"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in made] == [0o700] * 3


def test_a_process_that_waits_for_a_lock_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lock = tmp_path / ".store.lock"
    with lock.open("a") as other, ThreadPoolExecutor(1) as pool:  # as another process would hold it
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = pool.submit(hold, lock)
        while not caplog.messages:
            time.sleep(0.001)
        fcntl.flock(other, fcntl.LOCK_UN)
        assert waiting.result() == "held"
    assert caplog.messages == [f"{tmp_path / 'store'}: another run is at work here; waiting for it to finish"]


def test_threads_of_one_run_wait_for_each_other_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inside: list[int] = []

    def one(_: int) -> None:
        with locked(tmp_path / ".store.lock"):
            inside.append(len(inside))
            assert inside == [0]
            time.sleep(0.001)
            inside.clear()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(20))) == [None] * 20
    assert caplog.messages == []


def test_a_disk_without_locks_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_handle: object, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("mmbio.files.fcntl.flock", refuse)
    with pytest.raises(MmbioError, match=r"cannot be locked \(No locks available\); give a folder on another disk"):
        hold(tmp_path / ".store.lock")


def hold(lock: Path) -> str:
    with locked(lock):
        return "held"


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "runs"
    with pytest.raises(MmbioError, match=r"runs: cannot be written to .*--out or MMBIO_HOME"):
        home(below)
    with pytest.raises(MmbioError, match=r"a\.txt: cannot be written .*--out"):
        write_text(below / "a.txt", "text")
    assert names(tmp_path) == ["file"]


def test_home_is_what_is_given_then_what_is_set_then_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MMBIO_HOME", raising=False)
    assert home() == Path("runs")
    monkeypatch.setenv("MMBIO_HOME", str(tmp_path / "set"))
    assert home() == tmp_path / "set"
    assert home(tmp_path / "given") == tmp_path / "given"
    assert names(tmp_path) == ["given", "runs", "set"]


keys = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=5)


@given(keys)
def test_a_content_hash_does_not_depend_on_the_order_of_keys(value: dict[str, str]) -> None:
    assert content_hash(value) == content_hash(dict(reversed(value.items())))


@pytest.mark.parametrize(("one", "other"), [([1, 2], [2, 1]), (1, "1"), (1, 1.5), ({"a": None}, {}), ([], {})])
def test_other_content_has_another_hash(one: object, other: object) -> None:
    assert content_hash(one) != content_hash(other)  # type: ignore[arg-type]


def test_hashes_by_hand() -> None:
    assert content_hash({"b": [1], "a": None}) == bytes_hash(b'{"a":null,"b":[1]}')
    assert bytes_hash(b"abc") == bytes_hash(b"a", b"bc") == "ba7816bf8f01cfea"
    with pytest.raises(ValueError, match="Out of range float"):
        content_hash(float("nan"))


def test_json_comes_back(tmp_path: Path) -> None:
    value: Json = {"b": 1, "a": [None, 0.1, "é"]}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json", "thing") == value


@pytest.mark.parametrize("content", [None, b"", b'{"a": ', b"[1]", b"\xff\xfe"])
def test_what_is_not_a_json_object(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MmbioError, match=r"a\.json: .*thing.*write it again"):
        read_json(path, "thing")


def test_the_last_one_remembered_is_the_one_that_comes_back(tmp_path: Path) -> None:
    assert remembered(tmp_path, "manifest") is None
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        remember(tmp_path, "manifest", tmp_path / name)
    assert remembered(tmp_path, "manifest") == tmp_path / "two"
    assert remembered(tmp_path, "model") is None
    (tmp_path / "two").rmdir()
    assert remembered(tmp_path, "manifest") is None


def test_a_lock_can_be_taken_again_once_it_is_free(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "new" / ".lock"):
            assert (tmp_path / "new" / ".lock").is_file()


def test_a_lock_keeps_others_out(tmp_path: Path) -> None:
    import fcntl

    with locked(tmp_path / "lock"), (tmp_path / "lock").open("a") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MmbioError, match="a device or pipe, which would be replaced"):
        write_text(tmp_path / "pipe", "x")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("note", [b"../../elsewhere", b"..", b".", b"\xff\xfe", b"", b"gone"])
def test_a_note_of_the_newest_never_leads_out_of_its_folder(tmp_path: Path, note: bytes) -> None:
    (tmp_path / ".latest-multitask").write_bytes(note)
    assert remembered(tmp_path, "multitask") is None


def test_a_folder_without_a_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MmbioError, match="could not be written"), replacing(Path()) as scratch:
        scratch.mkdir()
    assert list(tmp_path.iterdir()) == []

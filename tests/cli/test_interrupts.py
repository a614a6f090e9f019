"""Ctrl-C and SIGTERM at any moment: plain lines, the exit code of shells, no traceback, nothing half-written."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmbio import files
from mmbio.cli import interrupts
from mmbio.data.manifest import Manifest
from mmbio.files import OWNER, replacing

MMBIO = Path(sys.executable).with_name("mmbio")
ON = "run the same command again to go on\n"
# A verb in which threads compute and processes work for as long as it takes, while a file is being written.
BUSY = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import mmbio.fuse.run
from mmbio.cli.main import main
from mmbio.files import replacing
from mmbio.workers import spawned

def write(path):
    with replacing(Path(path)) as scratch:
        scratch.mkdir()
        (scratch / "part").write_text("half")
        time.sleep(600)

def train(found, config, settings, report):
    report("training networks", 3, 8)
    report("extracting face", 1200, 5000)
    with spawned.pool(2) as processes, ThreadPoolExecutor(2) as threads:
        given = [processes.submit(time.sleep, 600) for _ in range(4)]
        running = [threads.submit(write, settings.home / name) for name in ("one", "two", "three")]
        while not (all(future.running() for future in running[:2]) and len(list(settings.home.glob(".*/*/part"))) == 2):
            time.sleep(0.01)
        print("busy", flush=True)
        with replacing(settings.home / "mine"):
            running[0].result()

if __name__ == "__main__":
    mmbio.fuse.run.train = train
    main()
"""


def unignored() -> None:
    """What a shell does to what it starts in the foreground; tests may run in the background."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def start(*words: object, program: tuple[object, ...] = (MMBIO,)) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(word) for word in (*program, *words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=unignored,
        env={**os.environ, "MMBIO_THREADS": "2"},
    )


def nobody_left(session: int) -> bool:
    """Whether all processes of a session end soon."""
    until = time.monotonic() + 10
    while alive(session) and time.monotonic() < until:
        time.sleep(0.05)
    return not alive(session)


def alive(session: int) -> list[str]:
    """The processes of a session that are not ended; where the system does not tell, none."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


def scratches(home: Path) -> list[Path]:
    return [path for path in home.rglob(".*.????????") if path.is_dir()]


@pytest.fixture
def busy(tiny_manifest: Manifest, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    script = tmp_path / "busy.py"
    script.write_text(BUSY)
    process = start(
        "train", "--manifest", tiny_manifest.folder, "--out", tmp_path / "runs", program=(sys.executable, script)
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "busy\n"
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize(
    ("number", "whole_group", "code"),
    [(signal.SIGINT, True, 130), (signal.SIGINT, False, 130), (signal.SIGTERM, False, 143)],
)
def test_a_run_that_would_not_end_by_itself(
    busy: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals, whole_group: bool, code: int
) -> None:
    (os.killpg if whole_group else os.kill)(busy.pid, number)
    _, told = busy.communicate(timeout=60)
    first = "stopped while extracting face (1,200 of 5,000 done); no file is half-written\n"
    assert told == f"{first}kept: 1,200 vectors of face; {ON}"
    assert busy.returncode == code
    assert nobody_left(busy.pid)
    assert scratches(tmp_path) == []
    assert not (tmp_path / "runs" / "one").exists()
    (log,) = (tmp_path / "runs" / "logs").iterdir()
    assert f"ended: stopped by signal {code - 128}: stopped while extracting face" in log.read_text()


def test_a_second_ctrl_c_ends_at_once(busy: "subprocess.Popen[str]") -> None:
    os.kill(busy.pid, signal.SIGINT)
    time.sleep(0.3)
    assert busy.poll() is None
    os.kill(busy.pid, signal.SIGINT)
    _, told = busy.communicate(timeout=60)
    assert (busy.returncode, "Traceback" in told, nobody_left(busy.pid)) == (130, False, True)


def wait_until_it_listens(process: "subprocess.Popen[str]") -> None:
    """Until SIGTERM is among the signals that a process catches: Python itself does not."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        (mask,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
        if int(mask, 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.005)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell who listens to signals")
@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.4, 1.0])
def test_ctrl_c_at_any_moment(tiny_root: Path, tmp_path: Path, seconds: float) -> None:
    process = start("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", tmp_path / "runs")
    wait_until_it_listens(process)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told.endswith(ON)) in ((130, True), (0, False))
    assert "Traceback" not in told
    assert scratches(tmp_path) == []


def test_signals_that_are_ignored_stay_ignored(tmp_path: Path) -> None:
    code = "from mmbio.cli.interrupts import Interrupts\n"
    code += "import os, signal\n"
    code += "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += "with Interrupts(lambda: True).watched():\n    os.kill(os.getpid(), signal.SIGINT)\nprint('on')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "on\n", "")


def test_handlers_are_as_before() -> None:
    before = [signal.getsignal(number) for number in interrupts.SIGNALS]
    with interrupts.Interrupts(lambda: True).watched():
        assert [signal.getsignal(number) for number in interrupts.SIGNALS] != before
    assert [signal.getsignal(number) for number in interrupts.SIGNALS] == before
    assert not [thread for thread in threading.enumerate() if thread.name == "interrupts"]


@pytest.mark.parametrize("step", ["mkdir", "open"])
@pytest.mark.parametrize("after", [True, False])
def test_an_interrupt_while_a_scratch_folder_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    """Before anything could clean up: nobody holds a file in it open any more, and it may be empty."""
    really = getattr(Path, step)

    def interrupted(path: Path, *words: object, **named: object) -> object:
        ours = path.parent == tmp_path or path.name == OWNER
        if ours and not after:
            raise KeyboardInterrupt
        made = really(path, *words, **named)
        if ours:
            getattr(made, "close", int)()
            raise KeyboardInterrupt
        return made

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, step, interrupted)
        with replacing(tmp_path / "one"):
            pass
    interrupts.remove_unfinished()
    assert list(tmp_path.iterdir()) == []
    files.WRITING.clear()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not tell which files are open")
def test_what_is_half_written_goes_and_what_was_put_aside_stays(tmp_path: Path) -> None:
    aside = tmp_path / ".two.abcdefgh" / "replaced"
    aside.mkdir(parents=True)
    with (aside.parent / OWNER).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with replacing(tmp_path / "one") as inner:
            inner.write_text("half")
            interrupts.remove_unfinished()
            assert not inner.exists()
            assert [path.name for path in tmp_path.iterdir()] == [".two.abcdefgh"]
            inner.parent.mkdir()
            inner.write_text("whole")
        assert (tmp_path / "one").read_text() == "whole"

"""Processes of a pool end with the process that started them, even where that is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PARENT = """
import os, sys, time
from pathlib import Path
from mmbio.workers import spawned

def work(note):
    Path(note).write_text(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    with spawned.pool(1) as pool:
        pool.submit(work, sys.argv[1]).result()
"""
PATIENCE_S = 60.0


def test_a_pool_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    note = tmp_path / "pid"
    with subprocess.Popen([sys.executable, str(tmp_path / "parent.py"), str(note)], cwd=tmp_path) as parent:
        wait(lambda: note.is_file() and note.read_text() != "")
        parent.kill()
    child = int(note.read_text())
    try:
        wait(lambda: not Path(f"/proc/{child}").exists() or zombie(child))
    finally:
        if Path(f"/proc/{child}").exists():
            os.kill(child, signal.SIGKILL)


def wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def zombie(process: int) -> bool:
    """Whether a process has ended and only waits to be counted."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

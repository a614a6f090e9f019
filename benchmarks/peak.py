"""peak: seconds and the most memory of one piece of work, in a process of its own.

Memory is what the process holds itself (anonymous pages), above what it held when the work began. Pages of mapped
files are left out: the system takes them back when others need the room.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

EVERY: Final = 0.005  # seconds between two looks


@dataclass(frozen=True)
class Used:
    """What a piece of work took."""

    seconds: float
    mib: float


def used(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> Used:
    """Do the work and look at the memory meanwhile; by time.process_time seconds are those of the processor."""
    before = most = _held()
    done = threading.Event()

    def look() -> None:
        nonlocal most
        while not done.wait(EVERY):
            most = max(most, _held())

    watch = threading.Thread(target=look, daemon=True)
    watch.start()
    began = clock()
    kept = work()
    seconds = clock() - began
    done.set()
    watch.join()
    most = max(most, _held())
    del kept
    return Used(seconds, (most - before) / 2**20)


def tell(found: Used) -> None:
    """Print what was used, for `apart`."""
    print(json.dumps(asdict(found)))


def apart(module: str, *arguments: str) -> Used:
    """Run `python -m module arguments`, which ends with `tell`; its errors are shown."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return Used(**json.loads(done.stdout.splitlines()[-1]))


def _held() -> int:
    """Bytes of anonymous memory of this process."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status: has no RssAnon; measure on Linux")

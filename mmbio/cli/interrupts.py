"""interrupts: Ctrl-C, SIGTERM and SIGHUP end a run in order, and soon: what does not end by itself is ended.

The first signal raises KeyboardInterrupt in the main thread, whose blocks then clean up. A thread beside it waits for
PATIENCE_S: threads that compute, or a call that does not return, then end with the process. So does a second signal.
"""

import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

from mmbio.files import ASIDE, OWNER, WRITING

PATIENCE_S: Final = 1.5  # for blocks to clean up after the first signal
GUARD_S: Final = 6.0  # for the rest, on a machine that is busy, before the process ends with no more ado
TIDY_S: Final = 0.5  # for the main thread, once nobody is at work for it any more
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ROUNDS: Final = 3
SCRATCH: Final = re.compile(r"\..+\.[^.]{8}")  # as mmbio.files names scratch folders
OPEN_FILES: Final = Path("/proc/self/fd")


class Interrupts:
    """Which signal came first, and who is told when the process has to end at once."""

    def __init__(self, last_words: Callable[[], bool]) -> None:
        """`last_words` tells the user, once; False where it has."""
        self.number = 0
        self._last_words = last_words
        self._raised = False
        self._unwound = threading.Event()

    @property
    def exit_code(self) -> int:
        """As shells number it: 130 for Ctrl-C, 143 for SIGTERM, 129 for a terminal that went away."""
        return 128 + (self.number or signal.SIGINT)

    def end(self) -> None:
        """Tell the user, and end what is still at work: the main thread is out of all its blocks."""
        self._unwound.set()
        if not self._last_words():
            time.sleep(PATIENCE_S)  # the process is being ended from beside
        end_children()
        remove_unfinished()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Listen to signals inside the block, where this is the main thread; those that are ignored stay ignored."""
        heard = [s for s in SIGNALS if signal.getsignal(s) is not signal.SIG_IGN]
        if threading.current_thread() is not threading.main_thread() or not heard:
            yield
            return
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        before = {s: signal.signal(s, self._raise) for s in heard}
        woken = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        watcher = threading.Thread(target=self._watch, args=(reader,), daemon=True, name="interrupts")
        watcher.start()
        try:
            yield
        finally:
            if not self.number:
                signal.set_wakeup_fd(woken)
                for s, handler in before.items():
                    signal.signal(s, handler)
                os.write(writer, b"\0")
                watcher.join()
                os.close(writer)
                os.close(reader)

    def _raise(self, number: int, _frame: FrameType | None) -> None:
        if not self._raised:
            self.number, self._raised = number, True
            sys.unraisablehook = threading.excepthook = _nothing
            raise KeyboardInterrupt

    def _watch(self, reader: int) -> None:
        """Wait for a signal's byte, then for the process to end or for a second one, then end it."""
        import select

        while (number := os.read(reader, 1)[0]) not in SIGNALS:
            if number == 0:
                return
        self.number = number
        select.select([reader], [], [], PATIENCE_S)
        guard = threading.Timer(GUARD_S, os._exit, (self.exit_code,))  # whatever the rest does
        guard.daemon = True
        guard.start()
        self._last_words()
        end_children()
        self._unwound.wait(TIDY_S)  # without children the main thread may have got on, and be removing what it wrote
        remove_unfinished()
        os._exit(self.exit_code)


def end_children() -> None:
    """End the processes that this one started, and take back what they shared, so that nobody tells of it."""
    multiprocessing, util = (sys.modules.get(name) for name in ("multiprocessing", "multiprocessing.util"))
    with suppress(AttributeError):  # where the signal came while they were imported
        for child in multiprocessing.active_children() if multiprocessing else ():
            with suppress(OSError, ValueError):
                child.kill()
        with suppress(OSError, ValueError, KeyboardInterrupt):
            if util is not None:
                util._exit_function()


def remove_unfinished() -> None:
    """Remove the scratch folders that this process still writes in.

    They are those that it has noted, and, where the system tells which files are open, those with a file in them that
    it holds open; where a thread makes one meanwhile, the next run removes it. A folder that somebody may still write
    in is renamed first, so that nothing of it can take its place any more.
    """
    for _ in range(ROUNDS):
        for scratch in _scratches():
            with suppress(OSError):
                if not (scratch / ASIDE).exists():
                    stem = scratch.name.rpartition(".")[0]
                    _remove(scratch.rename(scratch.with_name(f"{stem}.{os.urandom(4).hex()}")))


def _remove(folder: Path) -> None:
    """Remove a folder into which somebody may still write for a moment."""
    for _ in range(ROUNDS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.02)


def _scratches() -> list[Path]:
    found = list(WRITING)
    with suppress(OSError):
        for entry in OPEN_FILES.iterdir():
            with suppress(OSError):
                target = entry.readlink()
                if target.name == OWNER and SCRATCH.fullmatch(target.parent.name) and not target.stat().st_size:
                    found.append(target.parent)
    return found


def _nothing(_: Any, /) -> None:
    """What still fails in threads while the run ends is of no use to anybody."""

"""spawned: processes of this machine that a Ctrl-C does not reach; they end with the process that started them."""

import multiprocessing
import os
import signal
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection
from multiprocessing.context import SpawnContext, SpawnProcess


class Sheltered(SpawnProcess):
    """A process that is started with SIGINT blocked, which it inherits before its first line of Python."""

    def start(self) -> None:
        """Start it."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Context(SpawnContext):
    Process = Sheltered


def pool(n: int) -> ProcessPoolExecutor:
    """n processes to give work to, which begin afresh: nothing of this process's threads is forked.

    They print no warnings of libraries, and the terminal's Ctrl-C ends this process alone, which ends them.
    """
    return ProcessPoolExecutor(n, mp_context=_Context(), initializer=_hush)


def _hush() -> None:
    warnings.simplefilter("ignore")
    threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()


def _end_with_parent() -> None:
    """Wait for the parent's end, also by a kill, and end: nobody is left to take what is computed here."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)

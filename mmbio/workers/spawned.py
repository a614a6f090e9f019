"""spawned: processes of this machine that a Ctrl-C does not reach; whoever started them ends them."""

import signal
import warnings
from concurrent.futures import ProcessPoolExecutor
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

"""spawned: processes of this machine that a Ctrl-C does not reach; they end with the process that started them."""

import json
import multiprocessing
import os
import select
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, Final

from mmbio.workers import lines
from mmbio.workers.lines import Line

LONGEST: Final = select.PIPE_BUF - 8  # bytes of a line, so that a process writes it whole even where it is killed
LAST_S: Final = 2.0  # for the last lines of processes that have ended


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


class _Pool(ProcessPoolExecutor):
    """Processes with a pipe, through which they tell what libraries warn of."""

    def __init__(self, n: int) -> None:
        context = _Context()
        reader, self._writer = context.Pipe(duplex=False)
        self._listener = threading.Thread(target=_listen, args=(reader,), daemon=True, name="warnings")
        self._listener.start()
        super().__init__(n, mp_context=context, initializer=_begin, initargs=(self._writer,))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; all that they told was then told here."""
        try:
            super().shutdown(wait, cancel_futures=cancel_futures)
        finally:
            self._writer.close()
        if wait:
            self._listener.join(LAST_S)


def pool(n: int) -> ProcessPoolExecutor:
    """n processes to give work to, which begin afresh: nothing of this process's threads is forked.

    What libraries warn of in them is told to the loggers of this process, and the terminal's Ctrl-C ends this process
    alone, which ends them.
    """
    return _Pool(n)


def _listen(reader: "Connection[Any, Any]") -> None:
    """Log what processes tell, until the last of them, and this one, have closed the pipe."""
    with reader, suppress(EOFError, OSError):
        while True:
            lines.log(Line(*json.loads(reader.recv_bytes())))


def _begin(writer: "Connection[Any, Any]") -> None:
    def tell(line: Line) -> None:
        with suppress(OSError):  # nobody listens any more
            writer.send_bytes(_short(line))

    lines.lead(tell)
    threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()


def _short(line: Line) -> bytes:
    """A line as bytes, cut where it is long."""
    n = len(line.text)
    while len(data := json.dumps(line._replace(text=line.text[:n])).encode()) > LONGEST and n:
        n //= 2
    return data


def _end_with_parent() -> None:
    """Wait for the parent's end, also by a kill, and end: nobody is left to take what is computed here."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)

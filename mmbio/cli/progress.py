"""Progress bars for whoever watches: drawn on a terminal, and only once work has lasted two seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mmbio.report import Report, silent

PATIENCE: Final = 2.0  # seconds before the first bar


@contextmanager
def progress(quiet: bool = False) -> Iterator[Report]:
    """A report that draws one bar with the time left for each kind of work, on stderr when it is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=console, transient=True)
    tasks: dict[str, TaskID] = {}
    start = time.monotonic()

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total)
        bars.update(tasks[what], completed=done, total=total)
        if not bars.live.is_started and time.monotonic() - start > PATIENCE:
            bars.start()

    try:
        yield report
    finally:
        bars.stop()

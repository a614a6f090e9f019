"""Progress: bars on a terminal, once work has lasted two seconds; elsewhere a line each half minute; all in the log."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from mmbio.cli import running
from mmbio.cli.steps import Steps
from mmbio.report import Report, silent

PATIENCE: Final = 2.0  # seconds before the first bar


@contextmanager
def progress(quiet: bool = False) -> Iterator[Report]:
    """A report that shows how far each kind of work is, on stderr, and tells the run's log, which begins here."""
    run = running.now()
    if run is not None:
        run.begin()
    steps = run.steps if run is not None else Steps(lambda _: None)
    with _shown(steps, quiet) as show:

        def report(what: str, done: int, total: int) -> None:
            steps.note(what, done, total)
            show(what, done, total)

        yield report


@contextmanager
def _shown(steps: Steps, quiet: bool) -> Iterator[Report]:
    """What is drawn or printed of it."""
    if quiet:
        yield silent
        return
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _bars(console) as report:
            yield report
        return

    def line(_what: str, _done: int, _total: int) -> None:
        told = steps.due()
        if told:
            click.echo(told, err=True)

    yield line


@contextmanager
def _bars(console: object) -> Iterator[Report]:
    """One bar with the time left for each kind of work."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    assert isinstance(console, Console)
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

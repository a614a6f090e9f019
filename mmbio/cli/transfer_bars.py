"""Bars of a download: bytes with rate and time left, files and archives counted, all in one display."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from mmbio.cli import running
from mmbio.cli.progress import PATIENCE
from mmbio.cli.steps import Steps
from mmbio.report import Report, silent

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def transfer_bars(quiet: bool = False) -> Iterator[tuple[Report, Report]]:
    """Two reports, of counts and of bytes: on a terminal as bars, elsewhere as a line each half minute; all logged."""
    run = running.now()
    if run is not None:
        run.begin()
    steps = run.steps if run is not None else Steps(lambda _: None)
    with _shown(steps, quiet) as (counts, amounts):

        def told(show: Report) -> Report:
            def report(what: str, done: int, total: int) -> None:
                steps.note(what, done, total)
                show(what, done, total)

            return report

        yield told(counts), told(amounts)


@contextmanager
def _shown(steps: Steps, quiet: bool) -> Iterator[tuple[Report, Report]]:
    if quiet:
        yield silent, silent
        return
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        bars = _bars(console)
        try:
            yield _drawn(bars, in_bytes=False), _drawn(bars, in_bytes=True)
        finally:
            bars.stop()
        return

    def line(_what: str, _done: int, _total: int) -> None:
        told = steps.due()
        if told:
            click.echo(told, err=True)

    yield line, line


def _bars(console: object) -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class Done(ProgressColumn):
        """What is done of what: bytes and their rate, or a count."""

        def render(self, task: Task) -> Text:
            if not task.fields["in_bytes"]:
                return MofNCompleteColumn().render(task)
            return Text("  ").join([DownloadColumn().render(task), TransferSpeedColumn().render(task)])

    assert isinstance(console, Console)
    columns = (TextColumn("{task.description}"), BarColumn(), Done(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, speed_estimate_period=10)


def _drawn(bars: "Progress", in_bytes: bool) -> Report:
    """A report that draws one bar for each kind of work, once work has lasted a moment."""
    tasks = {}
    start = time.monotonic()

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            # What is here already was not fetched now: the rate is of what comes behind it.
            tasks[what] = bars.add_task(what, total=total, completed=done, in_bytes=in_bytes)
        bars.update(tasks[what], completed=done, total=total, visible=in_bytes or done < total)
        if not bars.live.is_started and time.monotonic() - start > PATIENCE:
            bars.start()

    return report

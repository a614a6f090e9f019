"""run: all measurements, each file in a process of its own, as one table (make bench).

    python -m benchmarks.run [NAME...] [--rounds 5] [--out docs/benchmarks.md]

A file that fails is a row that says why; the others run, and the exit code is 1. Where files are named, nothing is
written unless --out says where.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.harness import ROUNDS, Row
from mmbio.files import write_text

FILES: Final = (
    *("embeddings", "training", "pairs", "cosine", "metrics"),
    *("bootstrap", "as_norm", "startup", "tables"),
)
OUT: Final = Path("docs/benchmarks.md")
WIDE: Final = 180  # characters, where the table goes to a file
LONGEST: Final = 3600  # seconds of one file, before it counts as failed
HEADER: Final = ("measurement", "mmbio", "peer", "ratio", "limit here", "share", "aim", "reached")
Cells = tuple[str, ...]


@dataclass(frozen=True)
class Ran:
    """What one file measured, or why it did not."""

    name: str
    rows: tuple[Row, ...] = ()
    failure: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the table and write it; the exit code."""
    parser = argparse.ArgumentParser(description="Time mmbio beside its peers, in one table.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FILES)}  [default: all]")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="rounds of all sides in turn  [default: %(default)s]"
    )
    parser.add_argument("--out", type=Path, help=f"Markdown to write  [default: {OUT} where all files run]")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(FILES))
    if unknown:
        parser.error(f"{unknown[0]}: no measurement; choose from {', '.join(FILES)}")
    if given.rounds < 1:
        parser.error(f"--rounds {given.rounds}: expected at least 1")
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    about = [f"{name}: {words}" for name, words in machine.described().items()]
    if not_quiet := machine.load():
        about.append(not_quiet)
    console.print("\n".join(about), highlight=False)
    began = time.perf_counter()
    ran = [run(name, given.rounds, console) for name in given.names or FILES]
    lines = [cells(row) for one in ran for row in one.rows]
    lines += [failed(one) for one in ran if one.failure]
    console.print(shown(lines))
    remarks = notes(ran)
    console.print("\n".join(remarks), highlight=False)
    out = given.out or (None if given.names else OUT)
    if out:
        how = f"`python -m benchmarks.run {' '.join([*given.names, f'--rounds {given.rounds}'])}`"
        minutes = f"{(time.perf_counter() - began) / 60:.0f} min"
        write_text(
            out, markdown(lines, about, remarks, f"{how}, {datetime.now(UTC):%Y-%m-%d}, {minutes}", given.rounds)
        )
        console.print(f"written: {out}")
    return int(any(one.failure for one in ran))


def run(name: str, rounds: int, console: Console) -> Ran:
    """Run one file in a process of its own; its rows are printed as they come."""
    console.rule(name)
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "rows.json"
        command = [sys.executable, "-m", f"benchmarks.{name}", "--rounds", str(rounds), "--json", str(found)]
        try:
            done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=LONGEST, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            return Ran(name, failure=f"not done after {LONGEST} s")
        if done.returncode:
            console.print(done.stderr, style="red", markup=False, highlight=False)
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            return Ran(name, failure=said[-1].replace(sys.executable, "python"))
        known = {f.name for f in fields(Row)}
        rows = json.loads(found.read_text(encoding="utf-8"))
        return Ran(name, tuple(Row(**{key: value for key, value in row.items() if key in known}) for row in rows))


def cells(row: Row) -> Cells:
    """A row of the table, in words."""
    return (
        row.what,
        f"{_amount(row.ours_s, row.ours_rate, row.unit)} ({row.spread})",
        f"{row.peer}: {_amount(1 / row.peer_rate, row.peer_rate, row.unit)}" if row.peer_rate else "",
        "" if row.ratio is None else f"{_number(row.ratio)} x",
        f"{row.limit}: {_number(row.limit_rate)} {row.unit}/s" if row.limit_rate else "",
        "" if row.share is None else f"{row.share:.0%}",
        row.aim,
        "" if row.reached is None else "yes" if row.reached else "no",
    )


def failed(one: Ran) -> Cells:
    """The row of a file that failed."""
    return (f"benchmarks/{one.name}.py", f"failed: {one.failure}", "", "", "", "", "", "no")


def notes(ran: Sequence[Ran]) -> list[str]:
    """What the rows say beside, each remark once."""
    found = {f"{row.what}: {row.note}": None for one in ran for row in one.rows if row.note}
    return list(found)


def shown(lines: Sequence[Cells]) -> Table:
    """The table for a terminal."""
    table = Table(*HEADER, show_lines=True)
    for line in lines:
        table.add_row(*line, style=None if line[-1] != "no" else "yellow")
    return table


def markdown(lines: Sequence[Cells], about: Sequence[str], remarks: Sequence[str], command: str, rounds: int) -> str:
    """The table as a page, with the machine and the command."""
    body = ["| " + " | ".join(text.replace("|", "/") for text in line) + " |" for line in lines]
    return "\n".join(
        [
            "# Speed, side by side",
            "",
            f"{command}. Medians of {rounds} rounds, in which mmbio and its peers take turns; in parentheses the least"
            " and most seconds of mmbio's. Rates are compared where a slow peer did less of the work.",
            "",
            *(f"- {line}" for line in about),
            "",
            "| " + " | ".join(HEADER) + " |",
            "|" + " --- |" * len(HEADER),
            *body,
            "",
            *(f"- {line}" for line in remarks),
            "",
        ]
    )


def _amount(seconds: float, rate: float, unit: str) -> str:
    """Seconds of a run, or units of work a second."""
    return f"{_number(seconds)} s" if unit == "runs" else f"{_number(rate)} {unit}/s"


def _number(value: float) -> str:
    """Three figures, never as a power of ten."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())

"""harness: how every measurement here is made: ours and its peers in turn, medians, with the machine described.

A benchmark file has a function `measurements()` that yields Measurement after Measurement, and ends with
`main(measurements)`; then

    python -m benchmarks.NAME [--rounds 5] [--json FILE]

prints its rows. `python -m benchmarks.run` (make bench) runs all files, each in a process of its own.
"""

import argparse
import gc
import json
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROUNDS = 5


@dataclass(frozen=True)
class Side:
    """One way to do the work. `run` does `work` units of it; what it returns is not used."""

    name: str
    run: Callable[[], object]
    work: float  # units done by one call; a slow peer may do fewer, and is compared by its rate


@dataclass(frozen=True)
class Limit:
    """What this machine allows, measured too, in units of work a second."""

    name: str
    rate: Callable[[], float]


@dataclass(frozen=True)
class Measurement:
    """What is measured: `ours` beside peers that do the same work, and the machine's limit where there is one."""

    what: str
    unit: str  # of work: images, trials, networks, runs
    ours: Side
    peers: Sequence[Side] = ()
    aims: Sequence[float] = ()  # ours over each peer, at least
    limit: Limit | None = None
    aim_s: float | None = None  # seconds of one call of ours at most
    aim_share: float | None = None  # of the limit, at least
    note: str = ""


@dataclass(frozen=True)
class Row:
    """Ours beside one peer; rates are units a second, from medians."""

    what: str
    unit: str
    ours_s: float  # median seconds of one call
    ours_rate: float
    peer: str = ""
    peer_rate: float | None = None
    ratio: float | None = None
    aim: str = ""
    reached: bool | None = None
    limit: str = ""
    limit_rate: float | None = None
    share: float | None = None
    spread: str = ""  # least and most seconds of ours
    note: str = ""
    peak_mib: float = 0.0  # most memory of this process so far
    seconds: dict[str, list[float]] = field(default_factory=dict)


def measure(measurement: Measurement, rounds: int = ROUNDS) -> Iterator[Row]:
    """The rows of a measurement: one warm-up of each side, then `rounds` rounds of all sides in turn."""
    sides = [measurement.ours, *measurement.peers]
    taken: dict[str, list[float]] = {side.name: [] for side in sides}
    rates: list[float] = []
    for number in range(-1, rounds):
        for side in sides:
            seconds = _timed(side.run)
            if number >= 0:
                taken[side.name].append(seconds)
        if number >= 0 and measurement.limit:
            rates.append(measurement.limit.rate())
    limit_rate = statistics.median(rates) if rates else None
    medians = {name: statistics.median(of_side) for name, of_side in taken.items()}
    for k, peer in enumerate(measurement.peers or [None]):
        yield _row(
            measurement, peer, measurement.aims[k] if k < len(measurement.aims) else None, medians, limit_rate, taken
        )


def _row(
    m: Measurement,
    peer: Side | None,
    aim: float | None,
    medians: dict[str, float],
    limit_rate: float | None,
    taken: dict[str, list[float]],
) -> Row:
    ours = taken[m.ours.name]
    seconds = medians[m.ours.name]
    rate = m.ours.work / seconds
    peer_rate = peer.work / medians[peer.name] if peer else None
    ratio = rate / peer_rate if peer_rate else None
    share = rate / limit_rate if limit_rate else None
    asked = []
    if aim is not None:
        asked.append((f">= {aim:g} x", ratio is not None and ratio >= aim))
    if m.aim_share is not None:
        asked.append((f">= {m.aim_share:.0%} of the limit", share is not None and share >= m.aim_share))
    if m.aim_s is not None:
        asked.append((f"<= {m.aim_s:g} s", seconds <= m.aim_s))
    return Row(
        what=m.what,
        unit=m.unit,
        ours_s=seconds,
        ours_rate=rate,
        peer=peer.name if peer else "",
        peer_rate=peer_rate,
        ratio=ratio,
        aim=", ".join(text for text, _ in asked),
        reached=all(met for _, met in asked) if asked else None,
        limit=m.limit.name if m.limit else "",
        limit_rate=limit_rate,
        share=share,
        spread=f"{min(ours):.3g}-{max(ours):.3g} s",
        note=m.note,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        seconds=taken,
    )


def _timed(run: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def main(measurements: Callable[[], Iterable[Measurement]]) -> None:
    """Measure and print; the entrance of every benchmark file."""
    parser = argparse.ArgumentParser(description="Time mmbio beside its peers.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of all sides in turn (medians are printed)")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for measurement in measurements():
        for row in measure(measurement, given.rounds):
            rows.append(asdict(row))
            print(line(row), flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def line(row: Row) -> str:
    """A row in words."""
    text = f"{row.what}: {row.ours_s:.3g} s ({row.spread}), {row.ours_rate:,.4g} {row.unit}/s"
    if row.ratio is not None:
        text += f"; {row.peer} {row.peer_rate:,.4g}: {row.ratio:.3g} x"
    if row.share is not None:
        text += f"; {row.share:.0%} of {row.limit}"
    if row.reached is not None:
        text += f"; aim {row.aim}: {'reached' if row.reached else 'not reached'}"
    return text + f"; peak {row.peak_mib:,.0f} MiB" + (f"; {row.note}" if row.note else "")

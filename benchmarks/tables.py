"""make tables: `mmbio tables` and then `mmbio report`, as whole processes, cold and warm.

    python -m benchmarks.tables [--rounds 5] [--cold-rounds 1] [--home DIR]

Cold is a new folder each time: all networks trained, all cells evaluated, all tables, figures and the page written.
It takes minutes, so it is measured once unless more rounds are asked for. Warm is the same again in the last of these
folders, where all is finished; with --home it is that folder, and cold is left out.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import ROUNDS, Measurement, Row, Side, line, measure

COLD_S: Final = 300.0
WARM_S: Final = 5.0
IMPORTED: Final = "import sys; from mmbio.cli.main import main; main(sys.argv[1:])"


def make_tables(home: Path) -> None:
    """Run both verbs as `make tables` does, each in a process of its own."""
    for words in (["tables"], ["report"]):
        run = [sys.executable, "-c", IMPORTED]
        environment = {name: value for name, value in os.environ.items() if name not in ("MMBIO_HOME", "MMBIO_DATA")}
        subprocess.run([*run, *words, "--out", str(home)], check=True, stdout=subprocess.DEVNULL, env=environment)  # noqa: S603


def make_cold(home: Path | None) -> None:
    """The same in a new folder; the harness's warm-up, which is given none, does nothing."""
    if home is not None:
        make_tables(home)


def contents(home: Path) -> dict[str, bytes]:
    """The files that a run of tables writes for people."""
    places = [*(home / "tables").rglob("*"), home / "report.html"]
    return {str(path.relative_to(home)): path.read_bytes() for path in places if path.is_file()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure cold, then warm, and print both rows; warm must leave every file as it was."""
    parser = argparse.ArgumentParser(description="Time make tables, cold and warm.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of warm runs")
    parser.add_argument("--cold-rounds", type=int, default=1, help="of cold runs, which take minutes each")
    parser.add_argument("--home", type=Path, help="a finished folder of runs; cold is then left out")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    given = parser.parse_args(arguments)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        homes = iter([None, *(Path(scratch) / str(number) for number in range(given.cold_rounds))])
        home = given.home or Path(scratch) / str(given.cold_rounds - 1)
        if given.home is None:
            cold = Measurement("make tables, cold", "runs", Side("mmbio", lambda: make_cold(next(homes)), 1),
                               aim_s=COLD_S, note=f"{given.cold_rounds} run(s), no warm-up")  # fmt: skip
            rows += measure(cold, given.cold_rounds)
            print(line(rows[-1]), flush=True)
        before = contents(home)
        warm = Measurement("make tables, warm", "runs", Side("mmbio", lambda: make_tables(home), 1), aim_s=WARM_S)
        rows += measure(warm, given.rounds)
        if contents(home) != before:
            raise SystemExit("a warm run changed a file")
        print(line(rows[-1]), flush=True)
    if given.json:
        found: list[dict[str, Any]] = [asdict(row) for row in rows]
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

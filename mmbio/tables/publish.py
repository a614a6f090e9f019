"""publish: the tables of a run, computed, rendered and written with all that stands behind them.

<home>/tables/<label>/NAME.txt .md .tex .csv .json, NAME-cells.csv, NAME-rows.csv    each table
                      NAME-variance.txt ...    its spread over seeds, where that was asked for
                      figures/                 PNG and SVG, and figures.json
                      audit.json audit.txt     what the manifest's parts share
                      environment.json         versions, processor, command and times
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from mmbio import provenance
from mmbio.files import write_json, write_text
from mmbio.measure.leaks.audit import audit
from mmbio.report import Report, silent
from mmbio.tables import explain, formats, spread
from mmbio.tables.cut import for_attributes
from mmbio.tables.drawn import draw
from mmbio.tables.fitting import left_out
from mmbio.tables.run import Finished, Runner, specs_work
from mmbio.tables.spec import TableSpec, spec_folder
from mmbio.tables.write import make, write


@dataclass(frozen=True)
class Published:
    """What was written, the tables as text for a person, and what to tell beside."""

    folder: Path
    files: tuple[Path, ...]
    texts: tuple[str, ...]
    told: tuple[str, ...]


def publish(
    runner: Runner, label: str, specs: list[TableSpec], n_seeds: int | None = None, report: Report = silent
) -> Published:
    """Compute the specs' cells and write everything below `label`; n_seeds > 1 adds their spread over seeds."""
    began = time.time()
    runner.compute([*specs_work(specs), *(spread.work(specs, runner, n_seeds) if n_seeds else ())], report)
    explain.note(runner, label, specs)
    finished, told = _finished(runner, specs)
    out = runner.extraction.home / "tables" / label
    made = [make(one, spec_folder()) for one in finished]
    files = write(made, out)
    texts = [formats.to_text(one.table) for one in made]
    if n_seeds:
        tables = [spread.table(one, n_seeds) for one in finished]
        files += [path for table in tables for path in _write(table, out)]
        texts += [formats.to_text(table) for table in tables]
    report("drawing figures", 0, len(finished))
    for number, one in enumerate(finished, start=1):
        files += draw(one, out)
        report("drawing figures", number, len(finished))
    files += _about(runner, out, began)
    return Published(out, tuple(files), tuple(texts), tuple(told))


def _finished(runner: Runner, specs: list[TableSpec]) -> tuple[list[Finished], list[str]]:
    """The specs with the attributes that samples which were tested have."""
    finished, told = [], []
    for spec in specs:
        cut = for_attributes(spec, runner.attributes(spec))
        told += left_out(spec, cut)
        finished += [Finished(cut, runner)] if cut.rows else []
    return finished, told


def _write(table: formats.Table, out: Path) -> list[Path]:
    paths = []
    for suffix, render in formats.FORMATS.items():
        paths.append(out / f"{table.name}.{suffix}")
        write_text(paths[-1], render(table))
    return paths


def _about(runner: Runner, out: Path, began: float) -> list[Path]:
    """The audit of the manifest, and the environment of the run."""
    # Which other manifests stand below the same home says nothing of this one.
    found = replace(audit(runner.manifest, runner.extraction), pairings=())
    paths = [out / "audit.json", out / "audit.txt", out / "environment.json"]
    write_json(paths[0], found.to_json())
    write_text(paths[1], "".join(f"{line}\n" for line in found.lines()))
    write_json(paths[2], provenance.environment(began) | {"manifest": runner.manifest.hash})
    return paths

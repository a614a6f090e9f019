"""publish: the tables of a run, computed, rendered and written with all that stands behind them.

<home>/tables/<label>/NAME.txt .md .tex .csv .json, NAME-cells.csv, NAME-rows.csv    each table
                      NAME-variance.txt ...    its spread over seeds, where that was asked for
                      figures/                 PNG and SVG, and figures.json
                      audit.json audit.txt     what the manifest's parts share
                      environment.json         versions, processor, command and times
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mmbio import provenance
from mmbio.embed.settings import threads
from mmbio.errors import MmbioError
from mmbio.files import Json, read_json, write_json, write_text
from mmbio.measure.leaks.audit import audit
from mmbio.report import Report, silent
from mmbio.tables import explain, formats, identity, spread
from mmbio.tables.cut import for_attributes
from mmbio.tables.drawn import Here, begin
from mmbio.tables.fitting import left_out
from mmbio.tables.kept import Made, Notes
from mmbio.tables.run import Finished, Runner, specs_work
from mmbio.tables.spec import TableSpec, spec_folder
from mmbio.tables.write import make, write
from mmbio.workers import spawned

FEW: Final = 4  # so many figures are drawn sooner than other processes are there


@dataclass(frozen=True)
class Published:
    """What was written, the tables as text for a person, and what to tell beside."""

    folder: Path
    files: tuple[Path, ...]
    texts: tuple[str, ...]
    told: tuple[str, ...]


@dataclass(frozen=True)
class _Press:
    """Where the tables of a run are written, and the notes of what stands there."""

    runner: Runner
    out: Path
    notes: Notes
    n_seeds: int | None

    def table(self, one: Finished, of: Json) -> list[Path]:
        """The files of a table."""
        return self._kept(f"table {one.spec.name}", of, lambda: write([make(one, spec_folder())], self.out))

    def spread(self, one: Finished, of: Json) -> list[Path]:
        """The files of its spread over seeds; none where it was not asked for."""
        if not self.n_seeds:
            return []
        n_seeds = self.n_seeds
        further = [self.runner.evaluator(s) for s in spread.work([one.spec], self.runner, n_seeds)]
        made_of = [of, n_seeds, [identity.contents(evaluator.folder) for evaluator in further]]
        return self._kept(f"spread {one.spec.name}", made_of, lambda: _write(spread.table(one, n_seeds), self.out))

    def about(self, began: float) -> list[Path]:
        """The audit of the manifest, and the environment of the run that last made anything."""
        paths = self._kept("audit", identity.of_audit(self.runner), lambda: _audit(self.runner, self.out))
        environment = self.out / "environment.json"
        if self.notes.is_new or not environment.is_file():
            now = provenance.environment(began)
            earlier = {"earlier": _earlier(environment, now["command"]), "manifest": self.runner.manifest.hash}
            write_json(environment, now | earlier)
        return [*paths, environment]

    def _kept(self, what: str, of: Json, make: Callable[[], list[Path]]) -> list[Path]:
        return list(self.notes.keep(f"{self.out.name}/{what}", of, lambda: Made(tuple(make()))).files)


def _earlier(environment: Path, but: Any) -> list[Any]:
    """The other commands that wrote into the folder of an environment, the oldest first."""
    try:
        before = read_json(environment, "environment") if environment.is_file() else {}
    except MmbioError:  # it is written anew
        before = {}
    known = before.get("earlier")
    found = [*(known if isinstance(known, list) else []), before.get("command")]
    return [command for command in found if command not in (None, but)]


def publish(
    runner: Runner, label: str, specs: list[TableSpec], n_seeds: int | None = None, report: Report = silent
) -> Published:
    """Compute the specs' cells and write everything below `label`; n_seeds > 1 adds their spread over seeds.

    What stands there, made of the same, is left as it is.
    """
    began = time.time()
    runner.compute([*specs_work(specs), *(spread.work(specs, runner, n_seeds) if n_seeds else ())], report)
    explain.note(runner, label, specs)
    finished, told = _finished(runner, specs)
    tables = runner.extraction.home / "tables"
    press = _Press(runner, tables / label, Notes(tables), n_seeds)
    made_of = [identity.of_table(one, spec_folder()) for one in finished]
    with _drawers(sum(len(one.spec.figures) for one in finished)) as pool:
        drawn = [begin(one, press.out, pool, press.notes, of) for one, of in zip(finished, made_of, strict=True)]
        written = [press.table(one, of) for one, of in zip(finished, made_of, strict=True)]
        spreads = [press.spread(one, of) for one, of in zip(finished, made_of, strict=True)]
        report("drawing figures", 0, len(finished))
        figures: list[Path] = []
        for number, one in enumerate(drawn, start=1):
            figures += one.finish()
            report("drawing figures", number, len(finished))
    about = press.about(began)
    press.notes.save()
    texts = [path.read_text(encoding="utf-8") for paths in (*written, *spreads) for path in paths if _is_text(path)]
    files = [path for paths in (*written, *spreads) for path in paths] + figures + about
    return Published(press.out, tuple(files), tuple(texts), tuple(told))


@contextmanager
def _drawers(n_figures: int) -> Iterator[Executor]:
    """Processes that draw so many figures beside each other: what draws is not safe among threads."""
    if n_figures <= FEW or threads() == 1:
        yield Here()
        return
    with spawned.pool(threads()) as pool:
        yield pool


def _finished(runner: Runner, specs: list[TableSpec]) -> tuple[list[Finished], list[str]]:
    """The specs with the attributes that samples which were tested have."""
    finished, told = [], []
    for spec in specs:
        cut = for_attributes(spec, runner.attributes(spec))
        told += left_out(spec, cut)
        finished += [Finished(cut, runner)] if cut.rows else []
    return finished, told


def _is_text(path: Path) -> bool:
    return path.suffix == ".txt"


def _write(table: formats.Table, out: Path) -> list[Path]:
    paths = []
    for suffix, render in formats.FORMATS.items():
        paths.append(out / f"{table.name}.{suffix}")
        write_text(paths[-1], render(table))
    return paths


def _audit(runner: Runner, out: Path) -> list[Path]:
    # Which other manifests stand below the same home says nothing of this one.
    found = replace(audit(runner.manifest, runner.extraction), pairings=())
    paths = [out / "audit.json", out / "audit.txt"]
    write_json(paths[0], found.to_json())
    write_text(paths[1], "".join(f"{line}\n" for line in found.lines()))
    return paths

"""write: finished tables -> files in every format, with the cells and the tidy rows behind them for machines."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmbio.files import write_text
from mmbio.measure import results
from mmbio.tables import cells
from mmbio.tables.best import best_or_level
from mmbio.tables.cells import Figures
from mmbio.tables.formats import FORMATS, Table
from mmbio.tables.measured import measured
from mmbio.tables.notes import notes
from mmbio.tables.render import measured_table
from mmbio.tables.reported import read_reported
from mmbio.tables.run import Finished


@dataclass(frozen=True)
class Made:
    """A finished spec, its figures, and the table of them."""

    finished: Finished
    figures: Figures
    table: Table


def make(finished: Finished, folder: Path) -> Made:
    """The table of a spec: beside the paper's figures on real data, apart from them on synthetic data."""
    manifest, spec = finished.runner.manifest, finished.spec
    reported = folder / "reported" / f"{spec.reported or spec.name}.csv"
    own = any("vectors" in source for source in manifest.info["sources"].values())  # not the paper's experiment
    beside = not manifest.is_synthetic and not own and reported.is_file()
    values = read_reported(reported, spec, whole=False) if beside else {}  # the spec may be cut to the data
    best = best_or_level(finished)
    found = measured(finished, best)
    figures = Figures(spec, found, values or None, str(manifest.info["data"]), manifest.is_synthetic)
    told = [*notes(finished, found.values()), *best.notes(spec)]
    return Made(finished, figures, measured_table(spec, found, told, values or None))


def write(made: Sequence[Made], out: Path) -> list[Path]:
    """Write each table as `out`/NAME.FORMAT, its cells as NAME.json and NAME-cells.csv, the result rows behind it as
    NAME-rows.csv, and what it cost to train.
    """
    written = []
    for one in made:
        name = one.finished.spec.name
        texts = {f"{name}.{suffix}": render(one.table) for suffix, render in FORMATS.items()}
        texts[f"{name}.json"] = cells.to_json(one.figures, one.table)
        texts[f"{name}-cells.csv"] = cells.to_csv(one.figures)
        texts[f"{name}-rows.csv"] = results.to_csv(list(dict.fromkeys(one.finished.rows.values())))
        if one.finished.spec.cost:
            texts[f"{name}-cost.json"] = json.dumps(one.finished.costs(), indent=2) + "\n"
        for file, text in texts.items():
            written.append(out / file)
            write_text(written[-1], text)
    return written

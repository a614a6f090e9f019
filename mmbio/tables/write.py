"""write: finished tables -> files in every format, with the tidy rows behind them."""

import json
from collections.abc import Sequence
from pathlib import Path

from mmbio.files import write_text
from mmbio.measure import results
from mmbio.tables.formats import FORMATS, Table
from mmbio.tables.measured import measured
from mmbio.tables.notes import notes
from mmbio.tables.render import measured_table
from mmbio.tables.reported import read_reported
from mmbio.tables.run import Finished


def table(finished: Finished, folder: Path) -> Table:
    """The table of a spec: beside the paper's figures on real data, apart from them on synthetic data."""
    reported = folder / "reported" / f"{finished.spec.name}.csv"
    sources = finished.runner.manifest.info["sources"].values()
    own = any("vectors" in source for source in sources)  # somebody's own embeddings are not the paper's experiment
    beside = not finished.runner.manifest.is_synthetic and not own and reported.is_file()
    values = read_reported(reported, finished.spec, whole=False) if beside else {}  # the spec may be cut to the data
    figures = measured(finished)
    return measured_table(finished.spec, figures, notes(finished, figures.values()), values or None)


def write(made: Sequence[tuple[Finished, Table]], out: Path) -> list[Path]:
    """Write each table as `out`/NAME.FORMAT, the result rows behind it as NAME-rows.csv, and what it cost to train."""
    written = []
    for finished, rendered in made:
        name = finished.spec.name
        texts = {f"{name}.{suffix}": render(rendered) for suffix, render in FORMATS.items()}
        texts[f"{name}-rows.csv"] = results.to_csv(list(dict.fromkeys(finished.rows.values())))
        if finished.spec.cost:
            texts[f"{name}-cost.json"] = json.dumps(finished.costs(), indent=2) + "\n"
        for file, text in texts.items():
            written.append(out / file)
            write_text(written[-1], text)
    return written

"""write: finished tables -> files in every format, with the tidy rows behind them."""

from collections.abc import Sequence
from pathlib import Path

from mmbio.files import write_text
from mmbio.measure import results
from mmbio.tables.formats import FORMATS, Table
from mmbio.tables.render import measured_table
from mmbio.tables.run import Finished
from mmbio.tables.spec import read_reported


def table(finished: Finished, folder: Path) -> Table:
    """The table of a spec: beside the paper's figures on real data, apart from them on synthetic data."""
    reported = folder / "reported" / f"{finished.spec.name}.csv"
    beside = not finished.runner.manifest.is_synthetic and reported.is_file()
    return measured_table(
        finished.spec,
        finished.measured(),
        finished.provenance(),
        read_reported(reported, finished.spec) if beside else None,
    )


def write(made: Sequence[tuple[Finished, Table]], out: Path) -> list[Path]:
    """Write each table as `out`/NAME.FORMAT and all their result rows as `out`/rows.csv."""
    written = []
    for finished, rendered in made:
        for suffix, render in FORMATS.items():
            written.append(out / f"{finished.spec.name}.{suffix}")
            write_text(written[-1], render(rendered))
    rows = {(r.result, r.task): r for finished, _ in made for r in finished.rows.values()}
    written.append(out / "rows.csv")
    write_text(written[-1], results.to_csv(list(rows.values())))
    return written

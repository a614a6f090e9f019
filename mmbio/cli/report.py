"""mmbio report."""

import json
from pathlib import Path

import click

from mmbio.cli import options
from mmbio.words import plural


@click.command("report", short_help="One HTML page of tables, figures, audit and provenance.")
@click.argument("labels", metavar="[LABEL]...", nargs=-1)
@click.option("--to", metavar="FILE", help="The page.  [default: report.html in the folder of runs]")
@click.option("--title", metavar="TEXT", help="Heading of the page.  [default: Multimodal biometrics, measured]")
@options.out
@options.as_json
@options.quiet
def command(
    labels: tuple[str, ...], to: str | None, title: str | None, out: str | None, as_json: bool, quiet: bool
) -> None:
    """One HTML page of tables, figures, audit and provenance.

    LABEL is the name of a folder that `mmbio tables` wrote, or the path of one (all of the folder of runs by
    default, the newest first). The page needs nothing beside it and loads nothing: it can be sent as it is,
    read on a phone, and printed.

    \b
    Examples:
      mmbio report
      mmbio report synthetic-58-triplet-quick --to pages/synthetic.html
      mmbio report tables/one tables/other --title "Two data sets"
    """
    from mmbio.errors import MmbioError
    from mmbio.files import home
    from mmbio.tables import report

    if title is not None and not title.strip():
        raise MmbioError("--title: empty; give a heading for the page, or leave it out")
    folder = home(out)
    path = Path(to) if to else folder / "report.html"
    if path.is_dir():
        raise MmbioError(
            f"--to {path}: a folder, which would be replaced; give the name of a file, such as report.html"
        )
    found = report.keep(report.folders(folder, labels), path, title or report.TITLE)
    size = path.stat().st_size
    if as_json:
        click.echo(json.dumps({"file": str(path), "n_bytes": size, "labels": found}))
    elif not quiet:
        n_tables = sum(len(told["tables"]) for told in found.values())
        n_figures = sum(told["n_figures"] for told in found.values())
        click.echo(
            f"written: {path} ({plural(len(found), 'label')}, {plural(n_tables, 'table')},"
            f" {plural(n_figures, 'figure')}; {size / 1e3:.0f} kB)"
        )

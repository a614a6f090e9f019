"""mmbio download."""

import json
from pathlib import Path

import click

from mmbio.cli import options


@click.command("download", short_help="Put a data set where mmbio finds it.")
@click.argument("name", metavar="SET", type=click.Choice(["synthetic"]))
@click.option("--to", metavar="DIR", help="Where to write the root.  [default: the home folder's data/synthetic]")
@options.seed
@options.out
@options.as_json
@options.quiet
def command(name: str, to: str | None, seed: int, out: str | None, as_json: bool, quiet: bool) -> None:
    """Put a data set where mmbio finds it.

    SET is `synthetic`: small sets of simulated ECGs, drawn faces and grown fingerprints in the real sets'
    own layouts, made on this machine without a network. The other verbs make it by themselves where no
    other data is named.

    \b
    Example:
      mmbio download synthetic --to synthetic-root --seed 1
    """
    from mmbio.cli.progress import progress
    from mmbio.data.sources import synthetic_root
    from mmbio.data.synthetic.root import ensure
    from mmbio.files import home

    root = Path(to) if to else synthetic_root(home(out))
    with progress(quiet or as_json) as report:
        made = ensure(root, seed, report)
    n_files = sum(1 for path in root.rglob("*") if path.is_file())
    if as_json:
        click.echo(json.dumps({"set": name, "root": str(root), "made": made, "seed": seed, "n_files": n_files}))
    elif not quiet:
        click.echo(f"{'written' if made else 'already there'}: {root} ({n_files} files, seed {seed}, synthetic)")

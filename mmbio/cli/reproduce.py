"""mmbio reproduce."""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmbio.cli import options
from mmbio.cli.own_fusion import own_fusion
from mmbio.errors import MmbioError

if TYPE_CHECKING:
    from mmbio.measure.reproduce import Recorded, Reproduction


@click.command("reproduce", short_help="Run one result again, and compare.")
@click.argument("result", metavar="RESULT")
@click.option(
    "--from-checkpoint",
    is_flag=True,
    help="Evaluate with the stored checkpoint and vectors; train and extract nothing.",
)
@click.option("--manifest", metavar="DIR", help="Manifest folder, where it was moved.  [default: that of the result]")
@click.option(
    "--weights", "backbone_weights", metavar="PATH", help="ResNet-50 file, where it was moved.  [default: as then]"
)
@own_fusion
@click.option("--device", metavar="auto|cpu|cuda", help="Where networks run.  [default: as then]")
@click.option("--keep", is_flag=True, help="Keep what the rerun wrote, below reproduced/.")
@options.out
@options.as_json
@options.quiet
@click.pass_context
def command(
    context: click.Context,
    result: str,
    from_checkpoint: bool,
    manifest: str | None,
    backbone_weights: str | None,
    device: str | None,
    keep: bool,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run one result again from its samples, and compare rows and arrays with what is stored.

    RESULT is the hash that stands in results.csv, its first digits (at least 4), or the result's folder. Extracts,
    trains and evaluates in a folder of its own with the settings, the manifest and the number of threads of then,
    says whether bytes or figures are the same, and what differs in code, libraries and machine. The exit code is 0
    where every figure is the same, 1 where one differs, 2 where the result cannot be run again.

    \b
    Examples:
      mmbio reproduce 3f9a
      mmbio reproduce 3f9a --from-checkpoint
      mmbio reproduce runs/results/3f9ab2c4d5e6f708 --keep --json
    """
    import time

    from mmbio.cli.progress import progress
    from mmbio.embed.settings import device_of
    from mmbio.files import home
    from mmbio.measure import reproduce, stored

    began, folder = time.monotonic(), home(out)
    if device:
        device_of(device)
    found = reproduce.recorded(stored.find(folder, result).resolve())
    moved = reproduce.Moved(Path(manifest) if manifest else None, backbone_weights, device)
    with _scratch(folder, found.folder.name, keep) as scratch:
        with progress(quiet or as_json) as report:
            made = reproduce.reproduce(found, scratch, moved, from_checkpoint, report)
        seconds = time.monotonic() - began
        if as_json:
            click.echo(json.dumps(_told(found, made, seconds, keep)))
        elif not quiet:
            _show(found, made, seconds, keep)
    context.exit(1 if made.comparison.verdict == "different" else 0)


@contextmanager
def _scratch(home: Path, name: str, keep: bool) -> Iterator[Path]:
    """A home of its own below reproduced/, removed at the end unless kept; after an error, or a kill by the next."""
    from mmbio.files import OWNER, alone

    place = home / "reproduced"
    try:
        place.mkdir(exist_ok=True)
        with alone(place):
            _sweep(place, OWNER)
            scratch = Path(tempfile.mkdtemp(dir=place, prefix=f"{name[:8]}-"))
            owner = (scratch / OWNER).open("wb")
            fcntl.flock(owner, fcntl.LOCK_EX)
    except OSError as error:
        raise MmbioError(
            f"{place}: cannot be written to ({error.strerror}); give a writable folder with --out"
        ) from error
    kept = False
    try:
        with owner:
            yield scratch
            kept = keep
            if kept:
                (scratch / OWNER).unlink(missing_ok=True)
    finally:
        if not kept:
            shutil.rmtree(scratch, ignore_errors=True)
            with suppress(OSError):
                place.rmdir()


def _sweep(place: Path, owner: str) -> None:
    """Remove what killed reruns left: their owner is there, and nobody holds it any more."""
    for file in place.glob(f"*/{owner}"):
        with suppress(OSError), file.open("r+b") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(file.parent, ignore_errors=True)


def _told(found: "Recorded", made: "Reproduction", seconds: float, keep: bool) -> dict[str, Any]:
    comparison = made.comparison
    return {
        "result": found.sidecar.result,
        "verdict": comparison.verdict,
        "sentence": comparison.sentence,
        "n_rows": comparison.n_rows,
        "n_arrays": comparison.n_arrays,
        "columns": {name: {"n_rows": n, "most": most} for name, (n, most) in comparison.columns.items()},
        "arrays": comparison.arrays,
        "rows_gone": comparison.gone,
        "rows_new": comparison.new,
        "left_out": comparison.left_out,
        "changes": {name: {"then": then, "now": now} for name, (then, now) in made.changes.items()},
        "made": found.sidecar.began,
        "seconds": round(seconds, 2),
        "kept": str(made.folder) if keep else None,
    }


def _show(found: "Recorded", made: "Reproduction", seconds: float, keep: bool) -> None:
    config, comparison = found.config, made.comparison
    click.echo(
        f"{found.sidecar.result[:8]}: {config.fusion} of {'+'.join(config.modalities)}, {found.sidecar.data} data,"
        f" trained under {config.condition}, tested under {found.key['condition']}"
    )
    click.echo(f"made {found.sidecar.began or 'at a time that was not noted'}; run again in {seconds:.1f} s")
    click.echo(comparison.sentence)
    if comparison.left_out:
        told = ", ".join(f"{name} ({why})" for name, why in comparison.left_out.items())
        click.echo(f"columns left out: {told}")
    if comparison.new:
        click.echo(f"rows that were not there: {', '.join(comparison.new)}")
    if not made.changes:
        click.echo("then and now: the same code, libraries, processor and number of threads")
    for name, (then, now) in made.changes.items():
        click.echo(f"differs: {name}: {then or '-'} then, {now or '-'} now")
    if keep:
        click.echo(f"kept: {made.folder}")

"""mmbio eval."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.protocols import PROTOCOLS

if TYPE_CHECKING:
    from mmbio.measure.results import ResultRow


@click.command("eval", short_help="Test a checkpoint under a condition.")
@options.protocol
@click.option("--checkpoint", metavar="FILE", help="What mmbio train wrote.  [default: the newest of the protocol]")
@click.option(
    "--manifest", metavar="DIR", help="Manifest folder.  [default: the one that the checkpoint was trained on]"
)
@options.noise
@options.missing
@click.option(
    "--unseen", is_flag=True, help="Gender on people not trained on: the same fusion, trained on folds over subjects."
)
@click.option(
    "--weights", "backbone_weights", metavar="PATH", help="ResNet-50 file, for a checkpoint that was trained on one."
)
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda", help="Where networks run.")
@options.out
@options.as_json
@options.quiet
def command(
    protocol: str,
    checkpoint: str | None,
    manifest: str | None,
    noises: tuple[str, ...],
    missing: tuple[str, ...],
    unseen: bool,
    backbone_weights: str | None,
    device: str,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Test a checkpoint on the test triplets under a condition.

    The condition replaces the one of training: modalities it does not name are clean. Prints accuracy as the
    mean over the fold models, with a 95 % interval that draws subjects, the number of distinct decisions, and for
    gender the accuracy of always answering the majority. Adds rows to results.csv and keeps the posteriors.

    \b
    Examples:
      mmbio eval --noise face=0.97
      mmbio eval --noise face=0.97 --missing ecg
      mmbio eval --noise paper --unseen
    """
    from dataclasses import replace

    from mmbio.cli.progress import progress
    from mmbio.data import manifest as manifests
    from mmbio.fuse import checkpoint as checkpoints
    from mmbio.fuse import run
    from mmbio.measure.evaluate import Evaluator, settings_of

    settings = options.settings(out, "auto", "auto", device)
    path = Path(checkpoint) if checkpoint else checkpoints.newest(settings.home, protocol)
    if path is None:
        raise MmbioError(
            f"{settings.home}: no checkpoint of protocol {protocol} there; run mmbio train first, or give --checkpoint"
        )
    trained = checkpoints.read(path, protocol)
    folder = Path(manifest) if manifest else manifests.of_hash(settings.home, trained.key["manifest"])
    found = manifests.read(folder)
    condition = options.condition(noises, missing, PROTOCOLS[protocol], trained.config.modalities)
    settings = settings_of(trained, settings, backbone_weights)
    if not quiet and not as_json:
        click.echo(f"checkpoint: {path}", err=True)
    with progress(quiet or as_json) as report:
        if unseen:
            trained = run.train(found, replace(trained.config, unseen=True, tasks=("gender",)), settings, report)
        evaluator = Evaluator(found, trained, condition, settings)
        evaluation = evaluator.run(report)
    evaluator.save(evaluation)
    rows = evaluator.rows(evaluation)
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps([asdict(row) for row in rows]))
    elif not quiet:
        _show(rows)
        click.echo(f"written: {evaluator.folder} and {settings.home / 'results.csv'}")


def _show(rows: "list[ResultRow]") -> None:
    from rich.console import Console
    from rich.table import Table

    first = rows[0]
    click.echo(
        f"{first.fusion} of {first.modalities}, {first.data} data, {first.n_subjects} subjects, {first.split} split"
    )
    click.echo(f"trained under {first.train_condition}, tested under {first.test_condition}")
    click.echo(f"weights {first.weights or '-'}, seed {first.seed}")
    table = Table("task", "accuracy", "95 % interval", "fold models", "n", "majority")
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        if row.fold != "mean" or row.metric != "accuracy":
            continue
        folds = [r.value for r in rows if r.task == row.task and r.fold != "mean"]
        spread = f"{len(folds)}: {100 * min(folds):.1f}-{100 * max(folds):.1f} %" if folds else "1"
        majority = [f"{100 * r.value:.1f} %" for r in rows if r.task == row.task and r.metric == "majority"]
        assert row.low is not None and row.high is not None
        table.add_row(
            row.task,
            f"{100 * row.value:.1f} %",
            f"{100 * row.low:.1f} to {100 * row.high:.1f}",
            spread,
            str(row.n),
            *(majority or ["-"]),
        )
    console = Console(width=None if Console().is_terminal else 110)
    console.print(table)
    if first.n_missing:
        console.print(f"{first.n_missing} of {first.n} items miss a modality, and the system is told", highlight=False)

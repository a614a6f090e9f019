"""mmbio eval."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mmbio.cli import options
from mmbio.cli.own_fusion import own_fusion
from mmbio.cli.score import norm_options, top_of
from mmbio.errors import MmbioError
from mmbio.protocols import PROTOCOLS
from mmbio.words import plural

if TYPE_CHECKING:
    from mmbio.data.manifest import Manifest
    from mmbio.measure.results import ResultRow
    from mmbio.measure.trials import Trials


OF_SCORES: Final = {  # metric -> its name, times what, with how many digits and which sign it is printed
    "eer": ("EER", 100, 2, " %"),
    "min_dcf": ("minDCF", 1, 3, ""),
    "act_dcf": ("actDCF", 1, 3, ""),
    "cllr": ("Cllr", 1, 3, ""),
    "min_cllr": ("min Cllr", 1, 3, ""),
}
OF_TRIALS: Final = (
    *("trials", "strip_suffix", "missing_trials", "eer", "p_target", "preset", "by_gender"),
    *("score_norm", "top"),
)


@click.command("eval", short_help="Test a checkpoint under a condition.")
@options.protocol
@click.option("--checkpoint", metavar="FILE", help="What mmbio train wrote.  [default: the newest of the protocol]")
@click.option(
    "--manifest", metavar="DIR", help="Manifest folder.  [default: the one that the checkpoint was trained on]"
)
@own_fusion
@options.noise
@options.missing
@click.option(
    "--unseen", is_flag=True, help="Gender on people not trained on: the same fusion, trained on folds over subjects."
)
@click.option(
    "--weights", "backbone_weights", metavar="PATH", help="ResNet-50 file, for a checkpoint that was trained on one."
)
@click.option(
    "--trials", metavar="FILE", help="Trial list by ids, '1 a b', 'a b target' or CSV.  [default: the manifest's]"
)
@click.option("--strip-suffix", metavar="SUFFIX", help="Taken off the ids of list and data before they are compared.")
@click.option("--missing-trials", type=click.Choice(["error", "skip"]), default="error", show_default=True,
              help="Trials that cannot be scored: refuse, or leave them out and count them.")  # fmt: skip
@click.option("--eer", type=click.Choice(options.EER), default="linear", show_default=True,
              help="Convention of the EER that is printed first.")  # fmt: skip
@click.option("--p-target", type=float, help="Prior of minDCF, both costs 1.  [default: 0.01]")
@click.option(
    "--preset", type=click.Choice(options.PRESETS), help="minDCF of an evaluation campaign, in place of --p-target."
)
@click.option("--by-gender", is_flag=True, help="Also the figures of trials inside each gender.")
@norm_options
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda", help="Where networks run.")
@options.workers
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
    trials: str | None,
    strip_suffix: str | None,
    missing_trials: str,
    eer: str,
    p_target: float | None,
    preset: str | None,
    by_gender: bool,
    score_norm: str,
    top: int | None,
    device: str,
    workers: int | None,
    scheduler: str | None,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Test a checkpoint on the test items under a condition.

    The condition replaces the one of training: modalities it does not name are clean. Prints accuracy as the
    mean over the fold models, with a 95 % interval that draws subjects, the number of distinct decisions, and for
    gender the accuracy of always answering the majority; of verification EER and minDCF with the numbers of
    trials. --score-norm takes the training subjects as its cohort, never anybody of the test: of each the mean fused
    vector under the condition of training. Adds rows to results.csv and keeps posteriors or scores.

    \b
    Examples:
      mmbio eval --noise face=0.97
      mmbio eval --noise face=0.97 --missing ecg
      mmbio eval --noise paper --unseen
      mmbio eval --protocol audiovisual --noise voice=random
      mmbio eval --protocol audiovisual --missing face --preset sre08
      mmbio eval --protocol audiovisual --score-norm as-norm --top 200
    """
    from dataclasses import replace

    from mmbio.cli.progress import progress
    from mmbio.data import manifest as manifests
    from mmbio.fuse import checkpoint as checkpoints
    from mmbio.fuse import run
    from mmbio.measure.dcf import Cost
    from mmbio.measure.evaluate import Evaluator, settings_of
    from mmbio.measure.verify import Options

    options.only_for(PROTOCOLS[protocol], {"audiovisual": OF_TRIALS})
    if p_target is not None and preset:
        raise MmbioError(f"--p-target {p_target:g}: the preset {preset} has a prior of its own; give one of the two")
    if strip_suffix and trials is None:
        raise MmbioError(f"--strip-suffix {strip_suffix}: is for the ids of a list; add --trials, or leave it out")
    cost = Cost() if p_target is None else Cost(p_target)
    settings = options.settings(out, "auto", "auto", device)
    options.compute_on(workers, scheduler, quiet or as_json)
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
    if unseen and trained.config.verifies:
        raise MmbioError("--unseen: verification always tests subjects that were not trained on; leave it out")
    how = Options(eer, preset or "", cost, by_gender, missing_trials == "skip", score_norm, top_of(score_norm, top))
    listed = _trials(found, trials, strip_suffix, missing_trials == "skip")
    if not quiet and not as_json:
        click.echo(f"checkpoint: {path}", err=True)
    with progress(quiet or as_json) as report:
        if unseen:
            trained = run.train(found, replace(trained.config, unseen=True, tasks=("gender",)), settings, report)
        evaluator = Evaluator(found, trained, condition, settings, listed, how)
        evaluation = evaluator.run(report)
    evaluator.save(evaluation)
    rows = evaluator.rows(evaluation)
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps([asdict(row) for row in rows]))
    elif not quiet:
        (_show_trials if trained.config.verifies else _show)(rows)
        click.echo(f"written: {evaluator.folder} and {settings.home / 'results.csv'}")


def _trials(found: "Manifest", path: str | None, suffix: str | None, skip: bool) -> "Trials | None":
    """The trials of a user's list, None for the manifest's own; ids that are not known are shown unless skipped."""
    if path is None:
        return None
    from mmbio.data import trial_lists
    from mmbio.measure.trials import of_list

    listed = trial_lists.read(Path(path))
    trials = of_list(found, listed, f"list {Path(path).name}", suffix)
    if not skip and min(trials.enrolment.min(), trials.probe.min()) < 0:
        ids = found.items["id"].to_numpy(str)[(found.items["split"] == "test").to_numpy()]
        raise trial_lists.not_found(ids, listed, trials.enrolment, trials.probe, f"--trials {path}")
    return trials


def _head(first: "ResultRow") -> None:
    speech = f", {first.segment_s} s of speech" if first.segment_s else ""
    click.echo(
        f"{first.fusion} of {first.modalities}, {first.data} data, {plural(first.n_subjects, 'subject')}, {first.split}"
        f" split{speech}"
    )
    click.echo(f"trained under {first.train_condition}, tested under {first.test_condition}")
    rule = f", {first.rule_weights}" if first.rule_weights else ""
    click.echo(f"weights {first.weights or '-'}, seed {first.seed}{rule}")


def _show_trials(rows: "list[ResultRow]") -> None:
    from rich.console import Console
    from rich.table import Table

    first = rows[0]
    _head(first)
    click.echo(f"trials {first.trials}")
    console = Console(width=None if Console().is_terminal else 110)
    shown = [row for row in rows if row.metric in OF_SCORES]
    for given in dict.fromkeys(row.given for row in shown):
        of = [row for row in shown if row.given == given]
        counts = f"{of[0].n_genuine} genuine and {of[0].n_impostor} impostor trials"
        click.echo(f"{given}: {counts}" if given else counts)
        table = Table("figure", "", "value", "95 % interval")
        for row in of:
            name, scale, digits, sign = OF_SCORES[row.metric]
            low, high = row.low, row.high
            table.add_row(
                name,
                row.convention,
                f"{scale * row.value:.{digits}f}{sign}",
                "-" if low is None or high is None else f"{scale * low:.{digits}f} to {scale * high:.{digits}f}",
                end_section=row.metric == "min_dcf",
            )
        console.print(table)
    if not any(row.metric == "cllr" for row in shown):
        click.echo("no calibration figures: no dev trials of both kinds between people whom nothing was trained on")
    if first.n_imputed:
        console.print(f"{first.n_imputed} of {first.n} trials miss a modality on a side, and the system is told",
                      highlight=False)  # fmt: skip
    if first.n_missing:
        asked = first.n + first.n_missing
        console.print(f"{first.n_missing} of {asked} trials were left out: they cannot be scored", highlight=False)


def _show(rows: "list[ResultRow]") -> None:
    from rich.console import Console
    from rich.table import Table

    first = rows[0]
    _head(first)
    table = Table("task", "accuracy", "95 % interval", "fold models", "n", "majority")
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        if row.fold != "mean" or row.metric != "accuracy":
            continue
        folds = [r.value for r in rows if r.task == row.task and r.fold != "mean"]
        spread = f"{len(folds)}: {100 * min(folds):.1f}-{100 * max(folds):.1f} %" if folds else "1"
        majority = [f"{100 * r.value:.1f} %" for r in rows if r.task == row.task and r.metric == "majority"]
        interval = "-" if row.low is None or row.high is None else f"{100 * row.low:.1f} to {100 * row.high:.1f}"
        table.add_row(
            row.task,
            f"{100 * row.value:.1f} %",
            interval,
            spread,
            str(row.n),
            *(majority or ["-"]),
        )
    console = Console(width=None if Console().is_terminal else 110)
    console.print(table)
    if first.n_imputed:
        console.print(f"{first.n_imputed} of {first.n} items miss a modality, and the system is told", highlight=False)

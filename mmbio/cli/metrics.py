"""mmbio metrics."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from mmbio.cli import options
from mmbio.words import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmbio.data.score_files import Scores
    from mmbio.measure.dcf import Cost
    from mmbio.measure.rates import Points

BESIDE: Final = "rocch"  # printed beside the headline convention


@click.command("metrics", short_help="EER and minDCF of anybody's scores.")
@click.argument("scores", metavar="SCORES")
@click.option("--labels", metavar="FILE", help="A .npy of 0 and 1 for a .npy of scores; a trial list for Kaldi's form.")
@click.option(
    "--eer",
    "convention",
    type=click.Choice(options.EER),
    default="linear",
    show_default=True,
    help="The EER's convention; rocch is printed beside it.",
)
@click.option(
    "--p-target", type=float, help="Prior of a genuine trial in minDCF, costs being 1 and 1.  [default: 0.01]"
)
@click.option(
    "--preset", type=click.Choice(options.PRESETS), help="Prior and costs of an evaluation, in place of --p-target."
)
@click.option(
    "--missing-trials",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="Trials without a score: refuse them, or leave them out and count them.",
)
@click.option(
    "--intervals",
    is_flag=True,
    help="95 % intervals of the linear EER and minDCF, by drawing subjects: of trials whose ids are SUBJECT/....",
)
@options.seed
@click.option(
    "--out", metavar="DIR", help="Write metrics.json, det.csv and det.png there.  [default: nothing is written]"
)
@options.as_json
@options.quiet
def command(
    scores: str,
    labels: str | None,
    convention: str,
    p_target: float | None,
    preset: str | None,
    missing_trials: str,
    intervals: bool,
    seed: int,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """EER and minDCF of anybody's scores.

    SCORES is a file of scores, higher meaning more alike: .npy, with --labels another .npy; CSV or TSV with a
    column score and one of genuine, label and target (0/1, true/false, target/nontarget, genuine/impostor); or
    Kaldi's `enrol probe score`, with --labels a trial list: VoxCeleb's (1 a b), Kaldi's (a b target) or CSV with
    the columns enrolment, probe and genuine; or WeSpeaker's `enrol probe score target`. Scores of pairs that are
    not in the list are left out and counted.
    --intervals wants ids that say their subject, as VoxCeleb's id10270/x6uYqmx31kE/00001.wav do, in any of these
    forms, or columns enrolment_subject and probe_subject: trials of one subject are not independent, and intervals
    that took them so would be too narrow.

    \b
    Examples:
      mmbio metrics scores.csv
      mmbio metrics scores.npy --labels labels.npy --preset sre08 --json
      mmbio metrics scores.txt --labels veri_test2.txt --missing-trials skip --out figures
      mmbio metrics scores.txt --labels veri_test2.txt --intervals
    """
    from mmbio.data.score_files import read
    from mmbio.errors import MmbioError
    from mmbio.files import home
    from mmbio.measure import dcf, rates

    if p_target is not None and preset:
        raise MmbioError(f"--p-target {p_target:g}: the preset {preset} has a prior of its own; give one of the two")
    if not intervals and click.get_current_context().get_parameter_source("seed") is ParameterSource.COMMANDLINE:
        raise MmbioError(f"--seed {seed}: only intervals are drawn; add --intervals, or leave it out")
    cost = dcf.Cost() if p_target is None else dcf.Cost(p_target)
    found = read(Path(scores), Path(labels) if labels else None, missing_trials)
    folder = home(out) if out else None
    points = rates.points(found.genuine, found.impostor)
    result = {
        "scores": scores,
        "labels": labels,
        **_counts(found),
        "eer": {name: rates.eer(points, name) for name in dict.fromkeys((convention, BESIDE))},
        "eer_convention": convention,
        "min_dcf": dcf.min_dcf_preset(points, preset) if preset else dcf.min_dcf(points, cost.p_target),
        "min_dcf_parameters": dcf.preset_text(preset) if preset else cost.text,
        "min_dcf_preset": preset,
    }
    if intervals:
        costs = dcf.PRESETS[preset] if preset else (cost,)
        result["intervals"] = _intervals(found, scores, seed, costs)
    files = _write(result, points, folder) if folder else []
    if as_json:
        click.echo(json.dumps({**result, "files": [str(path) for path in files]}, allow_nan=False))
    elif not quiet:
        _show(result, found.unlisted)
        if folder:
            click.echo(f"written: {folder} ({', '.join(path.name for path in files)})")


def _intervals(found: "Scores", path: str, seed: int, costs: "Sequence[Cost]") -> dict[str, Any]:
    """Each figure's low and high, None where there is none, and how the interval came about."""
    from mmbio.errors import MmbioError
    from mmbio.measure.score_intervals import of_ids, of_subjects

    if not found.ids and not found.subjects:
        raise MmbioError(
            f"--intervals: {path} does not say of whom its trials are; give 'enrol probe score' with a trial list, or"
            " CSV with the columns enrolment and probe, their ids like SUBJECT/CLIP, or leave --intervals out"
        )
    enrolment, probe = found.subjects or found.ids
    of = of_subjects if found.subjects else of_ids
    drawn = of(found.genuine, found.impostor, enrolment, probe, seed, costs)
    return {
        name: {"low": _finite(low), "high": _finite(high), "method": drawn.methods[name]}
        for name, (low, high) in drawn.intervals.items()
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _between(one: dict[str, Any], scale: float, sign: str) -> str:
    if one["low"] is None:
        return str(one["method"])
    return f"{scale * one['low']:.4f} to {scale * one['high']:.4f}{sign} ({one['method']})"


def _counts(found: "Scores") -> dict[str, Any]:
    return {
        "n_genuine": len(found.genuine),
        "n_impostor": len(found.impostor),
        "n_expected": found.n_expected,
        "n_scored": found.n_scored,
        "n_missing": found.n_missing,
        "n_unlisted": found.n_unlisted,
        "n_repeated_trials": found.n_repeated,
    }


def _show(result: dict[str, Any], unlisted: tuple[str, ...]) -> None:
    eers = ", ".join(f"{100 * value:.4f} % ({name})" for name, value in result["eer"].items())
    preset = f"{result['min_dcf_preset']}: " if result["min_dcf_preset"] else ""
    click.echo(f"trials    {result['n_genuine']} genuine, {result['n_impostor']} impostor")
    click.echo(
        f"          {result['n_expected']} expected, {result['n_scored']} scored, {result['n_missing']} missing"
        + (" and left out" if result["n_missing"] else "")
    )
    click.echo(f"EER       {eers}")
    click.echo(f"minDCF    {result['min_dcf']:.4f} ({preset}{result['min_dcf_parameters']})")
    if "intervals" in result:
        found = result["intervals"]
        convention = "" if found["eer"]["low"] is None else ", linear"
        click.echo(f"95 %      EER {_between(found['eer'], 100, ' %')}{convention}")
        click.echo(f"          minDCF {_between(found['min_dcf'], 1, '')}")
    if result["n_repeated_trials"]:
        click.echo(f"repeated  {plural(result['n_repeated_trials'], 'trial')}, scored before and counted again")
    if unlisted:
        more = ", ..." if result["n_unlisted"] > len(unlisted) else ""
        click.echo(f"left out  {plural(result['n_unlisted'], 'score')} of no trial ({', '.join(unlisted)}{more})")


def _write(result: dict[str, Any], points: "Points", folder: Path) -> list[Path]:
    """Write the figures, and the DET points as CSV and as a picture."""
    import numpy as np

    from mmbio.files import replacing, write_json
    from mmbio.measure import rates
    from mmbio.tables.plots import det

    fmr, fnmr = rates.det(points)
    files = [folder / name for name in ("metrics.json", "det.csv", "det.png")]
    write_json(files[0], result)
    with replacing(files[1]) as scratch:
        np.savetxt(scratch, np.stack([fmr, fnmr], axis=1), "%.10g", ",", header="fmr,fnmr", comments="")
    title = f"{result['n_genuine']} genuine, {result['n_impostor']} impostor trials"
    det.draw([det.Curve("", fmr, fnmr, result["eer"][result["eer_convention"]])], title, files[2])
    return files

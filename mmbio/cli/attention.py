"""mmbio attention."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.protocols import AUDIOVISUAL, PROTOCOLS

if TYPE_CHECKING:
    import numpy as np

    from mmbio.data.attributes import Attributes
    from mmbio.data.manifest import Manifest
    from mmbio.fuse.checkpoint import Checkpoint
    from mmbio.measure.attention import Analysis
    from mmbio.measure.evaluate import Evaluator


@click.command("attention", short_help="Tell what an attention fusion attends to, by attributes.")
@click.option("--protocol", type=click.Choice(list(PROTOCOLS)), default=AUDIOVISUAL.name, show_default=True,
              help="Which paper's protocol.")  # fmt: skip
@click.option("--checkpoint", metavar="FILE", help="What mmbio train wrote.  [default: the newest of the protocol]")
@click.option(
    "--attributes",
    metavar="FILE",
    help="CSV with the column id and your attributes: 0/1, numbers, or names.  [default: those of the data]",
)
@options.noise
@click.option(
    "--levels",
    metavar="CONDITIONS",
    help="A plot of the mean weights under these conditions, such as 'clean voice=zeros voice=random', or, of real"
    " faces, 'clean face=0.1 face=0.3'.",
)
@click.option("--permutations", type=click.IntRange(0, 100_000), default=2000, show_default=True, help="Of the null.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda", help="Where networks run.")
@options.out
@options.as_json
@options.quiet
def command(
    protocol: str,
    checkpoint: str | None,
    attributes: str | None,
    noises: tuple[str, ...],
    levels: str | None,
    permutations: int,
    device: str,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """What an attention fusion attends to, by attributes of the samples (the audio-visual paper's table 3).

    For every attribute A and modality: P(weight above its mean over all test samples | A), with the paper's Wald
    interval, one that is clustered by subject, and a permutation test that respects subjects (Holm-adjusted
    over the attributes). Writes attention.csv, and with --levels weights.png.

    \b
    Examples:
      mmbio attention
      mmbio attention --attributes attributes.csv --noise voice=random
      mmbio attention --levels "clean voice=zeros voice=random"
    """
    from mmbio.cli.progress import progress
    from mmbio.data import manifest as manifests
    from mmbio.fuse import checkpoint as checkpoints
    from mmbio.measure.evaluate import Evaluator, settings_of

    settings = options.settings(out, "auto", "auto", device)
    path = Path(checkpoint) if checkpoint else checkpoints.newest(settings.home, protocol)
    if path is None:
        raise MmbioError(
            f"{settings.home}: no checkpoint of protocol {protocol} there; run mmbio train --protocol {protocol}"
            " --fusion attention first, or give --checkpoint"
        )
    trained = checkpoints.read(path, protocol)
    _check(trained)
    found = manifests.read(manifests.of_hash(settings.home, trained.key["manifest"]))
    which, used = PROTOCOLS[protocol], trained.config.modalities
    condition = options.condition(noises, (), which, used)
    steps = [options.condition((text,), (), which, used) for text in (levels or "").split()]
    known = _attributes(found, attributes)
    settings = settings_of(trained, settings)
    target = settings.home / "attention" / f"{path.stem}-{condition}"
    with progress(quiet or as_json) as report:
        evaluator = Evaluator(found, trained, condition, settings)
        analysis, notes = _analysed(evaluator, known, permutations, report)
        figure = _plotted([Evaluator(found, trained, c, settings) for c in steps], target, report) if steps else {}
    files = _written(analysis, target) + ([str(target / "weights.png")] if figure else [])
    told = {
        "checkpoint": str(path),
        "condition": str(condition),
        "data": found.info["data"],
        "n": analysis.n,
        "n_left_out": analysis.n_nan + analysis.n_masked,
        "mean_weights": dict(analysis.means),
        "above_mean": dict(analysis.above),
        "notes": notes,
        "levels": figure,
        "files": files,
    }
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps(told | {"rows": [_plain(asdict(row)) for row in analysis.rows]}))
    elif not quiet:
        _show(analysis, told)


def _check(trained: "Checkpoint") -> None:
    config = trained.config
    if config.fusion != "attention":
        raise MmbioError(f"{trained.path}: its fusion {config.fusion} has no attention; train --fusion attention")
    if len(config.modalities) < 2:
        raise MmbioError(f"{trained.path}: of one modality, so there is nothing to attend to; train on two or more")


def _weights(evaluator: "Evaluator", report: Any) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    """Rows (N,), weights (N, M) as the mean over fold networks, and who is there (N, M), of the modalities in use."""
    import numpy as np

    found = evaluator.run(report)
    assert found.weights is not None
    used = [evaluator.manifest.modalities.index(m) for m in evaluator.config.modalities]
    return found.rows, np.nanmean(found.weights, axis=0)[:, used], found.present[:, used]


def _attributes(found: "Manifest", file: str | None) -> "Attributes":
    """The attributes in a user's file, else those of the data; raises MmbioError where there is nothing to go by."""
    from mmbio.data import attributes

    given = attributes.read(Path(file)) if file else None
    if "id" not in found.items:
        raise MmbioError(
            f"--protocol {found.info['protocol']}: its items have no ids to match attributes by;"
            " use --protocol audiovisual"
        )
    if given is None and not len(found.attributes):
        raise MmbioError("the data come without attributes; give a CSV with --attributes, its first column id")
    return given or attributes.of_table(found.attributes)


def _analysed(
    evaluator: "Evaluator", known: "Attributes", permutations: int, report: Any
) -> "tuple[Analysis, list[str]]":
    from mmbio.data import attributes
    from mmbio.measure.attention import analyse

    manifest = evaluator.manifest
    rows, weights, present = _weights(evaluator, report)
    ids = manifest.items["id"].to_numpy(str)[rows]
    matched = attributes.matched(ids, known)
    notes = list(known.notes)
    if matched.n_unknown:
        notes.append(f"{matched.n_unknown} of {len(rows)} test samples have no attributes and count as not known")
    items = manifest.items.iloc[rows]
    analysis = analyse(
        weights,
        evaluator.config.modalities,
        items["subject"].to_numpy(),
        known.at(matched.rows),
        present=present,
        sessions=items["video"].to_numpy(str),
        seed=evaluator.config.seed,
        permutations=permutations,
    )
    return analysis, notes


def _plotted(evaluators: "list[Evaluator]", target: Path, report: Any) -> dict[str, dict[str, float]]:
    """Draw the mean weight of each modality under each condition; returns them."""
    import numpy as np

    from mmbio.measure.intervals import subject_bootstrap
    from mmbio.tables.plots.attention import weights_by_level

    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for evaluator in evaluators:
        rows, weights, present = _weights(evaluator, report)
        complete = present.all(axis=1)
        kept = complete if complete.any() else present.any(axis=1)  # as the analysis does, but under `missing`
        weights, subjects = weights[kept], evaluator.manifest.items["subject"].to_numpy(np.int64)[rows[kept]]
        found[str(evaluator.condition)] = {
            m: (float(w.mean()), *subject_bootstrap(w, subjects, evaluator.config.seed))
            for m, w in zip(evaluator.config.modalities, weights.T, strict=True)
        }
    modalities = evaluators[0].config.modalities
    means, lows, highs = ({m: np.array([of[m][k] for of in found.values()]) for m in modalities} for k in range(3))
    title = f"attention weights ({evaluators[0].manifest.info['data']} data, 95 % subject bootstrap)"
    weights_by_level(list(found), means, lows, highs, title, target / "weights.png", level_name="condition")
    return {condition: {m: of[m][0] for m in modalities} for condition, of in found.items()}


def _written(analysis: "Analysis", target: Path) -> list[str]:
    from mmbio.files import write_text
    from mmbio.measure.attention import to_csv

    path = target / "attention.csv"
    write_text(path, to_csv(analysis.rows))
    return [str(path)]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and v != v else v for k, v in row.items()}  # noqa: PLR0124


def _show(analysis: "Analysis", told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    left_out = f", {told['n_left_out']} left out that miss a modality" if told["n_left_out"] else ""
    click.echo(f"attention under {told['condition']}, {told['data']} data, n = {told['n']} test samples{left_out}")
    means = ", ".join(f"{m} {w:.3f}" for m, w in told["mean_weights"].items())
    click.echo(f"mean weights: {means}; above the mean: "
               + ", ".join(f"{m} {100 * w:.1f} %" for m, w in told["above_mean"].items()))  # fmt: skip
    table = Table(
        "attribute", "modality", "above mean", "Wald", "clustered", "n", "subjects", "p (Holm)", "paper's rule"
    )
    for row in analysis.rows:
        if not row.n:
            continue
        clustered = f"{100 * row.clustered_low:.1f} to {100 * row.clustered_high:.1f}"
        table.add_row(
            row.attribute,
            row.modality,
            f"{100 * row.share:.1f} %",
            f"± {50 * (row.wald_high - row.wald_low):.1f}",
            "-" if "nan" in clustered else clustered,
            str(row.n),
            str(row.n_subjects),
            "-" if row.p_holm != row.p_holm else f"{row.p_holm:.4f}",
            "listed" if row.listed else "",
        )
    Console(width=None if Console().is_terminal else 120).print(table)
    for note in told["notes"]:
        click.echo(f"note: {note}")
    for file in told["files"]:
        click.echo(f"written: {file}")

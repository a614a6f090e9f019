"""mmbio score."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmbio.cli import options
from mmbio.errors import MmbioError

if TYPE_CHECKING:
    import numpy as np

    from mmbio.data.trial_lists import TrialList


@click.command("score", short_help="Score a trial list by the cosine of your own embeddings.")
@click.option(
    "--embeddings",
    required=True,
    metavar="FILE",
    help="Your embeddings: .npz with ids and vectors, .npy, .safetensors, or Kaldi's .scp or .ark.",
)
@click.option("--ids", metavar="FILE", help="The ids of an .npy's rows, as .npy or one a line.")
@click.option(
    "--trials", required=True, metavar="FILE", help="Trial list: '1 a b' (VoxCeleb), 'a b target' (Kaldi) or CSV."
)
@click.option(
    "--strip-suffix", metavar="SUFFIX", help="Taken off the ids on both sides before they are compared, such as .wav."
)
@click.option(
    "--missing-trials",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="Trials whose ids have no embedding: refuse the list, or leave them out and count them.",
)
@click.option("--out", required=True, metavar="FILE", help="The CSV to write: enrolment,probe,score,genuine.")
@options.as_json
@options.quiet
def command(
    embeddings: str,
    ids: str | None,
    trials: str,
    strip_suffix: str | None,
    missing_trials: str,
    out: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score the trials of a list by the cosine of your own embeddings.

    Scores run from -1 to 1, higher meaning more alike; a trial with a vector of zeros scores 0. What is
    written is what mmbio metrics reads. Nothing in the files is unpickled or run.

    \b
    Examples:
      mmbio score --embeddings voices.npz --trials veri_test2.txt --out scores.csv
      mmbio score --embeddings xvector.scp --trials trials --strip-suffix .wav --out scores.csv
      mmbio score --embeddings faces.npy --ids faces.txt --trials trials.csv --missing-trials skip --out scores.csv
    """
    from mmbio.data import embedding_files, trial_lists
    from mmbio.embed.cosine import pair_scores
    from mmbio.files import home

    target = Path(out)
    if any(target.exists() and given and Path(given).exists() and target.samefile(given)
           for given in (embeddings, ids, trials)):  # fmt: skip
        raise MmbioError(f"--out {out}: one of the files read, which would be replaced; give another name")
    if target.is_dir():
        raise MmbioError(f"--out {out}: a folder; give the name of a CSV file to write")
    home(target.parent)
    listed = trial_lists.read(Path(trials))
    found = embedding_files.read(Path(embeddings), Path(ids) if ids else None)
    enrolment, probe = trial_lists.matched(found.ids, listed, strip_suffix)
    known = (enrolment >= 0) & (probe >= 0)
    if not known.all() and (missing_trials == "error" or not known.any()):
        raise trial_lists.not_found(found.ids, listed, enrolment, probe)
    scores = pair_scores(found.vectors, found.vectors, enrolment[known], probe[known])
    _write(target, listed, known, scores)
    told: dict[str, Any] = {
        "scores": out,
        "n_expected": len(listed),
        "n_scored": len(scores),
        "n_missing": len(listed) - len(scores),
        "n_genuine": int(listed.genuine[known].sum()),
        "n_impostor": int((~listed.genuine[known]).sum()),
        "n_embeddings": len(found.ids),
        "n_repeated": found.n_repeated,
        "n_zero_vectors": found.n_zeros,
    }
    if as_json:
        click.echo(json.dumps(told))
    elif not quiet:
        _show(told)


def _write(path: Path, trials: "TrialList", known: "np.ndarray", scores: "np.ndarray") -> None:
    import numpy as np
    import pandas as pd

    from mmbio.files import replacing

    columns = {
        "enrolment": trials.enrolment[known],
        "probe": trials.probe[known],
        "score": scores,
        "genuine": trials.genuine[known].astype(np.int8),
    }
    with replacing(path) as scratch:
        pd.DataFrame(columns).to_csv(scratch, index=False, lineterminator="\n")


def _show(told: dict[str, Any]) -> None:
    click.echo(
        f"trials: {told['n_expected']} expected, {told['n_scored']} scored ({told['n_genuine']} genuine,"
        f" {told['n_impostor']} impostor), {told['n_missing']} missing"
    )
    click.echo(
        f"embeddings: {told['n_embeddings']}, {told['n_zero_vectors']} of them zero vectors,"
        f" {told['n_repeated']} repeated rows left out"
    )
    click.echo(f"written: {told['scores']}; next: mmbio metrics {told['scores']}")

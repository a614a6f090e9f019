"""mmbio score."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.words import plural

if TYPE_CHECKING:
    import numpy as np

    from mmbio.data.embedding_files import EmbeddingFile
    from mmbio.data.trial_lists import TrialList

NORMS: Final = ("none", "z-norm", "t-norm", "s-norm", "as-norm")  # of mmbio.measure.score_norm, which loads numpy
norm_options: Final = options.together(
    click.option(
        "--score-norm",
        type=click.Choice(NORMS),
        default="none",
        show_default=True,
        help="Normalise scores by what enrolment (z), probe (t) or both (s, as) score with a cohort.",
    ),
    click.option(
        "--top",
        type=click.IntRange(2),
        metavar="N",
        help="Of as-norm: how many of the cohort, those most like a side, count for it.  [default: 300]",
    ),
)


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
@norm_options
@click.option(
    "--cohort",
    metavar="FILE",
    help="For --score-norm: embeddings of people who are in no trial, in any form that --embeddings takes.",
)
@click.option("--cohort-ids", metavar="FILE", help="The ids of a cohort that is an .npy, as --ids.")
@click.option("--out", required=True, metavar="FILE", help="The CSV to write: enrolment,probe,score,genuine.")
@options.as_json
@options.quiet
def command(
    embeddings: str,
    ids: str | None,
    trials: str,
    strip_suffix: str | None,
    missing_trials: str,
    score_norm: str,
    top: int | None,
    cohort: str | None,
    cohort_ids: str | None,
    out: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score the trials of a list by the cosine of your own embeddings.

    Scores run from -1 to 1, higher meaning more alike; a trial with a vector of zeros scores 0. Normalised
    scores have no fixed range: they are deviations above what strangers score, and need a cohort. What is
    written is what mmbio metrics reads. Nothing in the files is unpickled or run.

    \b
    Examples:
      mmbio score --embeddings voices.npz --trials veri_test2.txt --out scores.csv
      mmbio score --embeddings xvector.scp --trials trials --strip-suffix .wav --out scores.csv
      mmbio score --embeddings faces.npy --ids faces.txt --trials trials.csv --missing-trials skip --out scores.csv
      mmbio score --embeddings voices.npz --trials trials.txt --score-norm as-norm --cohort others.npz --out scores.csv
    """
    import numpy as np

    from mmbio.data import embedding_files, trial_lists
    from mmbio.embed.cosine import pair_scores
    from mmbio.files import home
    from mmbio.measure import score_norm as score_norms

    target = Path(out)
    if any(target.exists() and given and Path(given).exists() and target.samefile(given)
           for given in (embeddings, ids, trials, cohort, cohort_ids)):  # fmt: skip
        raise MmbioError(f"--out {out}: one of the files read, which would be replaced; give another name")
    if target.is_dir():
        raise MmbioError(f"--out {out}: a folder; give the name of a CSV file to write")
    highest = top_of(score_norm, top)
    _check_cohort(score_norm, cohort, cohort_ids)
    home(target.parent)
    listed = trial_lists.read(Path(trials))
    found = embedding_files.read(Path(embeddings), Path(ids) if ids else None)
    enrolment, probe = trial_lists.matched(found.ids, listed, strip_suffix)
    known = (enrolment >= 0) & (probe >= 0)
    if not known.all() and (missing_trials == "error" or not known.any()):
        raise trial_lists.not_found(found.ids, listed, enrolment, probe)
    scores = pair_scores(found.vectors, found.vectors, enrolment[known], probe[known])
    normalised: dict[str, Any] = {}
    if cohort is not None:
        others = _cohort(cohort, cohort_ids, found, np.union1d(enrolment[known], probe[known]))
        score_norms.check(score_norm, highest, len(others.ids), cohort)
        sides = found.vectors, found.vectors, enrolment[known], probe[known]
        scores = score_norms.normalised(scores, *sides, others.vectors, score_norm, highest)
        normalised = {"score_norm": score_norm, "n_cohort": len(others.ids)}
        normalised |= {"top": highest} if score_norm == score_norms.ADAPTIVE else {}
    _write(target, listed, known, scores)
    told: dict[str, Any] = {
        "scores": out,
        "n_expected": len(listed),
        "n_scored": len(scores),
        "n_missing": len(listed) - len(scores),
        "n_genuine": int(listed.genuine[known].sum()),
        "n_impostor": int((~listed.genuine[known]).sum()),
        "n_repeated_trials": listed.n_repeated(known),
        "n_embeddings": len(found.ids),
        "n_repeated": found.n_repeated,
        "n_zero_vectors": found.n_zeros,
        **normalised,
    }
    if as_json:
        click.echo(json.dumps(told))
    elif not quiet:
        _show(told)


def top_of(score_norm: str, top: int | None) -> int:
    """How many of the cohort count for a side; raises MmbioError where they all do."""
    if top is not None and score_norm != "as-norm":
        raise MmbioError(f"--top {top}: belongs to as-norm; add --score-norm as-norm, or leave it out")
    from mmbio.measure.score_norm import TOP

    return TOP if top is None else top


def _check_cohort(score_norm: str, cohort: str | None, ids: str | None) -> None:
    """Refuse a normalisation without a cohort, and a cohort or its ids without what they are for."""
    if score_norm != "none" and cohort is None:
        raise MmbioError(f"--score-norm {score_norm}: takes a cohort; add --cohort FILE, or leave it out")
    if score_norm == "none" and cohort is not None:
        raise MmbioError(f"--cohort {cohort}: nothing is normalised; add --score-norm as-norm, or leave it out")
    if ids is not None and cohort is None:
        raise MmbioError(f"--cohort-ids {ids}: are of a cohort; add --cohort FILE, or leave it out")


def _cohort(path: str, ids: str | None, found: "EmbeddingFile", used: "np.ndarray") -> "EmbeddingFile":
    """The cohort's embeddings, none of them one of `used` rows of those that are scored."""
    import numpy as np

    from mmbio.data import embedding_files

    try:
        others = embedding_files.read(Path(path), Path(ids) if ids else None)
    except MmbioError as error:
        raise MmbioError(str(error).replace("--ids", "--cohort-ids")) from error
    if others.vectors.shape[1] != found.vectors.shape[1]:
        raise MmbioError(
            f"--cohort {path}: vectors of {others.vectors.shape[1]} dimensions, where {found.path} has"
            f" {found.vectors.shape[1]}; give vectors of one model"
        )
    _, at, theirs = np.intersect1d(found.ids[used], others.ids, return_indices=True)
    same = np.flatnonzero((found.vectors[used[at]] == others.vectors[theirs]).all(1))
    if len(same):
        raise MmbioError(
            f"--cohort {path}: {len(same)} of its embeddings are in the trials, '{others.ids[theirs[same[0]]]}' among"
            " them; give people who are in no trial"
        )
    if others.n_zeros:
        raise MmbioError(
            f"--cohort {path}: {others.n_zeros} of its {len(others.ids)} vectors are zeros, which say nothing; leave"
            " them out"
        )
    return others


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
    if told["n_repeated_trials"]:
        click.echo(f"repeated: {plural(told['n_repeated_trials'], 'trial')}, scored before and scored again")
    click.echo(
        f"embeddings: {told['n_embeddings']}, {told['n_zero_vectors']} of them zero vectors,"
        f" {told['n_repeated']} repeated rows left out"
    )
    if "score_norm" in told:
        top = f"the {told['top']} nearest of " if "top" in told else ""
        click.echo(f"scores: {told['score_norm']} by {top}a cohort of {told['n_cohort']}")
    click.echo(f"written: {told['scores']}; next: mmbio metrics {told['scores']}")

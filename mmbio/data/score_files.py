"""Score files: what `mmbio metrics` reads, as genuine and impostor scores.

Three forms: .npy with labels in another .npy; CSV or TSV with a column score and one of genuine, label and
target; and Kaldi's `enrol probe score` (or CSV with those columns) with a trial list for labels, or WeSpeaker's, which
has the label (target or nontarget) as a fourth word.

A score whose pair of ids is not in the trial list is no error, since files are often scored for a larger list
than is evaluated, and no figure depends on it: such scores are left out, counted and shown. Where none is in
the list it is one.
"""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from mmbio.data import repeats, trial_lists
from mmbio.data.numpy_files import BROKEN, loaded
from mmbio.data.rows import SPACES
from mmbio.data.trial_lists import Layout, TrialList
from mmbio.errors import MmbioError
from mmbio.words import plural

if TYPE_CHECKING:
    import pandas as pd

MAGIC: Final = b"\x93NUMPY"
SCORED: Final = ("enrolment", "probe", "score")
SUBJECTS: Final = ("enrolment_subject", "probe_subject")
SMALL: Final = 1 << 24  # bytes of a file that numpy has read before pandas is even imported
FORMS: Final = (
    "'enrol probe score' (Kaldi), 'enrol probe score target' (WeSpeaker), or CSV with the columns score and genuine in"
    " a header"
)
LABELLED: Final = (*SCORED, "genuine")


@dataclass(frozen=True)
class Scores:
    """Scores by class, (G,) and (I,) in the file's own precision, and how many trials they come from."""

    genuine: np.ndarray
    impostor: np.ndarray
    n_expected: int  # trials in the list, or rows
    n_missing: int = 0  # of them without a score, and left out
    n_unlisted: int = 0  # scores without a trial, left out too
    unlisted: tuple[str, ...] = ()  # up to three of these: "enrolment probe"
    n_repeated: int = 0  # scored trials whose pair of ids is there before, and which count again
    ids: tuple[np.ndarray, ...] = ()  # of both sides, (G + I,) each, where the scores have ids
    subjects: tuple[np.ndarray, ...] = ()  # of both sides, (G + I,) each, where columns of their own say them

    @property
    def n_scored(self) -> int:
        return len(self.genuine) + len(self.impostor)


def read(path: Path, labels: Path | None = None, missing: str = "error") -> Scores:
    """Read scores (higher = more alike) and their labels; `missing` trials are an "error", or "skip"ped and counted.

    Raises MmbioError naming the file and the row for NaN and infinite scores, unknown labels, labels of one class
    only, a pair of ids with two scores or labels, scores and labels of different length, trials without a score,
    and files that are empty, of another form, pickled or not one-dimensional.
    """
    if missing not in ("error", "skip"):
        raise ValueError(f"expected missing error or skip, got {missing}")
    if _is_npy(path):
        return _arrays(path, labels)
    found = trial_lists.layout(path, _form, FORMS)
    if "score" not in found.names:
        raise MmbioError(f"{path}: row {found.skipped} names no column score; write {FORMS}")
    if "genuine" in found.names:
        if labels is not None:
            raise MmbioError(f"--labels {labels}: {path} has labels of its own; leave --labels out")
        return _table(found, missing)
    if labels is None:
        cure = "give a trial list with --labels" if set(SCORED) <= set(found.names) else "add a column genuine"
        raise MmbioError(f"{path}: has no labels; {cure}")
    if not set(SCORED) <= set(found.names):
        raise MmbioError(f"{path}: has no columns enrolment and probe to find its labels by; add a column genuine")
    return _listed(found, trial_lists.read(labels), labels, missing)


def _arrays(path: Path, labels: Path | None) -> Scores:
    """Scores and labels from two .npy files."""
    if labels is None:
        raise MmbioError(f"{path}: has no labels; give another .npy, of 0 and 1, with --labels")
    scores, marks = _load(path), _load(labels)
    if marks.dtype.kind not in "biuf":
        raise MmbioError(f"{labels}: of type {marks.dtype}, where labels 0 and 1 were expected; save them as bool")
    if scores.dtype not in (np.float32, np.float64):
        if scores.dtype.kind not in "fiu":
            raise MmbioError(f"{path}: of type {scores.dtype}, where real numbers were expected; save it as float64")
        scores = scores.astype(np.float64)
    if len(scores) != len(marks):
        raise MmbioError(
            f"{path}: {plural(len(scores), 'score')}, but {plural(len(marks), 'label')} in {labels}; give the labels of"
            " these scores"
        )
    _check_finite(scores, path)
    known = np.logical_or(marks == 0, marks == 1)
    if not known.all():
        k = int(known.argmin())
        raise MmbioError(f"{labels}: row {k + 1} is the unknown label {marks[k]}; expected 0, 1, False or True")
    return _split(scores, marks.astype(bool), labels, len(scores))


def _table(found: Layout, missing: str) -> Scores:
    """Scores and labels from one CSV or TSV; an empty score is a trial without one."""
    plain = _plain(found)
    if plain is not None:
        return _split(*plain, found.path, len(plain[0]))
    frame, scores = _scored(found, ("genuine",))
    genuine = trial_lists.labels(found, frame)
    lacking = np.isnan(scores)
    if lacking.any() and missing == "error":
        where = found.where(int(frame.index[lacking.argmax()]))
        raise _missing(where, int(lacking.sum()), len(scores))
    n_repeated = 0
    if set(SCORED) <= set(found.names):
        if lacking.any():
            repeats.repeated(found, frame, {repeats.LABELS: genuine})
        values = {repeats.LABELS: genuine[~lacking], repeats.SCORES: scores[~lacking]}
        n_repeated = int(repeats.repeated(found, frame[~lacking], values).sum())
    return _split(
        scores[~lacking],
        genuine[~lacking],
        found.path,
        len(scores),
        n_missing=int(lacking.sum()),
        n_repeated=n_repeated,
        ids=_sides(frame, SCORED[:2], ~lacking),
        subjects=_sides(frame, SUBJECTS, ~lacking),
    )


def _plain(found: Layout) -> tuple[np.ndarray, np.ndarray] | None:
    """Scores and labels (N,) of a small table of these two whose rows are all in order; None for any other.

    pandas, which reads and explains all others, takes longer to import than such a table to read.
    """
    if sorted(found.names) != ["genuine", "score"] or found.path.stat().st_size > SMALL:
        return None
    kinds = [(name, "f8" if name == "score" else "U10") for name in found.names]  # the longest label has 9 letters
    try:
        text = found.path.read_text(encoding="utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy warns of a file without rows
            rows = np.loadtxt(
                io.StringIO(text), kinds, None, delimiter=found.separator, skiprows=found.skipped, ndmin=1
            )
    except (OSError, ValueError, UserWarning):
        return None
    names, codes = np.unique(rows["genuine"], return_inverse=True)
    known = [trial_lists.LABELS.get(str(name).lower()) for name in names]
    if None in known or "\0" in text or not np.isfinite(rows["score"]).all():
        return None
    return rows["score"], np.array(known, dtype=bool)[codes]


def _listed(found: Layout, trials: TrialList, labels: Path, missing: str) -> Scores:
    """Scores by pair of ids, in any order, of the trials of a list."""
    frame, scores = _scored(found, SCORED[:2])
    lacking = np.isnan(scores)
    frame, scores = (frame[~lacking], scores[~lacking]) if lacking.any() else (frame, scores)
    repeats.repeated(found, frame, {repeats.SCORES: scores})
    enrolment, probe = (trial_lists.texts(frame[name]) for name in SCORED[:2])
    wanted, given = repeats.numbered((trials.enrolment, enrolment), (trials.probe, probe))
    names, first = np.unique(given, return_index=True)
    scored = np.isin(wanted, names)
    unlisted = np.flatnonzero(~np.isin(given, wanted))
    if not scored.any():
        raise MmbioError(
            f"{found.path}: scores none of the {len(trials)} trials of {labels}, whose ids are like"
            f" {trial_lists.some(trials.enrolment)} where those scored are like {trial_lists.some(enrolment)};"
            " write ids alike in both files"
        )
    if not scored.all() and missing == "error":
        k = int(scored.argmin())
        where = f"{labels}: '{trials.enrolment[k]} {trials.probe[k]}' has no score in {found.path}"
        raise _missing(where, int((~scored).sum()), len(trials))
    at = first[np.searchsorted(names, wanted[scored])]
    return _split(
        scores[at],
        trials.genuine[scored],
        labels,
        len(trials),
        n_missing=int((~scored).sum()),
        n_unlisted=len(unlisted),
        unlisted=tuple(f"{enrolment[k]} {probe[k]}" for k in unlisted[:3]),
        n_repeated=trials.n_repeated(scored),
        ids=(trials.enrolment[scored], trials.probe[scored]),
        subjects=_sides(frame, SUBJECTS, at),
    )


def _sides(frame: "pd.DataFrame", names: tuple[str, ...], rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """Some rows' texts in the columns of both sides; nothing where one of them is not there."""
    return tuple(trial_lists.texts(frame[name])[rows] for name in names) if set(names) <= set(frame) else ()


def _split(
    scores: np.ndarray,
    genuine: np.ndarray,
    labels: Path,
    n_expected: int,
    n_missing: int = 0,
    n_unlisted: int = 0,
    unlisted: tuple[str, ...] = (),
    n_repeated: int = 0,
    ids: tuple[np.ndarray, ...] = (),
    subjects: tuple[np.ndarray, ...] = (),
) -> Scores:
    n = int(genuine.sum())
    if n in (0, len(genuine)):
        kind = "genuine" if n else "impostor"
        raise MmbioError(f"{labels}: all {len(genuine)} scored trials are {kind}; give labels of both kinds")
    ids, subjects = (
        tuple(np.concatenate([side[genuine], side[~genuine]]) for side in sides) for sides in (ids, subjects)
    )
    kinds = scores[genuine], scores[~genuine]
    return Scores(*kinds, n_expected, n_missing, n_unlisted, unlisted, n_repeated, ids, subjects)


def _scored(found: Layout, required: Sequence[str]) -> "tuple[pd.DataFrame, np.ndarray]":
    """A text file's rows and their scores, NaN where a score is empty; raises MmbioError for any that is no number."""
    numbers = False
    try:
        frame = trial_lists.table(found, required, numbers=("score",))
        scores = frame["score"].to_numpy()
        numbers = not np.isnan(scores).any()
    except ValueError:  # a score is no number: look at the texts
        pass
    if not numbers:
        always = ("score",) if found.separator == SPACES else ()  # only CSV can leave a cell empty
        frame = trial_lists.table(found, (*required, *always))
        texts = frame["score"].cat.categories
        values = np.array([_number(str(text)) for text in texts])
        scores = values[frame["score"].cat.codes.to_numpy()]
        wrong = np.isnan(scores) & (frame["score"] != "").to_numpy()
        if wrong.any():
            k = int(wrong.argmax())
            where = found.where(int(frame.index[k]))
            raise MmbioError(f"{where}: score '{frame['score'].iloc[k]}' is not a number; mend it or leave it empty")
    infinite = np.isinf(scores)
    if infinite.any():
        where = found.where(int(frame.index[infinite.argmax()]))
        raise MmbioError(f"{where}: the score is infinite, where finite numbers were expected; mend it")
    return frame, scores


def _check_finite(scores: np.ndarray, path: Path) -> None:
    wrong = ~np.isfinite(scores)
    if wrong.any():
        k = int(wrong.argmax())
        raise MmbioError(
            f"{path}: row {k + 1} is {scores[k]} ({int(wrong.sum())} of {len(scores)} scores are NaN or infinite),"
            " where finite numbers were expected; mend them"
        )


def _form(words: list[str]) -> tuple[str, ...] | None:
    if len(words) not in (3, 4) or (words[2].lower() != "nan" and np.isnan(_number(words[2]))):
        return None
    if len(words) == 3:
        return SCORED
    return LABELLED if words[3].lower() in ("target", "nontarget") else None


def _number(text: str) -> float:
    """The number that a text stands for, NaN where it stands for none."""
    try:
        return np.nan if "_" in text else float(text)  # Python alone reads 1_000
    except ValueError:
        return np.nan


def _missing(where: str, n: int, n_trials: int) -> MmbioError:
    return MmbioError(
        f"{where}: {n} of {n_trials} trials have no score; score them, or leave them out with --missing-trials skip"
    )


def _is_npy(path: Path) -> bool:
    """Whether a file is, or calls itself, .npy."""
    try:
        with path.open("rb") as file:
            return path.suffix.lower() == ".npy" or file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise MmbioError(f"{path}: cannot be read ({error.strerror}); give a file of scores") from error


def _load(path: Path) -> np.ndarray:
    """A one-dimensional array that is not empty, from a .npy file that is no pickle."""
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise MmbioError(f"{path}: not a .npy file; write it with numpy.save")
        array = loaded(path)
    except OSError as error:
        raise MmbioError(f"{path}: cannot be read ({error.strerror}); give a .npy file") from error
    except BROKEN as error:
        is_pickle = "allow_pickle=False" in str(error)
        why = "is a pickle, which is never loaded" if is_pickle else f"cannot be read ({str(error)[:200]})"
        raise MmbioError(f"{path}: {why}; write an array of numbers with numpy.save") from error
    if array.ndim != 1:
        raise MmbioError(
            f"{path}: has the shape {array.shape}, where (N,) was expected; save one number for each trial"
        )
    if not len(array):
        raise MmbioError(f"{path}: empty, where a number for each trial was expected; write it again")
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))

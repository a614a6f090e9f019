"""Trial lists: VoxCeleb (`1 a b`), Kaldi (`a b target`) and CSV or TSV, and the rows that their ids stand for."""

import csv
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from mmbio.data import repeats
from mmbio.data.rows import SPACES, found_row
from mmbio.errors import MmbioError
from mmbio.files import replacing
from mmbio.words import plural

if TYPE_CHECKING:
    import pandas as pd

LABELS: Final[Mapping[str, bool]] = MappingProxyType(
    {"1": True, "true": True, "target": True, "genuine": True}
    | {"0": False, "false": False, "nontarget": False, "impostor": False}
)
# The column that a header's name stands for.
COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(("enrolment", "enrollment", "enrol", "enroll"), "enrolment")
    | dict.fromkeys(("probe", "test"), "probe")
    | dict.fromkeys(("genuine", "label", "target"), "genuine")
    | {"score": "score"}
    | dict.fromkeys((f"{side}_subject" for side in ("enrolment", "enrollment", "enrol", "enroll")), "enrolment_subject")
    | dict.fromkeys(("probe_subject", "test_subject"), "probe_subject")
)
KNOWN: Final = frozenset(COLUMNS.values())
VOXCELEB: Final = ("genuine", "enrolment", "probe")
KALDI: Final = ("enrolment", "probe", "genuine")
FORMS: Final = "'1 a b' (VoxCeleb), 'a b target' (Kaldi), or CSV with the header enrolment,probe,genuine"


@dataclass(frozen=True)
class TrialList:
    """Trials by the ids of their samples: enrolment (T,) and probe (T,) object arrays of str, genuine (T,) bool."""

    enrolment: np.ndarray
    probe: np.ndarray
    genuine: np.ndarray
    repeated: np.ndarray | None = None  # (T,) bool: a trial before it is the same; None: nobody looked

    def __post_init__(self) -> None:
        if not self.enrolment.shape == self.probe.shape == self.genuine.shape or self.genuine.ndim != 1:
            shapes = f"{self.enrolment.shape}, {self.probe.shape} and {self.genuine.shape}"
            raise ValueError(f"expected three arrays (T,), got {shapes}")

    def __len__(self) -> int:
        return len(self.genuine)

    def n_repeated(self, kept: np.ndarray) -> int:
        """How many of the trials that are kept, (T,) bool, are there before."""
        return 0 if self.repeated is None else int(self.repeated[kept].sum())


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out: its columns, what parts them, and the line before its first row."""

    path: Path
    names: tuple[str, ...]
    separator: str  # ",", a tab or SPACES
    skipped: int  # blank lines and the header

    def where(self, *positions: int) -> str:
        """`FILE: row N: 'its text'` of one or more rows, for an error; the first line of the file is 1."""
        rows = [found_row(self.path, self.separator, self.skipped, position) for position in positions]
        told = (f"row {number}: '{text if len(text) <= 80 else text[:77] + '...'}'" for number, text in rows)
        return f"{self.path}: {' and '.join(told)}"


def read(path: Path) -> TrialList:
    """Read a trial list in one of the three forms; lists with trials of one class only are fine.

    Raises MmbioError naming the file, the row (1 is the first line), what is wrong and the cure; so too for a trial
    that is there as genuine and as impostor.
    """
    found = layout(path, form_of, FORMS)
    lacking = [name for name in KALDI if name not in found.names]
    if lacking:
        raise MmbioError(
            f"{path}: row {found.skipped} names no column {' and no column '.join(lacking)};"
            " write the header enrolment,probe,genuine"
        )
    frame = table(found, KALDI)
    genuine = labels(found, frame, VOXCELEB if found.names == VOXCELEB else KALDI)
    again = repeats.repeated(found, frame, {repeats.LABELS: genuine})
    return TrialList(texts(frame["enrolment"]), texts(frame["probe"]), genuine, again)


def write(path: Path, trials: TrialList) -> None:
    """Write a trial list as CSV with the columns enrolment, probe and genuine (1 or 0), or nothing."""
    import pandas as pd

    columns = {"enrolment": trials.enrolment, "probe": trials.probe, "genuine": trials.genuine.astype(np.int8)}
    with replacing(path) as scratch:
        pd.DataFrame(columns).to_csv(scratch, index=False, lineterminator="\n", encoding="utf-8")


def matched(ids: np.ndarray, trials: TrialList, strip_suffix: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The rows of `ids` (N,) that the trials' enrolments and probes stand for: (T,) int64 each, -1 where unknown.

    `strip_suffix` is taken off the end of ids on both sides before they are compared.
    Raises MmbioError where ids become the same by it, ValueError where they are the same before.
    """
    import pandas as pd

    index = pd.Index(_stripped(ids, strip_suffix), dtype=object)
    if not index.is_unique:
        first, second = np.asarray(ids)[index == index[index.duplicated()][0]][:2]
        if first == second:
            raise ValueError(f"expected ids that are unique, got '{first}' twice")
        raise MmbioError(f"--strip-suffix {strip_suffix}: '{first}' and '{second}' become the same id; leave it out")

    def rows(wanted: np.ndarray) -> np.ndarray:
        codes, names = pd.factorize(wanted)
        return index.get_indexer(pd.Index(_stripped(names, strip_suffix), dtype=object)).astype(np.int64)[codes]

    return rows(trials.enrolment), rows(trials.probe)


def not_found(
    ids: np.ndarray, trials: TrialList, enrolment: np.ndarray, probe: np.ndarray, where: str = "--trials"
) -> MmbioError:
    """The error for trials whose ids are not known; enrolment (T,) and probe (T,) as `matched` returns them."""
    unknown = np.concatenate([trials.enrolment[enrolment < 0], trials.probe[probe < 0]])
    n = int(((enrolment < 0) | (probe < 0)).sum())
    return MmbioError(
        f"{where}: {n} of {len(trials)} trials name ids that are not known ({some(unknown)}), where those known are"
        f" like {some(ids)}; strip what they differ by, as --strip-suffix .wav does, or leave these trials out with"
        " --missing-trials skip"
    )


def layout(path: Path, headless: Callable[[list[str]], tuple[str, ...] | None], forms: str) -> Layout:
    """The layout of a text file by its first line that is not blank.

    A header of CSV or TSV tells its own columns, under any of the names in COLUMNS; of other lines `headless` says
    which columns their words fill, or None where they are of none of the `forms`.
    Raises MmbioError for files that are empty, cannot be read, are not UTF-8, or are of no known form.
    """
    number, line = _first_line(path)
    for separator in (",", "\t"):
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
        names = tuple(COLUMNS.get(cell.lower(), cell) for cell in cells)
        if not set(names) & KNOWN or (headless(line.split()) and not {"enrolment", "probe"} <= set(names)):
            continue
        twice = [cell for cell, name in zip(cells, names, strict=True) if name in KNOWN and names.count(name) > 1]
        if twice:
            raise MmbioError(f"{path}: row {number} has the columns {' and '.join(twice)}; keep one of them")
        return Layout(path, names, separator, number)
    words = line.split()
    filled = headless(words)
    if filled is None:
        raise MmbioError(
            f"{path}: row {number}: '{line[:80]}' has {plural(len(words), 'column')} and is of no known form;"
            f" write {forms}"
        )
    return Layout(path, filled, SPACES, number - 1)


def table(found: Layout, required: Iterable[str], numbers: tuple[str, ...] = ()) -> "pd.DataFrame":
    """The rows of a text file, indexed by position: categorical columns of str, float64 ones for `numbers`.

    Blank rows are left out; an empty number is NaN. Raises MmbioError for a row with too few or too many values,
    ValueError for a number that is none.
    """
    import pandas as pd

    spaces = found.separator == SPACES
    options: dict[str, Any] = {  # by position, since names may be there twice
        "names": list(range(len(found.names))),
        "dtype": {i: np.float64 if name in numbers else "category" for i, name in enumerate(found.names)},
        "na_values": {i: [""] for i, name in enumerate(found.names) if name in numbers},
        "quoting": csv.QUOTE_NONE if spaces else csv.QUOTE_MINIMAL,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame: pd.DataFrame = pd.read_csv(
                found.path,
                sep=found.separator,
                header=None,
                index_col=False,
                skiprows=found.skipped,
                skip_blank_lines=False,
                skipinitialspace=not spaces,
                keep_default_na=False,
                float_precision="round_trip",
                encoding="utf-8-sig",
                compression=None,
                **options,
            )
    except pd.errors.EmptyDataError:
        raise _empty(found.path) from None
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        _explain(found, str(error))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(found.path, error) from error
    return _complete(found, frame, required, numbers)


def labels(found: Layout, frame: "pd.DataFrame", form: tuple[str, ...] = KALDI) -> np.ndarray:
    """The labels in the column genuine of a `table`, (T,) bool; raises MmbioError naming the row of one unknown."""
    column = frame["genuine"]
    known = LABELS if found.separator != SPACES else {k: LABELS[k] for k in _words(form)}
    values = [known.get(str(text).strip().lower()) for text in column.cat.categories]
    codes = column.cat.codes.to_numpy()
    unknown = np.flatnonzero(np.array([value is None for value in values])[codes])
    if len(unknown):
        position = int(frame.index[unknown[0]])
        where, label = found.where(position), column.iloc[unknown[0]]
        in_order = found.names if found.separator == SPACES else ()  # a frame has no column that is not known
        words = [str(frame[name].iloc[unknown[0]]).lower() for name in in_order]
        if form_of(words) not in (None, form):
            raise MmbioError(f"{where} is of another form than the rows before it; write all rows in one form")
        raise MmbioError(f"{where}: unknown label '{label}'; expected one of {', '.join(known)}")
    return np.array(values, dtype=bool)[codes]


def _complete(
    found: Layout, frame: "pd.DataFrame", required: Iterable[str], numbers: tuple[str, ...]
) -> "pd.DataFrame":
    """The known columns of a frame without blank rows; raises MmbioError for a row with no value in a required one."""
    empty = [(frame[i].isna() if n in numbers else frame[i] == "").to_numpy() for i, n in enumerate(found.names)]
    kept = ~np.logical_and.reduce(empty)
    if not kept.any():
        raise _empty(found.path)
    for name in (n for n in required if n not in numbers):
        lacking = np.flatnonzero(empty[found.names.index(name)] & kept)
        if len(lacking):
            raise MmbioError(f"{found.where(int(lacking[0]))} has no {name}; write {_row(found)} in every row")
    known = {i: name for i, name in enumerate(found.names) if name in KNOWN}
    frame = frame[list(known)].rename(columns=known)
    return frame if kept.all() else frame[kept]


def _row(found: Layout) -> str:
    return ("," if found.separator == "," else " ").join(found.names)


def _explain(found: Layout, error: str) -> NoReturn:
    """Name the first row with more values than there are columns."""
    spaces = found.separator == SPACES
    with found.path.open(encoding="utf-8-sig", errors="replace", newline="") as lines, suppress(csv.Error):
        after = islice(lines, found.skipped, None)
        cut = map(str.split, after) if spaces else csv.reader(after, delimiter=found.separator, skipinitialspace=True)
        for position, cells in enumerate(cut):
            if len(cells) > len(found.names):
                raise MmbioError(
                    f"{found.where(position)} has {len(cells)} columns where"
                    f" {len(found.names)} were expected; write {_row(found)} in every row"
                )
    raise MmbioError(f"{found.path}: cannot be taken apart ({error.strip()}); write it again")


def _first_line(path: Path) -> tuple[int, str]:
    """The number and text of the first line that is not blank."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    return number, line.strip("\r\n")[: csv.field_size_limit()]
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    raise _empty(path)


def form_of(words: list[str]) -> tuple[str, ...] | None:
    """The form of a line without a header before it, by its label."""
    if len(words) != 3:
        return None
    if words[-1].lower() in _words(KALDI):
        return KALDI
    return VOXCELEB if words[0] in _words(VOXCELEB) else None


def _words(form: tuple[str, ...]) -> tuple[str, str]:
    return ("1", "0") if form == VOXCELEB else ("target", "nontarget")


def texts(column: "pd.Series") -> np.ndarray:
    """A column of str of a `table` as an object array, equal texts sharing one object."""
    return np.asarray(column.cat.categories.to_numpy(dtype=object)[column.cat.codes.to_numpy()])


def _stripped(ids: np.ndarray, suffix: str | None) -> np.ndarray:
    given = np.asarray(ids, dtype=object)
    return np.array([name.removesuffix(suffix) for name in given], dtype=object) if suffix else given


def some(ids: np.ndarray) -> str:
    """Three of some ids, each once, for an error."""
    shown = list(dict.fromkeys(map(str, ids)))
    return ", ".join([f"'{name}'" for name in shown[:3]] + ["..."] * (len(shown) > 3)) or "none at all"


def _empty(path: Path) -> MmbioError:
    return MmbioError(f"{path}: empty, where rows were expected; write it again")


def _unreadable(path: Path, error: Exception) -> MmbioError:
    why = error.strerror if isinstance(error, OSError) else error
    return MmbioError(f"{path}: cannot be read ({why}); give a text file in UTF-8")

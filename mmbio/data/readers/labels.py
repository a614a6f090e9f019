"""Labels: gender and age from a genders.csv, and the template for one."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mmbio.errors import MmbioError
from mmbio.files import write_text
from mmbio.words import plural

FILE: Final = "genders.csv"
TEMPLATE: Final = "genders-template.csv"
GENDERS: Final[Mapping[str, str]] = MappingProxyType({"f": "F", "female": "F", "m": "M", "male": "M"})
OLDEST: Final = 130  # years


@dataclass(frozen=True)
class Label:
    """What is known of a subject: "F" or "M", and the age in years."""

    gender: str
    age: int | None = None


def parse_age(text: str) -> int | None:
    """Whole years from 0 to OLDEST, or None where the text is nothing of the kind."""
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) and int(text) <= OLDEST else None


def find_labels(folder: Path) -> Path | None:
    """The genders.csv that counts for a set: in its folder, beside its folder, or in the current directory."""
    places = (folder, folder.parent, Path.cwd())
    return next((place / FILE for place in places if (place / FILE).is_file()), None)


def read_labels(path: Path) -> dict[str, Label]:
    """Read a file with the columns subject, gender and, if wanted, age.

    Raises MmbioError naming the file, the row (1 is the head line) and the value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MmbioError(f"{path}: not a readable CSV file ({error}); save it as UTF-8 text with commas") from error
    columns = [name.strip().lower() for name in rows[0]] if rows else []
    if not {"subject", "gender"} <= set(columns):
        raise MmbioError(
            f"{path}: row 1 is '{','.join(columns)}', not 'subject,gender' or 'subject,gender,age'; write it so"
        )
    labels: dict[str, Label] = {}
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        subject, label = _parse_row(f"{path}: row {number}", columns, cells)
        if labels.setdefault(subject, label) != label:
            raise MmbioError(
                f"{path}: row {number}: subject '{subject}' has another label further up; keep one of them"
            )
    return labels


def require_labels(folder: Path, subjects: Iterable[str]) -> tuple[dict[str, Label], Path]:
    """The labels of all subjects of a set, and the file they come from.

    Raises MmbioError where there is none, or where subjects are missing from it, after writing
    a template with all subjects into the set's folder (the current directory if that is read-only).
    """
    wanted = list(dict.fromkeys(subjects))
    path = find_labels(folder)
    labels = read_labels(path) if path else {}
    missing = [subject for subject in wanted if subject not in labels]
    if path and not missing:
        return labels, path
    if path:
        named = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        what = f"{path}: no row for {len(missing)} of {len(wanted)} subjects ({named})"
    else:
        what = f"{folder / FILE}: not there, and the set itself does not say its {len(wanted)} subjects' genders"
    template = _write_template(folder, wanted, labels)
    if template is None:
        raise MmbioError(f"{what}; supply {FILE} with the columns subject,gender[,age] and F or M in each row")
    raise MmbioError(f"{what}; fill in F or M in {template} and save it as {(path or template.parent / FILE)}")


def _parse_row(where: str, columns: list[str], cells: list[str]) -> tuple[str, Label]:
    if len(cells) != len(columns):
        raise MmbioError(
            f"{where}: '{','.join(cells)}' has {plural(len(cells), 'value')} where {len(columns)} were expected;"
            " mend it"
        )
    row = {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
    subject, gender, age = row["subject"], row["gender"], row.get("age", "")
    if not subject:
        raise MmbioError(f"{where}: '{','.join(cells)}' names no subject; fill in its folder's name")
    if gender.lower() not in GENDERS:
        raise MmbioError(f"{where}: gender '{gender}' of subject '{subject}' is neither F nor M; write one of them")
    if age and parse_age(age) is None:
        raise MmbioError(
            f"{where}: age '{age}' of subject '{subject}' is not a whole number from 0 to {OLDEST}; "
            "write the years, or nothing"
        )
    return subject, Label(GENDERS[gender.lower()], parse_age(age))


def _write_template(folder: Path, subjects: list[str], known: Mapping[str, Label]) -> Path | None:
    """Write the template where a folder lets us; one with a gender filled in is left as it is."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["subject", "gender", "age"])
    for subject in subjects:
        label = known.get(subject)
        writer.writerow([subject, label.gender if label else "", label.age if label and label.age is not None else ""])
    for path in (folder / TEMPLATE, Path.cwd() / TEMPLATE):
        if path.is_file() and _filled_in(path):
            return path
        if not path.parent.stat().st_mode & 0o222:  # marked read-only, which would not stop root
            continue
        try:
            write_text(path, buffer.getvalue())
        except MmbioError:
            continue
        return path
    return None


def _filled_in(path: Path) -> bool:
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return any(cell.strip() for row in list(csv.reader(lines))[1:] for cell in row[1:])

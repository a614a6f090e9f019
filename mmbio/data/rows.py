"""Rows: where a row of a CSV file stands in it, for an error; a quoted cell may go over several lines."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

SPACES: Final = r"\s+"  # stands for blanks between values, a line each row


def found_row(path: Path, separator: str, skipped: int, position: int) -> tuple[int, str]:
    """The number of the first line (1 is the file's) and the text of the row at a position after the skipped lines."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        seen: list[str] = []

        def lines() -> Iterator[str]:
            for line in file:
                seen.append(line)
                yield line

        rest = lines()
        rows = rest if separator == SPACES else csv.reader(rest, delimiter=separator, skipinitialspace=True)
        for _ in islice(rest, skipped):
            pass
        number = skipped + position + 1
        with suppress(csv.Error):  # of a cell too large for it
            for _ in islice(rows, position):
                pass
            number = len(seen) + 1
            seen.clear()
            next(rows, None)
        return number, "".join(seen).strip()

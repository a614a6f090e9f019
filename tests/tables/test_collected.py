"""results.csv holds the rows of cells in the order of the cells, whichever is finished first."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mmbio.errors import MmbioError
from mmbio.measure import results
from mmbio.tables.collected import Collected

Finish = Callable[[int], Path]


@dataclass(frozen=True)
class Cell:
    """As much of an evaluation as is asked of it."""

    home: Path
    number: int

    @property
    def hash(self) -> str:
        return f"{self.number:016x}"

    @property
    def folder(self) -> Path:
        return self.home / "results" / self.hash


@pytest.fixture
def finish(write_result: Callable[..., Path]) -> Finish:
    """Write the result of a cell."""
    return lambda number: write_result(f"{number:016x}", {}, value=number / 10)


def order(home: Path) -> list[int]:
    path = home / "results.csv"
    return [int(row.result, 16) for row in results.read(path)] if path.exists() else []


def collected(home: Path, numbers: range) -> Collected:
    cells = [Cell(home, number) for number in numbers]
    return Collected(home, cells, [c for c in cells if not c.folder.exists()])  # type: ignore[arg-type, misc]


def test_rows_wait_for_their_turn(finish: Finish, tmp_path: Path) -> None:
    rows, seen = collected(tmp_path, range(4)), []
    for number in (2, 0, 1, 3):
        finish(number)
        rows.add()
        seen.append(order(tmp_path))
    assert seen == [[], [0], [0, 1, 2], [0, 1, 2, 3]]


def test_a_run_that_goes_on_ends_in_the_same_bytes(finish: Finish, tmp_path: Path) -> None:
    for numbers in ((3, 0), (2, 1)):  # an interruption between them
        rows = collected(tmp_path, range(4))
        for number in numbers:
            finish(number)
            rows.add()
    folders = [Cell(tmp_path, number).folder for number in range(4)]
    expected = results.to_csv([row for folder in folders for row in results.read(folder / "rows.csv")])
    assert (tmp_path / "results.csv").read_text() == expected


def test_rows_that_stand_there_are_kept_or_replaced_when_computed_again(finish: Finish, tmp_path: Path) -> None:
    zero, one = (results.read(finish(number) / "rows.csv")[0] for number in (0, 1))
    results.append(tmp_path / "results.csv", [one, zero])
    collected(tmp_path, range(2)).add()
    assert order(tmp_path) == [1, 0]
    (tmp_path / "results" / one.result / "rows.csv").unlink()
    again = Collected(tmp_path, [Cell(tmp_path, 0), Cell(tmp_path, 1)], [Cell(tmp_path, 1)])  # type: ignore[list-item]
    again.add()
    (tmp_path / "results" / one.result / "rows.csv").write_text(results.to_csv([one]))
    again.add()
    assert order(tmp_path) == [0, 1]


def test_a_file_of_another_version_is_found_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("a,b\n")
    with pytest.raises(MmbioError, match=r"results\.csv: its columns are those of another mmbio version"):
        collected(tmp_path, range(4))


def test_a_file_that_was_edited_is_told_and_made_again(finish: Finish, tmp_path: Path) -> None:
    for number in range(3):
        finish(number)
    collected(tmp_path, range(3)).add()
    path, before = tmp_path / "results.csv", (tmp_path / "results.csv").read_text()
    path.write_text(before.replace(",0.1,", ",0.9,"))
    sentence = rf"results\.csv: its rows of the result {1:016x} are not those of .*rows\.csv, .*; move it away and run"
    with pytest.raises(MmbioError, match=sentence):
        collected(tmp_path, range(3))
    path.rename(tmp_path / "away.csv")
    collected(tmp_path, range(3)).add()
    assert path.read_text() == before


def test_a_result_whose_rows_are_gone_is_added_again(finish: Finish, tmp_path: Path) -> None:
    for number in range(3):
        finish(number)
    collected(tmp_path, range(3)).add()
    path = tmp_path / "results.csv"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if f"{1:016x}" not in line))
    collected(tmp_path, range(3)).add()
    assert order(tmp_path) == [0, 2, 1]

"""Footnotes: what is said of n, of obstacles and of the paper's intervals, on small tables."""

from dataclasses import replace
from math import nan

import pytest

from mmbio.protocols import AUDIOVISUAL
from mmbio.tables.beside import Measured, compare
from mmbio.tables.footnotes import of_figures, of_obstacles, of_reported
from mmbio.tables.spec import Column, Key, Row, TableSpec

A, B = Key("ecg", "ECG", mark=True), Key("name", "Name", mark=False)


def small(metric: str = "eer", **change: object) -> TableSpec:
    spec = TableSpec(
        protocol=AUDIOVISUAL,
        name="own",
        title="My own",
        notes=(),
        reported_notes=(),
        cost=False,
        keys=(A, B),
        base={},
        columns=tuple(Column(key, key.upper(), "verification", metric, {}) for key in ("x", "y")),
        rows=(Row("r", ("1", "one"), {}), Row("s", ("0", "two"), {}), Row("t", ("1", ""), {})),
    )
    return replace(spec, **change)  # type: ignore[arg-type]


def figures(*counts: int) -> dict[tuple[str, str], Measured]:
    """Row by row, as many decisions as given."""
    places = [(row, column) for row in "rst" for column in "xy"]
    return {place: Measured(0.5, nan, nan, n) for place, n in zip(places, counts, strict=True)}


@pytest.mark.parametrize(
    ("metric", "counts", "note"),
    [
        ("eer", (7,) * 6, "n = 7 in every cell."),
        ("accuracy", (200,) * 6, "The smallest step that the test set can show: 1/200 = 0.50 %."),
        ("eer", (1000, 7) * 3, "n: 1,000 in X; 7 in Y."),
        ("eer", (7, 7, 8, 8, 9, 9), "n: 7 in ECG one; 8 in two; 9 in ECG."),
        ("eer", (7, 7, 7, 7, 9, 9), "n: 9 in ECG; 7 elsewhere."),
        ("eer", (7, 7, 7, 8, 7, 7), "n: 8 in two: Y; 7 elsewhere."),
        (
            "accuracy",
            (100, 100, 200, 200, 200, 200),
            "n (and the smallest step that it can show): 100 (1.00 %) in ECG one; 200 (0.50 %) elsewhere.",
        ),
    ],
)
def test_counts(metric: str, counts: tuple[int, ...], note: str) -> None:
    spec, measured = small(metric), figures(*counts)
    assert of_figures(spec, measured, compare(spec, measured), "In brackets") == [note]


def test_obstacles_that_are_shared_come_first() -> None:
    measured = figures(*(7,) * 6)
    why = [("a",), ("b", "a"), ("a",), ("a",), ("a",), ("a",)]
    given = {place: replace(found, why=w) for (place, found), w in zip(measured.items(), why, strict=True)}
    assert of_obstacles(given) == ["No reproduction of the paper's figures: a; b (1 of 6 figures)."]
    assert of_obstacles(measured) == []


def test_of_reported() -> None:
    reported = {("r", "x"): "8.0", ("s", "x"): "8.1", ("t", "x"): "41.0"}
    assert of_reported(small(), reported, "In brackets") == []
    spec = small(reported_n=35895, reported_design=27.96)
    how, chance = of_reported(spec, reported, "In brackets")
    assert how == (
        "In brackets: Wilson's 95 % interval of 35,895 genuine trials, whose mean varies 28 times as much as that of"
        " independent ones, for they share 120 subjects; ours, not the paper's."
    )
    assert "cannot tell from 0: X 1 of 3." in chance
    assert "two rows of the same ECG," in of_reported(replace(spec, compare=("ecg",)), reported, "In brackets")[1]


def test_min_dcf_has_no_interval() -> None:
    columns = tuple(Column(key, key, "verification", key, {}) for key in ("eer", "min_dcf"))
    reported = {("r", "eer"): "8.0", ("r", "min_dcf"): "0.5"}
    notes = of_reported(small(columns=columns, reported_n=100), reported, "In brackets")
    assert notes[0].endswith("minDCF has none: it takes the scores.")
    assert len(notes) == 1  # one row has no other to differ from

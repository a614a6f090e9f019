"""Errors: one printable line, whatever it quotes."""

import pickle

import pytest

from mmbio.errors import LONGEST, MmbioError


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("a.csv: row 3; mend it", "a.csv: row 3; mend it"),
        ("a\nb\x1b[31m\0\r", r"a\nb\x1b[31m\x00\r"),
        ("\udce9 \u202e é", r"\udce9 \u202e é"),
    ],
)
def test_one_line(given: str, told: str) -> None:
    assert str(MmbioError(given)) == told


def test_what_is_too_long_is_cut_inside() -> None:
    told = str(MmbioError(f"a.csv: '{'x' * 10_000}'; mend it"))
    assert len(told) == LONGEST
    assert told.startswith("a.csv: 'xxx")
    assert " ... " in told
    assert told.endswith("xxx'; mend it")
    assert str(MmbioError("y" * LONGEST)) == "y" * LONGEST


def test_it_travels_between_processes() -> None:
    error = pickle.loads(pickle.dumps(MmbioError("a\nb")))
    assert str(error) == r"a\nb"

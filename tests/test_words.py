"""Words: a number and its noun."""

import pytest

from mmbio.words import plural


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((0, "image"), "0 images"),
        ((1, "image"), "1 image"),
        ((2, "image"), "2 images"),
        ((1, "person", "people"), "1 person"),
        ((3, "person", "people"), "3 people"),
        ((12_345, "file", "", ","), "12,345 files"),
        ((1_000, "is", "are", ","), "1,000 are"),
    ],
)
def test_plural(words: tuple[int, str], told: str) -> None:
    assert plural(*words) == told

"""Counts: remarks on what differs from the published set."""

from pathlib import Path

import pytest

from mmbio.data.readers.counts import counted
from mmbio.data.samples import Sample
from mmbio.errors import MmbioError


def of(*subjects: str) -> list[Sample]:
    return [Sample("face", subject, f"{i}", i, f"{i}.jpg") for i, subject in enumerate(subjects)]


def test_nothing_is_said_where_all_counts_agree() -> None:
    found = counted("x", Path("x"), of("a", "a", "b", "b"), layout="", n_subjects=2, n_samples=4, per_subject=2)
    assert found.notes == ()


def test_each_difference_is_one_note() -> None:
    found = counted("x", Path("x"), of("a", "b", "b"), layout="", n_subjects=3, n_samples=6, per_subject=2, notes=["n"])
    assert found.notes == (
        "n",
        "x: 2 subjects where the set has 3",
        "x: 3 images where the set has 6",
        "x: 1 subject with other than 2 images (a: 1)",
    )


def test_an_empty_set_is_an_error_that_names_folder_and_layout() -> None:
    with pytest.raises(MmbioError, match=r"gone: holds no <subject>/\*\.jpg"):
        counted("x", Path("gone"), [], layout="<subject>/*.jpg")

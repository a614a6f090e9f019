"""Plan: what a protocol makes of the choices that are left out."""

import pytest

from mmbio.data.plan import Plan
from mmbio.protocols import AUDIOVISUAL, MULTITASK, TRIPLETS, Protocol


@pytest.mark.parametrize(
    ("protocol", "given", "split"),
    [(MULTITASK, "", "triplet"), (MULTITASK, "record", "record"), (AUDIOVISUAL, "", "subject")],
)
def test_the_split_left_out_is_the_protocols_first(protocol: Protocol, given: str, split: str) -> None:
    assert Plan(protocol, split=given).split == split


@pytest.mark.parametrize(
    ("scale", "triplets", "expected"), [("quick", None, TRIPLETS["quick"]), ("paper", None, 400), ("paper", 20, 20)]
)
def test_triplets_a_subject(scale: str, triplets: int | None, expected: int) -> None:
    assert Plan(MULTITASK, scale=scale, triplets=triplets).n_triplets == expected

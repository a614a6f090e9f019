"""Pairing: equal genders over matched modalities, and numbers that fit."""

import re
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.data.pairing import Candidate, Virtual, pair
from mmbio.data.samples import Sample
from mmbio.errors import MmbioError

REAL = {"ecg": (39, 34), "face": (19, 133), "finger": (0, 72)}  # ECG-ID in the paper's age band, Faces94, synthetic
MATCHED = ("ecg", "face")


def candidate(modality: str, number: int, gender: str | None, *ages: int | None) -> Candidate:
    name = f"{modality}{number}"
    found = tuple(Sample(modality, name, f"{name}/{i}", i, "", gender, age) for i, age in enumerate(ages or (None,)))
    return Candidate("set", name, found)


def people(sizes: Mapping[str, tuple[int, int]]) -> dict[str, list[Candidate]]:
    """modality -> so many women and men; of fingers no gender is known."""
    return {
        m: [candidate(m, i, None if m == "finger" else "F" if i < women else "M") for i in range(women + men)]
        for m, (women, men) in sizes.items()
    }


def paired(sizes: Mapping[str, tuple[int, int]], n: int | None, seed: int = 0) -> list[tuple[str, Virtual]]:
    return pair(people(sizes), MATCHED, n, 58, np.random.default_rng(seed))


def genders(pairs: list[tuple[str, Virtual]]) -> dict[str, int]:
    return dict(Counter(gender for gender, _ in pairs))


def test_the_real_sets_give_53() -> None:
    assert genders(paired(REAL, None)) == {"F": 19, "M": 34}


@pytest.mark.parametrize(
    ("sizes", "n", "taken"),
    [
        ({"ecg": (50, 50), "face": (50, 50), "finger": (0, 72)}, None, {"F": 29, "M": 29}),
        ({"ecg": (50, 50), "face": (50, 50), "finger": (0, 9)}, None, {"F": 5, "M": 4}),
        ({"ecg": (39, 34), "face": (19, 133), "finger": (0, 72)}, 10, {"F": 4, "M": 6}),
        ({"ecg": (39, 34), "face": (19, 133), "finger": (0, 72)}, 1, {"M": 1}),
        ({"ecg": (0, 5), "face": (7, 3), "finger": (0, 72)}, None, {"M": 3}),
    ],
)
def test_genders_keep_their_shares(sizes: dict[str, tuple[int, int]], n: int | None, taken: dict[str, int]) -> None:
    assert genders(paired(sizes, n)) == taken


@given(st.tuples(*[st.tuples(st.integers(0, 9), st.integers(0, 9))] * 3), st.integers(1, 9), st.integers(0, 2**16))
def test_genders_match_and_nobody_is_used_twice(sizes: tuple[tuple[int, int], ...], n: int, seed: int) -> None:
    named = dict(zip(REAL, sizes, strict=True))
    fits = min(min(named["ecg"][0], named["face"][0]) + min(named["ecg"][1], named["face"][1]), sum(named["finger"]))
    if n > fits:
        with pytest.raises(MmbioError, match=f"--subjects {n}: at most {fits} virtual subjects? fits?"):
            paired(named, n, seed)
        return
    pairs = paired(named, n, seed)
    assert len(pairs) == n
    for gender, virtual in pairs:
        assert list(virtual) == list(REAL)
        assert all(virtual[m].gender == gender for m in MATCHED)
    assert all(len({virtual[m].subject for _, virtual in pairs}) == n for m in REAL)


def test_what_does_not_fit_says_how_many_do() -> None:
    told = (
        "--subjects 54: at most 53 virtual subjects fit (19 F, 34 M matched by gender over ecg and face) from"
        " 73 ecg, 152 face, 72 finger subjects; ask for 1 to 53 with --subjects or leave it out, or widen --ages"
    )
    with pytest.raises(MmbioError, match=f"^{re.escape(told)}$"):
        paired(REAL, 54)


@pytest.mark.parametrize("n", [0, -1])
def test_fewer_than_one_is_refused(n: int) -> None:
    with pytest.raises(MmbioError, match="ask for 1 to 53"):
        paired(REAL, n)


def test_nobody_fits() -> None:
    with pytest.raises(MmbioError, match=r"at most 0 virtual subjects fit .*; widen --ages or add data"):
        paired(REAL | {"face": (0, 0)}, None)


def test_a_seed_decides_who_is_paired() -> None:
    assert paired(REAL, None, 1) == paired(REAL, None, 1)
    assert paired(REAL, None, 1) != paired(REAL, None, 2)


def test_a_person_is_as_old_as_in_the_first_record_with_an_age() -> None:
    assert candidate("ecg", 0, "F", None, 30, 29).age == 29
    assert candidate("ecg", 0, "F", None).age is None

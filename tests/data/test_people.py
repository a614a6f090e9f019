"""People: who tests, trains and tunes, and whose face goes with whose voice."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.data import people
from mmbio.data.pairing import Candidate
from mmbio.data.people import Person
from mmbio.data.plan import Plan
from mmbio.data.samples import Sample
from mmbio.errors import MmbioError
from mmbio.protocols import AUDIOVISUAL

PLAN = Plan(AUDIOVISUAL)
Found = dict[str, list[Candidate]]


def candidate(modality: str, subject: str, gender: str | None = None, *parts: str) -> Candidate:
    samples = [Sample(modality, subject, f"{subject}/{i}", i, "", gender, part=p) for i, p in enumerate(parts or ("",))]
    return Candidate(modality, subject, tuple(samples))


def both(parts: Sequence[str]) -> Found:
    """A face and a voice of a person for each part."""
    return {
        m: [candidate(m, f"p{i:02d}", "FM"[i % 2], part) for i, part in enumerate(parts)] for m in ("face", "voice")
    }


def sets(faces: str, voices: str, part: str = "") -> Found:
    """A face for each gender in `faces` and a voice for each in `voices`; "-" is not known."""
    found = {
        m: [candidate(m, f"{m[0]}{i:02d}", None if g == "-" else g, part) for i, g in enumerate(genders)]
        for m, genders in (("face", faces), ("voice", voices))
    }
    return {"face": [replace(c, samples=tuple(replace(s, part="") for s in c.samples)) for c in found["face"]],
            "voice": found["voice"]}  # fmt: skip


def names(found: Sequence[Person], *splits: str) -> set[str]:
    return {f"{m} {c.subject}" for p in found if p.split in splits for m, c in p.virtual.items()}


def n_of(found: Sequence[Person]) -> dict[str, int]:
    return dict(Counter(p.split for p in found))


def apart(found: Sequence[Person]) -> bool:
    everyone = [f"{m} {c.subject}" for p in found for m, c in p.virtual.items()]
    return len(set(everyone)) == len(everyone)


def test_parts_are_kept_and_a_fifth_of_the_others_tunes() -> None:
    found = people.joined(both(["test"] * 3 + ["dev"] * 10), PLAN)
    assert n_of(found) == {"test": 3, "dev": 2, "train": 8}
    assert names(found, "test") == {f"{m} p0{i}" for m in ("face", "voice") for i in range(3)}
    assert [p.gender for p in found[:3]] == ["F", "M", "F"]
    assert apart(found)


def test_who_is_in_no_part_trains_where_others_are_marked() -> None:
    found = people.joined(both(["test"] * 2 + ["", "dev", ""]), PLAN)
    assert names(found, "test") == {f"{m} p0{i}" for m in ("face", "voice") for i in range(2)}
    assert len(names(found, "train", "dev")) == 6


def test_half_tests_where_nobody_is_marked() -> None:
    found = people.joined(both([""] * 20), PLAN)
    assert n_of(found) == {"test": 10, "dev": 2, "train": 8}
    assert names(found, "test") != names(people.joined(both([""] * 20), replace(PLAN, seed=1)), "test")
    assert names(found, "test") == names(people.joined(both([""] * 20), PLAN), "test")


def test_a_subject_marked_in_one_sample_only_is_in_that_part() -> None:
    found = both(["test", "test", "dev", "dev"])
    found["face"][0] = candidate("face", "p00", "F", "", "test")
    assert names(people.joined(found, PLAN), "test") == names(
        people.joined(both(["test"] * 2 + ["dev"] * 2), PLAN), "test"
    )


def test_a_subject_may_miss_a_modality() -> None:
    found = both(["test", "test", "dev", "dev"])
    del found["voice"][1:3]
    made = people.joined(found, PLAN)
    assert [sorted(p.virtual) for p in made[:2]] == [["face", "voice"], ["face"]]
    assert sorted(len(p.virtual) for p in made[2:]) == [1, 2]


def test_fewer_test_and_those_left_out_do_not_train() -> None:
    found = people.joined(both(["test"] * 6 + ["dev"] * 4), replace(PLAN, subjects=2))
    assert n_of(found)["test"] == 2
    assert names(found, "train", "dev") == {f"{m} p0{i}" for m in ("face", "voice") for i in range(6, 10)}


@pytest.mark.parametrize(
    ("parts", "changes", "told"),
    [
        (["dev"] * 4, {}, "no subject is in part test; mark some subjects as test, or leave the parts empty"),
        (["test"] * 4, {}, "all 4 subjects test and none is left to train on; mark some as dev or add others"),
        (["test", "dev"], {}, "1 subject to test where at least 2 are needed; add data or mark more as test"),
        (["test", "dev"], {"subjects": 2}, "1 subject to test where at least 2 are needed"),
        (["test"] * 3 + ["dev"], {"subjects": 4}, "--subjects 4: 3 subjects test; ask for 2 to 3"),
        (["test"] * 3 + ["dev"], {"subjects": 1}, "--subjects 1: 3 subjects test; ask for 2 to 3"),
        (["test"] * 3 + ["dev"], {"subjects": 0}, "--subjects 0: 3 subjects test; ask for 2 to 3"),
    ],
)
def test_who_cannot_be_joined(parts: Sequence[str], changes: dict[str, Any], told: str) -> None:
    with pytest.raises(MmbioError, match=f"^{told}"):
        people.joined(both(parts), replace(PLAN, **changes))


def test_a_subject_in_two_parts() -> None:
    found = both(["test", "test", "dev"])
    found["face"][0] = candidate("face", "p00", "F", "dev")
    with pytest.raises(MmbioError, match="subject p00 is in dev and in test; put them in one"):
        people.joined(found, PLAN)
    found["face"][0] = candidate("face", "p00", "F", "dev", "test")
    with pytest.raises(MmbioError, match="face: subject p00 is in dev and in test; put them in one"):
        people.joined(found, PLAN)


def test_pairs_are_of_one_gender_and_half_of_them_test() -> None:
    dropped: Counter[str] = Counter()
    found = people.chimeric(sets("F" * 5 + "M" * 9, "F" * 8 + "M" * 4), PLAN, dropped)
    complete = [p for p in found if len(p.virtual) == 2]
    assert all(p.virtual["face"].gender == p.virtual["voice"].gender == p.gender for p in complete)
    tested = [p for p in found if p.split == "test"]
    assert Counter(p.gender for p in complete) == {"F": 5, "M": 4}
    assert Counter(p.gender for p in tested) == {"F": 3, "M": 2}
    assert len(found) == 9 + (14 - 9) + (12 - 9)
    assert apart(found)
    assert {"dev", "train"} == {p.split for p in complete} - {"test"}
    assert not dropped


def test_few_of_a_gender_that_fit_leave_no_error_behind() -> None:
    found = people.chimeric(sets("FF" + "M" * 10, "F" * 10 + "MM"), PLAN, Counter())
    assert n_of(found)["test"] == 2


def test_voices_that_are_marked_decide_who_tests() -> None:
    found = sets("FFFMMM", "FFM", "test")
    found["voice"] += sets("", "FM" * 3, "dev")["voice"]
    found["voice"] = [replace(c, subject=f"v{i}") for i, c in enumerate(found["voice"])]
    made = people.chimeric(found, PLAN, Counter())
    assert {n for n in names(made, "test") if n.startswith("voice")} == {"voice v0", "voice v1", "voice v2"}
    assert {n for n in names(made, "train", "dev") if n.startswith("voice")} == {f"voice v{i}" for i in range(3, 9)}
    assert len(names(made, "test", "train", "dev")) == 6 + 9


def test_who_is_marked_and_has_no_partner_is_counted_and_trains_not() -> None:
    found = sets("FMM", "FFFM", "test")
    dropped: Counter[str] = Counter()
    made = people.chimeric(found, PLAN, dropped)
    assert dropped == {"voice: test subjects without a partner": 2}
    assert n_of(made)["test"] == 2
    assert not {n for n in names(made, "train", "dev") if n.startswith("voice")}


def test_a_gender_that_is_not_known_is_left_out_and_counted_or_matched_with_any() -> None:
    found, dropped = sets("FFMM-", "FFMM--"), Counter[str]()
    made = people.chimeric(found, PLAN, dropped)
    assert dropped == {"face: gender not known": 1, "voice: gender not known": 2}
    assert len(names(made, "test", "train", "dev")) == 8
    anyone: Counter[str] = Counter()
    made = people.chimeric(found, replace(PLAN, match="none"), anyone)
    assert not anyone
    assert len(names(made, "test", "train", "dev")) == 11
    assert n_of(made)["test"] == 3


def test_without_matching_no_gender_is_needed() -> None:
    made = people.chimeric(sets("----", "-----"), replace(PLAN, match="none"), Counter())
    assert n_of(made)["test"] == 2
    assert {p.gender for p in made} == {""}


@pytest.mark.parametrize(
    ("faces", "voices", "changes", "told"),
    [
        (
            "FFMM",
            "FFMM",
            {"subjects": 5},
            r"--subjects 5: at most 4 .* \(2 F, 2 M .*1 to 4 .*use --match none$",
        ),
        ("FFMM", "FFMM", {"subjects": 0}, "--subjects 0: at most 4"),
        ("FF", "MM", {}, r"at most 0 .* \(0 F, 0 M matched by gender over face and voice\).*; use --match none or add"),
        ("--", "FM", {}, "at most 0 .*; use --match none or add data"),
        (
            "FM",
            "FM",
            {"subjects": 3, "match": "none"},
            "3: at most 2 virtual subjects fit from 2 face, 2 voice",
        ),
        ("FM", "FM", {}, "1 subject to test where at least 2 are needed"),
        ("FM", "FM", {"subjects": 2}, "all 2 subjects test and none is left to train on"),
    ],
)
def test_who_cannot_be_paired(faces: str, voices: str, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        people.chimeric(sets(faces, voices), replace(PLAN, **changes), Counter())


@given(
    st.text("FM-", min_size=8, max_size=20),
    st.text("FM-", min_size=8, max_size=20),
    st.sampled_from(["gender", "none"]),
)
def test_nobody_is_two_people(faces: str, voices: str, match: str) -> None:
    plan = replace(PLAN, match=match)
    try:
        found = people.chimeric(sets(faces, voices), plan, Counter())
    except MmbioError as error:
        assert match == "gender", error
        return
    assert apart(found)
    assert all(len(p.virtual) == 2 for p in found if p.split == "test")
    assert found == people.chimeric(sets(faces, voices), plan, Counter())

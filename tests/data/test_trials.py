"""Trials: pairs of different people or of different videos, none twice, drawn by the seed."""

from collections import Counter
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.data.trials import GENUINE, Trials, draw
from mmbio.errors import MmbioError

Sample = tuple[int, str, str]  # subject, video, clip


def drawn(samples: list[Sample], genders: dict[int, str] | None = None, **options: Any) -> Trials:
    subjects, videos, clips = zip(*samples, strict=True)
    of_subject = genders or {}
    gender = np.array([of_subject.get(s, "") for s in subjects])
    return draw(np.array(subjects), np.array(videos, object), np.array(clips, object), gender, **options)


def people(n: int, n_videos: int, n_clips: int) -> list[Sample]:
    return [(s, f"v{v}", f"c{c}") for s in range(n) for v in range(n_videos) for c in range(n_clips)]


def pairs(found: Trials, genuine: bool) -> list[tuple[int, int]]:
    kept = found.genuine == genuine
    return list(zip(found.enrolment[kept].tolist(), found.probe[kept].tolist(), strict=True))


def may_pair(a: Sample, b: Sample, genuine: str) -> bool:
    return {"video": a[1] != b[1], "clip": a[1:] != b[1:], "segment": True}[genuine]


sets = st.lists(st.tuples(st.integers(0, 4), st.sampled_from("vw"), st.sampled_from("cde")), min_size=1, max_size=40)


@given(sets, st.sampled_from(list(GENUINE)), st.integers(1, 8), st.integers(1, 8), st.booleans(), st.integers(0, 99))
def test_rules_are_kept(
    samples: list[Sample], genuine: str, n_genuine: int, n_impostor: int, same_gender: bool, seed: int
) -> None:
    genders = {0: "F", 1: "M", 2: "F", 3: "M", 4: "F"}
    of = {s: [i for i, sample in enumerate(samples) if sample[0] == s] for s in range(5)}
    possible = {
        s: {(i, j) for i, j in combinations(rows, 2) if may_pair(samples[i], samples[j], genuine)}
        for s, rows in of.items()
    }
    kept = [s for s in of if possible[s]]
    alike = any(genders[a] == genders[b] for a, b in permutations(kept, 2))
    options = {"genuine": genuine, "n_genuine": n_genuine, "n_impostor": n_impostor}
    if len(kept) < 2 or (same_gender and not alike):
        with pytest.raises(MmbioError):
            drawn(samples, genders, same_gender=same_gender, seed=seed, **options)
        return
    found = drawn(samples, genders, same_gender=same_gender, seed=seed, **options)
    assert found.n_dropped == sum(bool(rows) for rows in of.values()) - len(kept)
    assert found.n_short == sum(len(possible[s]) < n_genuine for s in kept)
    matches, others = pairs(found, True), pairs(found, False)
    unordered = [tuple(sorted(pair)) for pair in matches]
    assert len(set(unordered)) == len(unordered)
    assert len(set(others)) == len(others)
    assert {samples[i][0] for pair in matches + others for i in pair} <= set(kept)
    for s in kept:
        own = {pair for pair in unordered if samples[pair[0]][0] == s}
        assert own <= possible[s]
        assert len(own) == min(n_genuine, len(possible[s]))
        probes = [o for o in kept if o != s and (not same_gender or genders[o] == genders[s])]
        room = len(of[s]) * sum(len(of[o]) for o in probes)
        mine = [pair for pair in others if samples[pair[0]][0] == s]
        assert len(mine) == min(n_impostor, room)
        assert {samples[j][0] for _, j in mine} <= set(probes)


def test_full_size_and_its_counts() -> None:
    found = drawn(people(120, 30, 10))
    assert (len(found), int(found.genuine.sum()), found.n_dropped, found.n_short) == (72_000, 36_000, 0, 0)
    assert found.enrolment.dtype == found.probe.dtype == np.int64
    assert (found.enrolment // 300 == np.repeat(np.arange(120), 600)).all()


def test_five_clips_a_subject_give_all_their_pairs() -> None:
    found = drawn(people(50, 5, 1))
    assert (int(found.genuine.sum()), found.n_short) == (500, 50)
    assert int((~found.genuine).sum()) == 50 * 300


def test_subjects_without_a_pair_take_no_part() -> None:
    samples = [*people(3, 2, 1), (7, "v0", "c0"), (8, "v0", "c0"), (8, "v0", "c1")]
    for genuine, n_dropped, n_rows in (("video", 2, 6), ("clip", 1, 8)):
        found = drawn(samples, genuine=genuine)
        assert found.n_dropped == n_dropped
        assert len({*found.enrolment.tolist(), *found.probe.tolist()}) == n_rows


@pytest.mark.parametrize(
    ("genuine", "n"), [("video", 2 * 4), ("clip", 2 * 6), ("segment", 2 * 6)], ids=["video", "clip", "segment"]
)
def test_what_a_genuine_pair_is(genuine: str, n: int) -> None:
    assert int(drawn(people(2, 2, 2), genuine=genuine).genuine.sum()) == n


def test_segments_of_one_clip_pair_only_as_segments() -> None:
    samples = [(s, "v", "c") for s in range(2) for _ in range(3)]
    assert int(drawn(samples, genuine="segment").genuine.sum()) == 2 * 3
    with pytest.raises(MmbioError, match=r"0 of 2 subjects have a genuine pair of different clips.*relax"):
        drawn(samples, genuine="clip")


def test_the_seed_decides() -> None:
    def same(a: Trials, b: Trials) -> bool:
        return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("enrolment", "probe", "genuine"))

    samples = people(4, 30, 2)
    assert same(drawn(samples, seed=1), drawn(samples, seed=1))
    assert not same(drawn(samples, seed=1), drawn(samples, seed=2))


def named(samples: list[Sample], found: Trials) -> set[tuple[Sample, Sample, bool]]:
    rows = zip(found.enrolment, found.probe, found.genuine, strict=True)
    return {(samples[e], samples[p], bool(g)) for e, p, g in rows}


def test_the_order_of_samples_does_not_matter() -> None:
    samples = people(4, 20, 2)
    mixed = [samples[i] for i in np.random.default_rng(0).permutation(len(samples))]
    assert named(samples, drawn(samples)) == named(mixed, drawn(mixed))


def test_genuine_pairs_do_not_depend_on_who_else_is_there() -> None:
    samples = people(4, 20, 2)
    fewer = [sample for sample in samples if sample[0] != 2]
    both = [
        {row for row in named(given_samples, drawn(given_samples)) if row[2] and row[0][0] != 2}
        for given_samples in (samples, fewer)
    ]
    assert both[0] == both[1]


def test_every_pair_is_as_likely_and_either_way_round() -> None:
    samples = people(3, 3, 1)
    count = Counter(
        pair for seed in range(1500) for pair in pairs(drawn(samples, n_genuine=1, n_impostor=1, seed=seed), True)
    )
    assert len(count) == 3 * 6
    assert all(190 <= n <= 310 for n in count.values())  # 250 expected, standard deviation 14


def test_genders() -> None:
    samples = people(4, 2, 2)
    found = drawn(samples, {0: "F", 1: "M", 2: "F", 3: "M"}, same_gender=True)
    assert {(e // 4, p // 4) for e, p in pairs(found, False)} == {(0, 2), (2, 0), (1, 3), (3, 1)}
    lonely = drawn(samples, {0: "F", 1: "M", 2: "F", 3: "F"}, same_gender=True)
    assert {e // 4 for e, _ in pairs(lonely, False)} == {0, 2, 3}


@pytest.mark.parametrize(
    ("samples", "genders", "told"),
    [
        (people(1, 2, 2), {}, r"trials: 1 of 1 subjects have a genuine pair of different videos, and two are needed"),
        (people(3, 1, 2), {}, "trials: 0 of 3 subjects"),
        (people(2, 2, 2), {0: "F"}, r"the gender of 1 of 2 subjects is not known.*leave --same-gender out"),
        (people(2, 2, 2), {0: "F", 1: "M"}, "no two of 2 subjects are of one gender"),
    ],
)
def test_what_does_not_go(samples: list[Sample], genders: dict[int, str], told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        drawn(samples, genders, same_gender=bool(genders))


def test_no_samples() -> None:
    none = np.zeros(0, dtype=object)
    with pytest.raises(MmbioError, match="0 of 0 subjects"):
        draw(np.zeros(0, np.int64), none, none, none)


@pytest.mark.parametrize("options", [{"genuine": "x"}, {"n_genuine": 0}, {"n_impostor": 0}])
def test_what_the_caller_gets_wrong(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected genuine of video, clip, segment, and counts above 0"):
        drawn(people(2, 2, 2), **options)


def test_one_gender_a_subject() -> None:
    samples = people(2, 2, 1)
    subjects, videos, clips = (np.array(column) for column in zip(*samples, strict=True))
    with pytest.raises(ValueError, match="expected one gender for a subject"):
        draw(subjects, videos, clips, np.array(["F", "M", "F", "F"]), same_gender=True)

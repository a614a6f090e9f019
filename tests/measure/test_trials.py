"""Trials by the items of a manifest: the drawn ones, a user's list, and what cannot be scored."""

import numpy as np
import pytest

from mmbio.data.manifest import Manifest
from mmbio.data.trial_lists import TrialList
from mmbio.errors import MmbioError
from mmbio.measure.trials import Trials, missing, of_list, of_manifest


def listed(*rows: tuple[str, str, bool]) -> TrialList:
    enrolment, probe, genuine = (np.array(column) for column in zip(*rows, strict=True))
    return TrialList(enrolment.astype(object), probe.astype(object), genuine)


@pytest.mark.parametrize("part", ["test", "dev"])
def test_of_manifest(av_manifest: Manifest, part: str) -> None:
    found, items = of_manifest(av_manifest, part), av_manifest.items
    table = av_manifest.trials[av_manifest.trials["part"] == part]
    assert items["item"].to_numpy()[found.enrolment].tolist() == table["enrolment"].tolist()
    assert items["item"].to_numpy()[found.probe].tolist() == table["probe"].tolist()
    subjects, videos = items["subject"].to_numpy(), items["video"].to_numpy()
    assert ((subjects[found.enrolment] == subjects[found.probe]) == found.genuine).all()
    assert found.words == "of different videos or chapters"
    splits = set(items["split"].to_numpy()[np.union1d(found.enrolment, found.probe)])
    assert splits == {"test"} if part == "test" else "test" not in splits
    if part == "test":
        assert (videos[found.enrolment] != videos[found.probe])[found.genuine].all()


@pytest.mark.parametrize("suffix", [None, ".wav"])
def test_of_list(av_manifest: Manifest, suffix: str | None) -> None:
    end = suffix or ""
    rows = [("test00/v0/c0", "test00/v1/c1", True), ("test03/v2/c0", "test00/v0/c0", False)]
    found = of_list(av_manifest, listed(*((a + end, b + end, g) for a, b, g in rows)), "my list", suffix)
    ids = av_manifest.items["id"].to_numpy()
    assert list(zip(ids[found.enrolment], ids[found.probe], found.genuine.tolist(), strict=True)) == rows
    assert found.words == "my list"


@pytest.mark.parametrize("unknown", ["nobody", "dev00/v0/c0"])  # those who train are not tested
def test_unknown_ids_have_no_row(av_manifest: Manifest, unknown: str) -> None:
    rows = [("test00/v0/c0", "test00/v1/c1", True), (unknown, "test00/v0/c0", False), ("test00/v0/c0", unknown, False)]
    found = of_list(av_manifest, listed(*rows), "")
    assert (found.enrolment >= 0).tolist() == [True, False, True]
    assert (found.probe >= 0).tolist() == [True, True, False]


def test_no_id_is_known(av_manifest: Manifest) -> None:
    with pytest.raises(MmbioError) as caught:
        of_list(av_manifest, listed(("a.wav", "test00/v0/c0", True), ("b.wav", "b.wav", False)), "")
    said = str(caught.value)
    assert said.startswith("--trials: 2 of 2 trials name ids that are not known ('a.wav', 'b.wav')")
    assert "'test00/v0/c0'" in said


def trials(n: int = 4) -> Trials:
    return Trials(np.arange(n), np.arange(n)[::-1].copy(), np.arange(n) % 2 == 0, "words")


def test_take() -> None:
    found = trials().take(np.array([3, 0]))
    assert (found.enrolment.tolist(), found.probe.tolist(), found.genuine.tolist()) == ([3, 0], [0, 3], [False, True])
    assert found.words == "words"
    assert trials().take(np.array([False, True, False, False])).enrolment.tolist() == [1]


def test_the_hash_stands_for_all_of_it() -> None:
    whole = trials()
    others = [
        whole.take(np.arange(3)),
        whole.take(np.array([1, 0, 2, 3])),
        Trials(whole.probe, whole.enrolment, whole.genuine, whole.words),
        Trials(whole.enrolment, whole.probe, ~whole.genuine, whole.words),
        Trials(whole.enrolment, whole.probe, whole.genuine, "other words"),
    ]
    assert len({whole.hash, *(other.hash for other in others)}) == 6
    assert trials().hash == whole.hash


@pytest.mark.parametrize(
    ("n_known", "usable", "said"),
    [
        (3, [True, True, True], "1 of 4 trials cannot be scored (1 name samples that are not there); give"),
        (4, [True, False, False, True], "2 of 4 trials cannot be scored (2 have a side without any modality to"),
        (3, [True, False, True], "2 of 4 trials cannot be scored (1 name samples that are not there, 1 have a side"),
    ],
)
def test_what_cannot_be_scored(n_known: int, usable: list[bool], said: str) -> None:
    found = str(missing(trials(), np.arange(n_known), np.array(usable)))
    assert found.startswith(said)
    assert "--missing-trials skip" in found

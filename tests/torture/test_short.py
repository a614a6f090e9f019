"""A short torture: each step killed once, two at once, full disks, folders that go; `make torture` is the long one."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from tests.data.fetch.server import serving
from tests.torture import disasters, kills
from tests.torture.chain import STEPS, Place
from tests.torture.kill import lost
from tests.torture.run import SPEED
from tests.torture.vanish import told_well

DOWNLOAD, _, EXTRACT, TRAIN, _, TABLES = STEPS


@pytest.fixture(scope="module")
def of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kills.Reference]:
    folder = tmp_path_factory.mktemp("torture")
    kills.prepared(folder)
    with serving(folder / "shared" / "remote", slow=SPEED) as served:
        yield kills.reference(folder, served.url)


@pytest.fixture(scope="module")
def states(of: kills.Reference) -> disasters.States:
    return disasters.States(of)


def test_killed_steps_are_gone_on_with_and_end_the_same(of: kills.Reference) -> None:
    made = kills.outcome(of, seed=0)
    assert [kill.step for kill in made.kills] == [step.name for step in STEPS]
    assert sum(kill.killed for kill in made.kills) >= 2  # on a busy machine some moments come after the end
    assert (made.n_lost, made.unlike, made.scraps) == (0, [], [])
    assert made.n_files > 60


def test_two_runs_on_one_home_both_finish(states: disasters.States) -> None:
    survived(disasters.at_once(states, [DOWNLOAD, EXTRACT]), 2)


def test_a_file_that_may_not_grow_is_one_sentence_and_nothing_is_lost(states: disasters.States) -> None:
    survived(disasters.full_disks(states, [EXTRACT, TRAIN], [200_000]), 2)


def test_what_vanishes_is_one_sentence(states: disasters.States) -> None:
    rng = np.random.default_rng(0)
    survived(disasters.vanishing(states, rng, [EXTRACT], ["root", "home"]), 2)
    survived(disasters.vanishing(states, rng, [TABLES], ["store"]), 1)


def survived(trials: Iterable[disasters.Trial], n: int) -> None:
    found = list(trials)
    assert [one for one in found if not one.well] == []
    assert len(found) == n


def test_the_harness_sees_what_is_lost_and_what_is_told_badly() -> None:
    assert lost({"a": b"abcd", "b": b"xy"}, {"a": b"abXd"}) == 1 + 2
    assert lost({"a": b"ab"}, {"a": b"abc", "more": b"..."}) == 1
    assert told_well(2, "Error: a: is not there; put it back\n")
    for code, said in (
        (1, "Error: a\n"),
        (2, "Error: a\nError: b\n"),
        (2, ""),
        (0, "Traceback (most recent call last)"),
    ):
        assert not told_well(code, said)


def test_a_step_names_its_own_places(of: kills.Reference) -> None:
    place = Place(of.shared / "h", of.shared, "http://127.0.0.1:1/")
    assert STEPS[0].command(place)[-1] == "http://127.0.0.1:1/ecg-id/"

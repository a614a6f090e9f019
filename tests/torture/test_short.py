"""A short torture: three steps killed, two at once, full disks, folders that go; `make torture` is the long one."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.data.fetch.server import serving
from tests.torture import disasters, kills
from tests.torture.chain import holding
from tests.torture.kill import Length, Moment, lost
from tests.torture.run import SPEED, Log, header, part
from tests.torture.steps import STEPS, Place, named
from tests.torture.vanish import told_well

NAMES = ("download", "build-virtual", "extract", "import", "build-virtual-pairs", "train-pairs", "purge-imported")
SHORT = named(*NAMES)
DOWNLOAD, EXTRACT, TRAIN = named("download", "extract", "train-pairs")
KILLED = ("extract", "train-pairs", "purge-imported")


@pytest.fixture(scope="module")
def of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kills.Reference]:
    folder = tmp_path_factory.mktemp("torture")
    kills.prepared(folder)
    with serving(folder / "shared" / "remote", slow=SPEED) as served:
        yield kills.reference(folder, served.url, SHORT)


@pytest.fixture(scope="module")
def states(of: kills.Reference) -> disasters.States:
    return disasters.States(of)


def test_killed_steps_are_gone_on_with_and_end_the_same(of: kills.Reference) -> None:
    made = kills.outcome(of, 0, only=KILLED)
    assert [kill.step.name for kill in made.kills] == list(KILLED)
    assert sum(kill.killed for kill in made.kills) >= 2
    assert (made.n_lost, made.unlike, made.scraps, made.failed) == (0, {}, {}, "")
    assert made.n_compared > 100


def test_chains_kill_each_verb_once_and_all_steps_by_turns() -> None:
    verbs = list(dict.fromkeys(step.verb for step in STEPS))
    of = {step.name: step.verb for step in STEPS}
    one, other = kills.victims(STEPS, 0), kills.victims(STEPS, 1)
    assert [of[name] for name in one] == [of[name] for name in other] == verbs
    assert {*one, *other} == {*of}


def test_moments_are_spread_over_a_step() -> None:
    shares = np.array([[moment.share for moment in kills.moments(STEPS, n, seed=0)] for n in range(8)])
    assert all({*np.floor(4 * of_step)} == {0, 1, 2, 3} for of_step in shares.T)


def test_a_moment_lies_where_the_step_writes_and_is_earlier_in_the_next_attempt() -> None:
    length = Length(seconds=10.0, first=2.0, changes=40)
    assert Moment(0.5, by_change=False, alone=True).of(length) == 6.0
    assert Moment(0.5, by_change=True, alone=True).of(length) == 20
    assert Moment(0.5, by_change=True, alone=True).of(length, attempt=1) == 14
    assert Moment(0.0, by_change=True, alone=True).of(length) == 1


def test_what_differs_and_what_is_left_is_told_with_the_step_since_which(tmp_path: Path) -> None:
    place, made, purge = Place(tmp_path / "home", tmp_path, ""), kills.Outcome(), STEPS[-1]
    (tmp_path / "home" / ".purging").mkdir(parents=True)
    (tmp_path / "home" / "a.csv").write_bytes(b"test03\n")
    kills.compare(made, STEPS[0], {"a.csv": b"test04\n", "b.csv": b"12"}, place)
    kills.compare(made, purge, {"a.csv": b"test04\n", "b.csv": b"12"}, place)
    assert (made.n_lost, made.unlike) == (1 + 2, dict.fromkeys(("a.csv", "b.csv"), "download"))
    assert made.scraps == {".purging": "download", "a.csv": "purge-imported"}
    assert not made.well


def test_a_name_is_found_in_bytes_and_in_names(tmp_path: Path) -> None:
    (tmp_path / "home" / "of-ann").mkdir(parents=True)
    (tmp_path / "home" / "b.npy").write_bytes(b"\0ann\0")
    (tmp_path / "home" / "c").write_bytes(b"bob")
    assert holding(Place(tmp_path / "home", tmp_path, ""), "ann") == ["b.npy", "of-ann"]


def test_a_part_that_breaks_off_counts_and_the_header_names_the_commit(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()
    with part(log, "kills"):
        raise AssertionError("download ended with 1")
    assert log.failures == 1
    assert capsys.readouterr().out == "kills: broke off: AssertionError: download ended with 1\n"
    assert re.match(
        r"# make torture: kills, \d{4}-\d\d-\d\d, (commit [0-9a-f]{7,}( and changes)?|no commit): ", header(["kills"])
    )


def test_two_runs_on_one_home_both_finish(states: disasters.States) -> None:
    survived(disasters.at_once(states, [DOWNLOAD, EXTRACT]), 2)


def test_a_file_that_may_not_grow_is_one_sentence_and_nothing_is_lost(states: disasters.States) -> None:
    survived(disasters.full_disks(states, [EXTRACT, TRAIN], [200_000]), 2)


def test_what_vanishes_is_one_sentence(states: disasters.States) -> None:
    rng = np.random.default_rng(0)
    survived(disasters.vanishing(states, rng, [EXTRACT], ["root", "store", "home"]), 3)


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

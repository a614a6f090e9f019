"""Every reader on hostile input: it returns, or says one sentence; tests.fuzz.run does the same at length."""

import random
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmbio.errors import MmbioError
from tests.fuzz import targets
from tests.fuzz.mutate import DEEP, mutated
from tests.fuzz.target import Finding, Target, tried

EXAMPLES = 16  # of each target, four inputs each
SHM = Path("/dev/shm")  # no target waits for a disk


@pytest.fixture(scope="module", params=targets.names())
def bench(request: pytest.FixtureRequest) -> Iterator[tuple[Target, Path]]:
    """A target and its scratch folder."""
    target = targets.find(request.param)
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
        target.prepare(Path(folder))
        yield target, Path(folder)


def test_its_seeds(bench: tuple[Target, Path]) -> None:
    target, scratch = bench
    seeds = target.seeds()
    assert seeds
    for data in (*seeds, b"", *DEEP):
        _tried(target, data, scratch)


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**64 - 1), raw=st.binary(max_size=300))
def test_mutations(bench: tuple[Target, Path], seed: int, raw: bytes) -> None:
    target, scratch = bench
    rng = random.Random(seed)
    for _ in range(3):
        _tried(target, mutated(rng, _seeds(target)), scratch)
    _tried(target, raw, scratch)


def _tried(target: Target, data: bytes, scratch: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, which the log takes
        tried(target, data, scratch)


@cache
def _seeds(target: Target) -> tuple[bytes, ...]:
    return tuple(target.seeds())


def _raises(error: Exception) -> Target:
    def run(data: bytes, scratch: Path) -> None:
        raise error

    return Target(run, lambda: [b""])


def _out_of_memory() -> MmbioError:
    try:
        raise MmbioError("a.npy: cannot be read; write it again") from MemoryError()
    except MmbioError as error:
        return error


@pytest.mark.parametrize("error", [ValueError("x"), RecursionError(), MemoryError(), MmbioError(""), _out_of_memory()])
def test_what_is_a_finding(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(Finding if isinstance(error, MmbioError) else type(error)):
        tried(_raises(error), b"", tmp_path)


def test_what_is_none(tmp_path: Path) -> None:
    assert tried(_raises(MmbioError("a: broken; mend it")), b"", tmp_path) == "a: broken; mend it"
    assert tried(Target(lambda data, scratch: None, lambda: [b""]), b"", tmp_path) == ""


def test_mutations_are_those_of_the_seed() -> None:
    found = [[mutated(random.Random(i), [b"a,b\n1,2\n", b"\0" * 40]) for i in range(200)] for _ in range(2)]
    assert found[0] == found[1]
    assert len(set(found[0])) > 150

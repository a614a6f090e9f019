"""A worker that would compute other bytes says why, in one sentence."""

import pytest

from mmbio.errors import MmbioError
from mmbio.workers.worker import refuse, software, unlike

HERE = {"mmbio": "1", "torch": "2.0", "numpy": "2.1", "scipy": "1.0", "wfdb": "4"}


def test_the_same_software_may_work() -> None:
    refuse("tcp://w:1", dict(software()), software())
    assert {"mmbio", "Python", "torch", "numpy", "the code of mmbio/embed"} <= software().keys()


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (
            {"torch": "2.1"},
            r"worker tcp://w:1: torch is 2\.1 \(here 2\.0\), so its results might differ; install the same",
        ),
        ({"other": "1"}, r"other is 1 \(here not there\), so"),
        (dict.fromkeys(("torch", "numpy", "scipy", "wfdb"), "0"), r"scipy is 0 \(here 1\.0\), \.\.\., so"),
    ],
)
def test_what_is_refused(there: dict[str, str], told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        refuse("tcp://w:1", HERE | there, HERE)


def test_keys_that_differ() -> None:
    here = {"precision": "bf16", "libraries": {"torch": "2", "numpy": "2"}, "n": 3}
    there = here | {"precision": "fp32", "libraries": {"torch": "1", "numpy": "2"}}
    assert str(unlike("vectors of face", there, here)) == (
        "vectors of face: determined otherwise on a worker, where precision is fp32 (here bf16), libraries.torch is 1"
        " (here 2); use workers like this machine, or name --device and --precision"
    )

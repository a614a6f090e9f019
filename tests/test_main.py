"""The program hears Ctrl-C before it imports anything of size: plain lines, the exit code of shells, no traceback."""

import signal
import subprocess
import sys
import time

import pytest

ON = "run the same command again to go on\n"
NOTHING = f"stopped; nothing was begun\n{ON}"
# A Ctrl-C at the moment when a module is about to be imported, or when all is done.
AT = """
import atexit, os, signal, sys
class Hit:
    @staticmethod
    def find_spec(name, *_):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Hit)
if {name!r} == "the end":
    atexit.register(os.kill, os.getpid(), signal.SIGINT)
sys.argv = ["mmbio", "datasets"]
from mmbio.__main__ import main
main()
"""


def listening() -> None:
    """What a shell does to what it starts in the foreground; tests may run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ignoring() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def at(name: str, before: object = listening) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", AT.format(name=name)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, preexec_fn=before)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("name", ["mmbio.cli", "mmbio.cli.main", "click", "mmbio.cli.running"])
def test_while_it_is_imported(name: str) -> None:
    done = at(name)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", NOTHING)


def test_while_a_verb_is_imported() -> None:
    done = at("mmbio.cli.datasets")
    assert (done.returncode, done.stderr.endswith(ON), "Traceback" in done.stderr) == (130, True, False)


def test_when_all_is_done() -> None:
    done = at("the end")
    assert (done.returncode, done.stdout != "", done.stderr) == (-signal.SIGINT, True, "")


def test_one_that_is_ignored_stays_ignored() -> None:
    done = at("click", ignoring)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("milliseconds", range(10, 151, 20))
def test_at_many_moments(milliseconds: int) -> None:
    """Where Python itself is still starting, the traceback is Python's and names nothing of ours."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mmbio", "datasets"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=listening,
    )
    time.sleep(milliseconds / 1000)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert "mmbio/cli" not in told
    assert "Traceback" in told or told.endswith(ON) or told == ""

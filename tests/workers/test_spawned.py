"""spawned: processes begin with Ctrl-C blocked and without warnings."""

import os
import signal
import time
import warnings

import pytest

from mmbio.workers import spawned


def hit() -> int:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.05)
    warnings.warn("old thing", UserWarning, stacklevel=1)
    return os.getpid()


def test_ctrl_c_and_warnings_do_not_reach_them(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with spawned.pool(1) as pool:
        assert pool.submit(hit).result(60) != os.getpid()
        assert pool.submit(len, "abc").result(60) == 3
    assert capfd.readouterr() == ("", "")
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before

"""spawned: processes begin with Ctrl-C blocked, and what is warned of in them is told here, not printed."""

import logging
import os
import re
import signal
import time
import warnings

import pytest

from mmbio.workers import spawned


def hit(n: int = 0) -> int:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.05)
    warnings.warn("old thing" + "s" * n, UserWarning, stacklevel=1)
    logging.getLogger("library").warning("careful")
    logging.getLogger("library").info("by the way")
    return os.getpid()


def test_ctrl_c_does_not_reach_them_and_warnings_come_back(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with spawned.pool(1) as pool:
        assert pool.submit(hit).result(60) != os.getpid()
        assert pool.submit(len, "abc").result(60) == 3
    assert capfd.readouterr() == ("", "")
    assert [(r.name, r.levelname) for r in caplog.records] == [("py.warnings", "WARNING"), ("library", "WARNING")]
    assert re.fullmatch(r".*test_spawned\.py:\d+: UserWarning: old thing", caplog.messages[0])
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_a_long_line_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    with spawned.pool(1) as pool:
        pool.submit(hit, 100_000).result(60)
    assert 500 < len(caplog.messages[0]) < spawned.LONGEST


def test_lines_come_while_the_processes_work(caplog: pytest.LogCaptureFixture) -> None:
    pool = spawned.pool(1)
    pool.submit(hit).result(60)
    until = time.monotonic() + 30
    while len(caplog.messages) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    pool.shutdown(wait=False)
    assert len(caplog.messages) == 2

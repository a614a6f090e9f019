"""What goes wrong with workers ends in one sentence, and soon."""

import os
import re
import socket
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from mmbio.errors import MmbioError
from mmbio.workers import cluster, connect
from mmbio.workers.cluster import Task, active, using

needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="no Dask: pip install 'mmbio[dask]'")
ONE = [Task((1, 2))]


@pytest.fixture
def lonely() -> Iterator[Any]:
    """A scheduler without workers."""
    distributed = pytest.importorskip("distributed", reason="no Dask: pip install 'mmbio[dask]'")
    with distributed.LocalCluster(
        n_workers=0, processes=False, protocol="tcp://", dashboard_address=None, silence_logs=60
    ) as made:
        yield made


def results(
    n_workers: int | None, scheduler: str | None, tell: Any = print, function: Any = pow, tasks: Any = ONE
) -> list[Any]:
    with using(n_workers, scheduler, tell):
        workers = active()
        assert workers is not None
        return list(workers.each("shard", function, tasks))


def test_nobody_is_asked_for() -> None:
    with using(None, None, print):
        assert active() is None


@needs_dask
@pytest.mark.parametrize(
    ("n_workers", "scheduler", "told"),
    [
        (2, "tcp://there:8786", "--workers and --scheduler: .* give one of them"),
        (None, "there", "--scheduler there: expected tcp://HOST:PORT"),
        (None, "http://there:80", "--scheduler http://there:80: expected tcp://HOST:PORT"),
        (None, "tcp://there:99999", "--scheduler tcp://there:99999: expected tcp://HOST:PORT"),
        (None, "tcp://there", "--scheduler tcp://there: expected tcp://HOST:PORT"),
    ],
)
def test_what_is_refused(n_workers: int | None, scheduler: str | None, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        connect.check(n_workers, scheduler)


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "find_spec", lambda _: None)
    with pytest.raises(MmbioError, match=r"--workers 2: needs dask and distributed, .* pip install 'mmbio\[dask\]'"):
        results(2, None)


@needs_dask
@pytest.mark.parametrize("listening", [False, True])
def test_no_scheduler_there(monkeypatch: pytest.MonkeyPatch, listening: bool) -> None:
    monkeypatch.setattr(connect, "CONNECT_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        if not listening:
            server.close()
        with pytest.raises(MmbioError, match=rf"--scheduler {address}: no Dask scheduler answers there"):
            results(None, address)
    assert active() is None


def test_no_worker_comes(lonely: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("LOOK_S", 0.1), ("ALONE_S", 0.2), ("ABSENT_S", 0.7)):
        monkeypatch.setattr(cluster, name, seconds)
    told: list[str] = []
    with pytest.raises(MmbioError, match=r"no worker for 0\.7 s; start some with dask worker ADDRESS"):
        results(None, lonely.scheduler_address, told.append)
    assert [line.partition(": ")[2] for line in told] == ["no worker there, waiting for one (0.7 s at most)"]


def test_the_scheduler_goes(lonely: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "LOOK_S", 0.1)
    monkeypatch.setattr(cluster, "ALONE_S", 0.1)
    with pytest.raises(MmbioError, match="the scheduler is gone; what was finished is kept"):
        results(None, lonely.scheduler_address, lambda _: lonely.close())


@needs_dask
def test_workers_of_this_machine_and_a_task_that_ends_them_all() -> None:
    import dask

    told: list[str] = []
    assert results(1, None, told.append) == [1]
    assert re.fullmatch(r"worker tcp://127\.0\.0\.1:\d+: 1 shard in 0\.\d s", told[0])
    died = pytest.raises(MmbioError, match="--workers 1: 2 workers died one after another that had the same shard")
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}), died:
        results(1, None, told.append, os._exit, [Task((1,))])
    assert any(line.endswith(" lost; 1 shard given to others") for line in told)


@needs_dask
def test_what_a_worker_warns_of_is_told_here(capfd: pytest.CaptureFixture[str], caplog: Any) -> None:
    with using(1, None, print):
        workers = active()
        assert workers is not None
        assert list(workers.each("task", warnings.warn, [Task(("old thing",))])) == [None]
        assert list(workers.each("task", len, [Task(("abc",))])) == [3]
    assert "old thing" not in "".join(capfd.readouterr())
    assert re.fullmatch(r"worker tcp://\S+: \S+: UserWarning: old thing", caplog.messages[-1])

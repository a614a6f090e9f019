"""connect: a Dask cluster to work with: workers started here for the while, or a scheduler that is there already."""

import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from mmbio.errors import MmbioError

ADDRESS: Final = re.compile(r"(tcp|tls)://(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):([0-9]{1,5})", re.ASCII)
CONNECT_S: Final = 8.0  # for a scheduler to answer
LONGEST: Final = 1 << 20  # bytes of what a scheduler says first
START_S: Final = 60.0  # for workers of this machine to start
OFF: Final = logging.CRITICAL + 1  # Dask logs the closing of a connection as critical
# Ctrl-C reaches the whole group of processes; what it ends is this one, which then ends its workers.
UNINTERRUPTED: Final = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
LOGGERS: Final = ("distributed", "distributed.client", "distributed.gc", "distributed.nanny", "distributed.worker",
                  "distributed.scheduler", "tornado", "tornado.application", "asyncio")  # fmt: skip


def check(n_workers: int | None, scheduler: str | None) -> None:
    """Raise MmbioError where --workers and --scheduler cannot be had as they are given."""
    if n_workers is not None and scheduler is not None:
        raise MmbioError("--workers and --scheduler: workers are of this machine or of a cluster; give one of them")
    if scheduler is not None and not _is_address(scheduler):
        raise MmbioError(f"--scheduler {scheduler}: expected tcp://HOST:PORT, as dask scheduler prints it")
    if find_spec("distributed") is None:
        raise MmbioError(
            f"{_option(n_workers, scheduler)}: needs dask and distributed, which are not installed;"
            " pip install 'mmbio[dask]'"
        )


@contextmanager
def to_scheduler(address: str) -> Iterator[Any]:
    """A client of the scheduler at an address; raises MmbioError where none answers."""
    with _quietly() as distributed:
        try:
            _wait_for_answer(address)
            client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False, name="mmbio")
        except (OSError, ValueError, RuntimeError) as error:
            raise MmbioError(
                f"--scheduler {address}: no Dask scheduler answers there; start one with dask scheduler and give the"
                " address that it prints"
            ) from error
        with _closing(client):
            yield client


def _wait_for_answer(address: str) -> None:
    """Raise OSError where nothing that speaks as Dask does answers in time; Dask's own client may wait for ever."""
    match = ADDRESS.fullmatch(address)
    assert match is not None
    scheme, host, port = match[1], match[2] or match[3], int(match[4])
    until = time.monotonic() + CONNECT_S
    while True:
        try:
            with socket.create_connection((host, port), timeout=max(0.1, until - time.monotonic())) as connection:
                # Both sides of a connection begin with the length of what follows; under TLS with other things.
                if scheme == "tls" or 0 < int.from_bytes(connection.recv(8), "little") < LONGEST:
                    return
            raise ConnectionRefusedError("not Dask")
        except ConnectionError:  # it may just be starting
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@contextmanager
def to_workers(n: int) -> Iterator[Any]:
    """A client of n worker processes of this machine, one task each at a time, that end with the block."""
    import dask

    settings = {
        "distributed.worker.daemon": False,  # dlib's extractor has processes of its own
        "distributed.nanny.pre-spawn-environ": {},  # threads as they are in this process
        "distributed.comm.timeouts.connect": f"{START_S:g}s",
    }
    with _quietly() as distributed, dask.config.set(settings):
        try:
            cluster = distributed.LocalCluster(
                n_workers=n,
                threads_per_worker=1,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",  # None would open one to all, and warn where its port is taken
                silence_logs=OFF,
                preload=[UNINTERRUPTED],
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise MmbioError(f"--workers {n}: the workers do not start ({error}); give fewer, or none") from error
        with cluster, _closing(distributed.Client(cluster, set_as_default=False)) as client:
            yield client


@contextmanager
def _closing(client: Any) -> Iterator[Any]:
    try:
        yield client
    finally:
        client.close(timeout=2)


@contextmanager
def _quietly() -> Iterator[Any]:
    """Dask, its own lines kept from the terminal: what a user should know is told in a sentence."""
    import dask

    with dask.config.set({"logging": dict.fromkeys(LOGGERS, OFF)}):
        distributed = import_module("distributed")  # which sets up its loggers
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(OFF)
    try:
        yield distributed
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _is_address(text: str) -> bool:
    match = ADDRESS.fullmatch(text)
    return match is not None and 0 < int(match[4]) < 65536


def _option(n_workers: int | None, scheduler: str | None) -> str:
    return f"--scheduler {scheduler}" if scheduler is not None else f"--workers {n_workers}"

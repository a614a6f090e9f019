"""cluster: who computes shards and cells: this process, or workers; the results are the same bytes either way.

Workers are N processes of this machine, started when first needed, or those of a Dask cluster that is there
already. A worker that is lost costs what it had not finished: Dask gives that to others.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any, Final
from uuid import uuid4

from mmbio.errors import MmbioError
from mmbio.provenance import environment
from mmbio.workers import connect, lines
from mmbio.workers.worker import Client, Done, work

AHEAD: Final = 3  # tasks given out for each worker, so that none waits and memory stays bounded
LOOK_S: Final = 1.0  # between looks at who is there
ALONE_S: Final = 10.0  # without any worker before a line says so
ABSENT_S: Final = 600.0  # without any worker before the run ends: those of a cluster may have to queue

Tell = Callable[[str], object]


@dataclass(frozen=True)
class Task:
    """What a function is told, and for how many units it stands."""

    told: tuple[Any, ...]
    weight: int = 1


class Cluster:
    """Workers, connected to when there is work; `using` makes one."""

    def __init__(self, option: str, far: bool, client: Callable[[], Any], tell: Tell) -> None:
        self._option, self._far, self._connect, self._tell = option, far, client, tell
        self._lost: SimpleQueue[tuple[str, set[str]]] = SimpleQueue()
        self._given: dict[str, tuple[str, int]] = {}  # key of a task that is given out -> unit, weight
        self._shares: dict[str, Counter[str]] = {}  # worker -> unit -> how many it has done
        self._seconds: dict[str, float] = defaultdict(float)  # worker -> what they took it
        self._processors = {str(environment()["processor"])}
        self._last_seen = 0.0  # any worker, in seconds of time.monotonic()
        self._told_alone = False

    def each(
        self,
        unit: str,
        function: Callable[..., Any],
        tasks: Sequence[Task],
        ended: Callable[[int], object] = int,
        ahead: int = AHEAD,
    ) -> Generator[Any, None, None]:
        """What a module's function gives for each task, in their order; `ended` gets the number of each that ends.

        At most `ahead` tasks a worker are given out beyond the first that has not ended. Raises MmbioError as the
        function does, where the workers or the scheduler are gone, and where a task ends worker after worker.
        """
        client, told = self._client(), Client.here(self._far)
        arrived: SimpleQueue[int] = SimpleQueue()
        running: dict[int, Any] = {}
        ready: dict[int, Any] = {}
        n_given = n_back = 0
        n_workers, looked = self._n_there(client), time.monotonic()
        try:
            while n_back < len(tasks):
                while n_given < min(len(tasks), n_back + ahead * max(1, n_workers)):
                    running[n_given] = self._give(client, unit, told, function, tasks[n_given])
                    running[n_given].add_done_callback(lambda _, number=n_given: arrived.put(number))
                    n_given += 1
                try:
                    number = arrived.get(timeout=LOOK_S)
                    ready[number] = self._take(running.pop(number), unit)
                    ended(number)
                except Empty:
                    pass
                if time.monotonic() - looked > LOOK_S:
                    n_workers, looked = self._n_there(client), time.monotonic()
                self._tell_losses()
                while n_back in ready:
                    yield ready.pop(n_back)
                    n_back += 1
        finally:
            self._tell_losses()
            client.cancel(list(running.values()))

    def tell_shares(self) -> None:
        """Tell what each worker has done."""
        for address, counts in sorted(self._shares.items()):
            self._tell(f"worker {address}: {_counted(counts)} in {self._seconds[address]:.1f} s")

    def _client(self) -> Any:
        """The client, which hears of workers that are lost."""
        client = self._connect()
        if not self._last_seen:
            client.subscribe_topic("all", self._hear)
            self._last_seen = time.monotonic()
        return client

    def _hear(self, event: tuple[float, Any]) -> None:
        said = event[1]
        if isinstance(said, dict) and said.get("action") == "remove-worker":
            self._lost.put((str(said["worker"]), {str(key) for key in said["processing-tasks"]}))

    def _give(self, client: Any, unit: str, told: Client, function: Callable[..., Any], task: Task) -> Any:
        key = f"mmbio-{unit}-{uuid4().hex}"
        self._given[key] = unit, task.weight
        return client.submit(work, told, function, *task.told, key=key, pure=False)

    def _take(self, future: Any, unit: str) -> Any:
        """What a task gave; a failure that is not the function's own becomes a sentence."""
        from distributed import KilledWorker

        try:
            done: Done = future.result()
        except KilledWorker as error:
            raise MmbioError(
                f"{self._option}: {error.allowed_failures + 1} workers died one after another that had the same {unit}"
                f" to do, the last at {error.last_worker.address}; see why in their logs (memory?), and run the command"
                " again, what was finished is kept"
            ) from error
        except CancelledError as error:
            raise self._gone() from error
        _, weight = self._given.pop(str(future.key))
        self._shares.setdefault(done.worker, Counter())[unit] += weight
        self._seconds[done.worker] += done.seconds
        self._last_seen = time.monotonic()
        for line in done.lines:
            lines.log(line, f"worker {done.worker}: ")
        if done.processor not in self._processors:
            self._processors.add(done.processor)
            self._tell(f"worker {done.worker} has another processor ({done.processor}), whose last bits may differ")
        return done.value

    def _gone(self) -> MmbioError:
        return MmbioError(
            f"{self._option}: the scheduler is gone; what was finished is kept, run the command again once it is back"
        )

    def _n_there(self, client: Any) -> int:
        """How many tasks can be worked on at once; raises MmbioError where nobody has been there for long."""
        try:
            n = int(sum(client.nthreads().values()))
        except OSError as error:
            raise self._gone() from error
        now = time.monotonic()
        absent = now - self._last_seen
        if n:
            self._last_seen = now
        elif absent > ABSENT_S:
            raise MmbioError(
                f"{self._option}: no worker for {ABSENT_S:g} s; start some with dask worker ADDRESS and run the command"
                " again, what was finished is kept"
            )
        elif absent > ALONE_S and not self._told_alone:
            self._told_alone = True
            self._tell(f"{self._option}: no worker there, waiting for one ({ABSENT_S:g} s at most)")
        return n

    def _tell_losses(self) -> None:
        while not self._lost.empty():
            address, keys = self._lost.get()
            counts = Counter[str]()
            for unit, weight in (self._given[key] for key in keys if key in self._given):
                counts[unit] += weight
            self._tell(f"worker {address} lost" + (f"; {_counted(counts)} given to others" if counts else ""))


class _Process:
    """Whom this process lets compute."""

    cluster: Cluster | None = None


_PROCESS: Final = _Process()


def active() -> Cluster | None:
    """The workers that compute for this process, None where it does so itself."""
    return _PROCESS.cluster


@contextmanager
def using(n_workers: int | None, scheduler: str | None, tell: Tell) -> Iterator[None]:
    """Let n processes of this machine, or the workers of a scheduler, compute shards and cells inside the block.

    Without either this process does. `tell` gets a line for each worker that is lost, and for what each has done.
    Raises MmbioError where Dask is not installed, the address is none, or no scheduler answers there.
    """
    if n_workers is None and scheduler is None:
        yield
        return
    connect.check(n_workers, scheduler)
    with ExitStack() as stack:
        if scheduler is not None:
            there = stack.enter_context(connect.to_scheduler(scheduler))
            cluster = Cluster(f"--scheduler {scheduler}", True, lambda: there, tell)
        else:
            assert n_workers is not None
            started = cache(lambda: stack.enter_context(connect.to_workers(n_workers)))
            cluster = Cluster(f"--workers {n_workers}", False, started, tell)
        _PROCESS.cluster = cluster
        try:
            yield
            cluster.tell_shares()
        finally:
            _PROCESS.cluster = None


def _counted(counts: Counter[str]) -> str:
    return " and ".join(f"{n:,} {unit}{'s' if n != 1 else ''}" for unit, n in sorted(counts.items()))

"""What the tests of workers share: a scheduler and three workers on loopback, as separate processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PRELOAD = "from mmbio.embed.backbones import resnet50\nresnet50.SIZE = 64\n"


@dataclass
class Loopback:
    """Processes of a Dask cluster; workers have no nanny, so that one that is killed stays away."""

    folder: Path
    address: str = ""
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    scheduler: "subprocess.Popen[bytes] | None" = None

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        environment = {k: v for k, v in os.environ.items() if k != "MMBIO_THREADS"}
        command = [sys.executable, "-m", "dask", *words]
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def add(self, n: int) -> None:
        preload = ["--preload", str(self.folder / "small.py"), "--local-directory", str(self.folder)]
        words = ["worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", *preload]
        self.workers += [self.start(*words) for _ in range(n)]

    def kill(self) -> None:
        """End the first worker that lives as a machine that fails ends it."""
        worker = next(w for w in self.workers if w.poll() is None)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()


@pytest.fixture(scope="session")
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    """A scheduler and three workers that compute on small images; skips without Dask."""
    pytest.importorskip("distributed", reason="no Dask: pip install 'mmbio[dask]'")
    made = Loopback(tmp_path_factory.mktemp("dask"))
    (made.folder / "small.py").write_text(PRELOAD)
    try:
        file = made.folder / "scheduler.json"
        made.scheduler = made.start(
            *("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        )
        made.address = _address(file)
        made.add(3)
        yield made
    finally:
        for process in (*made.workers, made.scheduler):
            if process is not None:
                process.kill()
                process.wait()


def _address(file: Path) -> str:
    """Where the scheduler says that it listens."""
    import json

    until = time.monotonic() + 60
    while time.monotonic() < until:
        if file.is_file() and file.read_text().rstrip().endswith("}"):
            return str(json.loads(file.read_text())["address"])
        time.sleep(0.1)
    raise TimeoutError("no scheduler")

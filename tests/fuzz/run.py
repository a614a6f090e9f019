"""Fuzz every reader at length: `python -m tests.fuzz.run [--inputs N] [--seconds S] [--only NAME ...]`.

Each target is a process of its own. An input is a finding where its reader does anything but return or say one
sentence: another exception, a crash, memory more than 1 GB over what was there before, no end after PATIENCE seconds.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.fuzz import targets
from tests.fuzz.child import COUNTS

PATIENCE: Final = 10  # seconds for one input, on a machine that others use too
RESTARTS: Final = 5  # of a target whose process crashed or hung
COVERAGE: Final = re.compile(r"cov: ([0-9]+) ft: ([0-9]+)")
SHM: Final = Path("/dev/shm")  # in memory, where there is such a folder


@dataclass
class Outcome:
    """What came of a target."""

    name: str
    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0  # seconds
    features: int = 0
    engine: str = "none"
    sentences: set[str] = field(default_factory=set)
    found: dict[str, Path] = field(default_factory=dict)  # kind -> the input

    def __str__(self) -> str:
        rate = self.inputs / self.seconds if self.seconds else 0
        head = f"{self.name:20} {self.inputs:8d} inputs {self.seconds:6.0f} s {rate:7.0f}/s {self.features:6d} features"
        tail = f"{len(self.sentences):4d} sentences, slowest {self.slowest:.2f} s, {len(self.found)} findings"
        return "\n    ".join(
            [f"{head} {tail} ({self.engine})", *(f"{kind}: {path}" for kind, path in self.found.items())]
        )


def fuzz(name: str, inputs: int, seconds: int, out: Path) -> Outcome:
    """Try a target on so many inputs; a process that crashes or hangs is begun anew without what is tried already."""
    outcome = Outcome(name)
    began = time.monotonic()
    for attempt in range(RESTARTS):
        left = seconds - round(time.monotonic() - began)
        if outcome.inputs >= inputs or left < 1:
            break
        with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None, prefix="fuzz-") as folder:
            died = _child(name, inputs - outcome.inputs, left, attempt, Path(folder))
            _gather(outcome, Path(folder), died, out)
        if not died:
            break
    outcome.seconds = time.monotonic() - began
    return outcome


def _child(name: str, inputs: int, seconds: int, seed: int, folder: Path) -> str:
    """Run a target's process; why it ended before its time, or nothing."""
    command = [sys.executable, "-m", "tests.fuzz.child", name, str(inputs), str(seconds), str(seed), str(folder)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            why = _watched(process, folder)
        finally:
            process.kill()
    if why or process.returncode == 0:
        return why
    return f"died with {process.returncode}"


def _watched(process: "subprocess.Popen[bytes]", folder: Path) -> str:
    """Wait for the end of a process that tries one input after another."""
    last, since = b"", time.monotonic()
    while process.poll() is None:
        time.sleep(0.05)
        now = (folder / "counts").read_bytes() if (folder / "begun.json").exists() else b""
        if now != last or not now:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            return f"no end after {PATIENCE} s"
    return ""


def _gather(outcome: Outcome, folder: Path, died: str, out: Path) -> None:
    """Add what a process left, its findings copied to where they stay."""
    counts = folder / "counts"
    n, slowest = COUNTS.unpack(counts.read_bytes()) if counts.exists() else (0, 0)
    outcome.inputs += n
    outcome.slowest = max(outcome.slowest, slowest / 1e6)
    log = (folder / "log").read_text(errors="replace")
    outcome.features = max([outcome.features, *(int(features) for _, features in COVERAGE.findall(log))])
    outcome.engine = "atheris" if '"atheris"' in _text(folder / "begun.json") else "plain mutation"
    outcome.sentences.update(_text(folder / "sentences").splitlines())
    kinds = [path for path in sorted((folder / "found").glob("*")) if path.suffix != ".txt"] if n or not died else []
    if died:
        crash = folder / f"crash-{outcome.inputs}"
        shutil.copy(folder / "current", crash) if (folder / "current").exists() else crash.touch()
        crash.with_name(f"{crash.name}.txt").write_text(f"{died}\n{log[-8000:]}")
        kinds.append(crash)
    for path in kinds:
        kept = out / f"{outcome.name}-{path.name}"
        out.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, kept)
        shutil.copy(path.with_name(f"{path.name}.txt"), kept.with_name(f"{kept.name}.txt"))
        outcome.found[died if path.name.startswith("crash-") else path.name] = kept


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def main() -> int:
    """Fuzz all targets, or those named, and print a line each; 1 where there are findings."""
    parser = argparse.ArgumentParser(description="Fuzz mmbio's readers.")
    parser.add_argument("--inputs", type=int, default=100_000, help="for each target")
    parser.add_argument("--seconds", type=int, default=3600, help="at most, for each target")
    parser.add_argument("--only", nargs="+", default=[], choices=targets.names(), metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2, help="targets at once")
    parser.add_argument("--out", type=Path, default=Path("runs/fuzz"), help="where inputs that are findings go")
    given = parser.parse_args()
    outcomes = []
    with ThreadPoolExecutor(given.jobs) as pool:
        for outcome in pool.map(
            lambda name: fuzz(name, given.inputs, given.seconds, given.out), given.only or targets.names()
        ):
            sys.stdout.write(f"{outcome}\n")
            sys.stdout.flush()
            outcomes.append(outcome)
    n, findings = sum(o.inputs for o in outcomes), sum(len(o.found) for o in outcomes)
    least = min(outcomes, key=lambda o: o.inputs)
    sys.stdout.write(
        f"{len(outcomes)} targets, {n} inputs, at least {least.inputs} each ({least.name}), {findings} findings\n"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

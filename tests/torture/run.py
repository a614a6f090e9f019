"""All that mmbio must survive, at length: `python -m tests.torture.run [--parts NAME ...] [--to FILE]`.

Kills, full disks, vanishing folders, two runs at once, hostile archives, faulty servers, and every reader under a
fuzzer. Prints counts as it goes, and writes what it printed to FILE at the end. Exit code 1 where anything failed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import machine
from tests.data.fetch.server import serving
from tests.torture import disasters, kills

SPEED: Final = 400_000  # bytes a second of the local server, so that kills meet downloads in their middle
HOSTILE: Final = {
    "hostile archives": ("tests/data/fetch/test_archives.py",),
    "faulty servers": (
        "tests/data/fetch/test_transfer.py",
        "tests/data/fetch/test_get.py",
        "tests/cli/test_download.py",
    ),
    "nothing executes": (
        *("tests/test_nothing_executes.py", "tests/cli/test_hostile_files.py"),
        "tests/test_no_telemetry.py",
    ),
    "people purged": ("tests/purge",),
}


class Log:
    """What is printed, kept for the file."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.failures = 0

    def say(self, line: str, failures: int = 0) -> None:
        """Print a line, and remember how many failures it tells of."""
        self.lines.append(line)
        self.failures += failures
        print(line, flush=True)  # noqa: T201


def killed(log: Log, of: kills.Reference, n_kills: int, seed: int) -> None:
    """Chains of killed steps until `n_kills` kills have been survived."""
    survived: Counter[str] = Counter()
    n_lost = n_scraps = n_unlike = n_chains = 0
    for one in kills.outcomes(of, n_kills, seed):
        survived.update(kill.step for kill in one.kills if kill.killed)
        n_chains, n_lost, n_scraps = n_chains + 1, n_lost + one.n_lost, n_scraps + len(one.scraps)
        n_unlike += len(one.unlike)
        moments = ", ".join(f"{k.step} {k.moment}{'' if k.killed else ' (ended before)'}" for k in one.kills)
        log.say(f"  chain {n_chains}: {moments}; {len(one.unlike)} files differ", len(one.unlike))
    told = ", ".join(f"{step} {n}" for step, n in survived.items())
    log.say(
        f"kills survived: {sum(survived.values())} ({told}) in {n_chains} chains of {len(of.files)} files, "
        f"{sum(map(len, of.files.values()))} bytes each; files that differ: {n_unlike}; bytes lost = {n_lost}; "
        f"scratch left behind: {n_scraps}",
        n_scraps,
    )


def suffered(log: Log, of: kills.Reference, seed: int, kinds: list[str]) -> None:
    """Full disks, vanishing folders and two runs at once."""
    well: Counter[str] = Counter()
    ill: Counter[str] = Counter()
    for trial in disasters.trials(of, seed, kinds):
        (well if trial.well else ill)[trial.disaster] += 1
        if not trial.well:
            log.say(f"  {trial.step}, {trial.disaster}: {trial.said[-1500:]}", 1)
    for disaster in well | ill:
        log.say(f"{disaster}: {well[disaster]} survived, {ill[disaster]} not")


def tested(log: Log) -> None:
    """The tests with hostile archives, faulty servers and malicious files."""
    for what, names in HOSTILE.items():
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *names]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        counts = re.findall(r"([0-9]+ (?:passed|failed|skipped|errors?))", done.stdout.splitlines()[-1])
        log.say(f"{what}: {', '.join(counts)}", int(done.returncode != 0))


def fuzzed(log: Log, inputs: int, seconds: int) -> None:
    """Every reader under a fuzzer."""
    command = [sys.executable, "-m", "tests.fuzz.run", "--inputs", str(inputs), "--seconds", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout or ():
            log.say(line.rstrip("\n"))
    log.failures += int(running.returncode != 0)


PARTS: Final = ("kills", "disasters", "hostile", "fuzz")


def prepared_parts(log: Log, parts: list[str], n_kills: int, seed: int, kinds: list[str]) -> None:
    """The parts that stand on a chain that nobody disturbed."""
    with tempfile.TemporaryDirectory(prefix="torture-") as text:
        folder = Path(text)
        kills.prepared(folder)
        with serving(folder / "shared" / "remote", slow=SPEED) as served:
            of = kills.reference(folder, served.url)
            if "kills" in parts:
                killed(log, of, n_kills, seed)
            if "disasters" in parts:
                suffered(log, of, seed, kinds)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--kills", type=int, default=60, help="kills to survive")
    parser.add_argument("--disasters", nargs="+", choices=disasters.KINDS, default=list(disasters.KINDS))
    parser.add_argument("--inputs", type=int, default=100_000, help="inputs of each fuzzed reader")
    parser.add_argument("--seconds", type=int, default=1200, help="at most for each fuzzed reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, help="file for what was printed")
    given = parser.parse_args()
    log, began = Log(), time.monotonic()
    named = f"{', '.join(given.parts)}, {datetime.now(UTC):%Y-%m-%d}"
    log.say(f"# make torture: {named}: {machine.processor()}, {machine.cores()} cores")
    if {"kills", "disasters"} & {*given.parts}:
        prepared_parts(log, given.parts, given.kills, given.seed, given.disasters)
    if "hostile" in given.parts:
        tested(log)
    if "fuzz" in given.parts:
        fuzzed(log, given.inputs, given.seconds)
    log.say(f"failures: {log.failures}; {(time.monotonic() - began) / 60:.0f} minutes")
    if given.to:
        given.to.parent.mkdir(parents=True, exist_ok=True)
        given.to.write_text("\n".join(log.lines) + "\n", encoding="utf-8")
    sys.exit(int(log.failures > 0))


if __name__ == "__main__":
    main()

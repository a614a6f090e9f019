"""All that mmbio must survive, at length: `python -m tests.torture.run [--parts NAME ...] [--to FILE]`.

Kills, full disks, vanishing folders, two runs at once, hostile archives, faulty servers, and every reader under a
fuzzer. Prints counts as it goes, and writes what it printed to FILE at the end, also where a part failed. Exit code 1
where anything failed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import mmbio
from benchmarks import machine
from tests.data.fetch.server import serving
from tests.torture import disasters, kills
from tests.torture.steps import STEPS, named

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
    survived: Counter[str] = Counter(dict.fromkeys((step.verb for step in of.steps), 0))
    made: list[kills.Outcome] = []
    seconds = {step.name: of.lengths[step.name].seconds for step in of.steps}
    log.say(f"  undisturbed: {', '.join(f'{name} {s:.1f} s' for name, s in seconds.items())}")
    for one in kills.outcomes(of, n_kills, seed):
        made.append(one)
        survived.update(kill.step.verb for kill in one.kills if kill.killed)
        moments = ", ".join(f"{k.step.name} {k.moment}{'' if k.killed else ' (ended before)'}" for k in one.kills)
        log.say(f"  chain {len(made)}: {moments}; {len(one.unlike)} files differ", int(not one.well))
        for what, found in (("differs", one.unlike), ("left behind", one.scraps)):
            for name, step in found.items():
                log.say(f"    {what} after {step}: {name}")
        if one.failed:
            log.say(f"    {one.failed}")
    told = ", ".join(f"{verb} {n}" for verb, n in survived.items())
    log.say(
        f"kills survived: {sum(survived.values())} (by verb: {told}) in {len(made)} chains of {len(of.steps)} steps,"
        f" {sum(seconds.values()):.0f} s undisturbed; {len(of.most)} files, {sum(map(len, of.most.values()))} bytes"
        f" where they are most; compared after every step, {sum(one.n_compared for one in made)} in all; files that"
        f" differ: {sum(len(one.unlike) for one in made)}; bytes lost = {sum(one.n_lost for one in made)}; left behind:"
        f" {sum(len(one.scraps) for one in made)}; chains that did not end: {sum(bool(one.failed) for one in made)}"
    )
    never = [verb for verb, n in survived.items() if not n] if n_kills >= len(survived) else []
    for verb in never:
        log.say(f"  {verb}: never killed", 1)


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
        last = (done.stdout.splitlines() or ["no tests"])[-1]
        counts = re.findall(r"([0-9]+ (?:passed|failed|skipped|errors?))", last)
        log.say(f"{what}: {', '.join(counts or [last])}", int(done.returncode != 0))


def fuzzed(log: Log, inputs: int, seconds: int) -> None:
    """Every reader under a fuzzer."""
    command = [sys.executable, "-m", "tests.fuzz.run", "--inputs", str(inputs), "--seconds", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout or ():
            log.say(line.rstrip("\n"))
    log.failures += int(running.returncode != 0)


PARTS: Final = ("kills", "disasters", "hostile", "fuzz")
FAILURES: Final = (AssertionError, OSError, ValueError, LookupError, RuntimeError, subprocess.SubprocessError)


@contextmanager
def part(log: Log, what: str) -> Iterator[None]:
    """A part that breaks off counts as failed, and the others go on."""
    try:
        yield
    except FAILURES as error:
        log.say(f"{what}: broke off: {type(error).__name__}: {error}", 1)
        traceback.print_exc()


def run_parts(log: Log, given: argparse.Namespace) -> None:
    """All parts that were asked for; two of them stand on a chain that nobody disturbed."""
    if {"kills", "disasters"} & {*given.parts}:
        with part(log, "undisturbed chain"), tempfile.TemporaryDirectory(prefix="torture-") as text:
            folder = Path(text)
            kills.prepared(folder)
            with serving(folder / "shared" / "remote", slow=SPEED) as served:
                of = kills.reference(folder, served.url, named(*given.steps))
                if "kills" in given.parts:
                    with part(log, "kills"):
                        killed(log, of, given.kills, given.seed)
                if "disasters" in given.parts:
                    with part(log, "disasters"):
                        suffered(log, of, given.seed, given.disasters)
    if "hostile" in given.parts:
        with part(log, "hostile"):
            tested(log)
    if "fuzz" in given.parts:
        with part(log, "fuzz"):
            fuzzed(log, given.inputs, given.seconds)


def code() -> str:
    """The commit that what runs here stands on, and whether files differ from it, those written here aside."""
    checkout = Path(mmbio.__file__).parents[1]

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(checkout), *words], capture_output=True, text=True, check=True).stdout

    try:
        changed = git("status", "--porcelain", "--", ".", ":!docs/torture").strip()
        return f"commit {git('rev-parse', '--short', 'HEAD').strip()}{' and changes' if changed else ''}"
    except (OSError, subprocess.CalledProcessError):
        return "no commit"


def header(parts: Sequence[str]) -> str:
    """What a file begins with: what ran, when, on which code and machine."""
    when = f"{datetime.now(UTC):%Y-%m-%d}"
    return f"# make torture: {', '.join(parts)}, {when}, {code()}: {machine.processor()}, {machine.cores()} cores"


def main() -> None:
    """Run what is asked for; what was printed is written also where a part failed or was interrupted."""
    names = [step.name for step in STEPS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--kills", type=int, default=60, help="kills to survive")
    parser.add_argument("--steps", nargs="+", choices=names, default=names, metavar="STEP", help="of the chain")
    parser.add_argument("--disasters", nargs="+", choices=disasters.KINDS, default=list(disasters.KINDS))
    parser.add_argument("--inputs", type=int, default=100_000, help="inputs of each fuzzed reader")
    parser.add_argument("--seconds", type=int, default=1200, help="at most for each fuzzed reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, help="file for what was printed")
    given = parser.parse_args()
    if "disasters" in given.parts and not {step.name for step in disasters.STEPS} <= {*given.steps}:
        parser.error("--steps: disasters are of the whole chain; leave it out, or give other --parts")
    log, began, whole = Log(), time.monotonic(), False
    log.say(header(given.parts))
    try:
        run_parts(log, given)
        whole = True
    finally:
        if not whole:
            log.say("interrupted", 1)
        log.say(f"failures: {log.failures}; {(time.monotonic() - began) / 60:.0f} minutes")
        if given.to:
            given.to.parent.mkdir(parents=True, exist_ok=True)
            given.to.write_text("\n".join(log.lines) + "\n", encoding="utf-8")
    sys.exit(int(log.failures > 0))


if __name__ == "__main__":
    main()

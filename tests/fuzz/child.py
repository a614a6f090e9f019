"""One target in a process of its own, with a limit on memory: what `tests.fuzz.run` starts.

It leaves in its folder: `counts` (inputs, slowest input in microseconds), `current` (the input at hand), `sentences`
(a line each kind), `found/` (an input and its traceback for each kind of finding), and on stderr libFuzzer's own words.
"""

import json
import os
import random
import re
import resource
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from mmap import mmap
from pathlib import Path
from typing import Any, Final

from tests.fuzz.mutate import mutated

GIGABYTE: Final = 1 << 30
COUNTS: Final = struct.Struct("<QQ")
LONGEST: Final = 4096  # bytes of an input that libFuzzer makes; some of our own are longer
OURS: Final = 0.3  # share of inputs that are seeds mutated by structure, of those that coverage guides
KIND: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\([^)]*\)|\S*/\S*|-?[0-9][0-9.e+-]*")


@dataclass
class Bench:
    """A target at work on one input after another, and what came of it."""

    target: Any
    folder: Path
    scratch: Path
    counts: mmap
    n: int = 0
    slowest: int = 0
    kinds: set[str] = field(default_factory=set)
    parent: int = field(default_factory=os.getppid)

    def one(self, data: bytes) -> None:
        """Try one input; what is not in order is kept, and the next may come."""
        from tests.fuzz.target import tried

        if os.getppid() != self.parent:  # who started it was killed
            os._exit(1)
        (self.folder / "current").write_bytes(data)
        began = time.perf_counter_ns()
        try:
            sentence = tried(self.target, data, self.scratch)
        except Exception as error:  # noqa: BLE001  # which is what is looked for
            self._found(data, error)
            sentence = ""
        self.n += 1
        self.slowest = max(self.slowest, (time.perf_counter_ns() - began) // 1000)
        COUNTS.pack_into(self.counts, 0, self.n, self.slowest)
        kind = KIND.sub("#", sentence.replace(str(self.scratch), ""))[:120]
        if kind and kind not in self.kinds:
            self.kinds.add(kind)
            with (self.folder / "sentences").open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(f"{sentence}\n")

    def _found(self, data: bytes, error: Exception) -> None:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "/mmbio/" in f.filename]
        place = f"{Path(frames[-1].filename).name}-{frames[-1].lineno}" if frames else "target"
        name = self.folder / "found" / f"{type(error).__name__}-{place}"
        if not name.exists():
            name.write_bytes(data)
            name.with_name(f"{name.name}.txt").write_text(
                "".join(traceback.format_exception(error, limit=-8)), errors="backslashreplace"
            )


def main(name: str, inputs: int, seconds: int, seed: int, folder: Path) -> None:
    """Try a target until there were so many inputs, or the time is up."""
    warnings.simplefilter("ignore")
    fuzzer = _fuzzer()
    from tests.fuzz import targets

    counts = folder / "counts"
    counts.write_bytes(bytes(COUNTS.size))
    (folder / "found").mkdir(exist_ok=True)
    scratch = folder / "scratch"
    scratch.mkdir()
    with counts.open("r+b") as file:
        if fuzzer:
            with fuzzer.instrument_imports(include=["mmbio"]):
                bench = _prepared(targets.find(name), folder, scratch, mmap(file.fileno(), 0))
        else:
            bench = _prepared(targets.find(name), folder, scratch, mmap(file.fileno(), 0))
    seeds = list(bench.target.seeds())
    limit = _memory("VmData") + GIGABYTE
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    (folder / "begun.json").write_text(
        json.dumps({"engine": "atheris" if fuzzer else "mutation", "rss": _memory("VmRSS")})
    )
    if fuzzer:
        _guided(fuzzer, bench, seeds, inputs, seconds, seed)
    else:
        _plain(bench, seeds, inputs, seconds, seed)


def _prepared(target: Any, folder: Path, scratch: Path, counts: mmap) -> Bench:
    """The target once through its seeds, so that all it imports is there."""
    target.prepare(scratch)
    bench = Bench(target, folder, scratch, counts)
    for data in target.seeds():
        bench.one(data)
    bench.n = bench.slowest = 0
    return bench


def _fuzzer() -> Any:
    """The module atheris, or None where it is not installed."""
    try:
        import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return None
    return atheris


def _plain(bench: Bench, seeds: Sequence[bytes], inputs: int, seconds: int, seed: int) -> None:
    rng, end = random.Random(seed), time.monotonic() + seconds
    while bench.n < inputs and time.monotonic() < end:
        bench.one(mutated(rng, seeds))


def _guided(fuzzer: Any, bench: Bench, seeds: Sequence[bytes], inputs: int, seconds: int, seed: int) -> None:
    corpus = bench.folder / "corpus"
    corpus.mkdir()
    for i, data in enumerate(seeds):
        (corpus / str(i)).write_bytes(data)

    def mutator(data: bytes, most: int, number: int) -> bytes:
        rng = random.Random(number)
        return mutated(rng, seeds)[:most] if rng.random() < OURS or not data else bytes(fuzzer.Mutate(data, most))

    longest = max(LONGEST, *(2 * len(data) for data in seeds))
    if inputs > 10:  # what is longer than libFuzzer shall make
        rng = random.Random(seed)
        for _ in range(inputs // 10):
            bench.one(mutated(rng, seeds))
    options: dict[str, object] = {
        "runs": inputs - bench.n,
        "max_total_time": seconds,
        "seed": seed + 1,
        "max_len": longest,
        "timeout": 36000,
    }
    options |= {"rss_limit_mb": 0, "detect_leaks": 0, "artifact_prefix": f"{bench.folder}/", "print_final_stats": 1}
    command = ["fuzz", *(f"-{key}={value}" for key, value in options.items()), str(corpus)]
    fuzzer.Setup(command, bench.one, custom_mutator=mutator)
    fuzzer.Fuzz()


def _memory(what: str) -> int:
    """Bytes of this process, as the kernel tells them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))

"""How do time and memory grow over 10^4, 10^5 and 10^6 embeddings, trials and subjects?

    python -m benchmarks.growth [NAME...] [--sizes 10000 100000 1000000] [--out docs/growth.svg]

Each point is a process of its own: seconds of the processor, which other work on the machine changes little, and the
most memory it held itself above its inputs and libraries. Written are a figure on log axes with the fitted exponents
and, beside it, a Markdown table. Memory is shown with what the result itself takes, which has to be held: where that
is all, the rest is constant.
"""

import argparse
import importlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from benchmarks import machine
from benchmarks.peak import Used, apart, tell, used
from mmbio.data import people, trials, vector_sets
from mmbio.data.pairing import Candidate
from mmbio.data.plan import Plan
from mmbio.data.samples import Sample
from mmbio.embed.cosine import pair_scores
from mmbio.embed.store import Store
from mmbio.files import write_text
from mmbio.measure.dcf import min_dcf
from mmbio.measure.rates import eer, points
from mmbio.measure.trial_bootstrap import trial_bootstrap
from mmbio.protocols import AUDIOVISUAL

SIZES: Final = (10_000, 100_000, 1_000_000)
OUT: Final = Path("docs/growth.svg")
DIM: Final = 512
SHARD: Final = 1000  # vectors
MAPPED: Final = 20_000  # vectors that trials are of
SAMPLES: Final = 4  # of a subject
DRAWS: Final = 20  # of the bootstrap
LEAST: Final = 1.0  # MiB: less is drawn as this
LIBRARIES: Final = ("pandas", "scipy.special", "scipy.stats")

Work = Callable[[], object]


@dataclass(frozen=True)
class Growing:
    """What grows: over what, and how it is prepared for n of them in a folder; `held` bytes each are its result."""

    over: str
    words: str
    prepare: Callable[[Path, int], Work]
    held: int = 0


def stored(folder: Path, n: int) -> Work:
    """Extraction without a network: shards of vectors, one after another, into a store."""
    store, rng = Store(folder / "store", n, DIM, SHARD), np.random.default_rng(0)

    def work() -> None:
        store.create()
        for shard in store.missing(range(n)):
            store.write(shard, rng.standard_normal((len(store.rows_of(shard)), DIM), dtype=np.float32))

    return work


def read(folder: Path, n: int) -> Work:
    """All vectors of a store, each shard checked."""
    stored(folder, n)()
    return lambda: Store(folder / "store", n, DIM, SHARD).read(np.arange(n))


def loaded(folder: Path, n: int) -> Work:
    """Imported vectors, checked against their hash."""
    path = _vectors(folder, n)
    sha = vector_sets.file_hash(path)
    return lambda: vector_sets.load(path, np.arange(n), sha)


def cosines(folder: Path, n: int) -> Work:
    """The cosines of trials, of mapped vectors."""
    vectors = np.load(_vectors(folder, MAPPED), mmap_mode="r")
    a, b = np.random.default_rng(1).integers(MAPPED, size=(2, n))
    return lambda: pair_scores(vectors, vectors, a, b)


def figures(_folder: Path, n: int) -> Work:
    """EER and minDCF of scores."""
    rng = np.random.default_rng(0)
    genuine, impostor = rng.normal(2.0, size=n // 2), rng.normal(size=n // 2)

    def work() -> tuple[float, float]:
        found = points(genuine, impostor)
        return eer(found), min_dcf(found)

    return work


def drawn(_folder: Path, n: int) -> Work:
    """Trials drawn, 1,000 a subject of 60 samples."""
    return _draw(max(2, n // 1000), 60, 500)


def drawn_of_subjects(_folder: Path, n: int) -> Work:
    """Trials drawn, 4 a subject of four samples."""
    return _draw(n, SAMPLES, 2)


def bootstrap(_folder: Path, n: int) -> Work:
    """A subject bootstrap of two genuine and two impostor trials a subject."""
    rng = np.random.default_rng(0)
    enrolment = np.repeat(np.arange(n), 4)
    genuine = np.tile([True, True, False, False], n)
    probe = np.where(genuine, enrolment, (enrolment + rng.integers(1, n, enrolment.size)) % n)
    scores = rng.normal(2.0 * genuine + rng.normal(0, 0.5, n)[enrolment], 1.0)
    return lambda: trial_bootstrap(scores, genuine, enrolment, probe, 0, draws=DRAWS)


def joined(_folder: Path, n: int) -> Work:
    """Subjects of one set: who tests, who trains and who tunes."""
    found = {m: _candidates(m, n) for m in AUDIOVISUAL.modalities}
    return lambda: people.joined(found, Plan(AUDIOVISUAL))


def paired(_folder: Path, n: int) -> Work:
    """Faces of one set paired with voices of another, by gender."""
    from collections import Counter

    found = {m: _candidates(m, n) for m in AUDIOVISUAL.modalities}
    return lambda: people.chimeric(found, Plan(AUDIOVISUAL), Counter())


GROWING: Final[Mapping[str, Growing]] = MappingProxyType(
    {
        "stored": Growing("embeddings", "stored, shard by shard", stored),
        "read": Growing("embeddings", "read from the store", read, 4 * DIM),
        "loaded": Growing("embeddings", "loaded from an imported set", loaded, 4 * DIM),
        "cosines": Growing("trials", "cosines of mapped vectors", cosines, 8),
        "figures": Growing("trials", "EER and minDCF", figures),
        "drawn": Growing("trials", "drawn, 1,000 a subject", drawn, 17),
        "drawn_of_subjects": Growing("subjects", "trials drawn, 4 a subject", drawn_of_subjects, 4 * 17),
        "bootstrap": Growing("subjects", f"bootstrap of 4 trials a subject, {DRAWS} draws", bootstrap),
        "joined": Growing("subjects", "split into who tests and trains", joined),
        "paired": Growing("subjects", "faces paired with voices", paired),
    }
)


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """The slope of values over sizes on log axes."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def main() -> None:
    """Measure the points, and write the figure and the table; with --point, one point."""
    parser = argparse.ArgumentParser(description="Time and memory over 10^4, 10^5 and 10^6.")
    parser.add_argument("names", nargs="*", choices=[*GROWING, []], metavar="NAME", help=", ".join(GROWING))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--point", choices=GROWING, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.point:
        for name in LIBRARIES:
            importlib.import_module(name)
        with tempfile.TemporaryDirectory() as folder:
            tell(used(GROWING[given.point].prepare(Path(folder), given.sizes[0]), time.process_time))
        return
    found: dict[str, list[Used]] = {}
    for name in given.names or GROWING:
        found[name] = []
        for n in given.sizes:
            found[name].append(apart("benchmarks.growth", "--point", name, "--sizes", str(n)))
            print(f"{name} {n:,}: {found[name][-1].seconds:.3g} s, {found[name][-1].mib:,.0f} MiB", flush=True)
    draw(found, given.sizes, given.out)
    write_text(given.out.with_suffix(".md"), table(found, given.sizes, given.out.name))
    print(f"written: {given.out}, {given.out.with_suffix('.md')}")


def table(found: Mapping[str, Sequence[Used]], sizes: Sequence[int], figure: str) -> str:
    """All points as a page."""
    heads = [f"s at {n:,}" for n in sizes] + ["exponent"] + [f"MiB at {n:,}" for n in sizes] + ["of it the result"]
    lines = [
        "# Growth",
        "",
        f"![Seconds and memory over the number of embeddings, trials and subjects, on log axes]({figure})",
        "",
        "`python -m benchmarks.growth`: each point in a process of its own, in seconds of the processor; memory is what"
        f" it held at most above its inputs and libraries, with what the result of {sizes[-1]:,} takes."
        f" {', '.join(filter(None, [machine.processor(), f'{machine.cores()} cores', machine.load()]))}.",
        "",
        "| over | what | " + " | ".join(heads) + " |",
        "|" + " --- |" * (len(heads) + 2),
    ]
    for name, took in found.items():
        one = GROWING[name]
        seconds = [f"{point.seconds:.3g}" for point in took]
        mib = [f"{point.mib:,.0f}" for point in took]
        slope = f"{exponent(sizes, [point.seconds for point in took]):.2f}"
        held = f"{one.held * sizes[-1] / 2**20:,.0f}"
        lines.append(f"| {one.over} | {one.words} | " + " | ".join([*seconds, slope, *mib, held]) + " |")
    return "\n".join([*lines, ""])


def draw(found: Mapping[str, Sequence[Used]], sizes: Sequence[int], out: Path) -> None:
    """Seconds and memory over the sizes on log axes."""
    from mmbio.tables.plots import style

    @style.styled
    def drawing() -> None:
        figure, panels = style.grid(2, 4.2)
        axes = [panel[0] for panel in panels]
        for index, (name, took) in enumerate(found.items()):
            seconds = [point.seconds for point in took]
            mib = [max(LEAST, point.mib) for point in took]
            slopes = f"{exponent(sizes, seconds):.2f}, {exponent(sizes, mib):.2f}"
            label = f"{GROWING[name].over}: {GROWING[name].words} ({slopes})"
            for axis, values in zip(axes, (seconds, mib), strict=True):
                axis.loglog(sizes, values, label=label, **style.of_line(index))
        for axis, words in zip(axes, ("seconds of the processor", "MiB held at most"), strict=True):
            axis.set_xlabel("number of embeddings, trials or subjects")
            axis.set_ylabel(words)
            axis.grid(True)
        style.title(figure, "Time and memory over size")
        style.legend_below(figure, axes[0], "exponents fitted, of seconds and of memory, in parentheses")
        style.save(figure, out)

    drawing()


def _vectors(folder: Path, n: int) -> Path:
    """Normal vectors in a file."""
    rng, path = np.random.default_rng(0), folder / "vectors.npy"
    out = np.lib.format.open_memmap(path, "w+", np.float32, (n, DIM))
    for start in range(0, n, SHARD):
        out[start : start + SHARD] = rng.standard_normal((min(SHARD, n - start), DIM), dtype=np.float32)
    out.flush()
    return path


def _draw(n_subjects: int, n_samples: int, each: int) -> Work:
    subjects = np.repeat(np.arange(n_subjects), n_samples)
    names = np.tile(np.arange(n_samples).astype(str), n_subjects)
    genders = np.where(subjects % 2 == 0, "F", "M")
    return lambda: trials.draw(subjects, names, names, genders, each, each, seed=0)


def _candidates(modality: str, n: int) -> list[Candidate]:
    """Subjects of one sample each."""
    names = [f"{k:07d}" for k in range(n)]
    kept = [Sample(modality, name, name, 0, name, "FM"[k % 2]) for k, name in enumerate(names)]
    return [Candidate(f"set of {modality}", one.subject, (one,)) for one in kept]


if __name__ == "__main__":
    main()

"""Does one machine hold VoxCeleb2's scale? A simulation of it: 10^6 clips, 512 + 600 numbers each, 10^7 trials.

    python -m benchmarks.voxceleb2_scale [--clips 1000000] [--out DIR] [--rate IMAGES_A_SECOND]

Writes vectors as a user would bring them, then goes mmbio's own way: import, build-virtual, train, and the trials
scored under conditions that mask and replace a modality. Each step is a process of its own, with its seconds, the most
memory it held itself beside its libraries, and what was on the disk then. The folder (10 GB at 10^6 clips) is removed
at the end. Last comes what N workers would take from extraction on.

Simulated: a vector is its subject's centre plus noise, a clip in twenty has no voice. The attention network is trained
for two epochs: what it costs to score does not depend on how good it is.
"""

import argparse
import importlib
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks import machine
from benchmarks.peak import Used, apart, tell, used

if TYPE_CHECKING:
    from mmbio.data.manifest import Manifest
    from mmbio.fuse.config import Config

CLIPS: Final = 1_000_000  # VoxCeleb2 has 1,128,246 of 6,112 people
PEOPLE: Final = 6_112
TESTED: Final = 5_000  # of them; the others train and tune
TRIALS: Final = 10_000_000
DIMS: Final[Mapping[str, int]] = MappingProxyType({"face": 512, "voice": 600})
VIDEOS: Final = 25  # a subject, at most
NO_VOICE: Final = 0.05
CHUNK: Final = 2**16  # rows written at once
BYTES_A_CLIP: Final = 20_000  # the user's files, the set, the manifest and its trials, with room to spare
IMAGES_A_SECOND: Final = 62.0  # ResNet-50 on two cores with AMX, benchmarks/NOTES.md; one a clip
CONDITIONS: Final = ("clean", "voice=zeros", "voice=random", "missing=voice@probe")
LIBRARIES: Final = ("pandas", "sklearn.linear_model", "mmbio.data.virtual", "mmbio.fuse.run", "mmbio.measure.evaluate")
WORKERS: Final = (1, 4, 16, 64)


def vectors(folder: Path, clips: int) -> None:
    """The user's files: vectors and ids of each modality, and who the clips are of."""
    rng = np.random.default_rng(0)
    subject = np.sort(rng.integers(people(clips), size=clips))
    video = rng.integers(VIDEOS, size=clips)
    of = [f"id{s:05d}/v{v:02d}" for s, v in zip(subject.tolist(), video.tolist(), strict=True)]
    ids = [f"{place}/{k:07d}" for k, place in enumerate(of)]
    for modality, dim in DIMS.items():
        there = np.flatnonzero(rng.random(clips) >= (NO_VOICE if modality == "voice" else 0))
        centres = rng.standard_normal((people(clips), dim), dtype=np.float32)
        out = np.lib.format.open_memmap(folder / f"{modality}.npy", "w+", np.float32, (len(there), dim))
        for start in range(0, len(there), CHUNK):
            rows = there[start : start + CHUNK]
            noise = rng.standard_normal((len(rows), dim), dtype=np.float32)
            out[start : start + len(rows)] = centres[subject[rows]] + 4 * noise
        out.flush()
        (folder / f"{modality}.txt").write_text("".join(f"{ids[k]}\n" for k in there), encoding="utf-8")
    with (folder / "subjects.csv").open("w", encoding="utf-8") as file:
        file.write("id,subject,gender,video,part\n")
        for name, place, s in zip(ids, of, subject.tolist(), strict=True):
            part = "test" if s < tested(clips) else "dev"
            file.write(f"{name},id{s:05d},{'MF'[s % 2]},{place},{part}\n")


def imported(folder: Path, _clips: int) -> None:
    """What `mmbio import` does; the user's files go afterwards."""
    from mmbio.data import embedding_files, vector_sets
    from mmbio.data.imported import read_subjects, together

    table = read_subjects(folder / "subjects.csv")
    files = {m: {"": embedding_files.read(folder / f"{m}.npy", folder / f"{m}.txt")} for m in DIMS}
    joined = together(files, table)
    vector_sets.write(folder / "set", "simulated", joined.samples, joined.vectors, synthetic=True)


def built(folder: Path, clips: int) -> None:
    """What `mmbio build-virtual` does: people, items and trials, written as a manifest."""
    from mmbio.data.plan import Plan
    from mmbio.data.sources import resolve
    from mmbio.data.virtual import build
    from mmbio.files import remember
    from mmbio.protocols import PROTOCOLS

    each = max(1, TRIALS * clips // CLIPS // tested(clips) // 2)
    plan = Plan(PROTOCOLS["audiovisual"], n_genuine=each, n_impostor=each)
    made = build(resolve(plan.protocol, str(folder / "set"), {}, folder), plan, folder)
    remember(made.folder.parent, "audiovisual", made.folder)


def manifest(folder: Path, _clips: int) -> None:
    """Read the manifest, as every verb does first."""
    _manifest(folder)


def trained(folder: Path, _clips: int) -> None:
    """What `mmbio train` does, for two epochs."""
    from mmbio.embed.settings import Settings
    from mmbio.files import write_text
    from mmbio.fuse import run

    made = run.train(_manifest(folder), _config(), Settings(folder, device="cpu"))
    write_text(folder / "checkpoint", str(made.path))


def scored(folder: Path, _clips: int, condition: str) -> None:
    """What `mmbio eval` does up to the figures: embeddings under a condition, masked, fused, compared; EER, minDCF."""
    from mmbio.conditions import parse
    from mmbio.embed.settings import Settings
    from mmbio.fuse import checkpoint
    from mmbio.measure.dcf import min_dcf
    from mmbio.measure.evaluate import Evaluator
    from mmbio.measure.rates import eer, points
    from mmbio.measure.scoring import compare
    from mmbio.measure.trials import of_manifest
    from mmbio.report import silent

    found, settings = _manifest(folder), Settings(folder, device="cpu")
    network = checkpoint.read(Path((folder / "checkpoint").read_text(encoding="utf-8")))
    evaluator = Evaluator(found, network, parse(condition), settings)
    compared = compare(evaluator, of_manifest(found), evaluator.condition, silent)
    scores, genuine = compared.cosines[:, 0], compared.trials.genuine
    curve = points(scores[genuine], scores[~genuine])
    print(f"{condition}: {len(scores):,} trials, EER {eer(curve):.4f}, minDCF {min_dcf(curve):.4f}", file=sys.stderr)


STEPS: Final[Mapping[str, tuple[str, Callable[..., None]]]] = MappingProxyType(
    {
        "vectors": ("the user's vectors written (not mmbio)", vectors),
        "imported": ("mmbio import: checked, joined, written", imported),
        "built": ("mmbio build-virtual: people, items, trials", built),
        "manifest": ("the manifest read and checked", manifest),
        "trained": ("mmbio train: attention, two epochs", trained),
    }
    | {f"scored {c}": (f"masked, fused, scored: {c}", lambda f, n, c=c: scored(f, n, c)) for c in CONDITIONS}
)


def people(clips: int) -> int:
    """As many people as keep VoxCeleb2's clips a person."""
    return max(12, PEOPLE * clips // CLIPS)


def tested(clips: int) -> int:
    """How many of them test."""
    return max(8, TESTED * clips // CLIPS)


def scaling(clips: int, rate: float, rest: float, serial: float) -> list[str]:
    """What N workers would take: extraction and `rest` seconds are shared out, `serial` seconds are not."""
    extraction = clips / rate
    lines = [
        "T(N) = extraction / N + conditions / min(N, 4) + serial, where",
        f"extraction = {clips:,} clips / {rate:g} images/s = {extraction:,.0f} s, in shards that any worker takes;",
        f"conditions = {rest:,.0f} s, {len(CONDITIONS)} evaluations that workers share whole;",
        f"serial = {serial:,.0f} s: import, build-virtual and one training.",
        "",
        "| workers | hours | speed-up |",
        "| --- | --- | --- |",
    ]
    alone = extraction + rest + serial
    for n in WORKERS:
        seconds = extraction / n + rest / min(n, len(CONDITIONS)) + serial
        lines.append(f"| {n} | {seconds / 3600:.2f} | {alone / seconds:.1f} x |")
    return lines


def main() -> None:
    """Run the steps and print the table; with --step, one step of them."""
    parser = argparse.ArgumentParser(description="VoxCeleb2's scale on one machine, by simulation.")
    parser.add_argument("--clips", type=int, default=CLIPS)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()), help="where 20 GB of disk are free")
    parser.add_argument("--rate", type=float, default=IMAGES_A_SECOND, help="images a second that one worker extracts")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        for name in LIBRARIES:
            importlib.import_module(name)
        tell(used(lambda: STEPS[given.step][1](given.out, given.clips)))
        return
    needed, free = BYTES_A_CLIP * given.clips, machine.free_bytes(given.out)
    if free < needed:
        sys.exit(f"--out: {free / 2**30:.1f} GiB free where {needed / 2**30:.1f} are needed; give a folder with more")
    with tempfile.TemporaryDirectory(dir=given.out, prefix="voxceleb2-scale-") as name:
        print("\n".join(_table(Path(name), given.clips, given.rate)))


def _table(folder: Path, clips: int, rate: float) -> list[str]:
    """All steps, each in a process of its own."""
    print(machine.processor(), machine.load(), file=sys.stderr)
    found: dict[str, Used] = {}
    lines = ["| step | s | MiB held at most | GB on disk |", "| --- | --- | --- | --- |"]
    for step, (words, _) in STEPS.items():
        took = found[step] = apart(__spec__.name, "--clips", str(clips), "--out", str(folder), "--step", step)
        lines.append(f"| {words} | {took.seconds:,.1f} | {took.mib:,.0f} | {_gigabytes(folder):.2f} |")
        print(lines[-1], file=sys.stderr, flush=True)
        if step == "imported":
            for modality in DIMS:
                (folder / f"{modality}.npy").unlink()
    serial = sum(found[step].seconds for step in ("imported", "built", "trained"))
    rest = sum(took.seconds for step, took in found.items() if step.startswith("scored"))
    return [*lines, "", *scaling(clips, rate, rest, serial)]


def _gigabytes(folder: Path) -> float:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1e9


def _manifest(folder: Path) -> "Manifest":
    from mmbio.data.manifest import newest, read

    newest_of = newest(folder, "audiovisual")
    assert newest_of is not None
    return read(newest_of)


def _config() -> "Config":
    from mmbio.fuse.config import Config, Optimiser

    how = Optimiser(rate=3e-4, batch=120, epochs=2, steps=50)
    return Config("audiovisual", "attention", ("face", "voice"), ("verification",), optimiser=how)


if __name__ == "__main__":
    main()

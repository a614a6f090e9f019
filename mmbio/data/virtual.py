"""build-virtual: public sets -> virtual subjects -> triplets -> a manifest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmbio import __version__
from mmbio.code import code_hashes
from mmbio.data import manifest, pairing, signals, splits
from mmbio.data.pairing import Candidate, Virtual
from mmbio.data.samples import Sample, SampleSet
from mmbio.data.synthetic.root import MARKER
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash, content_hash
from mmbio.protocols import AGES, FOLDS, MIN_BEATS, TRIPLETS, Protocol
from mmbio.report import Report, silent

MATCHED = ("ecg", "face")  # matched by gender; fingerprints are assigned at random


@dataclass(frozen=True)
class Plan:
    """The choices of one build-virtual run."""

    protocol: Protocol
    split: str = "triplet"
    scale: str = "quick"
    triplets: int | None = None  # per subject; None: the scale's
    subjects: int | None = None  # None: as many as fit, up to the paper's
    ages: tuple[int, int] = AGES
    folds: int = FOLDS
    seed: int = 0
    skip_unusable: bool = False

    @property
    def n_triplets(self) -> int:
        return TRIPLETS[self.scale] if self.triplets is None else self.triplets


def build(
    sets: Mapping[str, Sequence[SampleSet]], plan: Plan, home: Path, report: Report = silent
) -> manifest.Manifest:
    """Pair the subjects of `sets` (modality -> public sets), draw their triplets and write the manifest.

    A manifest that was built by the same plan from unchanged files is taken as it is.

    Raises MmbioError where more subjects are asked for than fit, or a record is not usable.
    """
    _check(plan)
    altered = [s.name for found in sets.values() for s in found if s.altered]
    if altered and plan.split != "triplet":
        raise MmbioError(
            f"--split {plan.split}: a finger of {altered[0]} has one impression and altered copies of it, which would"
            " stand on both sides; use --split triplet or another set"
        )
    fingerprint = _fingerprint(sets, plan)
    known = manifest.made_from(home, fingerprint)
    if known is not None:
        return known
    notes = [note for found in sets.values() for s in found if not _is_synthetic(s) for note in s.notes]
    dropped: Counter[str] = Counter()
    rng = np.random.default_rng([plan.seed, 0])
    candidates = {
        modality: _candidates(modality, sets[modality], plan, dropped, report) for modality in plan.protocol.modalities
    }
    pairs = pairing.pair(candidates, MATCHED, plan.subjects, plan.protocol.n_subjects, rng)
    subjects = pd.DataFrame([_subject_row(i, gender, v) for i, (gender, v) in enumerate(pairs)])
    samples = pd.DataFrame([row for _, v in pairs for row in _sample_rows(v, sets)])
    triplets = pd.DataFrame([row for i, (_, v) in enumerate(pairs) for row in _triplet_rows(i, v, plan)])
    triplets.insert(0, "triplet", np.arange(len(triplets)))
    sources = {m: _source(sets[m], pairs, m) for m in sets}
    info: dict[str, Any] = {
        "schema": manifest.SCHEMA,
        "version": __version__,
        "protocol": plan.protocol.name,
        "modalities": list(plan.protocol.modalities),
        "split": plan.split,
        "scale": plan.scale if plan.triplets is None else f"{plan.triplets} triplets",
        "triplets": plan.n_triplets,
        "folds": plan.folds,
        "ages": list(plan.ages),
        "seed": plan.seed,
        "n_subjects": {"all": len(pairs), **Counter(gender for gender, _ in pairs)},
        "dropped": dict(dropped),
        "data": _data_label(sources),
        "sources": sources,
        "notes": notes,
        "fingerprint": fingerprint,
    }
    name = f"{plan.protocol.name}-{plan.split}-{plan.scale if plan.triplets is None else plan.n_triplets}"
    return manifest.write(home / "manifests" / name, info, subjects, samples, triplets)


def _fingerprint(sets: Mapping[str, Sequence[SampleSet]], plan: Plan) -> str:
    """Stands for a plan and the files it reads, by their names, sizes and times."""
    files = [
        [found.name, s.path, s.gender, s.age, stat.st_size, stat.st_mtime_ns]
        for modality in sets
        for found in sets[modality]
        for s in found.samples
        for stat in (file.stat() for file in manifest.sample_files(found.folder / s.path))
    ]
    folders = [str(found.folder.resolve()) for modality in sets for found in sets[modality]]
    choices = {f.name: getattr(plan, f.name) for f in fields(plan)} | {"protocol": plan.protocol.name}
    return content_hash([choices, folders, files, code_hashes(["data", "data/readers"])])


def _check(plan: Plan) -> None:
    least = 10 if plan.split != "triplet" else next(n for n in count(1) if _n_train(n, plan) >= plan.folds)
    if plan.n_triplets < least:
        raise MmbioError(
            f"--triplets {plan.n_triplets}: the {plan.split} split needs at least {least} a subject"
            f" to fill its blocks{f' and {plan.folds} folds' if plan.split == 'triplet' else ''}; ask for more"
        )


def _n_train(n_triplets: int, plan: Plan) -> int:
    return splits.counts(n_triplets, plan.split)["train"]


def _candidates(
    modality: str, sets: Sequence[SampleSet], plan: Plan, dropped: Counter[str], report: Report
) -> list[Candidate]:
    people = [p for s in sets for p in _people(s)]
    if modality in MATCHED:
        people = [p for p in people if _matches(modality, p, plan.ages, dropped)]
    found = []
    for i, person in enumerate(people):
        usable = _with_beats(person, sets, plan, dropped) if modality == "ecg" else person
        if usable is not None and _blocks(modality, usable, plan, 0) is not None:
            found.append(usable)
        else:
            dropped[f"{modality}: too few samples for the {plan.split} split"] += 1
        if modality == "ecg":
            report("reading ECG records", i + 1, len(people))
    return found


def _people(found: SampleSet) -> list[Candidate]:
    by_subject: dict[str, list[Sample]] = {}
    for sample in found.samples:
        by_subject.setdefault(sample.subject, []).append(sample)
    return [
        Candidate(found.name, subject, tuple(sorted(samples, key=lambda s: s.order)))
        for subject, samples in by_subject.items()
    ]


def _matches(modality: str, person: Candidate, ages: tuple[int, int], dropped: Counter[str]) -> bool:
    """Gender is needed for matching; the age band holds for who has an age, and ECG subjects need one."""
    if person.gender is None:
        dropped[f"{modality}: gender not known"] += 1
    elif person.age is None and modality == "ecg":
        dropped["ecg: age not known"] += 1
    elif person.age is not None and not ages[0] <= person.age <= ages[1]:
        dropped[f"{modality}: outside ages {ages[0]}-{ages[1]}"] += 1
    else:
        return True
    return False


def _with_beats(person: Candidate, sets: Sequence[SampleSet], plan: Plan, dropped: Counter[str]) -> Candidate | None:
    folder = next(s.folder for s in sets if s.name == person.set_name)
    usable, n_beats = [], []
    for sample in person.samples:
        try:
            n_beats.append(len(signals.beats(folder / sample.path)))
            usable.append(sample)
        except MmbioError:
            if not plan.skip_unusable:
                raise
            dropped[f"ecg: records not readable or with fewer than {MIN_BEATS} beats"] += 1
    return Candidate(person.set_name, person.subject, tuple(usable), tuple(n_beats)) if usable else None


def _blocks(modality: str, person: Candidate, plan: Plan, subject: int) -> dict[str, splits.Pool] | None:
    rng = np.random.default_rng([plan.seed, 1, subject])
    if modality == "ecg":
        return splits.beat_blocks(person.n_beats, plan.split, rng)
    return splits.image_blocks(len(person.samples), plan.split, rng)


def _subject_row(number: int, gender: str, virtual: Virtual) -> dict[str, object]:
    age = virtual["ecg"].age
    sources = {m: f"{c.set_name}/{c.subject}" for m, c in virtual.items()}
    return {"subject": number, "gender": gender, "age": age, **sources}


def _sample_rows(virtual: Virtual, sets: Mapping[str, Sequence[SampleSet]]) -> list[dict[str, object]]:
    rows = []
    for modality, person in virtual.items():
        source = next(s for s in sets[modality] if s.name == person.set_name)
        root = _common_folder(sets[modality])
        for sample in person.samples:
            path = source.folder / sample.path
            rows.append(
                {
                    "modality": modality,
                    "sample": f"{source.name}/{sample.sample}",
                    "subject": f"{source.name}/{sample.subject}",
                    "order": sample.order,
                    "path": path.relative_to(root).as_posix(),
                    "sha": bytes_hash(*manifest.sample_bytes(path)),
                }
            )
    return rows


def _triplet_rows(subject: int, virtual: Virtual, plan: Plan) -> list[dict[str, object]]:
    """A subject's triplets: each modality drawn on its own inside each block, then put side by side."""
    n = splits.counts(plan.n_triplets, plan.split)
    drawn: dict[str, dict[str, list[tuple[int, str]]]] = {}
    for index, (modality, person) in enumerate(virtual.items()):
        blocks = _blocks(modality, person, plan, subject)
        assert blocks is not None
        rng = np.random.default_rng([plan.seed, 2, subject, index])
        draw = splits.draw_beats if modality == "ecg" else splits.draw_images
        if plan.split == "triplet":  # one draw of all, so that the blocks are a random part of one whole
            whole = iter(draw(blocks["train"], plan.n_triplets, rng))
            drawn[modality] = {b: [next(whole) for _ in range(n[b])] for b in splits.BLOCKS}
        else:
            drawn[modality] = {b: draw(blocks[b], n[b], rng) for b in splits.BLOCKS}
    rows = []
    for block in splits.BLOCKS:
        folds = splits.deal_folds(n[block], subject, plan.folds) if plan.split == "triplet" else [-1] * n[block]
        for i in range(n[block]):
            row: dict[str, object] = {"subject": subject, "split": block, "fold": -1 if block == "test" else folds[i]}
            for modality, person in virtual.items():
                sample, what = drawn[modality][block][i]
                row[f"{modality}_sample"] = f"{person.set_name}/{person.samples[sample].sample}"
                row[f"{modality}_draw"] = what
            rows.append(row)
    return rows


def _common_folder(sets: Sequence[SampleSet]) -> Path:
    folders = {s.folder for s in sets}
    return folders.pop() if len(folders) == 1 else next(iter(folders)).parent


def _source(sets: Sequence[SampleSet], pairs: Sequence[tuple[str, Virtual]], modality: str) -> dict[str, Any]:
    used = {v[modality].set_name for _, v in pairs}
    return {
        "sets": sorted(used),
        "folder": str(_common_folder(sets).resolve()),
        "synthetic": all(_is_synthetic(s) for s in sets if s.name in used),
    }


def _is_synthetic(found: SampleSet) -> bool:
    return (found.folder.resolve().parent / MARKER).is_file()


def _data_label(sources: Mapping[str, Mapping[str, Any]]) -> str:
    """`synthetic`, or the names of the sets in use, with the word behind those that are."""
    if all(source["synthetic"] for source in sources.values()):
        return "synthetic"
    return " + ".join(" + ".join(s["sets"]) + (" (synthetic)" if s["synthetic"] else "") for s in sources.values())

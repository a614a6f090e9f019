"""Triplets: public subjects of each modality -> virtual subjects and their triplets ("Virtual Dataset")."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd

from mmbio.data import pairing, signals, splits
from mmbio.data.listed import sample_rows
from mmbio.data.pairing import Candidate, Virtual
from mmbio.data.plan import Drawn, Plan
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError
from mmbio.protocols import MIN_BEATS
from mmbio.report import Report, silent

MATCHED = ("ecg", "face")  # matched by gender; fingerprints are assigned at random


def draw(sets: Mapping[str, Sequence[SampleSet]], plan: Plan, report: Report = silent) -> Drawn:
    """Pair subjects and draw their triplets.

    Raises MmbioError where more subjects are asked for than fit, or a record is not usable.
    """
    dropped: Counter[str] = Counter()
    rng = np.random.default_rng([plan.seed, 0])
    candidates = {
        modality: _candidates(modality, sets[modality], plan, dropped, report) for modality in plan.protocol.modalities
    }
    pairs = pairing.pair(candidates, MATCHED, plan.subjects, plan.protocol.n_subjects, rng)
    triplets = pd.DataFrame([row for i, (_, v) in enumerate(pairs) for row in _triplet_rows(i, v, plan)])
    triplets.insert(0, "item", np.arange(len(triplets)))
    chosen = [(sets[m], p.set_name, sample) for _, v in pairs for m, p in v.items() for sample in p.samples]
    return Drawn(
        subjects=pd.DataFrame([_subject_row(i, gender, v) for i, (gender, v) in enumerate(pairs)]),
        samples=pd.DataFrame(sample_rows(chosen)),
        items=triplets,
        info={
            "scale": plan.scale if plan.triplets is None else f"{plan.triplets} triplets",
            "triplets": plan.n_triplets,
            "folds": plan.folds,
            "ages": list(plan.ages),
            "n_subjects": {"all": len(pairs), **Counter(gender for gender, _ in pairs)},
            "noun": "triplets",
        },
        dropped=dropped,
    )


def check(plan: Plan, sets: Mapping[str, Sequence[SampleSet]]) -> None:
    """Refuse a plan whose blocks cannot be filled, or whose sets cannot stand apart."""
    altered = [s.name for found in sets.values() for s in found if s.altered]
    if altered and plan.split != "triplet":
        raise MmbioError(
            f"--split {plan.split}: a finger of {altered[0]} has one impression and altered copies of it, which would"
            " stand on both sides; use --split triplet or another set"
        )
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
    people = [p for s in sets for p in pairing.people(s)]
    if modality in MATCHED:
        people = [p for p in people if _matches(modality, p, plan.ages, dropped)]
    found = []
    for i, person in enumerate(people):
        usable = _with_beats(person, plan, dropped) if modality == "ecg" else person
        if usable is not None and _blocks(modality, usable, plan, 0) is not None:
            found.append(usable)
        else:
            dropped[f"{modality}: too few samples for the {plan.split} split"] += 1
        if modality == "ecg":
            report("reading ECG records", i + 1, len(people))
    return found


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


def _with_beats(person: Candidate, plan: Plan, dropped: Counter[str]) -> Candidate | None:
    usable, n_beats = [], []
    for sample in person.samples:
        try:
            n_beats.append(len(signals.beats(person.folder / sample.path)))
            usable.append(sample)
        except MmbioError:
            if not plan.skip_unusable:
                raise
            dropped[f"ecg: records not readable or with fewer than {MIN_BEATS} beats"] += 1
    return replace(person, samples=tuple(usable), n_beats=tuple(n_beats)) if usable else None


def _blocks(modality: str, person: Candidate, plan: Plan, subject: int) -> dict[str, splits.Pool] | None:
    rng = np.random.default_rng([plan.seed, 1, subject])
    if modality == "ecg":
        return splits.beat_blocks(person.n_beats, plan.split, rng)
    return splits.image_blocks(len(person.samples), plan.split, rng)


def _subject_row(number: int, gender: str, virtual: Virtual) -> dict[str, object]:
    age = virtual["ecg"].age
    sources = {m: f"{c.set_name}/{c.subject}" for m, c in virtual.items()}
    return {"subject": number, "gender": gender, "age": age, **sources}


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

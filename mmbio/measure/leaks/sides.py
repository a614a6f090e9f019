"""Sides: what training, tuning and test share, level by level."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from mmbio.data.manifest import Manifest
from mmbio.measure.leaks import levels as leak_levels
from mmbio.measure.leaks.finding import BY_DESIGN, LEAK, NONE, NOT_KNOWN, Finding, percent
from mmbio.measure.leaks.levels import Level
from mmbio.protocols import PROTOCOLS

TEST: Final = "train and test"
TUNED: Final = "train and dev"
# What a leak at a level means for a figure.
MEANS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "source image": "accuracy on this split measures recognition of the same file under another augmentation",
        "source record": "accuracy on this split measures recognition of the same recording",
        "beat": "accuracy on this split measures recognition of the same heartbeats in another combination",
    }
)
SEEN: Final = "figures on this split are of what the networks have seen"
STOPS: Final = "what stops training has been trained on"
# Why a level is shared by design.
PARTED: Final[Mapping[str, str]] = MappingProxyType({"triplet": "triplets", "source": "beats", "record": "records"})
WHY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "subject": "identification tests people that it was trained on",
        "session": "the {split} split parts {parted}, not days",
        "source record": "the {split} split parts the beats of a record here, not the records",
    }
)
WITH: Final[Mapping[str, str]] = MappingProxyType({"train": "training", "dev": "tuning"})


@dataclass(frozen=True)
class Sides:
    """Rows that are known (for each fold model) and rows that are tested on them."""

    between: str
    known: tuple[np.ndarray, ...]
    tested: tuple[np.ndarray, ...]

    @property
    def words(self) -> tuple[str, str]:
        """`training` or `tuning`, and `test items` or `dev items`."""
        known, _, tested = self.between.partition(" and ")
        return WITH[known], f"{tested} items"


def findings(manifest: Manifest) -> list[Finding]:
    """What each pair of sides shares at each level; with folds, dev is a fold and the others train.

    Where all subjects train, as identification demands, the people behind them are not counted beside them.
    """
    levels = leak_levels.of_manifest(manifest)
    pairs = sides(manifest)
    verifies = PROTOCOLS[str(manifest.info["protocol"])].verifies
    told = [
        _finding(level, pair, str(manifest.info["split"]), verifies)
        for level in levels
        for pair in pairs
        if (level.codes is not None or pair.between == TEST) and (verifies or level.name != "public person")
    ]
    return [*told, *(_behind(manifest, m) for m in manifest.modalities)]


def sides(manifest: Manifest) -> list[Sides]:
    """Training against test, training against dev, and, without folds, dev against test."""
    parts = manifest.partitions()
    train, dev, test = (tuple(getattr(p, side) for p in parts) for side in ("train", "dev", "test"))
    found = [Sides(TEST, train, test), Sides(TUNED, train, dev)]
    if manifest.info["split"] != "triplet":  # all that trains is dev once: dev and test share what train and test do
        found.append(Sides("dev and test", dev, test))
    return [pair for pair in found if all(len(rows) for rows in (*pair.known, *pair.tested))]


def overlap(codes: np.ndarray, known: np.ndarray, tested: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the `tested` rows (n,) take something that a known row takes, and what that is, each once."""
    of_tested = codes[tested]
    seen = np.isin(of_tested, codes[known]) & (of_tested >= 0)
    return seen.any(axis=1), np.unique(of_tested[seen])


def _finding(level: Level, pair: Sides, split: str, verifies: bool) -> Finding:
    if level.codes is None:
        return Finding(level.name, level.modality, pair.between, 0, 0, NOT_KNOWN,
                       f"{level.modality}: whether both sides share a session is not known, {level.why}")  # fmt: skip
    hits, shared = zip(*(overlap(level.codes, k, t) for k, t in zip(pair.known, pair.tested, strict=True)), strict=True)
    there = [level.codes[rows].max(axis=1) >= 0 for rows in pair.tested]
    one_test = len(pair.known) > 1 and pair.between == TEST  # of all fold models
    count = int(np.any(hits, axis=0).sum()) if one_test else sum(int(h.sum()) for h in hits)
    of = int(there[0].sum()) if one_test else sum(int(t.sum()) for t in there)
    all_tested = np.unique(level.codes[np.concatenate(pair.tested)])
    by_fold = tuple(int(h.sum()) for h in hits) if len(hits) > 1 else ()
    kind = _kind(level, pair, split, verifies) if count else NONE
    says = _says(level, pair, kind, count, of, split)
    if one_test and kind == LEAK and min(by_fold) < count:
        says += f" ({percent(min(by_fold), of)} to {percent(max(by_fold), of)} for a single fold model)"
    return Finding(level.name, level.modality, pair.between, count, of, kind, says,
                   len(np.unique(np.concatenate(shared))), int((all_tested >= 0).sum()), by_fold)  # fmt: skip


def _kind(level: Level, pair: Sides, split: str, verifies: bool) -> str:
    """What it is to share this: the people of a verification test must be new; identification tests those known."""
    if verifies:
        return LEAK
    return BY_DESIGN if level.name in ("subject", "session") or _parts_beats(level, pair, split) else LEAK


def _parts_beats(level: Level, pair: Sides, split: str) -> bool:
    """True where a split parts the beats of a record: `record` does between training and dev."""
    return level.name == "source record" and (split == "source" or (split, pair.between) == ("record", TUNED))


def _says(level: Level, pair: Sides, kind: str, count: int, of: int, split: str) -> str:
    known, tested = pair.words
    what = f"{level.name} ({level.modality})" if level.modality else level.name
    if kind == NONE:
        return f"no {tested.removesuffix('s')} shares a {what} with {known}"
    start = f"{percent(count, of)} of {tested} share a {what} with {known}"
    if kind == LEAK:
        return f"{start}: {({TEST: MEANS.get(level.name, SEEN), TUNED: STOPS}).get(pair.between, SEEN)}"
    return f"{start}: {WHY[level.name].format(split=split, parted=PARTED[split])}"


def _behind(manifest: Manifest, modality: str) -> Finding:
    """Public people behind more than one subject."""
    source = manifest.info["sources"][modality]
    codes = leak_levels.people(manifest, modality)
    counts = np.bincount(codes[codes >= 0])
    several, of = int((counts > 1).sum()), int((counts > 0).sum())
    kind = LEAK if several else NONE
    says = f"no {modality} of one person stands behind two subjects"
    if several:
        says = (
            f"{several} of {of} people lend their {modality} to more than one subject: their trials have wrong labels"
        )
    elif modality == "finger" and not source["synthetic"]:
        kind, says = NOT_KNOWN, "finger: whether two of the fingers belong to one person is not known"
    return Finding("public person", modality, "different subjects", several, of, kind, says)

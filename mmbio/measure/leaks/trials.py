"""Trials looked at: what the two sides of one share, which stand there twice, and whether the labels are true."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mmbio.data.clips import RULES
from mmbio.data.manifest import Manifest
from mmbio.measure.leaks import levels as leak_levels
from mmbio.measure.leaks.finding import BY_DESIGN, LEAK, NONE, NOT_KNOWN, Finding, percent

LOOSER: Final = {"video": ("clip", "segment"), "clip": ("segment",)}  # rules under which sharing is asked for


@dataclass(frozen=True)
class Pairs:
    """Trials by the rows of their items: enrolment and probe (T,) int64, none unknown, genuine (T,) bool."""

    part: str  # "test", "dev" or "list"
    enrolment: np.ndarray
    probe: np.ndarray
    genuine: np.ndarray
    rule: str = ""  # what the sides of a genuine trial differ in: video, clip, segment; empty for a list

    def __len__(self) -> int:
        return len(self.genuine)


def rule_of(words: str) -> str:
    """The rule behind a manifest's words on its trials; empty for others."""
    return next((rule for rule, text in RULES.items() if words.startswith(text)), "")


def findings(manifest: Manifest, pairs: Pairs) -> list[Finding]:
    """What the two sides of genuine trials share, twins among the trials, untrue labels, and people of dev."""
    told = [f for modality in manifest.modalities for f in _same_sample(manifest, modality, pairs)]
    if not any(leak_levels.source_name(manifest, m) == "source clip" for m in manifest.modalities):
        told += _same_clip(manifest, pairs)
    found = counts(manifest, pairs)
    trials, n = f"{pairs.part} trials", len(pairs)
    told += [
        _counted("item with itself", trials, found["with_itself"], n, LEAK, "compare an item with itself"),
        _counted("untrue label", trials, found["untrue_labels"], n, LEAK, "contradict the subjects of their items"),
        _counted(
            "public person",
            f"impostor {trials}",
            found["impostors_of_one_person"],
            found["n_impostor"],
            LEAK,
            "have one public person behind both sides",
        ),
    ]
    why = "an impostor pair may be drawn for either subject" if pairs.rule else "the list asks for them twice"
    twins = found["duplicates"] + found["mirrored"]
    told.append(_counted("duplicate", trials, twins, n, BY_DESIGN, "repeat another one, as it is or mirrored", why))
    if pairs.part != "dev":
        told.append(_dev_people(manifest, pairs))
    return told


def counts(manifest: Manifest, pairs: Pairs) -> dict[str, Any]:
    """The numbers of a set of trials."""
    subject = manifest.items["subject"].to_numpy(np.int64)
    one, other = subject[pairs.enrolment], subject[pairs.probe]
    genuine, n_items = pairs.genuine, len(subject)
    codes = pairs.enrolment * n_items + pairs.probe
    mirror = pairs.probe * n_items + pairs.enrolment
    itself = pairs.enrolment == pairs.probe
    distinct = np.unique(codes)
    same_gender, n_known = _same_gender(manifest, one[~genuine], other[~genuine])
    return {
        "rule": pairs.rule,
        "n": len(pairs),
        "n_genuine": int(genuine.sum()),
        "n_impostor": int((~genuine).sum()),
        "n_subjects": len(np.unique(np.concatenate([one, other]))),
        "duplicates": len(codes) - len(distinct),
        "mirrored": int(np.isin(distinct, mirror[~itself]).sum()) // 2,  # pairs that stand there in both orders
        "with_itself": int(itself.sum()),
        "untrue_labels": int((genuine != (one == other)).sum()),
        "impostors_of_one_person": _one_person(manifest, one[~genuine], other[~genuine]),
        "genuine_per_subject": _spread(one[genuine]),
        "impostor_per_subject": _spread(one[~genuine]),
        "same_gender_impostors": same_gender,
        "n_gender_known": n_known,
    }


def _same_sample(manifest: Manifest, modality: str, pairs: Pairs) -> list[Finding]:
    """Genuine trials with one file, or one row of vectors, on both sides, and those of one session."""
    level = leak_levels.source_name(manifest, modality)
    between = f"genuine {pairs.part} trials"
    e, p = pairs.enrolment[pairs.genuine], pairs.probe[pairs.genuine]
    apart = e != p
    codes = leak_levels.sources(manifest, modality)
    kind = BY_DESIGN if level == "source clip" and pairs.rule in LOOSER["clip"] else LEAK
    what = f"have one {modality} {level.removeprefix('source ')} on both sides"
    found = [_counted(level, between, _equal(codes, e[apart], p[apart]), len(e), kind, what, modality=modality)]
    session, why = leak_levels.sessions(manifest, modality)
    if session is None and pairs.part == "dev":
        return found
    if session is None:
        says = f"{modality}: whether genuine {pairs.part} trials share a session is not known, {why}"
        return [*found, Finding("session", modality, between, 0, 0, NOT_KNOWN, says)]
    kind = BY_DESIGN if pairs.rule in LOOSER["video"] else LEAK
    what = f"have one {modality} session (a video or chapter) on both sides"
    return [*found, _counted("session", between, _equal(session, e, p), len(e), kind, what, modality=modality)]


def _same_clip(manifest: Manifest, pairs: Pairs) -> list[Finding]:
    clips = manifest.items["video"] + "/" + manifest.items["clip"]
    codes = np.unique(clips.to_numpy(str), return_inverse=True)[1].reshape(-1)
    e, p = pairs.enrolment[pairs.genuine], pairs.probe[pairs.genuine]
    kind = BY_DESIGN if pairs.rule in LOOSER["clip"] else LEAK
    what = "are of two segments of one clip"
    return [_counted("clip", f"genuine {pairs.part} trials", _equal(codes, e, p), len(e), kind, what)]


def _dev_people(manifest: Manifest, pairs: Pairs) -> Finding:
    """Subjects of the trials who train or tune, themselves or by a public person behind them."""
    subject = manifest.items["subject"].to_numpy(np.int64)
    known = (manifest.items["split"] != "test").to_numpy()
    in_trials = np.unique(subject[np.concatenate([pairs.enrolment, pairs.probe])])
    seen = np.isin(in_trials, subject[known])
    for modality in manifest.modalities:
        person = leak_levels.people(manifest, modality)
        trained = person[np.unique(subject[known & manifest.has(modality)])]
        seen |= np.isin(person[in_trials], trained[trained >= 0])
    count, of = int(seen.sum()), len(in_trials)
    says = f"none of the {of} people in the {pairs.part} trials trains or tunes"
    if count:
        says = f"{percent(count, of)} of the {of} people in the {pairs.part} trials also train or tune"
    return Finding("subject", "", f"{pairs.part} trials and dev", count, of, LEAK if count else NONE, says)


def _counted(
    level: str, between: str, count: int, of: int, kind: str, what: str, why: str = "", modality: str = ""
) -> Finding:
    says = f"{count or 'none'} of {of} {between} {what}" + (f": {why}" if why and count else "")
    return Finding(level, modality, between, count, of, kind if count else NONE, says)


def _equal(codes: np.ndarray, enrolment: np.ndarray, probe: np.ndarray) -> int:
    return int(((codes[enrolment] == codes[probe]) & (codes[enrolment] >= 0)).sum())


def _one_person(manifest: Manifest, one: np.ndarray, other: np.ndarray) -> int:
    """Impostor trials of two subjects with one public person behind both in some modality."""
    same = np.zeros(len(one), dtype=bool)
    for modality in manifest.modalities:
        person = leak_levels.people(manifest, modality)
        same |= (person[one] == person[other]) & (person[one] >= 0)
    return int((same & (one != other)).sum())


def _same_gender(manifest: Manifest, one: np.ndarray, other: np.ndarray) -> tuple[float | None, int]:
    gender = manifest.subjects["gender"].to_numpy(str)
    known = (gender[one] != "") & (gender[other] != "")
    if not known.any():
        return None, 0
    return round(float((gender[one] == gender[other])[known].mean()), 6), int(known.sum())


def _spread(subjects: np.ndarray) -> list[float]:
    """Fewest, median and most trials of a subject who enrols in any."""
    n = np.bincount(subjects) if len(subjects) else np.zeros(0, np.int64)
    n = n[n > 0]
    return [float(n.min()), float(np.median(n)), float(n.max())] if len(n) else []

"""Audit: what training and test share, and what is wrong with trials, of any manifest.

`findings` say it level by level, in plain words; `near` tells which vectors were looked at, and why others were
not; `trials` counts; `pairings` lists the manifests of the same data beside this one.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from mmbio.data import trial_lists
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings
from mmbio.measure.leaks import files as leak_files
from mmbio.measure.leaks import pairings, sides, vectors
from mmbio.measure.leaks import trials as leak_trials
from mmbio.measure.leaks.finding import KINDS, LEAK, NONE, NOT_KNOWN, Finding, percent
from mmbio.measure.leaks.near import NEAR
from mmbio.measure.leaks.pairings import Pairing
from mmbio.measure.leaks.trials import Pairs
from mmbio.measure.trials import Trials, of_manifest
from mmbio.report import Report, silent
from mmbio.words import plural

SCHEMA: Final = 1
HEADER: Final = ("level", "modality", "between", "found", "sources", "verdict")


@dataclass(frozen=True)
class Audit:
    """What an audit found; `info` says of which manifest."""

    info: Mapping[str, Any]  # manifest, data, protocol, split, seed, n_files
    findings: tuple[Finding, ...]
    near: tuple[Mapping[str, Any], ...]
    trials: Mapping[str, Mapping[str, Any]]  # by part: test and dev, or list
    pairing: Mapping[str, Any]
    pairings: tuple[Pairing, ...]

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """The findings that are a leak."""
        return tuple(f for f in self.findings if f.kind == LEAK)

    def to_json(self) -> dict[str, Any]:
        """The audit as JSON takes it, shares as fractions."""
        return {
            "schema": SCHEMA,
            **self.info,
            "findings": [f.to_json() for f in self.findings],
            "near": [dict(n) for n in self.near],
            "trials": {part: dict(counted) for part, counted in self.trials.items()},
            "pairing": dict(self.pairing),
            "pairings": [asdict(p) for p in self.pairings],
        }

    def lines(self) -> list[str]:
        """The audit as plain text: the table, what is a leak, by design and not known, and the numbers behind it."""
        rows = [HEADER, *self.rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return [self.head(), "", *table, "", *self.verdict(), "", *self.remarks()]

    def rows(self) -> list[tuple[str, ...]]:
        """The table of all findings, in the words of HEADER."""
        return [_row(f) for f in self.findings]

    def head(self) -> str:
        """Which manifest this is about."""
        info = self.info
        about = f"{info['protocol']}, {info['data']} data, {info['split']} split, seed {info['seed']}"
        return f"audit of {info['manifest']}: {about}"

    def verdict(self) -> list[str]:
        """One line a finding, those of nothing found as one."""
        kinds = Counter(f.kind for f in self.findings)
        told = [f"{kind}: {f.says}" for kind in KINDS if kind != NONE for f in self.findings if f.kind == kind]
        clean = [] if kinds[LEAK] else [f"{NONE}: no leak was found"]
        return [*clean, *told, f"{NONE}: {kinds[NONE]} of {len(self.findings)} checks found nothing"]

    def remarks(self) -> list[str]:
        """Near pairs, the numbers of the trials, and pairings."""
        told = [line for one in self.near for line in _near_lines(one)]
        told += [line for part, counted in self.trials.items() for line in _trial_lines(part, counted)]
        by = f", {self.pairing['generator']}" if self.pairing["generator"] else ""
        told.append(f"pairing {self.pairing['hash']}: seed {self.pairing['seed']}{by}; {self.pairing['same_by']}")
        told += [
            f"  {p.manifest} ({p.split} split, seed {p.seed}): {'the same pairing' if p.same else 'another pairing'},"
            f" {plural(p.n_common, 'subject')} in common"
            for p in self.pairings
        ]
        return told


def audit(
    manifest: Manifest,
    settings: Settings,
    trials: Trials | None = None,
    *,
    near: float = NEAR,
    extract: bool = False,
    verify: bool = False,
    report: Report = silent,
) -> Audit:
    """Audit a manifest, with its own trials or, where given, others.

    Vectors are those that stand in a vector set or in the store of `settings`, whatever made them; `extract` makes
    what is not there. `verify` reads every file again. Raises MmbioError for files that are gone or have changed.
    """
    n_files = leak_files.check(manifest, verify)
    findings = sides.findings(manifest) + leak_files.twins(manifest)
    looked = [vectors.look(manifest, m, settings, near, extract, report) for m in manifest.modalities]
    findings += [_near_finding(one) for one in looked]
    parts = _parts(manifest, trials)
    findings += [f for pairs in parts for f in leak_trials.findings(manifest, pairs)]
    names = ("protocol", "split", "seed")
    info = {"manifest": manifest.hash, "data": manifest.info["data"]} | {n: manifest.info[n] for n in names}
    info |= {"n_files": n_files, "verified": verify}
    return Audit(
        info,
        tuple(findings),
        tuple(looked),
        {pairs.part: leak_trials.counts(manifest, pairs) | _unknown(trials) for pairs in parts},
        pairings.about(manifest),
        tuple(pairings.beside(manifest)),
    )


def listed(manifest: Manifest, found: trial_lists.TrialList, words: str, suffix: str | None = None) -> Trials:
    """The trials of a user's list by any item, so that people of dev in it are seen; -1 where there is no such item."""
    rows = np.flatnonzero(~manifest.items["id"].duplicated().to_numpy())  # rows of the test stand first
    sides = trial_lists.matched(manifest.items["id"].to_numpy(str)[rows], found, suffix)
    enrolment, probe = (np.where(at >= 0, rows[at], -1) for at in sides)
    return Trials(enrolment, probe, found.genuine, words)


def _parts(manifest: Manifest, trials: Trials | None) -> list[Pairs]:
    if trials is not None:
        known = (trials.enrolment >= 0) & (trials.probe >= 0)
        of = trials.take(np.flatnonzero(known))
        return [Pairs("list", of.enrolment, of.probe, of.genuine)]
    found = []
    for part, words in (("test", "trials"), ("dev", "dev_trials")) if len(manifest.trials) else ():
        of = of_manifest(manifest, part)
        rule = leak_trials.rule_of(str(manifest.info[words]))
        found.append(Pairs(part, of.enrolment, of.probe, of.genuine, rule))
    return [pairs for pairs in found if len(pairs)]


def _unknown(trials: Trials | None) -> dict[str, int]:
    if trials is None:
        return {}
    return {"n_unknown": int(((trials.enrolment < 0) | (trials.probe < 0)).sum())}


def _row(f: Finding) -> tuple[str, ...]:
    found = f"{f.count} of {f.of}" if f.of else "-"
    shared = f"{f.shared} of {f.of_shared}" if f.of_shared else ""
    return f.level, f.modality, f.between, found, shared, f.kind


def _near_finding(one: Mapping[str, Any]) -> Finding:
    modality, level, between = one["modality"], "near-identical vector", "different subjects"
    if not one["looked"]:
        says = f"{modality} vectors were not looked at: {one['why']}"
        return Finding(level, modality, between, 0, 0, NOT_KNOWN, says)
    some = f" ({one['n']} of {one['of']} looked at)" if one["n"] < one["of"] else ""
    says = f"no two {modality} vectors{some} of different subjects have a cosine of {one['threshold']:g} or more"
    if one["n_items"]:
        share = percent(one["n_items"], one["n"])
        says = (
            f"{share} of {modality} vectors{some} have a cosine of {one['threshold']:g} or more with one of another"
            " subject: one person twice, or a backbone that cannot tell them apart"
        )
    kind = NOT_KNOWN if one["n_items"] else NONE
    return Finding(level, modality, between, one["n_items"], one["n"], kind, says)


def _near_lines(one: Mapping[str, Any]) -> list[str]:
    if not one["n_items"]:
        return []
    head = (
        f"near {one['modality']} vectors ({one['backbone']}): {plural(one['n_pairs'], 'pair')}, of"
        f" {plural(one['n_subject_pairs'], 'pair')} of subjects"
    )
    return [head, *(f"  {t['cosine']:.5f}  {t['samples'][0]} and {t['samples'][1]}" for t in one["top"])]


def _trial_lines(part: str, counted: Mapping[str, Any]) -> list[str]:
    def spread(which: str) -> str:
        low, middle, high = counted[f"{which}_per_subject"] or (0, 0, 0)
        return f"{counted[f'n_{which}']} {which} (a subject {low:g} / {middle:g} / {high:g})"

    gender = counted["same_gender_impostors"]
    shown = "genders not known" if gender is None else f"{100 * gender:.1f} % of impostors of one gender"
    unknown = f", {counted['n_unknown']} of ids not known left out" if counted.get("n_unknown") else ""
    return [
        f"{part} trials of {plural(counted['n_subjects'], 'person', 'people')}: {spread('genuine')},"
        f" {spread('impostor')}; fewest / median / most; {shown}{unknown}"
    ]

"""build-virtual: public sets -> subjects -> items (triplets, or clips with trials) -> a manifest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from mmbio import __version__
from mmbio.code import code_hashes
from mmbio.data import clips, listed, manifest, triplets
from mmbio.data.plan import Drawn, Plan
from mmbio.data.samples import SampleSet
from mmbio.files import content_hash
from mmbio.report import Report, silent

Sets = Mapping[str, Sequence[SampleSet]]
DRAWS: Final[Mapping[str, Callable[[Sets, Plan, Report], Drawn]]] = MappingProxyType(
    {"multitask": triplets.draw, "audiovisual": clips.draw}
)
CHECKS: Final[Mapping[str, Callable[[Plan, Sets], None]]] = MappingProxyType(
    {"multitask": triplets.check, "audiovisual": clips.check}
)


def build(sets: Sets, plan: Plan, home: Path, report: Report = silent) -> manifest.Manifest:
    """Pair the subjects of `sets` (modality -> public sets), draw their items and write the manifest.

    A manifest that was built by the same plan from unchanged files is taken as it is.

    Raises MmbioError where more subjects are asked for than fit, or a sample is not usable.
    """
    CHECKS[plan.protocol.name](plan, sets)
    made_of = fingerprint(sets, plan)
    known = manifest.made_from(home, made_of)
    if known is not None:
        return known
    drawn = DRAWS[plan.protocol.name](sets, plan, report)
    modalities = [m for m in sets if f"{m}_sample" in drawn.items.columns]
    sources = {m: listed.source(sets[m], _used(drawn, m)) for m in modalities}
    info: dict[str, Any] = {
        "schema": manifest.SCHEMA,
        "version": __version__,
        "protocol": plan.protocol.name,
        "modalities": modalities,
        "split": plan.split,
        "seed": plan.seed,
        **drawn.info,
        "dropped": dict(drawn.dropped),
        "data": listed.data_label(sources),
        "sources": sources,
        "notes": _notes(sets),
        "fingerprint": made_of,
        "asked": plan.asked,
    }
    name = f"{plan.protocol.name}-{plan.split}-{drawn.info['scale'].replace(' ', '-')}"
    tables = (drawn.subjects, drawn.samples, drawn.items)
    return manifest.write(home / "manifests" / name, info, *tables, **drawn.more)


def _notes(sets: Sets) -> list[str]:
    """What the sets remark, each remark once: face and voice of one set remark the same."""
    found = (s for modality in sets.values() for s in modality if not listed.is_synthetic(s))
    return list(dict.fromkeys(note for s in found for note in s.notes))


def _used(drawn: Drawn, modality: str) -> set[str]:
    """The names of the sets whose samples of a modality are in use."""
    samples = drawn.samples
    return {name.partition("/")[0] for name in samples["sample"][samples["modality"] == modality]}


def fingerprint(sets: Sets, plan: Plan) -> str:
    """Stands for a plan and the files it reads, by their names, sizes and times."""
    listings = []
    for found in (s for modality in sets for s in sets[modality]):
        people = [[s.path, s.subject, s.part, s.gender, s.age] for s in found.samples if s.row is None]
        paths = sorted({s.path for s in found.samples}) if not found.vectors else ["set.json"]
        stats = [file.stat() for p in paths for file in manifest.sample_files(found.folder / p)]
        files = [[stat.st_size, stat.st_mtime_ns] for stat in stats]
        listings.append([found.name, str(found.folder.resolve()), people, paths, files])
    choices = {f.name: getattr(plan, f.name) for f in fields(plan)} | {"protocol": plan.protocol.name}
    return content_hash([choices, listings, code_hashes(["data", "data/readers"])])

"""Listed samples: the files that an experiment uses as rows of its manifest, and where they lie."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmbio.data import manifest
from mmbio.data.samples import Sample, SampleSet
from mmbio.data.synthetic.root import MARKER
from mmbio.files import bytes_hash, content_hash


def sample_rows(chosen: Iterable[tuple[Sequence[SampleSet], str, Sample]]) -> list[dict[str, object]]:
    """A row for each (sets of its modality, name of its set, sample); vectors have one row for their file."""
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for sets, name, sample in chosen:
        key = sample.modality, sample_name(name, sample)
        if key in rows:
            continue
        source = next(s for s in sets if s.name == name)
        path = source.folder / sample.path
        is_vector = sample.row is not None
        rows[key] = {
            "modality": sample.modality,
            "sample": key[1],
            "subject": "" if is_vector else f"{name}/{sample.subject}",
            "order": 0 if is_vector else sample.order,
            "path": path.relative_to(common_folder(sets)).as_posix(),
            "sha": content_hash(source.vectors["files"]) if is_vector else bytes_hash(*manifest.sample_bytes(path)),
        }
    return list(rows.values())


def sample_name(set_name: str, sample: Sample) -> str:
    """What a manifest calls a sample: `set/sample`; a vector is a row of the sample `set/modality`."""
    return f"{set_name}/{sample.sample if sample.row is None else sample.modality}"


def common_folder(sets: Sequence[SampleSet]) -> Path:
    """The folder of the sets of a modality, or the one above where there are several."""
    folders = {s.folder for s in sets}
    return folders.pop() if len(folders) == 1 else next(iter(folders)).parent


def source(sets: Sequence[SampleSet], used: set[str]) -> dict[str, Any]:
    """What a manifest says about where a modality comes from."""
    described: dict[str, Any] = {
        "sets": sorted(used),
        "folder": str(common_folder(sets).resolve()),
        "synthetic": all(is_synthetic(s) for s in sets if s.name in used),
    }
    return described | ({"vectors": dict(sets[0].vectors)} if sets[0].vectors else {})


def is_synthetic(found: SampleSet) -> bool:
    """True for a set that mmbio made."""
    return bool(found.vectors.get("synthetic")) or (found.folder.resolve().parent / MARKER).is_file()


def data_label(sources: dict[str, dict[str, Any]]) -> str:
    """`synthetic`, `simulated`, or the names of the sets in use, with the word behind those that are."""
    names = list(dict.fromkeys(" + ".join(s["sets"]) for s in sources.values()))
    if all(s["synthetic"] for s in sources.values()):
        return "simulated" if all("vectors" in s for s in sources.values()) else "synthetic"
    if len(names) == 1:
        return names[0]
    return " + ".join(" + ".join(s["sets"]) + (" (synthetic)" if s["synthetic"] else "") for s in sources.values())

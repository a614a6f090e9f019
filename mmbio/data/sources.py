"""Sources: which sets stand behind each modality, from --data and --source."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mmbio.data import excluded, vector_sets
from mmbio.data.readers.registry import READERS, read_modality
from mmbio.data.samples import Sample, SampleSet
from mmbio.data.synthetic import embeddings
from mmbio.data.synthetic.root import ensure
from mmbio.errors import MmbioError
from mmbio.protocols import Protocol
from mmbio.report import Report, silent

SYNTHETIC: Final = "synthetic"
SIMULATED: Final = "simulated"


def synthetic_root(home: Path) -> Path:
    """Where the synthetic root of a home folder stands."""
    return home / "data" / SYNTHETIC


def simulated_set(home: Path, scale: str, seed: int) -> Path:
    """Where the simulated embeddings of a scale and seed stand."""
    return home / "data" / f"{SIMULATED}-{scale}-{seed}"


def resolve(
    protocol: Protocol,
    data: str | None,
    sources: Mapping[str, str],
    home: Path,
    report: Report = silent,
    scale: str = "quick",
    seed: int = 0,
) -> dict[str, tuple[SampleSet, ...]]:
    """Read the sets of each modality.

    `data` is a root for all, or a vector set (None: $MMBIO_DATA, else what mmbio makes itself: the synthetic
    root, or simulated embeddings of `scale` and `seed`); `sources` gives single modalities another: `synthetic`,
    a set's name at the root, or a folder. People whom `mmbio purge` excluded are left out.
    Raises MmbioError naming the root or source, what was expected and the cure.
    """
    unknown = set(sources) - set(protocol.modalities)
    if unknown:
        raise MmbioError(
            f"--source {unknown.pop()}=...: unknown modality; choose from {', '.join(protocol.modalities)}"
        )
    return excluded.without(_resolved(protocol, data, sources, home, report, scale, seed), home)


def _resolved(
    protocol: Protocol,
    data: str | None,
    sources: Mapping[str, str],
    home: Path,
    report: Report,
    scale: str,
    seed: int,
) -> dict[str, tuple[SampleSet, ...]]:
    root = data or os.environ.get("MMBIO_DATA") or protocol.synthetic
    without = [m for m in protocol.modalities if m not in sources] if root == SIMULATED and sources else []
    if without:
        raise MmbioError(
            f"--source {next(iter(sources))}=...: no data for {' and '.join(without)}, since the simulated embeddings"
            " are of other people; name a source of each modality, or a root with --data"
        )
    if root == SIMULATED and not sources:
        where = simulated_set(home, scale, seed)
        embeddings.ensure(where, scale, seed)
        return _of_vectors(where, protocol)
    if vector_sets.is_set(Path(root)) and not sources:
        return _of_vectors(Path(root), protocol)
    wanted = {m: sources.get(m, root) for m in protocol.modalities}
    if SYNTHETIC in wanted.values() or (root == SYNTHETIC and any(s in READERS for s in wanted.values())):
        ensure(synthetic_root(home), report=report)
    base = synthetic_root(home) if root == SYNTHETIC else Path(root)
    return {m: _read(m, where, base, home) for m, where in wanted.items()}


def _read(modality: str, where: str, base: Path, home: Path) -> tuple[SampleSet, ...]:
    if where == SYNTHETIC:
        return read_modality(synthetic_root(home), modality)
    if where in READERS:
        return read_modality(base, modality, where)
    return read_modality(Path(where), modality)


def _of_vectors(folder: Path, protocol: Protocol) -> dict[str, tuple[SampleSet, ...]]:
    """A vector set as one set of samples a modality; they share its name, for they are of the same people."""
    if not protocol.verifies:
        raise MmbioError(f"{folder}: holds embeddings, which the protocol {protocol.name} does not take;"
                         " add --protocol audiovisual")  # fmt: skip
    found = vector_sets.read(folder)
    return {m: (_sample_set(found, m),) for m in found.modalities}


def _sample_set(found: vector_sets.VectorSet, modality: str) -> SampleSet:
    about = found.info["modalities"][modality]
    table = found.samples[found.samples[modality] >= 0]
    columns = [table[c].tolist() for c in ("subject", "id", "gender", "video", "part", "clip", modality)]
    names = [vector_sets.file_name(modality, s) for s in about["segments"] or [""]]
    samples = tuple(
        Sample(modality, subject, one, order, names[0], gender or None, None, video, part, clip, row)
        for order, (subject, one, gender, video, part, clip, row) in enumerate(zip(*columns, strict=True))
    )
    notes = tuple(found.info["notes"])
    if about["zeros"]:
        notes += (f"{found.name}: {about['zeros']} {modality} vectors are zero; their cosine is 0",)
    described = {
        "dim": about["dim"],
        "segments": about["segments"],
        "synthetic": found.info["synthetic"],
        "files": {name: found.info["files"][name] for name in names},
    }
    attributes = found.samples[["id", *found.attributes]] if found.attributes else None
    return SampleSet(found.name, found.folder, samples, notes, False, described, attributes)

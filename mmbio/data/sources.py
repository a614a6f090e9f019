"""Sources: which public sets stand behind each modality, from --data and --source."""

import os
from collections.abc import Mapping
from pathlib import Path

from mmbio.data.readers.registry import READERS, read_modality
from mmbio.data.samples import SampleSet
from mmbio.data.synthetic.root import ensure
from mmbio.errors import MmbioError
from mmbio.report import Report, silent

SYNTHETIC = "synthetic"


def synthetic_root(home: Path) -> Path:
    """Where the synthetic root of a home folder stands."""
    return home / "data" / SYNTHETIC


def resolve(
    modalities: tuple[str, ...],
    data: str | None,
    sources: Mapping[str, str],
    home: Path,
    report: Report = silent,
) -> dict[str, tuple[SampleSet, ...]]:
    """Read the sets of each modality.

    `data` is a root for all (None: $MMBIO_DATA, else the synthetic root, made if it is not there);
    `sources` gives single modalities another: `synthetic`, a set's name at the root, or a folder.
    Raises MmbioError naming the root or source, what was expected and the cure.
    """
    unknown = set(sources) - set(modalities)
    if unknown:
        raise MmbioError(f"--source {unknown.pop()}=...: unknown modality; choose from {', '.join(modalities)}")
    root = data or os.environ.get("MMBIO_DATA") or SYNTHETIC
    wanted = {m: sources.get(m, root) for m in modalities}
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

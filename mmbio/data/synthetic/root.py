"""The synthetic root: one small set a modality, in the real sets' own layouts."""

import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from mmbio import __version__
from mmbio.data.synthetic import ecg, face, finger
from mmbio.errors import MmbioError
from mmbio.files import locked, read_json, replacing, write_json, write_text
from mmbio.report import Report, silent
from mmbio.workers import spawned

MARKER = "synthetic.json"  # a root with this file is synthetic, and every figure says so
N_SUBJECTS = 72
SPREADS: Mapping[str, float] = {
    "ecg": ecg.IDENTITY_SPREAD,
    "face": face.IDENTITY_SPREAD,
    "finger": finger.IDENTITY_SPREAD,
}

_SETS = {"ecg": ecg, "face": face, "finger": finger}


def generate(
    root: Path,
    seed: int = 0,
    n_subjects: int = N_SUBJECTS,
    spreads: Mapping[str, float] = SPREADS,
    report: Report = silent,
) -> None:
    """Write the sets of the modalities in `spreads` for `n_subjects` below `root`, whole or not at all.

    The same seed and version give the same bytes; subjects are written on all processors.
    """
    jobs = [(modality, index) for modality in spreads for index in range(n_subjects)]
    with replacing(root) as scratch, _pool() as pool:
        scratch.mkdir()
        futures = [pool.submit(_write, str(scratch), m, i, seed, spreads[m]) for m, i in jobs]
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            report("writing the synthetic root", done, len(jobs))
        if "face" in spreads:
            write_text(scratch / face.FOLDER / "genders.csv", face.genders_csv(n_subjects))
        write_json(scratch / MARKER, _description(seed, n_subjects, spreads))


def ensure(root: Path, seed: int = 0, report: Report = silent) -> bool:
    """Generate the synthetic root unless it stands there, made by this version; returns whether it was made.

    Raises MmbioError where other files stand at `root`.
    """
    with locked(root.parent / f".{root.name}.lock"):
        marker = root / MARKER
        if marker.is_file() and read_json(marker, "synthetic root") == _description(seed, N_SUBJECTS, SPREADS):
            return False
        if root.exists() and not marker.is_file() and (root.is_file() or any(root.iterdir())):
            raise MmbioError(f"{root}: holds other files, which would be replaced; name a new or empty folder")
        generate(root, seed, report=report)
        return True


def _description(seed: int, n_subjects: int, spreads: Mapping[str, float]) -> dict[str, Any]:
    return {"version": __version__, "seed": seed, "n_subjects": n_subjects, "spreads": dict(spreads)}


def _pool() -> ProcessPoolExecutor:
    return spawned.pool(len(os.sched_getaffinity(0)))


def _write(root: str, modality: str, index: int, seed: int, spread: float) -> None:
    maker = _SETS[modality]
    maker.write_subject(Path(root) / maker.FOLDER, index, seed, spread)

"""Remote: small copies of public sets as their own servers hold them, made of synthetic samples."""

import hashlib
import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

ECG = "ecg-id-database-1.0.0"
SIDE = 64  # pixels of a fingerprint that nobody reads


def write(root: Path, folder: Path) -> None:
    """Write ECG-ID with its list of hashes, and the archives of FVC2000, made from a synthetic root."""
    shutil.copytree(root / ECG, folder / "ecg-id")
    found = sorted(path for path in (folder / "ecg-id").rglob("*") if path.is_file())
    lines = [f"{_sha256(path)} {path.relative_to(folder / 'ecg-id').as_posix()}\n" for path in found]
    (folder / "ecg-id" / "SHA256SUMS.txt").write_text("".join(lines), encoding="utf-8")
    (folder / "fvc2000").mkdir()
    for n in range(1, 5):
        _archive(folder / "fvc2000" / f"DB{n}_B.zip", n)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _archive(path: Path, database: int) -> None:
    rng = np.random.default_rng([0, database])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for finger in range(101, 111):
            for impression in range(1, 9):
                buffer = io.BytesIO()
                Image.fromarray(rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)).save(buffer, "tiff")
                archive.writestr(zipfile.ZipInfo(f"{finger}_{impression}.tif"), buffer.getvalue())

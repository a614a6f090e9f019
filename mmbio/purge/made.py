"""Made: the folders that mmbio made people for, synthetic roots and simulated sets, which hold nobody and stay."""

from collections.abc import Sequence
from pathlib import Path

from mmbio.data import vector_sets
from mmbio.data.synthetic.root import MARKER
from mmbio.errors import MmbioError
from mmbio.files import read_json
from mmbio.purge import walk


def is_made(folder: Path) -> bool:
    """True for a synthetic root, and for a vector set that mmbio simulated."""
    if (folder / MARKER).is_file():
        return True
    if not vector_sets.is_set(folder):
        return False
    try:
        return read_json(folder / vector_sets.MARKER, "vector set").get("synthetic") is True
    except MmbioError:
        return False  # damaged, so that it is looked at


def any_below(*roots: Path) -> Sequence[Path]:
    """The folders that mmbio made people for, below some folders or there themselves."""
    entries = (path for root in roots for path in (root, *walk.below(root)))
    return sorted({path for path in entries if path.is_dir() and is_made(path)})

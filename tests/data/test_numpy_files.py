"""numpy_files: no array is larger than the bytes there are, none is unpickled, and each way to read gives the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmbio.data.numpy_files import BROKEN, loaded, mapped, unpacked

Read = Callable[[Path], np.ndarray]
WAYS: tuple[Read, ...] = (loaded, mapped, lambda path: unpacked(path.read_bytes()))
ARRAYS = [np.arange(6.0).reshape(2, 3), np.array(["a", "b\u00e9"]), np.asfortranarray(np.eye(3, dtype=np.float16))]


@pytest.mark.parametrize("read", WAYS)
@pytest.mark.parametrize("array", ARRAYS)
def test_an_array_as_it_was_saved(tmp_path: Path, read: Read, array: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", array)
    found = read(tmp_path / "a.npy")
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def promising(path: Path, shape: tuple[int, ...]) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
        file.write(bytes(80))


DAMAGED: dict[str, Callable[[Path], object]] = {
    "empty": lambda p: p.write_bytes(b""),
    "text": lambda p: p.write_bytes(b"no array"),
    "objects": lambda p: np.save(p, np.array([{}], dtype=object), allow_pickle=True),
    "huge": lambda p: promising(p, (1 << 40, 1 << 10)),
    "cut": lambda p: promising(p, (11,)),
    "negative": lambda p: promising(p, (-1, 10)),
}


@pytest.mark.parametrize("read", WAYS)
@pytest.mark.parametrize("damage", DAMAGED)
def test_what_is_none_is_refused(tmp_path: Path, read: Read, damage: str) -> None:
    DAMAGED[damage](tmp_path / "a.npy")
    with pytest.raises(BROKEN):
        read(tmp_path / "a.npy")

"""Embedding files: each form gives the same ids and vectors, and bad ones are told by row and id."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mmbio.data import embedding_files
from mmbio.data.embedding_files import EmbeddingFile, read
from mmbio.embed import cosine
from mmbio.errors import MmbioError

IDS = ["a/1", "b/2", "ü 3"]
VECTORS = np.array([[1, 2], [0, 0], [-0.5, 4]], np.float32)


def npz(folder: Path, ids: list[str] = IDS, vectors: np.ndarray = VECTORS) -> tuple[Path, None]:
    np.savez(folder / "v.npz", ids=np.array(ids), vectors=vectors)
    return folder / "v.npz", None


def compressed(folder: Path) -> tuple[Path, None]:
    np.savez_compressed(folder / "v.npz", ids=np.array(IDS).astype("U20"), vectors=np.asfortranarray(VECTORS))
    return folder / "v.npz", None


def npz_and_ids(folder: Path) -> tuple[Path, Path]:
    np.savez(folder / "v.npz", vectors=VECTORS.astype(">f8"))
    return folder / "v.npz", text(folder)


def npy(folder: Path) -> tuple[Path, Path]:
    np.save(folder / "v.npy", VECTORS)
    np.save(folder / "ids.npy", np.array(IDS))
    return folder / "v.npy", folder / "ids.npy"


def npy_and_text(folder: Path) -> tuple[Path, Path]:
    with (folder / "v.NPY").open("wb") as file:
        np.save(file, np.asfortranarray(VECTORS.astype(np.float16)))
    return folder / "v.NPY", text(folder)


def text(folder: Path) -> Path:
    (folder / "ids.txt").write_text("\ufeffa/1\r\nb/2\nü 3\n\n", encoding="utf-8")
    return folder / "ids.txt"


def tensors(folder: Path) -> tuple[Path, None]:
    save_file(dict(zip(IDS, VECTORS, strict=True)), folder / "v.safetensors")
    return folder / "v.safetensors", None


def tensor_and_metadata(folder: Path) -> tuple[Path, None]:
    save_file({"vectors": VECTORS}, folder / "v.safetensors", {"ids": json.dumps(IDS)})
    return folder / "v.safetensors", None


def tensor_and_lines(folder: Path) -> tuple[Path, None]:
    save_file({"vectors": VECTORS}, folder / "v.safetensors", {"ids": "\n".join(IDS)})
    return folder / "v.safetensors", None


def tensor_and_ids(folder: Path) -> tuple[Path, Path]:
    save_file({"vectors": VECTORS.astype(np.float64)}, folder / "v.safetensors")
    return folder / "v.safetensors", text(folder)


def ark(folder: Path) -> tuple[Path, None]:
    names = [name.replace(" ", "_") for name in IDS]
    lines = [f"{name} [ {' '.join(map(str, v))} ]" for name, v in zip(names, VECTORS, strict=True)]
    (folder / "v.ark").write_text("\n".join(lines), encoding="utf-8")
    return folder / "v.ark", None


def scp(folder: Path) -> tuple[Path, None]:
    content = ark(folder)[0].read_bytes()
    starts = {name: content.index(name.encode()) + len(name.encode()) + 1 for name in ("a/1", "b/2", "ü_3")}
    (folder / "v.scp").write_text("".join(f"{n} v.ark:{at}\n" for n, at in starts.items()), encoding="utf-8")
    return folder / "v.scp", None


Form = Callable[[Path], tuple[Path, Path | None]]
FORMS: tuple[Form, ...] = (
    *(npz, compressed, npz_and_ids, npy, npy_and_text),
    *(tensors, tensor_and_metadata, tensor_and_lines, tensor_and_ids, ark, scp),
)


@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_the_same(tmp_path: Path, form: Form) -> None:
    found = read(*form(tmp_path))
    names = [name.replace("_", " ") for name in found.ids]
    order = np.argsort(names)
    assert sorted(names) == IDS
    assert found.ids.dtype == object
    np.testing.assert_array_equal(found.vectors[order], VECTORS)
    assert (found.n_repeated, found.n_zeros) == (0, 1)


@pytest.mark.parametrize("form", [npz, npy, tensor_and_metadata, ark])
def test_vectors_are_mapped(tmp_path: Path, form: Form) -> None:
    assert isinstance(read(*form(tmp_path)).vectors, np.memmap)


def test_an_id_given_twice_with_one_vector_is_kept_once(tmp_path: Path) -> None:
    vectors = np.array([[1, 2], [0, 0], [1, 2], [3, 4], [0, 0], [1, 2]], np.float32)
    found = read(*npz(tmp_path, list("abacba"), vectors))
    assert found.ids.tolist() == ["a", "b", "c"]
    assert found.vectors.tolist() == [[1, 2], [0, 0], [3, 4]]
    assert (found.n_repeated, found.n_zeros) == (3, 1)


def test_an_id_given_twice_with_different_vectors(tmp_path: Path) -> None:
    vectors = np.array([[1, 2], [1, 2], [3, 4], [3, 5]], np.float32)
    with pytest.raises(MmbioError, match=r"v\.npz: rows 3 and 4 give id 'b' different vectors; keep one"):
        read(*npz(tmp_path, list("aabb"), vectors))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.nan, "nan, expected finite numbers; mend the vector"),
        (np.inf, "inf, expected finite numbers"),
        (-np.inf, "-inf, expected finite numbers"),
        (1.2345678e199, r"1\.23457e\+199, too large for float32, which ends at 3\.40282e\+38; scale the vectors"),
        (-1e39, r"-1e\+39, too large for float32"),
    ],
)
def test_the_row_and_id_of_a_value_that_is_no_number(
    tmp_path: Path, value: float, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmbio.data.spilled.PIECE", 4)  # two rows at once
    vectors = np.ones((5, 2))
    vectors[3, 1] = value
    with pytest.raises(MmbioError, match=rf"v\.npz: row 4 \(id 'd'\) holds {told}"):
        read(*npz(tmp_path, list("abcde"), vectors))


def test_zeros_are_those_that_score_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbio.data.spilled.PIECE", 4)  # two rows at once
    vectors = np.array([[1e-50, 2e-50], [0, 0], [1e-149, 0], [1e-151, 0], [0, -0.0], [1, 0]])
    found = read(*npz(tmp_path, list("abcdef"), vectors))
    own = np.arange(len(vectors))
    scores = cosine.pair_scores(found.vectors, found.vectors, own, own)
    assert found.n_zeros == (scores == 0).sum() == 3
    assert found.n_zeros_single == (~found.vectors.astype(np.float32).any(1)).sum() == 5
    assert embedding_files.TINY == cosine.TINY


def test_pieces_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    vectors[[7, 8, 49]] = 0
    ids = [str(i) for i in range(49)] + ["8"]

    def all_of(found: EmbeddingFile) -> tuple[list[str], bytes, int, int]:
        return found.ids.tolist(), found.vectors.tobytes(), found.n_repeated, found.n_zeros

    whole = all_of(read(*npz(tmp_path, ids, vectors)))
    monkeypatch.setattr("mmbio.data.spilled.PIECE", 7)
    assert all_of(read(tmp_path / "v.npz")) == whole
    assert whole[2:] == (1, 2)


WRONG_ARRAYS = [
    (np.ones(3, np.float32), r"vectors of shape \(3,\), expected \(N, D\)"),
    (np.ones((3, 1, 2), np.float32), r"vectors of shape \(3, 1, 2\)"),
    (np.ones((3, 2), np.int32), "vectors of type int32, expected floating-point numbers"),
    (np.ones((3, 2), np.complex64), "vectors of type complex64"),
    (np.ones((0, 2), np.float32), "holds no vectors"),
    (np.ones((3, 0), np.float32), "holds no vectors"),
    (np.ones((2, 2), np.float32), r"3 ids for 2 vectors; give each vector one id"),
    (np.array([[1.0, 2.0], ["x", None], [1.0, 2.0]], dtype=object), "needs pickle, which mmbio never loads"),
]


@pytest.mark.parametrize(("vectors", "told"), WRONG_ARRAYS)
@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_arrays_that_are_refused(tmp_path: Path, suffix: str, vectors: np.ndarray, told: str) -> None:
    path = tmp_path / f"v{suffix}"
    np.save(path, vectors) if suffix == ".npy" else np.savez(path, vectors=vectors)
    with pytest.raises(MmbioError, match=told):
        read(path, text(tmp_path))


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (np.array(IDS, dtype=object), r"needs pickle, which mmbio never loads; save texts with dtype=str"),
        (np.arange(3), r"ids of type int64 and shape \(3,\), expected N texts; save ids\.astype\(str\)"),
        (np.array([IDS]), r"shape \(1, 3\)"),
        (np.array(["a", "", "b"]), r"row 2: id '', expected a text that is not empty"),
        (np.array(["a", "b\nc", "d"]), r"row 2: id 'b\\nc' has control characters"),
        (np.array(["a", "\ud800", "d"]), r"row 2: id '\\ud800' has control characters"),
    ],
)
@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_ids_that_are_refused(tmp_path: Path, suffix: str, ids: np.ndarray, told: str) -> None:
    np.savez(tmp_path / "v.npz", ids=ids, vectors=VECTORS)
    np.save(tmp_path / "v.npy", VECTORS)
    np.save(tmp_path / "ids.npy", ids)
    with pytest.raises(MmbioError, match=told):
        read(tmp_path / f"v{suffix}", tmp_path / "ids.npy" if suffix == ".npy" else None)


def test_ids_where_there_are_none_or_two(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", embeddings=VECTORS)
    save_file({"vectors": VECTORS}, tmp_path / "no.safetensors")
    for path, ids, told in [
        (npy(tmp_path)[0], None, "an .npy holds no ids; give them with --ids"),
        (npz(tmp_path)[0], text(tmp_path), "holds ids of its own; leave --ids out"),
        (ark(tmp_path)[0], text(tmp_path), "holds ids of its own; leave --ids out"),
        (tensors(tmp_path)[0], text(tmp_path), "holds a tensor an id, whose names are the ids; leave --ids out"),
        (tmp_path / "other.npz", None, "holds 'embeddings', expected the arrays ids and vectors"),
        (tmp_path / "no.safetensors", None, "holds no ids; give them with --ids, or as metadata"),
    ]:
        with pytest.raises(MmbioError, match=told):
            read(path, ids)


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({"a": np.ones(2), "b": np.ones(3)}, r"row 2 \(id 'b'\) has 3 dimensions where row 1 has 2"),
        ({"a": np.ones((1, 2))}, r"tensor 'a' of shape \(1, 2\), expected \(D,\) an id"),
        ({"a": np.ones(2, np.int8)}, r"tensor 'a' of type I8, expected F16, F32, F64; save it as float32"),
        ({"vectors": np.ones((2, 2)), "x": np.ones(2)}, "holds more tensors than 'vectors'"),
        ({}, "holds no vectors"),
    ],
)
def test_tensors_that_are_refused(tmp_path: Path, held: dict[str, np.ndarray], told: str) -> None:
    save_file(held, tmp_path / "v.safetensors")
    with pytest.raises(MmbioError, match=told):
        read(tmp_path / "v.safetensors")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for name, told in [("v.csv", "unknown suffix '.csv'; give embeddings as one of .npz, .npy"), ("v", "suffix ''")]:
        with pytest.raises(MmbioError, match=told):
            read(tmp_path / name)
    for suffix in embedding_files.READERS:
        path = tmp_path / f"v{suffix}"
        with pytest.raises(MmbioError, match=r"cannot be read \(No such file"):
            read(path)
        path.touch()
        with pytest.raises(MmbioError, match="empty, expected embeddings or ids"):
            read(path)
    with pytest.raises(MmbioError, match=r"ids\.txt: empty"):
        np.save(tmp_path / "v.npy", VECTORS)
        (tmp_path / "ids.txt").touch()
        read(tmp_path / "v.npy", tmp_path / "ids.txt")


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_file_gives_nothing_but_an_mmbio_error(tmp_path: Path, form: Form) -> None:
    rng = np.random.default_rng(0)
    path, ids = form(tmp_path)
    for target in filter(None, (path, ids)):
        raw = target.read_bytes()
        for cut in range(0, len(raw), max(1, len(raw) // 60)):
            damaged = bytearray(raw)
            damaged[cut] = int(rng.integers(256))
            for content in (raw[:cut], bytes(damaged)):
                target.write_bytes(content)
                try:
                    found = read(path, ids)
                except MmbioError as error:
                    assert "\n" not in str(error)
                else:
                    assert len(found.ids) == len(found.vectors)
        target.write_bytes(raw)

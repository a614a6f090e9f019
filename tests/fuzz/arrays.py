"""Targets that are arrays: scores, embeddings and stores in NumPy's, safetensors' and Kaldi's formats.

A target "head" mends the lengths and checksums around the bytes, so that a reader gets to what they say.
"""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from mmbio.data import embedding_files, score_files
from mmbio.embed.store import Store
from tests.fuzz.target import Target, written

IDS: Final = ["a/1", "b/1", "c/\u00e9"]
VECTORS: Final = np.arange(12, dtype=np.float32).reshape(3, 4)
N, DIM, SHARD = 10, 4, 4


def npy_of(array: Any, **more: Any) -> bytes:
    """An array as .npy."""
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array), **more)
    return out.getvalue()


def npz_of(**arrays: Any) -> bytes:
    """Arrays as .npz, compressed."""
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def safetensors_of(head: bytes, body: bytes) -> bytes:
    """A safetensors file of a head, whose length is written before it."""
    return struct.pack("<Q", len(head)) + head + body


def npy_head(data: bytes, body: bytes) -> bytes:
    """An .npy with the head `data`."""
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(data)) + data + body


def zipped(**members: bytes) -> bytes:
    """Members as a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return out.getvalue()


def reading(name: str, wrap: Callable[[bytes], bytes] = bytes, ids: str | None = None) -> Callable[[bytes, Path], None]:
    """Read embeddings from a file of this name."""

    def run(data: bytes, scratch: Path) -> None:
        path = written(scratch, name, wrap(data))
        found = embedding_files.read(path, scratch / ids if ids else None)
        assert len(found.ids) == len(found.vectors) == found.vectors.shape[0]

    return run


def ids_text(data: bytes, scratch: Path) -> None:
    written(scratch, "ids.txt", data)
    embedding_files.read(scratch / "v.npy", scratch / "ids.txt")


def ids_npy(data: bytes, scratch: Path) -> None:
    written(scratch, "ids.npy", data)
    embedding_files.read(scratch / "v.npy", scratch / "ids.npy")


def _beside(scratch: Path) -> None:
    written(scratch, "v.npy", npy_of(VECTORS))
    written(scratch, "ids.txt", "\n".join(IDS).encode())
    written(scratch, "v.ark", ark_of(b"FV "))


def ark_of(kind: bytes) -> bytes:
    """A binary archive of vectors."""
    dtype = "<f4" if kind == b"FV " else "<f8"
    return b"".join(
        name.encode() + b" \0B" + kind + b"\4" + struct.pack("<i", DIM) + row.astype(dtype).tobytes()
        for name, row in zip(IDS, VECTORS, strict=True)
    )


def scores_npy(data: bytes, scratch: Path) -> None:
    score_files.read(written(scratch, "scores.npy", data), scratch / "labels.npy")


def labels_npy(data: bytes, scratch: Path) -> None:
    score_files.read(scratch / "fixed.npy", written(scratch, "marks.npy", data))


def _scores_beside(scratch: Path) -> None:
    written(scratch, "labels.npy", npy_of(np.array([True, False, True])))
    written(scratch, "fixed.npy", npy_of(np.array([0.5, 0.25, 1.0])))


def _store(scratch: Path) -> Store:
    store = Store(scratch / "store", N, DIM, SHARD)
    store.create()
    return store


def _filled(scratch: Path) -> None:
    store = _store(scratch)
    for shard in range(3):
        store.write(shard, np.ones((len(store.rows_of(shard)), DIM), np.float32))
    written(scratch, "journal", (scratch / "store" / "done.txt").read_bytes())


def store_done(data: bytes, scratch: Path) -> None:
    written(scratch / "store", "done.txt", data)
    store = _store(scratch)
    missing = store.missing(range(N))
    if not missing:
        store.read(np.arange(N))


def store_vectors(data: bytes, scratch: Path) -> None:
    written(scratch / "store", "vectors.npy", data)
    written(scratch / "store", "done.txt", (scratch / "journal").read_bytes())
    store = Store(scratch / "store", N, DIM, SHARD)
    store.create()
    if not store.missing(range(N)):
        store.read(np.arange(N))


def _store_journal() -> list[bytes]:
    return [b"0 2357868690\n1 2357868690\n2 1196885573\n", b"0 1\n1 2\n2 3\n"]


HEADS: Final = [
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n",
    b"{'descr': '<f4', 'fortran_order': True, 'shape': (4, 3), }\n",
    b"{'descr': '<U3', 'fortran_order': False, 'shape': (4,), }\n",
    b"{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }\n",
]
TENSOR: Final = {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}
SAFE_HEADS: Final = [
    json.dumps({"__metadata__": {"ids": json.dumps(IDS)}, "vectors": TENSOR}).encode(),
    json.dumps({"__metadata__": {"ids": "a\nb\nc"}, "vectors": TENSOR}).encode(),
    json.dumps({"a": {"dtype": "F64", "shape": [3], "data_offsets": [0, 24]},
                "b": {"dtype": "F64", "shape": [3], "data_offsets": [24, 48]}}).encode(),
]  # fmt: skip
BODY: Final = VECTORS.tobytes()
NPYS: Final = [npy_of(VECTORS), npy_of(np.asfortranarray(VECTORS)), npy_of(VECTORS.astype("<f8"), version=(2, 0))]
NAMES: Final = [
    npy_of(np.array(IDS)),
    npy_of(np.array([b"a", b"b", b"c"])),
    npy_of(np.array(IDS, object), allow_pickle=True),
]

TARGETS = {
    "scores-npy": Target(
        scores_npy,
        lambda: [
            npy_of(np.array([0.5, 0.1, 2])),
            npy_of(np.array([1, 2, 3], ">i4")),
            npy_of(np.array([1, 2, 3], np.float16)),
        ],
        _scores_beside,
    ),
    "labels-npy": Target(
        labels_npy, lambda: [npy_of(np.array([True, False, True])), npy_of(np.array([1.0, 0, 1]))], _scores_beside
    ),
    "scores-npy-head": Target(
        lambda data, scratch: scores_npy(npy_head(data, BODY), scratch), lambda: HEADS[-1:] + HEADS[:2], _scores_beside
    ),
    "npy": Target(reading("x.npy", ids="ids.txt"), lambda: NPYS, _beside),
    "npy-head": Target(reading("x.npy", lambda data: npy_head(data, BODY), "ids.txt"), lambda: HEADS, _beside),
    "ids-npy": Target(ids_npy, lambda: NAMES, _beside),
    "ids-text": Target(ids_text, lambda: ["\n".join(IDS).encode(), b"\xef\xbb\xbfa\r\nb\r\nc\r\n\r\n"], _beside),
    "npz": Target(
        reading("x.npz"),
        lambda: [npz_of(ids=np.array(IDS), vectors=VECTORS), zipped(ids=NAMES[0], vectors=NPYS[1]), npz_of(a=VECTORS)],
    ),
    "npz-vectors": Target(
        reading("x.npz", lambda data: zipped(ids=NAMES[0], vectors=data)),
        lambda: [*NPYS, *(npy_head(h, BODY) for h in HEADS)],
    ),
    "npz-ids": Target(
        reading("x.npz", lambda data: zipped(ids=data, vectors=NPYS[0])), lambda: [*NAMES, npy_head(HEADS[2], BODY)]
    ),
    "safetensors": Target(reading("x.safetensors"), lambda: [safetensors_of(head, BODY) for head in SAFE_HEADS]),
    "safetensors-head": Target(reading("x.safetensors", lambda data: safetensors_of(data, BODY)), lambda: SAFE_HEADS),
    "ark": Target(
        reading("x.ark"),
        lambda: [ark_of(b"FV "), ark_of(b"DV "), b"a  [ 1 2.5 -3e2 4 ]\nb  [ 1 2 3 4 ]\n", b"a  [\n 1 2\n 3 4 ]\n"],
    ),
    "scp": Target(
        reading("x.scp"),
        lambda: [b"a/1 v.ark:4\nb/1 v.ark:34\n", b"a cat v.ark |\n", b"a v.ark:4[0:1]\n", b"a/1 ../x/v.ark:4\n"],
        _beside,
    ),
    "store-done": Target(store_done, _store_journal, _filled),
    "store-vectors": Target(store_vectors, lambda: [npy_of(np.ones((N, DIM), np.float32))], _filled),
}

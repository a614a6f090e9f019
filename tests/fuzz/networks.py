"""Targets that hold networks: checkpoints and files of weights."""

import io
import json
import struct
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import torch

from mmbio.embed.backbones import resnet50
from mmbio.fuse import checkpoint
from mmbio.fuse.config import Config
from mmbio.fuse.network import Network
from mmbio.protocols import AUDIOVISUAL, MULTITASK
from tests.fuzz.arrays import safetensors_of
from tests.fuzz.target import Target, written


@cache
def _audiovisual() -> bytes:
    """A small checkpoint: two vectors of four numbers, compared by their cosine."""
    import tempfile

    config = Config("audiovisual", "cosine", ("face", "voice"), AUDIOVISUAL.tasks)
    shapes = {"face": (4,), "voice": (4,)}
    key: dict[str, Any] = {
        "config": config.to_json(), "embeddings": {m: {"weights": "x"} for m in shapes}, "manifest": "0" * 16,
        "classes": {}, "shapes": [[m, list(shape)] for m, shape in shapes.items()],
    }  # fmt: skip
    states = [Network(AUDIOVISUAL, "cosine", {}, shapes).state_dict()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.safetensors"
        checkpoint.write(path, key, states, {})
        return path.read_bytes()


def _parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def _key() -> bytes:
    head, _ = _parts(_audiovisual())
    return str(head["__metadata__"]["mmbio"]).encode()


def _score_key() -> bytes:
    """The key of a score rule over two members that are not there."""
    rule = Config("multitask", "score-sum", ("ecg", "face"), MULTITASK.tasks)
    made = {"embeddings": {}, "manifest": "0" * 16, "classes": {"gender": 2}, "shapes": [["ecg", [3, 300]]]}
    members = [made | {"config": member.to_json()} for member in rule.members()]
    whole = {"schema": checkpoint.SCHEMA, "config": rule.to_json(), "manifest": "0" * 16, "members": members}
    return json.dumps(whole).encode()


def loaded(data: bytes, scratch: Path) -> None:
    """Read a checkpoint, its networks and its record."""
    found = checkpoint.read(written(scratch, "x.safetensors", data))
    written(scratch, "x.json", b"{}")
    found.hash, found.embeddings(), found.cost()
    for member in found.members():
        member.network(0)


def key_of(data: bytes, scratch: Path) -> None:
    """A checkpoint with this key."""
    head, body = _parts(_audiovisual())
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    head["__metadata__"] = {"mmbio": text}
    loaded(safetensors_of(json.dumps(head).encode(), body), scratch)


def head_of(data: bytes, scratch: Path) -> None:
    """A checkpoint with this head."""
    loaded(safetensors_of(data, _parts(_audiovisual())[1]), scratch)


def record(data: bytes, scratch: Path) -> None:
    """The training record beside a checkpoint."""
    path = scratch / "y.safetensors"
    written(scratch, "y.json", data)
    checkpoint.Checkpoint(path, {}).cost()


def weights(suffix: str) -> Any:
    """A state dict from a file of this suffix."""

    def run(data: bytes, scratch: Path) -> None:
        resnet50._from_file(str(written(scratch, f"w{suffix}", data)))

    return run


@cache
def _pth(legacy: bool = False) -> bytes:
    out = io.BytesIO()
    state = {"conv1.weight": torch.ones(2, 3), "bn1.bias": torch.zeros(2, dtype=torch.bfloat16)}
    torch.save(state, out, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


def pickled(data: bytes, scratch: Path) -> None:
    """A .pth whose pickle is these bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_pth())) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, data if name.endswith("data.pkl") else old.read(name))
    weights(".pth")(out.getvalue(), scratch)


def _pickle() -> bytes:
    with zipfile.ZipFile(io.BytesIO(_pth())) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))


TARGETS = {
    "checkpoint": Target(loaded, lambda: [_audiovisual()]),
    "checkpoint-key": Target(key_of, lambda: [_key(), _score_key()]),
    "checkpoint-head": Target(head_of, lambda: [json.dumps(_parts(_audiovisual())[0]).encode()]),
    "training-record": Target(record, lambda: [b'{"seconds": 1.5, "n_parameters": 7}']),
    "weights-pth": Target(weights(".pth"), lambda: [_pth(), _pth(True)]),
    "weights-pickle": Target(pickled, lambda: [_pickle()]),
    "weights-safetensors": Target(
        weights(".safetensors"),
        lambda: [safetensors_of(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', b"\0" * 8)],
    ),
}

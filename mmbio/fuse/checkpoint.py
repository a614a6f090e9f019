"""Checkpoints: a group of fold networks in one safetensors file that carries its own configuration.

A score-level checkpoint holds no tensors: it names the unimodal checkpoints that it combines.
Training times stand in a sidecar (.json), so that the same training gives the same bytes.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mmbio.embed.global_rng import lent
from mmbio.errors import MmbioError
from mmbio.files import content_hash, read_json, remembered, replacing, write_json
from mmbio.fuse.config import Config
from mmbio.fuse.fusions import CLASSES
from mmbio.fuse.network import Network, Shapes
from mmbio.protocols import MODALITIES, PROTOCOLS

SCHEMA = 2
MOST_IDLE: Final = 1 << 26  # numbers of branches that serve no modality of the experiment, which no file holds


@dataclass(frozen=True)
class Checkpoint:
    """A trained experiment on disk and everything that determines it (`key`)."""

    path: Path
    key: dict[str, Any]

    @property
    def config(self) -> Config:
        """The experiment's settings."""
        return Config.from_json(self.key["config"])

    @property
    def hash(self) -> str:
        return content_hash(self.key)

    def members(self) -> list["Checkpoint"]:
        """The checkpoints that hold networks: itself, or those that a score rule combines."""
        keys = self.key.get("members")
        return [self] if keys is None else [read(self.path.with_name(file_name(key))) for key in keys]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Modality -> the shape of its raw form, in the order of the mask."""
        return {m: tuple(shape) for m, shape in self.key["shapes"]}

    def embeddings(self) -> dict[str, dict[str, Any]]:
        """Modality -> the key of the vectors it was trained on; beats are not extracted and have none."""
        keys = self.key.get("members", [self.key])
        return {m: k for key in keys for m, k in key["embeddings"].items()}

    def network(self, fold: int) -> Network:
        """The trained network of a fold."""
        config, prefix = self.config, f"{fold}/"
        network = outline(config, self.key["classes"], self.shapes)
        if config.fusion in CLASSES:
            self._check_sizes(network, prefix)
            network.to_empty(device="cpu")
        with safe_open(self.path, "pt") as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
            state = {name.removeprefix(prefix): file.get_tensor(name) for name in names}
        try:
            missing, unexpected = network.load_state_dict(state, strict=False)
        except RuntimeError as error:  # tensors of other shapes
            raise self._unfit() from error
        if unexpected or any(not name.startswith(idle_branches(config, self.shapes)) for name in missing):
            raise self._unfit()
        empty = network.state_dict()
        for name in missing:
            empty[name].zero_()
        return network

    def _check_sizes(self, network: Network, prefix: str) -> None:
        """Raise MmbioError where the key stands for larger networks than the file holds, before one is allocated."""
        state = network.state_dict()
        with safe_open(self.path, "pt") as file:
            held = {n.removeprefix(prefix): file.get_slice(n).get_shape() for n in file.keys() if n.startswith(prefix)}  # noqa: SIM118
        idle = sum(tensor.numel() for name, tensor in state.items() if name not in held)
        if idle > MOST_IDLE or any(list(t.shape) != held.get(name, list(t.shape)) for name, t in state.items()):
            raise self._unfit()

    def _unfit(self) -> MmbioError:
        return MmbioError(f"{self.path}: its networks do not fit its configuration; train it again")

    def cost(self) -> dict[str, Any]:
        """Parameters of one network, seconds and epochs of the training, from the sidecar."""
        return read_json(self.path.with_suffix(".json"), "training record")


def outline(config: Config, classes: Mapping[str, int], shapes: Shapes) -> Network:
    """The network of a configuration without memory for its numbers; with a fusion of others, one that is drawn."""
    with lent(), torch.device("meta") if config.fusion in CLASSES else nullcontext():
        return Network(PROTOCOLS[config.protocol], config.fusion, classes, shapes)


def idle_branches(config: Config, modalities: Iterable[str]) -> tuple[str, ...]:
    """How the names of parameters begin that serve no modality of the experiment, of all that the network has."""
    idle = [m for m in modalities if m not in config.modalities]
    return tuple(f"branches.{m}." for m in idle)


def file_name(key: Mapping[str, Any]) -> str:
    """The name of the checkpoint of this key, which says what it is."""
    config = key["config"]
    fusion = config["fusion"].replace(":", "-").replace(".", "-")
    parts = [config["protocol"], fusion, "+".join(config["modalities"]), "+".join(config["tasks"])]
    return f"{'-'.join(parts)}-{content_hash(dict(key))[:8]}.safetensors"


def write(path: Path, key: Mapping[str, Any], states: list[dict[str, Tensor]], cost: Mapping[str, Any]) -> Checkpoint:
    """Write the states of the fold networks with their key, and the sidecar; whole or not at all."""
    tensors = {f"{fold}/{name}": t.cpu().contiguous() for fold, state in enumerate(states) for name, t in state.items()}
    write_json(path.with_suffix(".json"), dict(cost))
    with replacing(path) as scratch:
        scratch.write_bytes(save(tensors, {"mmbio": json.dumps({"schema": SCHEMA, **key}, sort_keys=True)}))
    return Checkpoint(path, dict(key))


def read(path: Path, protocol: str | None = None) -> Checkpoint:
    """Open a checkpoint; raises MmbioError where it is broken, newer, or of another protocol than asked."""
    try:
        with safe_open(path, "pt") as file:
            key = json.loads((file.metadata() or {})["mmbio"])
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise MmbioError(
            f"{path}: not a readable mmbio checkpoint ({error}); give one that mmbio train wrote, or remove it"
        ) from error
    if not isinstance(key, dict) or key.pop("schema", None) != SCHEMA:
        raise MmbioError(f"{path}: written by another version of mmbio; train it again")
    found = _protocol(path, key)
    if found not in PROTOCOLS or (protocol is not None and found != protocol):
        raise MmbioError(
            f"{path}: a checkpoint of protocol {found}, expected {protocol or ' or '.join(PROTOCOLS)};"
            " give --protocol or another --checkpoint"
        )
    made = Checkpoint(path, key)
    try:
        _check_key(key)
    except (KeyError, TypeError, ValueError, AttributeError, MmbioError) as error:
        raise _not_ours(path) from error
    return made


def _check_key(key: Mapping[str, Any], members: bool = True) -> None:
    """Raise what a look at it raises, or TypeError, where a key is not what train writes."""
    config = Config.from_json(key["config"])
    content_hash(dict(key))
    name = file_name(key)
    bytes.fromhex(key["manifest"])
    if type(config.seed) is not int or Path(name).name != name or not name.isprintable():
        raise TypeError(name)
    if members and key.get("members") is not None:
        for member in key["members"]:
            _check_key(member, members=False)
        return
    if not all(isinstance(of, dict) for of in (key["embeddings"], *key["embeddings"].values())):
        raise TypeError("embeddings")
    if not all(type(n) is int and n > 0 for n in key["classes"].values()):
        raise TypeError("classes")
    shapes = dict(key["shapes"])
    sizes = [size for shape in shapes.values() for size in shape]
    known = set(config.modalities) <= set(shapes) <= set(MODALITIES)
    if not known or not all(len(shape) in (1, 2) for shape in shapes.values()):
        raise TypeError("shapes")
    if not all(type(size) is int and size > 0 for size in sizes):
        raise TypeError("sizes")


def _protocol(path: Path, key: Mapping[str, Any]) -> str:
    try:
        return str(key["config"]["protocol"])
    except (KeyError, TypeError) as error:
        raise _not_ours(path) from error


def _not_ours(path: Path) -> MmbioError:
    return MmbioError(f"{path}: its configuration is not what mmbio train writes; give another --checkpoint")


def newest(home: Path, protocol: str) -> Path | None:
    """The checkpoint of a protocol that mmbio train wrote, or found finished, last; or None."""
    return remembered(home / "checkpoints", protocol)

"""Again: the commands that make anew what a purge takes away."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmbio.files import read_json
from mmbio.protocols import PROTOCOLS, TASK_WEIGHTS


def of_manifest(info: Mapping[str, Any], home: Path) -> str:
    """`mmbio build-virtual` with a manifest's choices; as many subjects as then fit."""
    words = ["build-virtual", "--protocol", info["protocol"], *_data(info, home)]
    words += ["--split", info["split"]] if info["protocol"] == "multitask" else []
    if info.get("triplets") and info["scale"] not in ("quick", "paper"):
        words += ["--triplets", info["triplets"]]
    elif info["scale"] != "whole":
        words += ["--scale", info["scale"]]
    words += ["--folds", info["folds"]] if info.get("folds") and info["split"] == "triplet" else []
    words += ["--ages", "-".join(map(str, info["ages"]))] if info.get("ages") else []
    words += ["--match", info["match"]] if info.get("match") else []
    words += ["--genuine", info["genuine"]] if info.get("genuine") else []
    words += ["--same-gender"] if "same gender" in info.get("trials", "") else []
    words += ["--skip-unusable"] if any("not readable" in why for why in info.get("dropped", ())) else []
    return command([*words, "--seed", info["seed"]], home)


def of_checkpoint(config: Mapping[str, Any], home: Path) -> str:
    """`mmbio train` with a checkpoint's settings, on the newest manifest."""
    words = ["train", "--protocol", config["protocol"], "--fusion", config["fusion"]]
    words += ["--modalities", ",".join(config["modalities"])]
    verifies = PROTOCOLS[str(config["protocol"])].verifies
    words += [] if verifies else ["--tasks", ",".join(config["tasks"])]
    condition = str(config["condition"])
    words += ["--noise", condition] if condition != "clean" else []
    words += ["--folds", config["folds"]] if config.get("folds") else []
    words += ["--unseen"] if config.get("unseen") else []
    words += ["--rule-weights", _numbers(config["rule_weights"])] if config.get("rule_weights") else []
    if not verifies and config.get("task_weights") != dict(TASK_WEIGHTS):
        words += ["--loss-weights", _numbers(config["task_weights"])]
    words += ["--segment", f"{config['segment_s']:g}"] if config.get("segment_s") else []
    return command([*words, "--seed", config["seed"]], home)


def as_typed(path: Path) -> str:
    """The command that a record of a run names; "" where it names none."""
    if not path.is_file():
        return ""
    found = read_json(path, "record of a run")
    typed = found.get("environment", found).get("command")
    return shlex.join(map(str, typed)) if isinstance(typed, list) and typed[:1] == ["mmbio"] else ""


def of_result(key: Mapping[str, Any], home: Path) -> str:
    """`mmbio eval` under a result's condition, on the newest checkpoint."""
    words = ["eval", "--protocol", key["checkpoint"]["config"]["protocol"]]
    for effect in str(key["condition"]).split(","):
        name, _, value = effect.partition("=")
        words += ["--missing", value] if name == "missing" else ["--noise", effect] if value else []
    return command(words, home)


def command(words: Sequence[object], home: Path) -> str:
    """A command line of mmbio on a home."""
    return shlex.join(["mmbio", *map(str, words), *([] if home == Path("runs") else ["--out", str(home)])])


def _data(info: Mapping[str, Any], home: Path) -> list[str]:
    """The options that name a manifest's data; none where mmbio makes them itself below the home."""
    folders = {m: Path(s["folder"]) for m, s in info["sources"].items()}
    if all(f.is_relative_to(home.resolve() / "data") and info["sources"][m]["synthetic"] for m, f in folders.items()):
        return []
    roots = {f if "vectors" in info["sources"][m] else f.parent for m, f in folders.items()}
    if len(roots) == 1:
        return ["--data", str(roots.pop())]
    return [word for m, f in folders.items() for word in ("--source", f"{m}={f}")]


def _numbers(weights: Mapping[str, float]) -> str:
    return ",".join(f"{name}={value:g}" for name, value in weights.items())

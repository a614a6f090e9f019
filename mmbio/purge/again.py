"""Again: the commands that make anew what a purge takes away."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mmbio.conditions import DEFAULT
from mmbio.data.readers.registry import READERS
from mmbio.files import read_json
from mmbio.measure.score_norm import ADAPTIVE, NONE
from mmbio.protocols import P_TARGET, PROTOCOLS, TASK_WEIGHTS

FILE: Final = "FILE"  # stands for a file of weights, or of trials, of which nothing here knows the path
CHOICES: Final = (
    "subjects",
    "ages",
    "split",
    "scale",
    "triplets",
    "folds",
    "match",
    "genuine",
    "same_gender",
    "frames",
)


def of_manifest(info: Mapping[str, Any], home: Path) -> str:
    """`mmbio build-virtual` with a manifest's choices."""
    words = ["build-virtual", "--protocol", info["protocol"], *_data(info, home)]
    words += _asked(info["asked"]) if "asked" in info else _told_apart(info)
    return command([*words, "--seed", info["seed"]], home)


def _asked(asked: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for name in (*CHOICES, "skip_unusable"):
        value = asked.get(name, False)
        told = "-".join(map(str, value)) if isinstance(value, list) else str(value)
        words += [f"--{name.replace('_', '-')}", *([] if value is True else [told])] if value is not False else []
    return words


def _told_apart(info: Mapping[str, Any]) -> list[str]:
    """The options that what a manifest of an older version says leads back to; as many subjects as then fit."""
    words: list[str] = []
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
    return list(map(str, words))


def of_checkpoint(key: Mapping[str, Any], home: Path, files: Mapping[str, str]) -> str:
    """`mmbio train` with a checkpoint's settings, on the newest manifest; `files` are of weights, by their hash."""
    config = key["config"]
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
    words += ["--segment", _number(config["segment_s"])] if config.get("segment_s") else []
    return command([*words, *_weights(key, files, True), *_extraction(key), "--seed", config["seed"]], home)


def _extraction(key: Mapping[str, Any]) -> list[str]:
    """The precision, the device and the extractors behind a checkpoint, as they came out."""
    members = key.get("members", [key])
    found = {m: str(e["backbone"]) for one in members for m, e in one["embeddings"].items()}
    words = [word for m, name in sorted(found.items()) for word in _backbone(key["config"]["protocol"], m, name)]
    words += [word for one in members[:1] if "products" in one for word in ("--precision", str(one["products"]))]
    return words + [word for one in members[:1] for word in _device(one)]


def _backbone(protocol: str, modality: str, name: str) -> list[str]:
    """The option for an extractor that is not the protocol's; vectors that were there already need none."""
    usual = (PROTOCOLS[protocol].backbones.get(modality), "vectors", "beats")
    return [] if name in usual else ["--backbone", f"{modality}={name}"]


def _device(key: Mapping[str, Any]) -> list[str]:
    return ["--device", str(key["device"])] if "device" in key else []


def of_store(key: Mapping[str, Any], home: Path, files: Mapping[str, str], protocol: str = "") -> str:
    """`mmbio extract` with what determined a store, on the newest manifest; `files` as for `of_checkpoint`."""
    modality, backbone = str(key["modality"]), str(key["backbone"])
    by_default = (p.name for p in PROTOCOLS.values() if p.backbones.get(modality) == backbone)
    protocol = protocol or next(by_default, "multitask")
    words = ["extract", "--protocol", protocol]
    if key.get("noise"):
        kind, level, _ = key["noise"]
        value = _number(float(level)) if DEFAULT.get(modality) == kind else f"{kind}:{_number(float(level))}"
        words += ["--noise", f"{modality}={value}"]
    words += ["--segment", _number(key["segment_s"])] if key.get("segment_s") else []
    words += weights_option(str(key["weights"]), files) if backbone == "resnet50" else []
    words += _backbone(protocol, modality, backbone)
    words += ["--precision", str(key["precision"])] if backbone == "resnet50" else []  # others have one alone
    return command([*words, *_device(key)], home)


def weights_of(key: Mapping[str, Any]) -> str:
    """The weights of the ResNet-50 behind a checkpoint, as keys name them; "" where there is none."""
    embeddings = [e for k in key.get("members", [key]) for e in k["embeddings"].values()]
    return next((str(e["weights"]) for e in embeddings if e["backbone"] == "resnet50"), "")


def weights_option(weights: str, files: Mapping[str, str]) -> list[str]:
    """`--weights` for weights as keys name them."""
    named = {"random-0": "random", "imagenet1k-v1": "imagenet"}
    return ["--weights", named.get(weights) or files.get(weights, FILE)] if weights else []


def _weights(key: Mapping[str, Any], files: Mapping[str, str], trains: bool) -> list[str]:
    """A test needs a file alone named; what else it takes, the checkpoint knows."""
    weights = weights_of(key)
    return weights_option(weights, files) if trains or weights.startswith("file-") else []


def as_typed(path: Path, home: Path) -> str:
    """The commands that a record of runs on a home names, one a line; "" where it names none."""
    if not path.is_file():
        return ""
    found = read_json(path, "record of a run")
    found = found.get("environment", found)
    earlier = found.get("earlier")
    commands = [*(earlier if isinstance(earlier, list) else []), found.get("command")]
    typed = [command for command in commands if isinstance(command, list) and command[:1] == ["mmbio"]]
    return "\n".join(_on_home([str(word) for word in words[1:]], home) for words in typed)


def _on_home(words: Sequence[str], home: Path) -> str:
    """A command as it was typed, with the home that it may have had from the environment."""
    named = any(word == "--out" or word.startswith("--out=") for word in words)
    return shlex.join(["mmbio", *words]) if named else command(words, home)


def of_result(key: Mapping[str, Any], home: Path, files: Mapping[str, str]) -> str:
    """`mmbio eval` under a result's condition, on the newest checkpoint; `files` as for `of_checkpoint`."""
    words = ["eval", "--protocol", key["checkpoint"]["config"]["protocol"]]
    for effect in str(key["condition"]).split(","):
        name, _, value = effect.partition("=")
        words += ["--missing", value] if name == "missing" else ["--noise", effect] if value else []
    words += ["--trials", FILE] if key.get("trials", "manifest") != "manifest" else []
    words += _measured(key.get("options") or {})
    return command([*words, *_weights(key["checkpoint"], files, False), *_device(key)], home)


def _measured(how: Mapping[str, Any]) -> list[str]:
    """How trials were measured, where it is not as `mmbio eval` does by default."""
    words: list[str] = []
    words += ["--eer", how["convention"]] if how.get("convention", "linear") != "linear" else []
    prior = how.get("cost", {}).get("p_target", P_TARGET)
    words += ["--preset", how["preset"]] if how.get("preset") else []
    words += ["--p-target", _number(prior)] if not how.get("preset") and prior != P_TARGET else []
    words += ["--by-gender"] if how.get("by_gender") else []
    words += ["--missing-trials", "skip"] if how.get("skip_missing") else []
    norm = how.get("score_norm", NONE)
    words += ["--score-norm", norm] if norm != NONE else []
    return words + (["--top", str(how["top"])] if norm == ADAPTIVE and "top" in how else [])


def command(words: Sequence[object], home: Path) -> str:
    """A command line of mmbio on a home."""
    return shlex.join(["mmbio", *map(str, words), *([] if home == Path("runs") else ["--out", str(home)])])


def _data(info: Mapping[str, Any], home: Path) -> list[str]:
    """The options that name a manifest's data; none where mmbio makes them itself below the home."""
    folders = {m: Path(s["folder"]) for m, s in info["sources"].items()}
    if all(f.is_relative_to(home.resolve() / "data") and info["sources"][m]["synthetic"] for m, f in folders.items()):
        return []
    made = (home / "data" / "synthetic").resolve()
    by_mmbio = [m for m, f in folders.items() if f.is_relative_to(made)]
    others = {m: f for m, f in folders.items() if m not in by_mmbio}
    roots = {f.parent if _is_set(f) and "vectors" not in info["sources"][m] else f for m, f in others.items()}
    synthetic = [word for m in by_mmbio for word in ("--source", f"{m}=synthetic")]
    if len(roots) == 1:
        return ["--data", str(roots.pop()), *synthetic]
    return [*(word for m, f in others.items() for word in ("--source", f"{m}={f}")), *synthetic]


def _is_set(folder: Path) -> bool:
    """True for the folder of one set; several sets lie at a root."""
    return any(folder.name.lower() == name.lower() for reader in READERS.values() for name in reader.folders)


def _numbers(weights: Mapping[str, float]) -> str:
    return ",".join(f"{name}={_number(value)}" for name, value in weights.items())


def _number(value: float) -> str:
    """The shortest text that is read as the same number."""
    return text if float(text := f"{value:g}") == value else repr(value)

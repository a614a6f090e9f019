"""obstacles: what keeps a figure from being a reproduction of the paper's, each a short reason from facts.

The paper's sets and networks: multitask, "Dataset" and "Feature extraction"; audio-visual, 3.2 and 4.1. No reason
at all means the same sets, weights, numbers and noise; the people whom a paper drew from its sets are never known.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from mmbio.conditions import Condition
from mmbio.protocols import AGES, TRIPLETS, Protocol
from mmbio.tables.settings import Settings
from mmbio.tables.spec import Cell

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"ecg": "ECGs", "face": "faces", "finger": "fingerprints", "voice": "voices"}
)
VOXCELEB2: Final = "VoxCeleb2, whose media are behind a form"
# protocol, modality -> the paper's sets as their readers are called, and what to say of them
SETS: Final[Mapping[tuple[str, str], tuple[frozenset[str], str]]] = MappingProxyType(
    {
        ("multitask", "ecg"): (frozenset({"ecg-id", "ptb"}), "ECG-ID and PTB"),
        ("multitask", "face"): (frozenset({"faces95"}), "Faces95, which was not at hand"),
        ("multitask", "finger"): (frozenset({"fvc2006"}), "FVC2006, which is behind a form"),
        ("audiovisual", "face"): (frozenset({"voxceleb-face"}), VOXCELEB2),
        ("audiovisual", "voice"): (frozenset({"voxceleb"}), VOXCELEB2),
    }
)
MARKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "c": "calibrated: the data were made as difficult as this very figure",
        "p": "planted: the simulation puts this effect there",
    }
)
NETWORKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "random": "random ResNet-50 weights instead of ImageNet's",
        "file": "ResNet-50 weights of a file instead of ImageNet's",
        "dlib": "dlib's face network, for FaceNet's weights were not at hand",
        "resemblyzer": "Resemblyzer, for the paper's voice network was not published",
    }
)


def why(
    protocol: Protocol, info: Mapping[str, Any], cell: Cell, weights: str, mark: str, under: Condition
) -> tuple[str, ...]:
    """The reasons why a cell's figure is no reproduction, the gravest first; empty where it may be one.

    `info` is that of the manifest the cell was computed on, `weights` those that its result row names, `mark` the
    letter behind the figure, `under` the condition that the whole run adds.
    """
    settings = cell.settings
    sources = {m: info["sources"][m] for m in settings.modalities}
    made_up = [m for m, source in sources.items() if source["synthetic"]]
    reasons = _synthetic(sources, made_up) if made_up else []
    reasons += [text for letter, text in MARKS.items() if letter in mark]
    if len(made_up) < len(sources):
        real = {m: source for m, source in sources.items() if m not in made_up}
        of_vectors = any("vectors" in source for source in real.values())
        reasons += ["somebody's own embeddings"] if of_vectors else _other_sets(protocol, real)
        reasons += [text for start, text in NETWORKS.items() if any(w.startswith(start) for w in weights.split("+"))]
        reasons += _other_trials(info, cell, of_vectors) if protocol.verifies else _other_triplets(info, settings)
        if int(info["n_subjects"]["all"]) != protocol.n_subjects:
            reasons.append(f"{info['n_subjects']['all']} subjects, not {protocol.n_subjects}")
    effects = [str(e) for e in under.effects if e.modality in settings.modalities]
    reasons += [f"degraded by {','.join(effects)} on top"] if effects else []
    return tuple(reasons)


def _synthetic(sources: Mapping[str, Mapping[str, Any]], made_up: list[str]) -> list[str]:
    """One reason where all is made up, the same whatever the modalities; else one a modality."""
    if len(made_up) < len(sources):
        return [f"synthetic {KINDS[m]}, not people's" for m in made_up]
    vectors = all("vectors" in source for source in sources.values())
    return [f"{'simulated embeddings' if vectors else 'synthetic samples'}, not people's"]


def _other_sets(protocol: Protocol, sources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    reasons = []
    for modality, source in sources.items():
        wanted, words = SETS[protocol.name, modality]
        if set(source["sets"]) != wanted:
            reasons.append(f"{KINDS[modality]} of {' and '.join(source['sets'])}, not of {words}")
    return reasons


def _other_triplets(info: Mapping[str, Any], settings: Settings) -> list[str]:
    n, ages = int(info["triplets"]), tuple(info["ages"])
    reasons = [f"the {info['split']} split, not triplet"] if info["split"] != "triplet" and not settings.unseen else []
    reasons += ["tested on subjects who were not trained on"] if settings.unseen else []
    reasons += [f"{n} triplets a subject, not the {TRIPLETS['paper']} of the text"] if n != TRIPLETS["paper"] else []
    return reasons + ([f"ECGs of ages {ages[0]}-{ages[1]}, not {AGES[0]}-{AGES[1]}"] if ages != AGES else [])


def _other_trials(info: Mapping[str, Any], cell: Cell, of_vectors: bool) -> list[str]:
    chimeric = bool(info["chimeric"]) and len(cell.settings.modalities) > 1
    reasons = ["chimeric: a face and a voice of different persons"] if chimeric else []
    frames = str(info["scale"]).endswith("frames a clip")
    reasons += [f"{info['scale']}, not 1"] if frames and not of_vectors else []
    return reasons + ([] if cell.given else ["the paper's trial list was not published"])

"""Whole: what a manifest must hold before anything is read off it; whoever edits one can make its hash fit too."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from mmbio.data.splits import BLOCKS
from mmbio.protocols import MODALITIES, PROTOCOLS

# The type of each thing in manifest.json that is read without a look at it.
TYPES: Final[Mapping[str, type]] = MappingProxyType(
    {"protocol": str, "modalities": list, "split": str, "scale": str, "seed": int, "noun": str, "data": str}
    | {"n_subjects": dict, "dropped": dict, "sources": dict, "notes": list}
)
OF_PROTOCOL: Final[Mapping[str, Mapping[str, type]]] = MappingProxyType(
    {"multitask": {"folds": int, "ages": list}, "audiovisual": {"trials": str, "dev_trials": str, "segments": list}}
)
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "subjects": ("subject", "gender"),
        "samples": ("modality", "sample", "subject", "order", "path", "sha"),
        "items": ("item", "subject", "split", "fold"),
        "trials": ("part", "enrolment", "probe", "genuine"),
        "attributes": ("id",),
    }
)
MOST_FOLDS: Final = 10_000
COUNTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"subjects": ("subject",), "samples": ("order",), "items": ("item", "subject", "fold")}
    | {"trials": ("enrolment", "probe", "genuine")}
)


def wrong(info: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> str:
    """What is not as build-virtual writes it, in words for an error; empty where all is."""
    try:
        _of_info(info)
        _of_columns(info, tables)
        _of_rows(info, tables)
    except (TypeError, ValueError, KeyError) as error:  # our own, of unhashable names, of what cannot be compared
        return str(error)
    return ""


def _of_info(info: Mapping[str, Any]) -> None:
    protocol = PROTOCOLS.get(info.get("protocol", ""))
    wanted = {**TYPES, **OF_PROTOCOL.get(protocol.name if protocol else "", {})}
    for name, kind in wanted.items():
        if type(info.get(name)) is not kind:
            raise ValueError(f"manifest.json: '{name}' is no {kind.__name__}")
    modalities, sources = info["modalities"], info["sources"]
    if protocol is None or not modalities or not set(modalities) <= set(MODALITIES):
        raise ValueError("manifest.json: an unknown protocol or modality")
    if len(set(modalities)) < len(modalities) or info["seed"] < 0:
        raise ValueError("manifest.json: a modality twice, or a seed below 0")
    for source in [*map(sources.get, modalities), *sources.values()]:
        if not isinstance(source, dict) or type(source.get("synthetic")) is not bool:
            raise ValueError("manifest.json: a modality without its source")
        if not isinstance(source.get("folder"), str) or not _are_texts(source.get("sets")):
            raise ValueError("manifest.json: a source without folder or sets")
    counts = info["n_subjects"]
    if "all" not in counts or not all(type(n) is int and n >= 0 for n in counts.values()):
        raise ValueError("manifest.json: 'n_subjects' holds no counts")
    if not _are_texts(info["notes"]):
        raise ValueError("manifest.json: a note is no text")


def _of_columns(info: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    of_modalities = {
        "subjects": tuple(info["modalities"]),
        "items": tuple(f"{m}_{what}" for m in info["modalities"] for what in ("sample", "draw")),
    }
    for name, table in tables.items():
        for column in (*COLUMNS[name], *of_modalities.get(name, ())):
            if column not in table:
                raise ValueError(f"{name}.csv: no column {column}")
        for column in COUNTS.get(name, ()):
            if len(table) and table[column].dtype.kind != "i":
                raise ValueError(f"{name}.csv: the column {column} holds no whole numbers")


def _of_rows(info: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    subjects, samples, items = (tables[name] for name in ("subjects", "samples", "items"))
    n = len(subjects)
    told = info["n_subjects"]["all"] + info["n_subjects"].get("dev", 0)
    if subjects["subject"].tolist() != list(range(n)) or told != n:
        raise ValueError("subjects.csv: not the subjects that manifest.json counts, numbered from 0")
    if not len(items) or not items["subject"].between(0, n - 1).all():
        raise ValueError("items.csv: no items, or one of an unknown subject")
    if not items["split"].isin(BLOCKS).all() or not items["item"].is_unique or items["item"].min() < 0:
        raise ValueError("items.csv: an item twice or numbered below 0, or an unknown split")
    folds = info.get("folds", 1)
    if not 1 <= folds <= MOST_FOLDS or not items["fold"].between(-1, folds - 1).all():
        raise ValueError("items.csv: not the folds that manifest.json counts")
    for modality in info["modalities"]:
        known = {"", *samples["sample"][samples["modality"] == modality]}
        if not items[f"{modality}_sample"].isin(known).all():
            raise ValueError(f"items.csv: a sample of {modality} that samples.csv does not have")
    trials = tables.get("trials", pd.DataFrame())
    for column in ("enrolment", "probe") if len(trials) else ():
        if not trials[column].isin(items["item"]).all() or not trials["genuine"].isin((0, 1)).all():
            raise ValueError("trials.csv: a trial of unknown items, or neither genuine nor impostor")


def _are_texts(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(text, str) for text in found)

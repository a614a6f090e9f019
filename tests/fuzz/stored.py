"""Targets that mmbio itself writes: checkpoints, weights, manifests, results, tables and notes, edited by somebody."""

import csv
import io
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmbio.data import manifest, vector_sets
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash, content_hash, read_json, remembered
from mmbio.measure import results, sidecar, stored
from mmbio.measure.results import ResultRow
from mmbio.tables.kept import Made, Notes
from mmbio.tables.report_html import stored_table
from tests.fuzz.arrays import npy_of
from tests.fuzz.target import Target, written

RESULT = ResultRow(
    result="cafe", protocol="multitask", data="synthetic", manifest="abcd" * 4, n_subjects=4, split="triplet",
    scale="quick", segment_s="", fusion="concat", rule_weights="", modalities="ecg+face", trained_tasks="gender",
    backbone="", weights="", precision="fp32", train_condition="clean", test_condition="clean", task="gender",
    fold="mean", metric="accuracy", convention="", value=0.5, low=0.25, high=None, interval="", given="", trials="",
    n=8, n_genuine=None, n_impostor=3, n_imputed=0, n_missing=0, seed=0, version="0.1.0",
)  # fmt: skip
ROWS = results.to_csv([RESULT]).encode()
KEY: dict[str, Any] = {
    "trials": None,
    "options": {"preset": "", "cost": {"p_target": 0.05, "c_miss": 1.0, "c_fa": 1.0}},
}
OTHER_KEYS = [b"{}", b'{"options": {"preset": "voxceleb", "cost": null}}', b'{"options": {"preset": "sre19"}}']
SETTINGS = {"weights": "auto", "precision": "fp32", "device": "cpu", "backbones": [["face", "resnet50"]],
            "segment_s": None, "threads": 2}  # fmt: skip
INFO = {
    "schema": manifest.SCHEMA, "protocol": "multitask", "modalities": ["ecg", "face"], "ages": [13, 39],
    "n_subjects": {"all": 2, "F": 1, "M": 1},
    "split": "triplet", "scale": "quick", "folds": 2, "seed": 0, "noun": "triplets", "data": "synthetic",
    "sources": {m: {"sets": ["s"], "folder": "/nowhere", "synthetic": True} for m in ("ecg", "face")},
    "dropped": {"ages": 1}, "notes": ["a note"], "trials": "all", "dev_trials": "all", "tasks": ["gender"],
}  # fmt: skip
TABLES = {
    "subjects": b"subject,gender,ecg,face\n0,F,a,b\n1,M,c,d\n",
    "samples": b"modality,sample,subject,order,path,sha\necg,s/a,s/a,0,a.hea,00\nface,s/b,s/b,0,b.jpg,11\n",
    "items": b"item,subject,split,fold,ecg_sample,ecg_draw,face_sample,face_draw\n"
    b"0,0,test,-1,s/a,3 7 11,s/b,5\n1,1,train,0,s/a,1 2 3,s/b,6\n2,0,train,1,s/a,1 2 4,,\n",
}


# --- results ------------------------------------------------------------------------------


def _result(scratch: Path) -> None:
    folder = scratch / "result"
    folder.mkdir()
    written(folder, "rows.csv", ROWS)
    written(folder, "key.json", json.dumps(KEY).encode())
    written(folder, "posterior_gender.npy", npy_of(np.array([[[0.9, 0.1], [0.2, 0.8]]], np.float32)))
    written(folder, "label_gender.npy", npy_of(np.array([0, 1])))


def _sidecar(listed: str | None = None) -> bytes:
    made = sidecar.Sidecar(
        content_hash(KEY), "synthetic", "abcd", "manifests/x", "checkpoints/y", SETTINGS, listed, None, 1.5,
        {"mmbio": "0"}, {"rows.csv": bytes_hash(ROWS)},
    )  # fmt: skip
    return json.dumps({"schema": sidecar.SCHEMA, **asdict(made)}).encode()


def result_file(name: str) -> Callable[[bytes, Path], None]:
    """Read a result with a file of these bytes."""

    def run(data: bytes, scratch: Path) -> None:
        before = (scratch / "result" / name).read_bytes() if (scratch / "result" / name).exists() else None
        written(scratch / "result", name, data)
        try:
            found = stored.read(scratch / "result", scratch)
            str((found.cost_text, found.verifies)), found.correct("gender")
            found.arrays("label_gender")
        finally:
            if before is not None:
                written(scratch / "result", name, before)

    return run


def run_json(data: bytes, scratch: Path) -> None:
    folder = scratch / "result"
    written(folder, "run.json", data)
    try:
        found = sidecar.read(folder)
        found.settings_below(scratch)
        for path in (found.manifest_folder, found.checkpoint):
            os.path.isfile(sidecar.place(path, scratch))  # noqa: PTH113  # a name too long is one of no file
        sidecar.trials_of(folder, found, sidecar.key_of(folder, found))
    finally:
        (folder / "run.json").unlink()


def listed_trials(data: bytes, scratch: Path) -> None:
    folder = scratch / "result"
    written(folder, sidecar.LISTED, data)
    written(folder, "run.json", _sidecar("a list"))
    sidecar.trials_of(folder, sidecar.read(folder), KEY)


# --- manifests and vector sets --------------------------------------------------------------


def manifest_file(name: str, seal: bool = False) -> Callable[[bytes, Path], None]:
    """Read a manifest with a file of these bytes; `seal`: its hash is made to fit, as who edits may do."""

    def run(data: bytes, scratch: Path) -> None:
        folder = scratch / "manifest"
        folder.mkdir(exist_ok=True)
        files = {f"{table}.csv": content for table, content in TABLES.items()}
        files["manifest.json"] = json.dumps(INFO).encode()
        files[name] = data
        for file, content in files.items():
            written(folder, file, content)
        if seal:
            _seal(folder, files)
        found = manifest.read(folder)
        found.summary(3)
        for part in found.partitions():
            found.n_distinct(part.test, found.modalities)
        str((found.labels, found.is_synthetic))
        for modality in found.modalities:
            found.items_hash(modality)
            found.has(modality)
        found.generator(0, "noise")

    return run


def _seal(folder: Path, files: dict[str, bytes]) -> None:
    try:
        info = json.loads(files["manifest.json"])
        texts = {table: files[f"{table}.csv"].decode() for table in TABLES}
        raw = files["samples.csv"]
        samples = pd.read_csv(io.BytesIO(raw), dtype=manifest._text_columns("samples", raw), keep_default_na=False)
        info["hash"] = manifest._hash(info, texts, samples)
        written(folder, "manifest.json", json.dumps(info).encode())
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, csv.Error):
        pass


def vector_set(data: bytes, scratch: Path) -> None:
    folder = scratch / "set"
    written(folder, "set.json", data)
    found = vector_sets.read(folder)
    str((found.name, found.modalities, found.attributes))


def vector_set_samples(data: bytes, scratch: Path) -> None:
    folder = scratch / "set"
    written(folder, "samples.csv", data)
    vector_sets.check(vector_sets.read(folder).samples, "set")


def _vector_set(scratch: Path) -> None:
    table = pd.DataFrame([("a", "x", "F", "v", "c", "test")], columns=list(vector_sets.COLUMNS)).assign(
        face=0, Bald="1"
    )
    vector_sets.write(scratch / "set", "set", table, {"face": {"": np.ones((1, 3), np.float32)}})


@cache
def _set_files() -> dict[str, bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        _vector_set(Path(folder))
        return {path.name: path.read_bytes() for path in (Path(folder) / "set").iterdir()}


# --- tables and notes -------------------------------------------------------------------------


def table_json(data: bytes, scratch: Path) -> None:
    stored_table.read(written(scratch, "t.json", data))


def _table() -> list[bytes]:
    cell = {"row": "r", "column": "c", "value": 50.0, "low": 40, "high": None, "n": 8, "best": True, "reported": "51.2"}
    table = {
        "schema": 1, "name": "t", "title": "T", "synthetic": True, "keys": [{"header": "ECG"}], "notes": ["n"],
        "columns": [{"key": "c", "header": "C", "metric": "accuracy", "unit": "%", "decimals": 2, "better": "higher"}],
        "rows": [{"id": "r", "key": ["1"]}], "cells": [cell],
    }  # fmt: skip
    return [json.dumps(table).encode(), b'{"columns": []}', b'{"other": 1}']


def made_notes(data: bytes, scratch: Path) -> None:
    written(scratch, ".made.json", data)
    notes = Notes(scratch)
    notes.told("figure"), notes.find("figure", "of")
    notes.add("other", "of", Made())
    notes.save()


@cache
def _made() -> list[bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        notes = Notes(Path(folder))
        path = written(Path(folder), "a.txt", b"a")
        notes.add("figure", "of", Made((path,), {"told": 1}, (path,)))
        notes.save()
        return [(Path(folder) / ".made.json").read_bytes()]


def latest(data: bytes, scratch: Path) -> None:
    written(scratch, ".latest-multitask", data)
    found = remembered(scratch, "multitask")
    assert found is None or found.exists(), found


def json_object(data: bytes, scratch: Path) -> None:
    try:
        content_hash(read_json(written(scratch, "x.json", data), "thing"))
    except ValueError as error:
        raise MmbioError("NaN has no hash") from error


MANIFEST = [json.dumps(INFO).encode(), json.dumps(INFO | {"split": "source", "noun": "frames"}).encode()]
TARGETS = {
    "result-rows": Target(result_file("rows.csv"), lambda: [ROWS, ROWS + ROWS.split(b"\n")[1] + b"\n"], _result),
    "result-key": Target(result_file("key.json"), lambda: [json.dumps(KEY).encode(), *OTHER_KEYS], _result),
    "result-array": Target(
        result_file("posterior_gender.npy"),
        lambda: [npy_of(np.ones((1, 2, 2), np.float32)), npy_of(np.ones(2))],
        _result,
    ),
    "run-json": Target(run_json, lambda: [_sidecar(), _sidecar("a list")], _result),
    "listed-trials": Target(
        listed_trials, lambda: [npy_of(np.ones((3, 2), np.int64)), npy_of(np.ones((3, 0), np.int64))], _result
    ),
    "manifest": Target(manifest_file("manifest.json", True), lambda: MANIFEST),
    "manifest-items": Target(manifest_file("items.csv", True), lambda: [TABLES["items"]]),
    "manifest-subjects": Target(manifest_file("subjects.csv", True), lambda: [TABLES["subjects"]]),
    "manifest-samples": Target(manifest_file("samples.csv", True), lambda: [TABLES["samples"]]),
    "vector-set": Target(vector_set, lambda: [_set_files()["set.json"]], _vector_set),
    "vector-set-samples": Target(vector_set_samples, lambda: [_set_files()["samples.csv"]], _vector_set),
    "table-json": Target(table_json, _table),
    "made-json": Target(made_notes, _made),
    "latest": Target(latest, lambda: [b"abc-0123\n", b"../x", b"."]),
    "json": Target(json_object, lambda: [b'{"a": [1, 2.5, null, true, "\\u00e9"]}', b'{"a": 1e400}']),
}

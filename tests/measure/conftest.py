"""What the tests of stored results share: a way to write one by hand."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbio.measure.results import ResultRow, to_csv

Write = Callable[..., Path]

ROW = ResultRow(
    result="",
    protocol="multitask",
    scale="quick",
    rule_weights="",
    backbone="",
    weights="",
    convention="",
    low=None,
    high=None,
    given="",
    trials="",
    n_genuine=None,
    n_impostor=None,
    n_imputed=0,
    n_missing=0,
    seed=0,
    data="synthetic",
    manifest="abcd" * 4,
    n_subjects=4,
    split="triplet",
    segment_s="",
    fusion="concat",
    modalities="ecg+face",
    trained_tasks="identification",
    precision="fp32",
    train_condition="clean",
    test_condition="clean",
    task="identification",
    fold="mean",
    metric="accuracy",
    value=0.5,
    interval="",
    n=8,
    version="0",
)


@pytest.fixture
def write_result(tmp_path: Path) -> Write:
    """Write a result folder below tmp_path/results from arrays by name, and fields of its rows, a row a task."""

    def write(
        name: str,
        arrays: Mapping[str, Any],
        tasks: tuple[str, ...] = ("identification",),
        key: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Path:
        folder = tmp_path / "results" / name
        folder.mkdir(parents=True)
        for array, values in arrays.items():
            np.save(folder / f"{array}.npy", np.asarray(values))
        rows = [replace(ROW, **{"result": name, "task": task, **fields}) for task in tasks]
        (folder / "rows.csv").write_text(to_csv(rows))
        (folder / "key.json").write_text(json.dumps(key or {}))
        return folder

    return write

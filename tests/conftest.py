"""What the tests share: a tiny synthetic root, a tiny vector set, manifests on them, stored results
written by hand, and where real data may be.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pandas as pd
import pytest

from mmbio.data import vector_sets, virtual
from mmbio.data.manifest import Manifest
from mmbio.data.plan import Plan
from mmbio.data.sources import resolve
from mmbio.data.synthetic.root import generate
from mmbio.embed.settings import Settings
from mmbio.measure.results import ResultRow, to_csv
from mmbio.protocols import AUDIOVISUAL, MULTITASK

N_SUBJECTS = 6
AV_PARTS = {"test": 12, "dev": 24}  # subjects, each with six samples in three videos
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

Write = Callable[..., Path]

hypothesis.settings.register_profile("mmbio", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("mmbio")


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic root of six subjects, as the product writes it."""
    root = tmp_path_factory.mktemp("synthetic") / "root"
    generate(root, seed=0, n_subjects=N_SUBJECTS)
    return root


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder that tests share, so that vectors are extracted once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def tiny_manifest(tiny_root: Path, tiny_home: Path) -> Manifest:
    """Six virtual subjects, 15 triplets each, 8 folds."""
    return virtual.build(resolve(MULTITASK, str(tiny_root), {}, tiny_home), Plan(MULTITASK), tiny_home)


@pytest.fixture(scope="session")
def tiny_settings(tiny_home: Path) -> Settings:
    """Random ResNet-50 weights, which need no network."""
    return Settings(tiny_home, weights="random", device="cpu")


@pytest.fixture(scope="session")
def av_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder for the audio-visual protocol."""
    return tmp_path_factory.mktemp("av-home")


@pytest.fixture(scope="session")
def av_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vector set of 12 test and 24 dev subjects: faces (16), voices (12) of two segment lengths, an attribute."""
    folder = tmp_path_factory.mktemp("vectors") / "tiny"
    names = [(part, f"{part}{i:02d}") for part, n in AV_PARTS.items() for i in range(n)]
    table = pd.DataFrame(
        [
            (f"{name}/v{i // 2}/c{i % 2}", name, "FM"[k % 2], f"{name}/v{i // 2}", f"{name}/v{i // 2}/c{i % 2}", part)
            for k, (part, name) in enumerate(names)
            for i in range(6)
        ],
        columns=list(vector_sets.COLUMNS),
    )
    rng = np.random.default_rng(0)
    table["face"] = table["voice"] = np.arange(len(table))
    table["Smiling"] = rng.integers(0, 2, len(table)).astype(str)

    def vectors(dim: int, noise: float) -> np.ndarray:
        people = np.repeat(rng.standard_normal((len(names), dim)), 6, axis=0)
        return (people + noise * rng.standard_normal(people.shape)).astype(np.float32)

    voices = {"0.115": vectors(12, 2.0), "1.015": vectors(12, 0.8)}
    vector_sets.write(folder, "tiny", table, {"face": {"": vectors(16, 0.6)}, "voice": voices})
    return folder


@pytest.fixture(scope="session")
def av_manifest(av_set: Path, av_home: Path) -> Manifest:
    """Twelve subjects to test, 24 to train and tune on, six items each; trials of different videos."""
    return virtual.build(resolve(AUDIOVISUAL, str(av_set), {}, av_home), Plan(AUDIOVISUAL), av_home)


@pytest.fixture(scope="session")
def av_settings(av_home: Path) -> Settings:
    """Segments of 1.015 s, on the processor."""
    return Settings(av_home, device="cpu", segment_s=1.015)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real public sets; skips where there is none."""
    folder = Path(os.environ.get("MMBIO_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real data: set MMBIO_TEST_DATA to a folder with the public sets")
    return folder


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

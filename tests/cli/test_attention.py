"""mmbio attention: samples that miss a modality are left out of its figures and of its plot alike."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result

from mmbio.fuse import config

Call = Callable[..., Result]


@pytest.fixture(scope="module", autouse=True)
def quickly() -> Iterator[None]:
    """Two epochs of two batches."""
    few = replace(config.OPTIMISERS["audiovisual"], epochs=2, steps=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "OPTIMISERS", {**config.OPTIMISERS, "audiovisual": few})
        yield


@pytest.fixture(scope="module")
def runs(good: Call, av_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an attention trained on a set in which the first test subject's six samples have no voice."""
    folder = tmp_path_factory.mktemp("attention")
    samples = pd.read_csv(av_set / "samples.csv", dtype=str, keep_default_na=False)
    heard = (samples["subject"] != "test00").to_numpy()
    ids = samples["id"].to_numpy(str)
    np.savez(folder / "face.npz", ids=ids, vectors=np.load(av_set / "face.npy"))
    np.savez(folder / "voice.npz", ids=ids[heard], vectors=np.load(av_set / "voice-1.015.npy")[heard])
    samples.drop(columns=["face", "voice"]).to_csv(folder / "who.csv", index=False)
    named = [word for m in ("face", "voice") for word in ("--modality", f"{m}={folder / f'{m}.npz'}")]
    good("import", *named, "--subjects", folder / "who.csv", "--out", folder / "mine")
    good("train", "--protocol", "audiovisual", "--data", folder / "mine", "--out", folder / "runs")
    return folder / "runs"


def test_what_is_left_out_is_said(good: Call, runs: Path) -> None:
    first = good("attention", "--permutations", 0, "--out", runs).stdout.splitlines()[0]
    assert first == "attention under clean, mine data, n = 66 test samples, 6 left out that miss a modality"


def test_the_plot_shows_the_mean_that_is_printed(good: Call, runs: Path) -> None:
    words = ["--levels", "clean face=zeros", "--noise", "face=zeros", "--permutations", 0, "--json"]
    told = json.loads(good("attention", *words, "--out", runs).stdout)
    assert told["levels"]["face=zeros"] == pytest.approx(told["mean_weights"])
    assert told["levels"]["clean"] != pytest.approx(told["mean_weights"])
    assert Path(told["files"][1]).read_bytes().startswith(b"\x89PNG")

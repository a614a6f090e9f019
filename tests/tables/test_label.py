"""Labels: each choice that makes other figures makes another folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmbio.conditions import parse
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.measure.verify import Options
from mmbio.tables.label import label
from mmbio.tables.run import Runner


def test_what_always_stands_there(tiny_manifest: Manifest, tiny_settings: Extraction) -> None:
    runner = Runner(tiny_manifest, tiny_settings)
    assert label(runner) == "synthetic-6-triplet-quick"
    assert label(replace(runner, extraction=replace(tiny_settings, weights="auto"))) == "synthetic-6-triplet-quick"


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ({"data": "ecg-id + faces95 (synthetic)", "split": "record"}, "ecg-id+faces95-synthetic-6-record-quick"),
        ({"n_subjects": {"all": 58}, "scale": "paper"}, "synthetic-58-triplet-paper"),
        ({"ages": [13, 75]}, "synthetic-6-triplet-quick-ages13to75"),
        ({"genuine": "clip", "match": "none"}, "synthetic-6-triplet-quick-clip-unmatched"),
        ({"genuine": "video", "match": "gender"}, "synthetic-6-triplet-quick"),
        ({"scale": "4 frames a clip"}, "synthetic-6-triplet-4-frames-a-clip"),
    ],
)
def test_of_the_manifest(tiny_manifest: Manifest, tiny_settings: Extraction, info: dict[str, Any], name: str) -> None:
    manifest = replace(tiny_manifest, info=tiny_manifest.info | info)
    real = "faces95" in name
    settings = replace(tiny_settings, weights="imagenet") if real and not manifest.is_synthetic else tiny_settings
    assert label(Runner(manifest, settings)) == name


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"seed": 3}, "-seed3"),
        ({"folds": 2}, "-folds2"),
        ({"under": parse("face=0.3,ecg=0.1")}, "-ecg=0.1,face=0.3"),
        ({"options": Options(skip_missing=True)}, ""),  # trials alone can miss
        ({"seed": 1, "folds": 1}, "-seed1-folds1"),
    ],
)
def test_of_the_run(tiny_manifest: Manifest, tiny_settings: Extraction, change: dict[str, Any], more: str) -> None:
    assert label(replace(Runner(tiny_manifest, tiny_settings), **change)) == f"synthetic-6-triplet-quick{more}"


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"weights": "imagenet"}, "-weights-imagenet"),
        ({"weights": "there/my net.pth"}, "-weights-my-net"),
        ({"precision": "bf16"}, "-bf16"),
        ({"precision": "fp32", "weights": "auto"}, "-fp32"),
    ],
)
def test_of_the_extraction(
    tiny_manifest: Manifest, tiny_settings: Extraction, change: dict[str, Any], more: str
) -> None:
    runner = Runner(tiny_manifest, replace(tiny_settings, **change))
    assert label(runner) == f"synthetic-6-triplet-quick{more}"


def test_of_verification(av_manifest: Manifest, av_settings: Extraction, tmp_path: Path) -> None:
    runner = Runner(av_manifest, replace(av_settings, home=tmp_path))
    assert label(runner) == "tiny-12-subject-whole"
    under = replace(runner, under=parse("voice=snr:10"), options=Options(skip_missing=True))
    assert label(under) == "tiny-12-subject-whole-voice=snr10-skipping"

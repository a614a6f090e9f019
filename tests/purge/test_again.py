"""The command that builds a manifest again repeats what its description knows of the choices."""

from pathlib import Path
from typing import Any

import pytest

from mmbio.purge import again

INFO: dict[str, Any] = {"protocol": "audiovisual", "split": "clip", "scale": "whole", "seed": 3, "sources": {}}


@pytest.mark.parametrize(
    ("known", "options"),
    [
        ({}, ""),
        (
            {"asked": {"subjects": 10, "frames": 4, "same_gender": True, "ages": [20, 30]}, "match": "none"},
            " --subjects 10 --ages 20-30 --same-gender --frames 4",
        ),
        ({"trials": "another video; impostors of the same gender"}, " --same-gender"),
        ({"dropped": {"ecg: records not readable or with fewer than 15 beats": 2}}, " --skip-unusable"),
        ({"dropped": {"face: gender not known": 2}, "trials": "another video", "match": "none"}, " --match none"),
    ],
)
def test_choices_of_a_manifest(known: dict[str, Any], options: str) -> None:
    assert again.of_manifest(INFO | known, Path("runs")) == (
        f"mmbio build-virtual --protocol audiovisual{options} --seed 3"
    )


@pytest.mark.parametrize(
    ("weights", "files", "option"),
    [
        ("random-0", {}, " --weights random"),
        ("imagenet1k-v1", {}, " --weights imagenet"),
        ("file-ab", {"file-ab": "w.pt"}, " --weights w.pt"),
        ("file-ab", {}, " --weights FILE"),
    ],
)
def test_weights_of_a_checkpoint(weights: str, files: dict[str, str], option: str) -> None:
    config = {"protocol": "audiovisual", "fusion": "concat", "modalities": ["face"], "condition": "clean", "seed": 0}
    key = {"config": config, "embeddings": {"face": {"backbone": "resnet50", "weights": weights}}}
    line = f"mmbio train --protocol audiovisual --fusion concat --modalities face{option} --seed 0"
    assert again.of_checkpoint(key, Path("runs"), files) == line
    tested = again.of_result({"checkpoint": key, "condition": "clean"}, Path("runs"), files)
    assert tested == "mmbio eval --protocol audiovisual" + (option if weights == "file-ab" else "")


def test_data_of_several_kinds() -> None:
    def source(folder: str, synthetic: bool) -> dict[str, Any]:
        return {"folder": folder, "synthetic": synthetic}

    made = source(str(Path("runs").resolve() / "data" / "synthetic" / "fvc2006"), True)
    for folder, root in (("/x/faces94", "/x"), ("/x", "/x")):
        known = {"sources": {"face": source(folder, False), "finger": made}}
        line = again.of_manifest(INFO | known, Path("runs"))
        assert line == f"mmbio build-virtual --protocol audiovisual --data {root} --source finger=synthetic --seed 3"

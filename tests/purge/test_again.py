"""The command that builds a manifest again repeats what its description knows of the choices."""

import json
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
    line = "mmbio train --protocol audiovisual --fusion concat --modalities face"
    line += f"{option} --backbone face=resnet50 --seed 0"
    assert again.of_checkpoint(key, Path("runs"), files) == line
    tested = again.of_result({"checkpoint": key, "condition": "clean"}, Path("runs"), files)
    assert tested == "mmbio eval --protocol audiovisual" + (option if weights == "file-ab" else "")


FACE = {"backbone": "facenet", "weights": "facenet-1", "precision": "fp32"}
FINGER = {"backbone": "resnet50", "weights": "random-0", "precision": "bf16"}
BEATS = {"backbone": "beats", "weights": "", "precision": "fp32"}


@pytest.mark.parametrize(
    ("embeddings", "more", "options"),
    [
        ({"ecg": BEATS, "finger": FINGER}, {}, " --weights random"),
        ({"face": FACE}, {"products": "fp32"}, " --backbone face=facenet --precision fp32"),
        (
            {"face": FACE, "finger": FINGER},
            {"products": "bf16", "device": "cpu"},
            " --weights random --backbone face=facenet --precision bf16 --device cpu",
        ),
        ({"face": {"backbone": "vectors", "weights": ""}}, {"device": "cuda"}, " --device cuda"),
    ],
)
def test_what_a_checkpoint_stands_on(embeddings: dict[str, Any], more: dict[str, Any], options: str) -> None:
    config = {"protocol": "multitask", "fusion": "score-sum", "modalities": ["face"], "condition": "clean", "seed": 4}
    config |= {"tasks": ["gender"], "task_weights": {"identification": 0.5, "gender": 0.5}}
    config |= {"rule_weights": {"ecg": 1 / 3, "face": 0.25}}
    alone = {"config": config, "embeddings": embeddings, **more}
    line = "mmbio train --protocol multitask --fusion score-sum --modalities face --tasks gender"
    line += f" --rule-weights ecg=0.3333333333333333,face=0.25{options} --seed 4"
    assert again.of_checkpoint(alone, Path("runs"), {}) == line
    assert again.of_checkpoint({"config": config, "members": [alone]}, Path("runs"), {}) == line


@pytest.mark.parametrize(
    ("how", "options"),
    [
        ({}, ""),
        ({"options": {"convention": "linear", "cost": {"p_target": 0.01}, "score_norm": "none", "top": 300}}, ""),
        ({"trials": "manifest", "device": "cpu"}, " --device cpu"),
        ({"trials": "0123"}, " --trials FILE"),
        ({"options": {"convention": "rocch", "cost": {"p_target": 0.05}}}, " --eer rocch --p-target 0.05"),
        ({"options": {"preset": "sre08", "cost": {"p_target": 0.01}}}, " --preset sre08"),
        ({"options": {"by_gender": True, "skip_missing": True}}, " --by-gender --missing-trials skip"),
        ({"options": {"score_norm": "z-norm", "top": 300}}, " --score-norm z-norm"),
        ({"options": {"score_norm": "as-norm", "top": 20}}, " --score-norm as-norm --top 20"),
    ],
)
def test_how_a_result_was_measured(how: dict[str, Any], options: str) -> None:
    key = {"config": {"protocol": "audiovisual"}, "embeddings": {}}
    line = again.of_result({"checkpoint": key, "condition": "voice=zeros@probe", **how}, Path("runs"), {})
    assert line == f"mmbio eval --protocol audiovisual --noise voice=zeros@probe{options}"


@pytest.mark.parametrize(
    ("key", "protocol", "words"),
    [
        ({"modality": "finger", **FINGER}, "", "multitask --weights random --precision bf16"),
        ({"modality": "face", **FACE, "device": "cpu"}, "", "multitask --backbone face=facenet --device cpu"),
        ({"modality": "face", **FINGER, "noise": ["black", 0.97, 0]}, "multitask",
         "multitask --noise face=0.97 --weights random --precision bf16"),
        ({"modality": "face", **FINGER, "noise": ["blur", 4.0, 0]}, "audiovisual",
         "audiovisual --noise face=blur:4 --weights random --backbone face=resnet50 --precision bf16"),
        ({"modality": "voice", "backbone": "resemblyzer", "weights": "r", "segment_s": 1.015}, "",
         "audiovisual --segment 1.015"),
    ],
)  # fmt: skip
def test_a_store(key: dict[str, Any], protocol: str, words: str) -> None:
    assert again.of_store(key, Path("runs"), {}, protocol) == f"mmbio extract --protocol {words}"


def test_data_of_several_kinds() -> None:
    def source(folder: str, synthetic: bool) -> dict[str, Any]:
        return {"folder": folder, "synthetic": synthetic}

    made = source(str(Path("runs").resolve() / "data" / "synthetic" / "fvc2006"), True)
    for folder, root in (("/x/faces94", "/x"), ("/x", "/x")):
        known = {"sources": {"face": source(folder, False), "finger": made}}
        line = again.of_manifest(INFO | known, Path("runs"))
        assert line == f"mmbio build-virtual --protocol audiovisual --data {root} --source finger=synthetic --seed 3"


@pytest.mark.parametrize(
    ("record", "home", "lines"),
    [
        ({"command": ["mmbio", "tables", "my own.toml"]}, "runs", ["mmbio tables 'my own.toml'"]),
        ({"command": ["mmbio", "tables", "a.toml"]}, "else", ["mmbio tables a.toml --out else"]),
        ({"command": ["mmbio", "tables", "--out", "o"]}, "else", ["mmbio tables --out o"]),
        ({"command": ["mmbio", "tables", "--out=o"]}, "else", ["mmbio tables --out=o"]),
        (
            {"command": ["mmbio", "tables", "b.toml"], "earlier": [["mmbio", "tables", "a.toml"]]},
            "runs",
            ["mmbio tables a.toml", "mmbio tables b.toml"],
        ),
        ({"environment": {"command": ["mmbio", "attention"]}}, "runs", ["mmbio attention"]),
        ({"command": ["rm", "-rf", "x"], "earlier": "mmbio"}, "runs", []),
    ],
)
def test_commands_as_they_were_typed(tmp_path: Path, record: dict[str, Any], home: str, lines: list[str]) -> None:
    path = tmp_path / "environment.json"
    assert again.as_typed(path, Path(home)) == ""
    path.write_text(json.dumps(record))
    assert again.as_typed(path, Path(home)).splitlines() == lines

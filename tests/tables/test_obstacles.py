"""Why a figure is no reproduction: each fact by itself, on what manifests say."""

from typing import Any

import pytest

from mmbio.conditions import parse
from mmbio.data.manifest import Manifest
from mmbio.protocols import AUDIOVISUAL, MULTITASK, Protocol
from mmbio.tables.obstacles import why
from mmbio.tables.settings import Settings
from mmbio.tables.spec import Cell

PAPERS_MULTITASK = {"ecg": ["ecg-id", "ptb"], "face": ["faces95"], "finger": ["fvc2006"]}
PAPERS_AUDIOVISUAL = {"face": ["voxceleb-face"], "voice": ["voxceleb"]}
NETWORKS = "dlib-b07578e076b45393+resemblyzer-39373b86598fa3da"


def multitask(**change: Any) -> dict[str, Any]:
    """What the manifest of the paper's own experiment says."""
    sources = {m: {"sets": sets, "synthetic": False} for m, sets in PAPERS_MULTITASK.items()}
    info = {"sources": sources, "split": "triplet", "triplets": 400, "ages": [13, 39], "n_subjects": {"all": 58}}
    return info | change


def audiovisual(**change: Any) -> dict[str, Any]:
    sources = {m: {"sets": sets, "synthetic": False} for m, sets in PAPERS_AUDIOVISUAL.items()}
    return {"sources": sources, "chimeric": False, "scale": "whole", "n_subjects": {"all": 120}} | change


def sources(info: dict[str, Any], **change: dict[str, Any]) -> dict[str, Any]:
    return info | {"sources": {m: source | change.get(m, {}) for m, source in info["sources"].items()}}


def reasons(
    protocol: Protocol,
    info: dict[str, Any],
    weights: str = "imagenet1k-v1",
    modalities: str = "",
    mark: str = "",
    under: str = "",
    given: str = "",
    unseen: bool = False,
) -> tuple[str, ...]:
    used = tuple(modalities.split()) or protocol.modalities
    settings = Settings("concat", used, protocol.tasks, parse("clean"), parse("clean"), unseen=unseen)
    return why(protocol, info, Cell("row", "column", "task", "metric", settings, given), weights, mark, parse(under))


def test_the_papers_own_experiment() -> None:
    assert reasons(MULTITASK, multitask()) == ()


@pytest.mark.parametrize(
    ("info", "change", "expected"),
    [
        (multitask(), {"weights": "random-0"}, "random ResNet-50 weights instead of ImageNet's"),
        (multitask(), {"weights": "file-12ab"}, "ResNet-50 weights of a file instead of ImageNet's"),
        (multitask(triplets=15), {}, "15 triplets a subject, not the 400 of the text"),
        (multitask(split="record"), {}, "the record split, not triplet"),
        (multitask(), {"unseen": True}, "tested on subjects who were not trained on"),
        (multitask(ages=[13, 75]), {}, "ECGs of ages 13-75, not 13-39"),
        (multitask(n_subjects={"all": 53}), {}, "53 subjects, not 58"),
        (multitask(), {"under": "face=0.3"}, "degraded by face=0.3 on top"),
        (
            sources(multitask(), face={"sets": ["faces94"]}),
            {},
            "faces of faces94, not of Faces95, which was not at hand",
        ),
        (sources(multitask(), ecg={"sets": ["ecg-id"]}), {}, "ECGs of ecg-id, not of ECG-ID and PTB"),
        (
            sources(multitask(), finger={"sets": ["fvc2000"]}),
            {},
            "fingerprints of fvc2000, not of FVC2006, which is behind a form",
        ),
        (
            sources(multitask(), finger={"synthetic": True}),
            {"modalities": "ecg finger"},
            "synthetic fingerprints, not people's",
        ),
    ],
)
def test_multitask(info: dict[str, Any], change: dict[str, Any], expected: str) -> None:
    assert reasons(MULTITASK, info, **change) == (expected,)


@pytest.mark.parametrize("modalities", ["ecg", "finger", "ecg finger"])
def test_what_a_cell_does_not_use_is_no_obstacle(modalities: str) -> None:
    info = sources(multitask(), face={"sets": ["faces94"], "synthetic": False})
    assert reasons(MULTITASK, info, modalities=modalities, under="face=0.3") == ()


def test_of_synthetic_samples_that_says_all() -> None:
    made_up = {m: {"synthetic": True} for m in PAPERS_MULTITASK}
    info = sources(multitask(triplets=15, n_subjects={"all": 6}), **made_up)
    assert reasons(MULTITASK, info, "random-0") == ("synthetic samples, not people's",)
    assert reasons(MULTITASK, info, "random-0", "face", "c") == (
        "synthetic samples, not people's",
        "calibrated: the data were made as difficult as this very figure",
    )


def test_simulated() -> None:
    made_up = {m: {"synthetic": True, "vectors": {"synthetic": True}} for m in PAPERS_AUDIOVISUAL}
    info = sources(audiovisual(), **made_up)
    assert reasons(AUDIOVISUAL, info, "", given="Bald", mark="p") == (
        "simulated embeddings, not people's",
        "planted: the simulation puts this effect there",
    )


def test_audiovisual_on_the_papers_data() -> None:
    assert reasons(AUDIOVISUAL, audiovisual(), NETWORKS) == (
        "dlib's face network, for FaceNet's weights were not at hand",
        "Resemblyzer, for the paper's voice network was not published",
        "the paper's trial list was not published",
    )
    assert reasons(AUDIOVISUAL, audiovisual(), "facenet-12ab", "face", given="Bald") == ()


def test_audiovisual_on_other_people() -> None:
    others = sources(audiovisual(), face={"sets": ["faces94"]}, voice={"sets": ["librispeech"]})
    info = others | {"chimeric": True, "scale": "4 frames a clip", "n_subjects": {"all": 50}}
    assert reasons(AUDIOVISUAL, info, "", under="face=0.3") == (
        "faces of faces94, not of VoxCeleb2, whose media are behind a form",
        "voices of librispeech, not of VoxCeleb2, whose media are behind a form",
        "chimeric: a face and a voice of different persons",
        "4 frames a clip, not 1",
        "the paper's trial list was not published",
        "50 subjects, not 120",
        "degraded by face=0.3 on top",
    )
    assert "chimeric" not in " ".join(reasons(AUDIOVISUAL, info, "", "voice"))


def test_what_manifests_say(tiny_manifest: Manifest, av_manifest: Manifest) -> None:
    assert reasons(MULTITASK, tiny_manifest.info, "random-0", "ecg") == ("synthetic samples, not people's",)
    mixed = sources(tiny_manifest.info, ecg={"synthetic": False, "sets": ["ecg-id"]})
    assert reasons(MULTITASK, mixed, "random-0", "ecg face") == (
        "synthetic faces, not people's",
        "ECGs of ecg-id, not of ECG-ID and PTB",
        "random ResNet-50 weights instead of ImageNet's",
        "15 triplets a subject, not the 400 of the text",
        "6 subjects, not 58",
    )
    assert reasons(AUDIOVISUAL, av_manifest.info, "") == (
        "somebody's own embeddings",
        "the paper's trial list was not published",
        "12 subjects, not 120",
    )


def test_somebodys_own_embeddings() -> None:
    own = sources(audiovisual(), **{m: {"sets": ["mine"], "vectors": {"dim": 8}} for m in PAPERS_AUDIOVISUAL})
    assert reasons(AUDIOVISUAL, own, "")[0] == "somebody's own embeddings"
    assert not any("VoxCeleb2" in reason for reason in reasons(AUDIOVISUAL, own, ""))

"""Extractors: which backbone a modality has, what its vectors depend on, and items from which nothing is acquired."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mmbio.data import corrupted
from mmbio.data.manifest import Manifest
from mmbio.embed import extractors
from mmbio.embed.conditioned import shape_of
from mmbio.embed.extract import Job, extract
from mmbio.embed.extractors import EXTRACTORS, OF, Noise, backbone_of, extractor
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash
from mmbio.protocols import MODALITIES, PROTOCOLS

needs_dlib = pytest.mark.skipif(
    find_spec("dlib") is None or find_spec("face_recognition_models") is None, reason="needs mmbio[face]"
)
needs_resemblyzer = pytest.mark.skipif(find_spec("resemblyzer") is None, reason="needs mmbio[voice]")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBIO_THREADS", "1")


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Three items: noise as a face and as speech, of the second no face, of the third no voice."""
    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(0)
    names = {"face": "a.png", "voice": "a.wav"}
    Image.fromarray(rng.integers(0, 255, (48, 40, 3), dtype=np.uint8)).save(tmp_path / names["face"])
    soundfile.write(str(tmp_path / names["voice"]), rng.normal(0, 0.1, 48_000).astype(np.float32), 16_000)
    samples = pd.DataFrame(
        [(m, f"s/{m}", "s/p", 0, name, bytes_hash((tmp_path / name).read_bytes())) for m, name in names.items()],
        columns=["modality", "sample", "subject", "order", "path", "sha"],
    )
    items = pd.DataFrame(
        [
            (0, "s/face", "", "s/voice", "0.750"),
            (1, "", "", "s/voice", "2.000"),
            (2, "s/face", "", "", ""),
        ],
        columns=["item", "face_sample", "face_draw", "voice_sample", "voice_draw"],
    )
    source = {"sets": ["s"], "folder": str(tmp_path), "synthetic": False}
    info = {"protocol": "audiovisual", "modalities": list(names), "seed": 0, "sources": dict.fromkeys(names, source)}
    return Manifest(tmp_path, info, pd.DataFrame(), samples, items)


def settings(home: Path, **changes: Any) -> Settings:
    return replace(Settings(home, device="cpu", segment_s=1.015), **changes)


def test_every_backbone_has_an_extractor_and_every_protocol_its_backbones() -> None:
    assert set(OF) == set(MODALITIES)
    named = {name for names in OF.values() for name in names}
    assert named - {"beats"} == set(EXTRACTORS)
    for protocol in PROTOCOLS.values():
        assert all(protocol.backbones[m] in OF[m] for m in protocol.modalities)


@pytest.mark.parametrize(
    ("backbones", "modality", "expected"),
    [
        ((), "face", "dlib"),
        ((), "voice", "resemblyzer"),
        ((("face", "facenet"),), "face", "facenet"),
        ((("face", "resnet50"),), "face", "resnet50"),
        ((("face", "facenet"),), "voice", "resemblyzer"),
    ],
)
def test_the_backbone_is_the_protocols_or_the_one_given(
    manifest: Manifest, backbones: tuple[tuple[str, str], ...], modality: str, expected: str
) -> None:
    assert backbone_of(manifest, modality, settings(manifest.folder, backbones=backbones)) == expected


@pytest.mark.parametrize(("modality", "name"), [("face", "resemblyzer"), ("voice", "dlib"), ("face", "vgg")])
def test_a_backbone_that_a_modality_does_not_have(manifest: Manifest, modality: str, name: str) -> None:
    how = settings(manifest.folder, backbones=((modality, name),))
    with pytest.raises(MmbioError, match=f"^--backbone {modality}={name}: expected one of {', '.join(OF[modality])}$"):
        backbone_of(manifest, modality, how)


def test_vectors_have_no_backbone(av_manifest: Manifest, av_settings: Settings) -> None:
    assert [backbone_of(av_manifest, m, av_settings) for m in av_manifest.modalities] == ["vectors", "vectors"]


@pytest.mark.parametrize(
    ("modality", "backbone", "dim"),
    [("face", "dlib", 128), ("face", "facenet", 512), ("face", "resnet50", 2048), ("voice", "resemblyzer", 256)],
)
def test_dimensions_are_known_without_the_package(manifest: Manifest, modality: str, backbone: str, dim: int) -> None:
    how = settings(manifest.folder, backbones=((modality, backbone),), segment_s=None)
    assert shape_of(manifest, modality, how) == (dim,)


def test_a_segment_has_a_length(manifest: Manifest) -> None:
    made = extractor(manifest, "voice", None, settings(manifest.folder, segment_s=None))
    with pytest.raises(ValueError, match="segments of speech have a length"):
        made.load()(0)


def test_whole_images_are_blackened_only(manifest: Manifest) -> None:
    how = settings(manifest.folder, backbones=(("face", "resnet50"),))
    with pytest.raises(MmbioError, match=r"'face=blur:4': belongs to aligned faces; for resnet50 give face=LEVEL"):
        extractor(manifest, "face", ("blur", 4.0), how).load()


class Fake(extractors._Base):
    """Vectors (2,) of the row and its place among the samples of a shard, none for row 0."""

    dim, batch, code, libraries, key = 2, 2, (), (), {"weights": "fake"}
    loaded: list[int]

    def load(self) -> Callable[[int], int]:
        Fake.loaded = []
        return lambda row: Fake.loaded.append(row) or row  # type: ignore[func-returns-value]

    def open(self) -> Callable[[list[int]], np.ndarray]:
        return lambda rows: np.array([[np.nan if row == 0 else row, i] for i, row in enumerate(rows)], np.float32)


def test_items_without_a_sample_are_not_opened_and_have_no_vector(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extractors, "EXTRACTORS", {"dlib": Fake, "resemblyzer": Fake})
    face = extract(Job(manifest, "face", None, settings(manifest.folder)), np.arange(3))
    assert sorted(Fake.loaded) == [0, 2]
    assert np.array_equal(face, np.array([[np.nan, 0], [np.nan, np.nan], [2, 0]]), equal_nan=True)
    voice = extract(Job(manifest, "voice", None, settings(manifest.folder)), np.array([1, 2]))
    assert np.array_equal(voice, np.array([[1, 1], [np.nan, np.nan]]), equal_nan=True)


def test_a_shard_without_any_sample(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractors, "EXTRACTORS", {"resemblyzer": Fake})
    found = extract(Job(manifest, "voice", None, settings(manifest.folder)), np.array([2]))
    assert np.isnan(found).all()
    assert Fake.loaded == []


def keys(manifest: Manifest, modality: str, *variants: tuple[Noise, dict[str, Any]]) -> list[Path]:
    return [Job(manifest, modality, noise, settings(manifest.folder, **more)).store.folder for noise, more in variants]


@needs_resemblyzer
def test_what_speech_depends_on_is_in_its_key(manifest: Manifest) -> None:
    found = keys(manifest, "voice", (None, {}), (("snr", 10.0), {}), (("snr", 5.0), {}), (None, {"segment_s": 0.115}))
    assert len(set(found)) == len(found)
    assert keys(manifest, "voice", (None, {"weights": "random"}))[0] == found[0]


@needs_dlib
def test_what_faces_depend_on_is_in_their_key(manifest: Manifest) -> None:
    found = keys(manifest, "face", (None, {}), (("blur", 4.0), {}), (("crop", 0.5), {}), (("black", 0.5), {}))
    assert len(set(found)) == len(found)
    assert keys(manifest, "face", (None, {"segment_s": 0.115}))[0] == found[0]


@needs_resemblyzer
@pytest.mark.parametrize("noise", [None, ("snr", 0.0)])
def test_speech_becomes_vectors_of_unit_length(manifest: Manifest, noise: Noise) -> None:
    from mmbio.embed.backbones.resemblyzer import Voice

    found = extract(Job(manifest, "voice", noise, settings(manifest.folder)), np.arange(3))
    assert np.linalg.norm(found[:2], axis=1) == pytest.approx(1, abs=1e-5)
    assert np.isnan(found[2]).all()
    paths = manifest.paths("voice")
    heard = [corrupted.speech(manifest, row, 1.015, noise, paths) for row in (0, 1)]
    assert np.array_equal(found[:2], Voice("cpu").embed(heard))


@needs_dlib
def test_noise_has_no_face_and_a_chip_has_a_vector(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    from mmbio.embed.backbones import dlib_face

    found = extract(Job(manifest, "face", None, settings(manifest.folder / "real")), np.arange(3))
    assert np.isnan(found).all()
    monkeypatch.setattr(dlib_face, "align", lambda image: np.resize(image, (dlib_face.SIZE, dlib_face.SIZE, 3)))
    clean, blurred = (
        extract(Job(manifest, "face", noise, settings(manifest.folder / "cut")), np.arange(3))
        for noise in (None, ("blur", 6.0))
    )
    assert np.isfinite(clean[[0, 2]]).all()
    assert np.isnan(clean[1]).all()
    assert not np.array_equal(clean[0], blurred[0])


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_a_changed_sample_is_another_store(manifest: Manifest, modality: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractors, "EXTRACTORS", {"dlib": Fake, "resemblyzer": Fake})
    other = replace(manifest, samples=manifest.samples.assign(sha="0" * 16))
    first, second = (Job(m, modality, None, settings(manifest.folder)).store.folder for m in (manifest, other))
    assert first != second

"""embeddings_under: what noise, nulls and missing modalities do to vectors and mask."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmbio.conditions import parse
from mmbio.data import vector_sets
from mmbio.data.manifest import Manifest
from mmbio.embed import conditioned
from mmbio.embed.conditioned import Embeddings, embeddings_under, jobs, segment_name, shape_of
from mmbio.embed.extractors import Noise
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.protocols import AUDIOVISUAL, MULTITASK

ROWS = np.array([0, 3, 17])  # test rows, all in the first shard
SHAPES = {"ecg": (3, 3, 300), "face": (3, 2048), "finger": (3, 2048)}
Under = Callable[..., Embeddings]


@pytest.fixture
def under(tiny_manifest: Manifest, small_settings: Settings) -> Under:
    def embed(text: str, *modalities: str, rows: np.ndarray = ROWS) -> Embeddings:
        return embeddings_under(tiny_manifest, parse(text), modalities or tuple(SHAPES), rows, small_settings)

    return embed


def test_clean(under: Under) -> None:
    found = under("clean")
    assert found.modalities == MULTITASK.modalities
    assert {m: v.shape for m, v in found.vectors.items()} == SHAPES
    assert all(v.dtype == np.float32 for v in found.vectors.values())
    assert found.present.tolist() == [[True] * 3] * 3


@pytest.mark.parametrize("text", ["ecg=0.1", "face=0.97", "finger=0.05"])
def test_noise_changes_the_vectors_of_its_modality_and_no_mask(under: Under, text: str) -> None:
    clean, noisy = under("clean"), under(text)
    changed = {m for m in SHAPES if not np.array_equal(clean.vectors[m], noisy.vectors[m])}
    assert changed == {text.partition("=")[0]}
    assert noisy.present.all()
    assert np.array_equal(under(text).vectors["ecg"], noisy.vectors["ecg"])


@pytest.mark.parametrize("modality", SHAPES)
def test_nulls_keep_the_mask(under: Under, modality: str) -> None:
    zeros, normal, again = (under(f"{modality}={null}", modality) for null in ("zeros", "random", "random"))
    for found in (zeros, normal):
        assert found.present[:, list(SHAPES).index(modality)].all()
        assert found.vectors[modality].shape == SHAPES[modality]
        assert found.vectors[modality].dtype == np.float32
    assert not zeros.vectors[modality].any()
    vectors = normal.vectors[modality]
    assert abs(float(vectors.mean())) < 0.1
    assert abs(float(vectors.std()) - 1) < 0.1
    assert np.array_equal(vectors, again.vectors[modality])
    assert len(np.unique(vectors.reshape(3, -1)[:, 0])) == 3


def test_a_null_belongs_to_its_item_and_modality(under: Under) -> None:
    one = under("face=random,finger=random", "face", "finger")
    other = under("face=random", "face", rows=np.array([3]))
    assert np.array_equal(one.vectors["face"][1:2], other.vectors["face"])
    assert not np.array_equal(one.vectors["face"], one.vectors["finger"])


def test_missing_clears_the_mask(under: Under) -> None:
    found = under("missing=face,ecg=zeros", "ecg", "face")
    assert found.present.tolist() == [[True, False, False]] * 3
    assert list(found.vectors) == ["ecg"]


@pytest.mark.parametrize("asked", [("ecg",), ("finger", "ecg")])
def test_what_is_not_asked_for_is_not_there(under: Under, asked: tuple[str, ...]) -> None:
    found = under("face=0.97", *asked)
    assert set(found.vectors) == set(asked)
    assert found.present[0].tolist() == [m in asked for m in MULTITASK.modalities]


def test_rows_come_once_and_in_order(under: Under) -> None:
    found = under("clean", "ecg", rows=np.array([17, 3, 17, 0]))
    assert found.rows.tolist() == [0, 3, 17]
    assert np.array_equal(found.vectors["ecg"], under("clean", "ecg").vectors["ecg"])


def test_take(under: Under) -> None:
    found = under("missing=finger", "ecg", "face", "finger")
    taken = found.take(np.array([17, 0]))
    assert taken.rows.tolist() == [17, 0]
    assert taken.present.tolist() == [[True, True, False]] * 2
    assert all(np.array_equal(taken.vectors[m], found.vectors[m][[2, 0]]) for m in ("ecg", "face"))
    assert found.take(np.array([], np.int64)).vectors["ecg"].shape == (0, 3, 300)


@pytest.mark.parametrize("rows", [[1], [18], [0, 16], [-1]])
def test_taking_what_was_not_embedded(under: Under, rows: list[int]) -> None:
    with pytest.raises(ValueError, match="rows asked for that were not embedded"):
        under("clean", "ecg").take(np.array(rows))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clean", [("face", None), ("finger", None)]),
        ("face=0.97,ecg=0.1", [("face", ("black", 0.97)), ("finger", None)]),
        ("missing=face", [("finger", None)]),
        ("face=zeros,finger=random", []),
    ],
)
def test_only_images_that_are_there_are_extracted(
    tiny_manifest: Manifest, tiny_settings: Settings, text: str, expected: list[tuple[str, Noise]]
) -> None:
    found = jobs(tiny_manifest, parse(text), MULTITASK.modalities, tiny_settings)
    assert [(job.modality, job.noise) for job in found] == expected


AV_ROWS = np.array([0, 5, 100, 215])
Sided = Callable[..., Embeddings]


@pytest.fixture
def sided(av_manifest: Manifest, av_settings: Settings) -> Sided:
    def embed(text: str, side: str = "probe", manifest: Manifest = av_manifest, **settings: object) -> Embeddings:
        how = replace(av_settings, **settings)  # type: ignore[arg-type]
        return embeddings_under(manifest, parse(text), AUDIOVISUAL.modalities, AV_ROWS, how, side=side)

    return embed


def test_vectors_are_the_rows_that_items_name(sided: Sided, av_manifest: Manifest, av_set: Path) -> None:
    found = sided("clean")
    at = [int(draw.removeprefix("#")) for draw in av_manifest.items["face_draw"][AV_ROWS]]
    assert np.array_equal(found.vectors["face"], np.load(av_set / "face.npy")[at])
    assert np.array_equal(found.vectors["voice"], np.load(av_set / "voice-1.015.npy")[at])
    assert np.array_equal(sided("clean", segment_s=0.115).vectors["voice"], np.load(av_set / "voice-0.115.npy")[at])
    assert found.present.all()


def test_a_segment_length_that_a_set_does_not_have(sided: Sided) -> None:
    with pytest.raises(MmbioError, match=r"--segment 2.0: the set has segments of 0.115, 1.015 s; choose one of them"):
        sided("clean", segment_s=2.0)
    assert segment_name([], None) == ""


@pytest.mark.parametrize(
    ("text", "side", "changed"),
    [
        ("voice=random", "probe", True),
        ("voice=random", "enrolment", True),
        ("voice=random@probe", "probe", True),
        ("voice=random@probe", "enrolment", False),
        ("voice=zeros@enrolment", "probe", False),
    ],
)
def test_a_null_belongs_to_its_side(sided: Sided, text: str, side: str, changed: bool) -> None:
    clean, found = sided("clean"), sided(text, side)
    assert np.array_equal(found.vectors["voice"], clean.vectors["voice"]) != changed
    assert np.array_equal(found.vectors["face"], clean.vectors["face"])
    assert found.present.all()


def test_a_null_is_the_same_on_both_sides(sided: Sided) -> None:
    one, other = (sided("voice=random", side).vectors["voice"] for side in ("enrolment", "probe"))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(("side", "present"), [("probe", [True, False]), ("enrolment", [True, True])])
def test_missing_belongs_to_its_side(sided: Sided, side: str, present: list[bool]) -> None:
    found = sided("missing=voice@probe", side)
    assert found.present.tolist() == [present] * 4
    assert ("voice" in found.vectors) == present[1]


@pytest.mark.parametrize("text", ["clean", "face=random", "face=zeros", "voice=random"])
def test_an_item_without_a_sample_is_not_there_whatever_replaces_it(
    sided: Sided, av_manifest: Manifest, text: str
) -> None:
    items = av_manifest.items.copy()
    items.loc[5, ["face_sample", "face_draw"]] = ""
    found = sided(text, manifest=replace(av_manifest, items=items))
    assert found.present.tolist() == [[True, True], [False, True], [True, True], [True, True]]
    assert np.isfinite(found.vectors["face"]).all()


def test_what_could_not_be_acquired_is_not_there(
    tiny_manifest: Manifest, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extract(_job: object, rows: np.ndarray, _report: object) -> np.ndarray:
        vectors = np.ones((len(rows), 4), np.float32)
        vectors[1] = np.nan
        return vectors

    monkeypatch.setattr(conditioned, "extract", extract)
    found = embeddings_under(tiny_manifest, parse("clean"), ("face",), ROWS, tiny_settings)
    assert found.present.tolist() == [[False, True, False], [False] * 3, [False, True, False]]
    assert found.vectors["face"].tolist() == [[1] * 4, [0] * 4, [1] * 4]


@pytest.mark.parametrize("text", ["face=0.5", "face=blur:4", "voice=snr:10"])
def test_noise_needs_samples(sided: Sided, text: str) -> None:
    modality = text.partition("=")[0]
    with pytest.raises(MmbioError, match=rf"'{text}': {modality} is there as vectors, .*--missing {modality}$"):
        sided(text)


def test_vectors_that_changed(sided: Sided, av_manifest: Manifest, av_set: Path, tmp_path: Path) -> None:
    source = av_manifest.info["sources"]["face"] | {"folder": str(tmp_path)}
    moved = replace(av_manifest, info=av_manifest.info | {"sources": av_manifest.info["sources"] | {"face": source}})
    with pytest.raises(MmbioError, match=r"face\.npy: not readable .*No such file.*run mmbio import again"):
        sided("clean", manifest=moved)
    vectors = np.load(av_set / "face.npy")
    vectors[0] += 1
    np.save(tmp_path / vector_sets.file_name("face", ""), vectors)
    with pytest.raises(
        MmbioError, match=r"face\.npy: has changed since build-virtual read it; run mmbio build-virtual"
    ):
        sided("clean", manifest=moved)


def test_no_rows(av_manifest: Manifest, av_settings: Settings) -> None:
    found = embeddings_under(av_manifest, parse("clean"), ("face",), np.array([], np.int64), av_settings)
    assert found.vectors["face"].shape == (0, 16)
    assert found.present.shape == (0, 2)


def test_vectors_need_no_extraction(av_manifest: Manifest, av_settings: Settings) -> None:
    assert jobs(av_manifest, parse("clean"), AUDIOVISUAL.modalities, av_settings) == []
    assert [shape_of(av_manifest, m, av_settings) for m in AUDIOVISUAL.modalities] == [(16,), (12,)]


@pytest.mark.parametrize(
    ("text", "n"),
    [("face=random@probe", 1), ("face=random@probe,face=zeros@enrolment", 0), ("missing=face@probe", 1),
     ("missing=face@probe,face=zeros@enrolment", 0)],
)  # fmt: skip
def test_samples_are_extracted_that_either_side_needs(
    tiny_manifest: Manifest, tiny_settings: Settings, text: str, n: int
) -> None:
    assert len(jobs(tiny_manifest, parse(text), ("face",), tiny_settings)) == n

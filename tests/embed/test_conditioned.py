"""embeddings_under: what noise, nulls and missing modalities do to vectors and mask."""

from collections.abc import Callable

import numpy as np
import pytest

from mmbio.conditions import parse
from mmbio.data.manifest import Manifest
from mmbio.embed.conditioned import Embeddings, embeddings_under, jobs
from mmbio.embed.settings import Settings
from mmbio.protocols import MULTITASK

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


def test_a_null_belongs_to_its_triplet_and_modality(under: Under) -> None:
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
        ("clean", [("face", 0.0), ("finger", 0.0)]),
        ("face=0.97,ecg=0.1", [("face", 0.97), ("finger", 0.0)]),
        ("missing=face", [("finger", 0.0)]),
        ("face=zeros,finger=random", []),
    ],
)
def test_only_images_that_are_there_are_extracted(
    tiny_manifest: Manifest, tiny_settings: Settings, text: str, expected: list[tuple[str, float]]
) -> None:
    found = jobs(tiny_manifest, parse(text), MULTITASK.modalities, tiny_settings)
    assert [(job.modality, job.level) for job in found] == expected

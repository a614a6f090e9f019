"""Samples under noise: what an item takes, then the noise, which is the same for the same item."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mmbio.data import audio, av_files
from mmbio.data.corrupted import Noise, chip, image, speech
from mmbio.data.degrade import degrade
from mmbio.data.images import augment, load_image
from mmbio.data.manifest import Manifest
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash


def seen(manifest: Manifest, modality: str, row: int, level: float) -> np.ndarray:
    return image(manifest, modality, row, level, manifest.paths(modality))


@pytest.mark.parametrize("modality", ["face", "finger"])
def test_without_noise_it_is_the_augmented_file(tiny_manifest: Manifest, modality: str) -> None:
    triplet = tiny_manifest.items.iloc[5]
    path, _ = tiny_manifest.paths(modality)[triplet[f"{modality}_sample"]]
    expected = augment(load_image(path), int(triplet[f"{modality}_draw"]))
    assert np.array_equal(seen(tiny_manifest, modality, 5, 0.0), expected)


@pytest.mark.parametrize(("modality", "level", "shape"), [("face", 0.97, (200, 180)), ("finger", 0.05, (96, 96))])
def test_noise_comes_at_the_native_resolution(
    tiny_manifest: Manifest, modality: str, level: float, shape: tuple[int, int]
) -> None:
    clean, noisy = (seen(tiny_manifest, modality, 5, share) for share in (0.0, level))
    black = (noisy == 0).all(axis=2)
    n = round(level * shape[0] * shape[1])
    assert noisy.shape == (*shape, 3)
    assert n <= black.sum() <= n + (clean == 0).all(axis=2).sum()
    assert np.array_equal(noisy[~black], clean[~black])


def test_noise_belongs_to_the_item_and_the_seed(tiny_manifest: Manifest) -> None:
    other = replace(tiny_manifest, info=tiny_manifest.info | {"seed": 1})
    noisy = seen(tiny_manifest, "face", 5, 0.97)
    assert np.array_equal(noisy, seen(tiny_manifest, "face", 5, 0.97))
    assert not np.array_equal(noisy, seen(other, "face", 5, 0.97))


@pytest.mark.parametrize(
    ("content", "told"), [(None, "is not there .*put the file back"), (b"other", "has changed since build-virtual")]
)
def test_a_file_that_moved_or_changed(
    tiny_manifest: Manifest, tmp_path: Path, content: bytes | None, told: str
) -> None:
    sample = tiny_manifest.items["face_sample"][5]
    _, sha = tiny_manifest.paths("face")[sample]
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MmbioError, match=rf"a\.jpg: .*{told}"):
        image(tiny_manifest, "face", 5, 0.97, {sample: (path, sha)})


@pytest.fixture
def item(tmp_path: Path) -> Manifest:
    """One item with an image as its face and a second of speech in a longer file."""
    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (24, 20, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    soundfile.write(str(tmp_path / "a.wav"), rng.normal(0, 0.1, 32_000).astype(np.float32), 16_000, subtype="FLOAT")
    row = {"item": 7, "face_sample": "f/a", "face_draw": "", "voice_sample": "v/a", "voice_draw": "1.250"}
    empty = pd.DataFrame()
    return Manifest(tmp_path, {"seed": 0}, empty, empty, pd.DataFrame([row]))


def files(item: Manifest, name: str, sample: str) -> dict[str, tuple[Path, str]]:
    path = item.folder / name
    return {sample: (path, bytes_hash(path.read_bytes()))}


def seen_chip(item: Manifest, how: Noise = None) -> np.ndarray:
    found = chip(item, 0, how, files(item, "a.png", "f/a"), lambda pixels: pixels[4:20, 2:18])
    assert found is not None
    return found


def test_a_face_is_cut_out_and_then_degraded(item: Manifest) -> None:
    clean = load_image(item.folder / "a.png")[4:20, 2:18]
    assert np.array_equal(seen_chip(item), clean)
    for how in (("blur", 2.0), ("crop", 0.5), ("lowres", 0.5)):
        assert np.array_equal(seen_chip(item, how), degrade(clean, *how, np.random.default_rng(0)))
    black = seen_chip(item, ("black", 0.5))
    assert np.array_equal(black, seen_chip(item, ("black", 0.5)))
    assert not np.array_equal(black, seen_chip(replace(item, info={"seed": 1}), ("black", 0.5)))


def test_no_face_is_no_chip(item: Manifest) -> None:
    assert chip(item, 0, ("blur", 2.0), files(item, "a.png", "f/a"), lambda _: None) is None


def test_a_clip_gives_the_frame_at_the_moment(item: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, float]] = []

    def frame(path: Path, at_s: float) -> np.ndarray:
        asked.append((path, at_s))
        return np.zeros((4, 4, 3), np.uint8)

    monkeypatch.setattr(av_files, "frame", frame)
    (item.folder / "a.mp4").write_bytes(b"clip")
    moved = replace(item, items=item.items.assign(face_draw="1.250"))
    assert chip(moved, 0, None, files(item, "a.mp4", "f/a"), lambda pixels: pixels) is not None
    assert asked == [(item.folder / "a.mp4", 1.25)]
    with pytest.raises(MmbioError, match="has changed since build-virtual"):
        chip(moved, 0, None, {"f/a": (item.folder / "a.mp4", "0" * 16)}, lambda pixels: pixels)


def test_speech_is_what_lies_around_the_moment(item: Manifest) -> None:
    paths = files(item, "a.wav", "v/a")
    whole = audio.samples_of(item.folder / "a.wav")
    assert np.array_equal(speech(item, 0, 0.5, None, paths), whole[16_000:24_000])
    noisy, again = (speech(item, 0, 0.5, ("snr", 10.0), paths) for _ in range(2))
    assert np.array_equal(noisy, again)
    added = noisy - whole[16_000:24_000]
    assert 10 * np.log10(np.square(whole[16_000:24_000]).mean() / np.square(added).mean()) == pytest.approx(10, abs=0.3)
    assert not np.array_equal(noisy, speech(replace(item, info={"seed": 1}), 0, 0.5, ("snr", 10.0), paths))


def test_sound_that_moved_or_changed(item: Manifest) -> None:
    paths = files(item, "a.wav", "v/a")
    (item.folder / "a.wav").write_bytes((item.folder / "a.wav").read_bytes()[:-4] + bytes(4))
    with pytest.raises(MmbioError, match=r"a\.wav: has changed since build-virtual read it"):
        speech(item, 0, 0.5, None, paths)
    (item.folder / "a.wav").unlink()
    with pytest.raises(MmbioError, match=r"a\.wav: a sample of the manifest is not there"):
        speech(item, 0, 0.5, None, paths)

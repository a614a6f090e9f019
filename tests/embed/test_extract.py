"""extract: each shard once, whatever interrupts it, and vectors that their key stands for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import save_file
from torchvision.models import resnet50 as torchvision_resnet50

from mmbio.data.corrupted import image
from mmbio.data.manifest import Manifest
from mmbio.embed.backbones import resnet50
from mmbio.embed.backbones.resnet50 import ResNet50, stack
from mmbio.embed.extract import Job, extract
from mmbio.embed.extractors import weights_of
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.files import read_json

EVERYTHING = np.arange(90)  # in three shards, the test rows 0..17 in the first


def job(manifest: Manifest, home: Path, modality: str = "face", level: float = 0.0, **settings: Any) -> Job:
    noise = ("black", level) if level else None
    how = replace(Settings(home, weights="random", device="cpu"), **settings)
    return Job(manifest, modality, noise, how)


class Reports(list[tuple[str, int, int]]):
    """What was reported; raises KeyboardInterrupt after so many."""

    def __init__(self, at_most: int = 99) -> None:
        self.at_most = at_most

    def __call__(self, what: str, done: int, total: int) -> None:
        self.append((what, done, total))
        if len(self) == self.at_most:
            raise KeyboardInterrupt


@pytest.mark.usefixtures("small")
def test_an_interrupted_run_goes_on_and_ends_in_the_same_bytes(tiny_manifest: Manifest, tmp_path: Path) -> None:
    whole, broken = (job(tiny_manifest, tmp_path / name, level=0.97) for name in ("whole", "broken"))
    expected = extract(whole, EVERYTHING)
    with pytest.raises(KeyboardInterrupt):
        extract(broken, EVERYTHING, Reports(at_most=1))
    assert broken.store.missing(EVERYTHING) == [1, 2]
    assert broken.missing(EVERYTHING) == 90 - 32
    reports = Reports()
    assert np.array_equal(extract(broken, EVERYTHING, reports), expected)
    assert reports == [("extracting face", 32, 58), ("extracting face", 58, 58)]
    for name in ("vectors.npy", "done.txt", "key.json"):
        assert (broken.store.folder / name).read_bytes() == (whole.store.folder / name).read_bytes()


@pytest.mark.usefixtures("small")
def test_only_what_is_asked_for_is_extracted_and_only_once(tiny_manifest: Manifest, tmp_path: Path) -> None:
    work, reports = job(tiny_manifest, tmp_path, "finger"), Reports()
    test = tiny_manifest.partitions()[0].test
    assert [work.missing(rows) for rows in (test, np.array([89]), EVERYTHING)] == [32, 26, 90]
    first = extract(work, test, reports)
    assert first.shape == (18, 2048)
    assert reports == [("extracting finger", 32, 32)]
    assert [work.missing(rows) for rows in (test, EVERYTHING)] == [0, 58]
    assert np.array_equal(extract(work, test, reports), first)
    assert len(reports) == 1
    assert np.array_equal(extract(work, test[::-1].copy(), reports), first[::-1])
    assert read_json(work.store.folder / "key.json", "key") == work.key


@pytest.mark.usefixtures("small")
def test_a_damaged_file_stops_it_and_what_was_done_stays(
    tiny_manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = tiny_manifest.paths("face")
    sample = tiny_manifest.items["face_sample"][89]
    (tmp_path / "a.jpg").write_bytes(b"")
    broken = paths | {sample: (tmp_path / "a.jpg", paths[sample][1])}
    work = job(tiny_manifest, tmp_path)
    used = {row // 32 for row in EVERYTHING if tiny_manifest.items["face_sample"][row] == sample}
    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "paths", lambda *_: broken)
        with pytest.raises(MmbioError, match=r"a\.jpg: has changed since build-virtual"):
            extract(work, EVERYTHING)
    assert work.store.missing(EVERYTHING) == list(range(min(used), 3))
    assert extract(work, EVERYTHING).shape == (90, 2048)


def test_bf16_vectors_point_where_fp32_ones_do(
    tiny_manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resnet50, "BATCH", 8)
    monkeypatch.setenv("MMBIO_THREADS", "1")
    rows = EVERYTHING[:8]
    fp32, bf16 = (
        extract(job(tiny_manifest, tmp_path, level=0.97, precision=precision), rows) for precision in ("fp32", "bf16")
    )

    def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        products = (one * other).sum(1)
        return np.asarray(products / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1))

    assert cosines(fp32, bf16).min() >= 0.999
    # What tells images apart is small beside what they share under random weights; it must survive too.
    assert cosines(fp32 - fp32.mean(0), bf16 - bf16.mean(0)).min() >= 0.9


def test_vectors_are_those_of_the_images(tiny_manifest: Manifest, small_settings: Settings) -> None:
    rows = EVERYTHING[64:]
    paths = tiny_manifest.paths("face")
    pixels = stack([image(tiny_manifest, "face", int(row), 0.97, paths) for row in rows])
    work = Job(tiny_manifest, "face", ("black", 0.97), replace(small_settings, precision="bf16"))
    expected = ResNet50("random", "bf16", "cpu", work.key["execution"]).embed(pixels)
    assert np.array_equal(extract(work, rows), expected)


def test_everything_that_determines_the_vectors_is_in_the_key(
    tiny_manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seeded(seed: int) -> Manifest:
        return replace(tiny_manifest, info=tiny_manifest.info | {"seed": seed})

    changed = replace(tiny_manifest, items=tiny_manifest.items.assign(face_draw="7"))
    save_file(torchvision_resnet50().state_dict(), str(tmp_path / "w.safetensors"))
    clean = job(tiny_manifest, tmp_path)
    jobs = [
        clean,
        job(tiny_manifest, tmp_path, "finger"),
        job(tiny_manifest, tmp_path, level=0.97),
        job(tiny_manifest, tmp_path, level=0.5),
        job(seeded(1), tmp_path, level=0.5),
        job(changed, tmp_path),
        job(tiny_manifest, tmp_path, weights="imagenet"),
        job(tiny_manifest, tmp_path, weights=str(tmp_path / "w.safetensors")),
        job(tiny_manifest, tmp_path, precision={"bf16": "fp32", "fp32": "bf16"}[clean.key["precision"]]),
    ]
    folders = [one.store.folder for one in jobs]
    monkeypatch.setenv("MMBIO_THREADS", "3")
    folders.append(job(tiny_manifest, tmp_path).store.folder)
    assert len(set(folders)) == len(folders)


def test_a_clean_image_does_not_know_the_seed_of_the_noise(tiny_manifest: Manifest, tmp_path: Path) -> None:
    other = replace(tiny_manifest, info=tiny_manifest.info | {"seed": 1})
    assert job(tiny_manifest, tmp_path).key == job(other, tmp_path / "elsewhere").key


@pytest.mark.parametrize(
    ("synthetic", "asked", "taken"),
    [
        (True, "auto", "random"),
        (False, "auto", "imagenet"),
        (True, "imagenet", "imagenet"),
        (False, "random", "random"),
        (False, "a.pth", "a.pth"),
    ],
)
def test_auto_weights_are_random_on_synthetic_data_only(
    tiny_manifest: Manifest, tmp_path: Path, synthetic: bool, asked: str, taken: str
) -> None:
    sources = tiny_manifest.info["sources"]
    finger = sources["finger"] | {"synthetic": synthetic}
    manifest = replace(tiny_manifest, info=tiny_manifest.info | {"sources": sources | {"finger": finger}})
    assert weights_of(manifest, Settings(tmp_path, weights=asked)) == taken

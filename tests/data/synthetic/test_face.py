"""The synthetic Faces95: its layout, its sameness, and that people differ more than photographs."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mmbio.data.synthetic import face

SUBJECTS = (0, 1, 2)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / face.FOLDER
    for index in SUBJECTS:
        face.write_subject(folder, index, seed=7)
    return folder


def photographs(root: Path, index: int) -> NDArray[np.float64]:
    """(20, 200, 180, 3)"""
    name = face.subject_name(index)
    paths = [root / name / f"{name}.{number}.jpg" for number in range(1, face.N_IMAGES + 1)]
    return np.stack([np.asarray(Image.open(path), dtype=np.float64) for path in paths])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.jpg")}


def test_the_layout_is_that_of_faces95(root: Path) -> None:
    expected = {f"synth{i + 1:02d}/synth{i + 1:02d}.{n}.jpg" for i in SUBJECTS for n in range(1, 21)}
    assert {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} == expected


def test_every_image_is_a_colour_jpeg_180_wide_and_200_high(root: Path) -> None:
    kinds = set()
    for path in root.rglob("*.jpg"):
        with Image.open(path) as image:
            kinds.add((image.format, image.mode, image.size))
    assert kinds == {("JPEG", "RGB", (180, 200))}


def test_the_same_seed_gives_the_same_bytes(root: Path, tmp_path: Path) -> None:
    face.write_subject(tmp_path, 2, seed=7)
    assert contents(tmp_path) == contents(root / face.subject_name(2))


@pytest.mark.parametrize(("seed", "spread"), [(8, face.IDENTITY_SPREAD), (7, 0.5 * face.IDENTITY_SPREAD)])
def test_another_seed_or_spread_gives_other_images(root: Path, tmp_path: Path, seed: int, spread: float) -> None:
    face.write_subject(tmp_path, 2, seed, spread)
    other, same = contents(tmp_path), contents(root / face.subject_name(2))
    assert all(other[name] != same[name] for name in same)


def test_images_of_one_subject_all_differ(root: Path) -> None:
    assert len(set(contents(root / face.subject_name(0)).values())) == face.N_IMAGES


def test_subjects_differ_more_than_images_of_one_subject(root: Path) -> None:
    images = np.stack([photographs(root, index) for index in SUBJECTS])
    means = images.mean(axis=1)
    own, others = [], []
    for i, subject in enumerate(images):  # each image against the mean of the subject's other images
        rest = (face.N_IMAGES * means[i] - subject) / (face.N_IMAGES - 1)
        own.append(np.abs(subject - rest).mean())
        others += [np.abs(subject - means[j]).mean() for j in range(len(SUBJECTS)) if j != i]
    assert np.mean(own) < np.mean(others)


def test_with_no_spread_only_the_textures_differ(tmp_path: Path) -> None:
    for index in (0, 1):
        face.write_subject(tmp_path, index, seed=7, spread=0.0)
    first, second = (photographs(tmp_path, index).mean(axis=(0, 1, 2)) for index in (0, 1))
    assert first == pytest.approx(second, abs=12)


def test_names_count_from_one() -> None:
    assert [face.subject_name(i) for i in (0, 8, 71)] == ["synth01", "synth09", "synth72"]


@pytest.mark.parametrize("index", [-1, 72])
def test_an_index_outside_the_set_is_refused(index: int) -> None:
    with pytest.raises(ValueError, match="expected 0 to 71"):
        face.subject_name(index)


def test_genders_csv_names_every_subject_once() -> None:
    header, *rows = face.genders_csv().splitlines()
    assert header == "subject,gender"
    assert rows[:3] == ["synth01,F", "synth02,M", "synth03,F"]
    assert len(set(rows)) == len(rows) == face.N_SUBJECTS == 72
    assert sum(row.endswith(",F") for row in rows) == 36

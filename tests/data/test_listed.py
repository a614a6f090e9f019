"""Listed samples: one row a file, one row for all vectors of a modality, and what a manifest calls its data."""

from pathlib import Path
from typing import Any

import pytest

from mmbio.data import listed
from mmbio.data.samples import Sample, SampleSet
from mmbio.data.synthetic.root import MARKER
from mmbio.files import bytes_hash, content_hash

FILES = {"face.npy": "0123"}


def files(root: Path, name: str) -> SampleSet:
    """A set of two images of one person."""
    folder = root / name
    folder.mkdir(parents=True)
    samples = [Sample("face", "p", f"p/{i}", i, f"{i}.png") for i in range(2)]
    for sample in samples:
        (folder / sample.path).write_text(sample.sample)
    return SampleSet(name, folder, tuple(samples))


def vectors(root: Path, *, synthetic: bool = False) -> SampleSet:
    """A vector set of two rows."""
    samples = tuple(Sample("face", "p", f"p/{i}", i, "face.npy", row=i) for i in range(2))
    return SampleSet("mine", root, samples, vectors={"files": FILES, "synthetic": synthetic, "dim": 4})


def rows(*sets: SampleSet) -> list[dict[str, object]]:
    return listed.sample_rows((sets, s.name, sample) for s in sets for sample in s.samples)


def test_a_file_has_a_row_with_its_hash_once(tmp_path: Path) -> None:
    one = files(tmp_path, "one")
    expected = {"modality": "face", "sample": "one/p/1", "subject": "one/p", "order": 1, "path": "1.png"}
    expected["sha"] = bytes_hash(b"p/1")
    assert rows(one)[1] == expected
    assert listed.sample_rows(((one,), "one", one.samples[0]) for _ in range(3)) == rows(one)[:1]


def test_sets_side_by_side_have_paths_from_the_folder_above(tmp_path: Path) -> None:
    sets = files(tmp_path, "one"), files(tmp_path, "two")
    assert listed.common_folder(sets) == tmp_path
    assert [row["path"] for row in rows(*sets)] == ["one/0.png", "one/1.png", "two/0.png", "two/1.png"]


def test_vectors_have_one_row_that_stands_for_their_files(tmp_path: Path) -> None:
    expected = {"modality": "face", "sample": "mine/face", "subject": "", "order": 0, "path": "face.npy"}
    assert rows(vectors(tmp_path)) == [expected | {"sha": content_hash(FILES)}]


def test_what_a_manifest_says_of_a_source(tmp_path: Path) -> None:
    found = listed.source((vectors(tmp_path),), {"mine"})
    assert found == {
        "sets": ["mine"],
        "folder": str(tmp_path.resolve()),
        "synthetic": False,
        "vectors": {"files": FILES, "synthetic": False, "dim": 4},
    }
    assert "vectors" not in listed.source((files(tmp_path, "one"),), {"one"})


def test_what_mmbio_made_is_synthetic(tmp_path: Path) -> None:
    real, made = files(tmp_path / "real", "one"), files(tmp_path / "made", "one")
    (tmp_path / "made" / MARKER).touch()
    assert [listed.is_synthetic(s) for s in (real, made, vectors(tmp_path))] == [False, True, False]
    assert listed.is_synthetic(vectors(tmp_path, synthetic=True))


def of(synthetic: bool, *sets: str, vectors: bool = False) -> dict[str, Any]:
    return {"sets": list(sets), "synthetic": synthetic} | ({"vectors": {}} if vectors else {})


@pytest.mark.parametrize(
    ("sources", "label"),
    [
        ([of(True, "faces95"), of(True, "fvc2006")], "synthetic"),
        ([of(True, "simulated", vectors=True)] * 2, "simulated"),
        ([of(False, "mine", vectors=True)] * 2, "mine"),
        ([of(False, "faces94"), of(False, "librispeech")], "faces94 + librispeech"),
        ([of(False, "ecg-id", "ptb"), of(True, "faces95")], "ecg-id + ptb + faces95 (synthetic)"),
    ],
)
def test_the_label_says_the_word_where_anything_is_synthetic(sources: list[dict[str, Any]], label: str) -> None:
    assert listed.data_label(dict(zip(("face", "voice"), sources, strict=True))) == label

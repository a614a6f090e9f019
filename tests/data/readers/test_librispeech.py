"""LibriSpeech: speakers, chapters and subsets, and what may be wrong with them."""

import os
from pathlib import Path

import pytest

from mmbio.data.readers.librispeech import PUBLISHED, read
from mmbio.errors import MmbioError

DATA = Path(os.environ.get("MMBIO_TEST_DATA") or Path(__file__).parents[3].parent / "shared" / "data")
REAL = DATA / "LibriSpeech"
SPEAKERS = """\
; a comment | F | with bars
;ID  |SEX| SUBSET           |MINUTES| NAME

60   | M | train-clean-100  | 20.18 | Name | with bars | |
908  | M | test-clean       | 8.05  | Name
1089 | F | test-clean       | 8.02  |
"""


def clip(root: Path, subset: str, speaker: str, chapter: str, number: str, suffix: str = ".flac") -> None:
    path = root / subset / speaker / chapter / f"{speaker}-{chapter}-{number}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three speakers: one to develop on, two to test on."""
    (tmp_path / "SPEAKERS.TXT").write_text(SPEAKERS, encoding="utf-8")
    clip(tmp_path, "train-clean-100", "60", "121082", "0003")
    clip(tmp_path, "test-clean", "1089", "134691", "0000")
    clip(tmp_path, "test-clean", "1089", "134686", "0010")
    clip(tmp_path, "test-clean", "1089", "134686", "0002")
    clip(tmp_path, "test-other", "908", "31957", "0001")
    clip(tmp_path, "test-clean", "1089", "134686", "0002", ".txt")
    return tmp_path


def test_samples_by_hand(root: Path) -> None:
    found = read(root)
    assert (found.name, found.folder, found.altered) == ("librispeech", root, False)
    assert [(s.sample, s.order, s.gender, s.session, s.part) for s in found.samples] == [
        ("train-clean-100/60/121082/60-121082-0003", 0, "M", "60-121082", "dev"),
        ("test-other/908/31957/908-31957-0001", 0, "M", "908-31957", "test"),
        ("test-clean/1089/134686/1089-134686-0002", 0, "F", "1089-134686", "test"),
        ("test-clean/1089/134686/1089-134686-0010", 1, "F", "1089-134686", "test"),
        ("test-clean/1089/134691/1089-134691-0000", 2, "F", "1089-134691", "test"),
    ]
    for sample in found.samples:
        assert (sample.modality, sample.path, sample.age) == ("voice", f"{sample.sample}.flac", None)
        assert sample.subject == sample.sample.split("/")[1]
        assert (root / sample.path).is_file()


def test_counts_that_differ_are_said(root: Path) -> None:
    assert read(root).notes == (
        "librispeech: 3 speakers where the set has 324",
        "librispeech: 5 clips where the set has 34098",
    )


def test_a_subset_of_ones_own_has_no_published_counts(root: Path) -> None:
    (root / "train-clean-100").rename(root / "train-mine")
    found = read(root)
    assert found.notes == ()
    assert found.samples[0].part == "dev"


@pytest.mark.parametrize(("subset", "part"), [(name, "test" if "test" in name else "dev") for name in PUBLISHED])
def test_the_part_follows_from_the_subset(tmp_path: Path, subset: str, part: str) -> None:
    (tmp_path / "SPEAKERS.TXT").write_text(SPEAKERS, encoding="utf-8")
    clip(tmp_path, subset, "60", "1", "0000")
    assert read(tmp_path).samples[0].part == part


def test_a_speaker_of_two_development_subsets_is_one_subject(root: Path) -> None:
    clip(root, "dev-clean", "60", "7", "0000")
    mine = [sample for sample in read(root).samples if sample.subject == "60"]
    assert [(s.session, s.order) for s in mine] == [("60-7", 0), ("60-121082", 1)]


def test_a_speaker_of_dev_and_test_is_refused(root: Path) -> None:
    clip(root, "train-clean-100", "908", "5", "0000")
    with pytest.raises(MmbioError, match=r"speaker '908' lies in test-other and train-clean-100.* take one of"):
        read(root)


@pytest.mark.parametrize("name", ["1089-134686.flac", "1089-999-0001.flac", "60-134686-0001.flac", "talk.flac"])
def test_files_of_other_names_are_counted(root: Path, name: str) -> None:
    (root / "test-clean" / "1089" / "134686" / name).write_bytes(b"x")
    found = read(root)
    assert len(found.samples) == 5
    assert found.notes[0] == "librispeech: 1 file not named SPEAKER-CHAPTER-NNNN.flac left out"


@pytest.mark.parametrize("folder", ["", "test-clean", "test-clean/1089/134686", "noise/1089/134686"])
def test_a_folder_without_clips(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    with pytest.raises(MmbioError, match=r"holds no test-clean/SPEAKER/CHAPTER/.*; unpack the set's archive"):
        read(tmp_path)


def test_a_missing_list_of_speakers(root: Path) -> None:
    (root / "SPEAKERS.TXT").unlink()
    with pytest.raises(MmbioError, match=r"SPEAKERS\.TXT: cannot be read \(No such .*genders; take it from the set's"):
        read(root)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", r"no row for 3 speakers \(60, 908, 1089\)"),
        (b"60 | M | x\n908 | M | x\n", r"no row for 1 speaker \(1089\)"),
        (b";\n60 | X | x", "row 2 is '60 | X | x', not 'ID | F or M"),
        (b"60", "row 1 is '60', not 'ID | F or M"),
        (b"\xff\xfe", "no UTF-8 text"),
    ],
)
def test_a_broken_list_of_speakers(root: Path, content: bytes, told: str) -> None:
    (root / "SPEAKERS.TXT").write_bytes(content)
    with pytest.raises(MmbioError, match=rf"SPEAKERS\.TXT: .*{told.replace('|', '[|]')}.*take it from"):
        read(root)


def test_a_clip_of_zero_bytes(root: Path) -> None:
    (root / "test-clean" / "1089" / "134686" / "1089-134686-0010.flac").write_bytes(b"")
    with pytest.raises(MmbioError, match=r"1089-134686-0010\.flac: zero bytes"):
        read(root)


@pytest.mark.skipif(not REAL.is_dir(), reason="no real LibriSpeech is there")
def test_the_real_set() -> None:
    samples = read(REAL).samples
    parts = {part: [s for s in samples if s.part == part] for part in ("dev", "test")}
    assert {part: len({s.subject for s in found}) for part, found in parts.items()} == {"dev": 80, "test": 50}
    assert {part: len(found) for part, found in parts.items()} == {"dev": 80, "test": 250}
    assert {s.gender for s in samples} == {"F", "M"}
    assert len({s.sample for s in samples}) == len(samples)

"""People who are called by a number: found by their place in a set, and by nothing that bears the number elsewhere."""

import json
from pathlib import Path

import pytest

from mmbio.cli import download
from mmbio.data import excluded
from mmbio.data.fetch import archives, contents, lock
from mmbio.data.fetch.catalogue import CATALOGUE
from mmbio.data.samples import Sample, SampleSet
from mmbio.purge import places, records, remove, sources
from mmbio.purge.person import Person
from mmbio.purge.places import Place
from mmbio.purge.proof import Proof

SPEAKERS = ";ID |SEX| SUBSET\n84 | F | dev-clean | 8\n121 | F | dev-clean | 8\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Speaker 84, who reads a chapter 121, and speaker 121."""
    libri = tmp_path / "root" / "LibriSpeech"
    for who, chapter in (("84", "121"), ("121", "84")):
        folder = libri / "dev-clean" / who / chapter
        folder.mkdir(parents=True)
        for name in (f"{who}-{chapter}-0001.flac", f"{who}-{chapter}.trans.txt"):
            (folder / name).write_text("x")
    (libri / "SPEAKERS.TXT").write_text(SPEAKERS)
    (libri / "CHAPTERS.TXT").write_text("121 | 84 | 1.0 |\n84 | 121 | 2.0 |\n")
    (libri / "README.TXT").write_text("84 people of 121 speak\n")
    (libri / "SHA256SUMS").write_text("0a  ./dev-clean/84/121/84-121-0001.flac\n0b  dev-clean/121/84/x.flac\n")
    return tmp_path / "root"


def purge(home: Path, who: str, root: Path | None = None) -> Proof:
    return remove.purge(remove.plan(who, home, root), False)[1]


def test_a_speaker_goes_with_transcripts_lines_and_folders(root: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    assert purge(tmp_path / "runs", "84", root).found == ()
    libri = root / "LibriSpeech"
    files = {p.relative_to(libri / "dev-clean").as_posix() for p in (libri / "dev-clean").rglob("*")}
    assert files == {"121", "121/84", "121/84/121-84-0001.flac", "121/84/121-84.trans.txt"}
    assert (libri / "SPEAKERS.TXT").read_text() == SPEAKERS.replace("84 | F | dev-clean | 8\n", "")
    assert (libri / "CHAPTERS.TXT").read_text() == "84 | 121 | 2.0 |\n"
    assert (libri / "README.TXT").read_text() == "84 people of 121 speak\n"
    assert (libri / "SHA256SUMS").read_text() == "0b  dev-clean/121/84/x.flac\n"


def test_what_stays_is_told(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").mkdir()
    monkeypatch.setattr(sources, "files", lambda *_: [])
    monkeypatch.setattr(places, "without", lambda *_: None)
    libri = root / "LibriSpeech"
    found = purge(tmp_path / "runs", "84", root).found
    assert found == ((str(libri / "dev-clean" / "84"), "its name, by its place"),)
    monkeypatch.undo()
    known = [Place.of(one) for one in sources.sets(root)]
    left = {Path(path).name for path, _ in places.left(root, known, [Person("librispeech", "84")])}
    assert left == {"84", "SPEAKERS.TXT", "CHAPTERS.TXT", "SHA256SUMS"}


FINGERS = Place("fvc2000", Path("fvc2000"), frozenset(), frozenset({"DB1_B"}))
SPEECH = Place("librispeech", Path("LibriSpeech"), frozenset({1}), frozenset())


@pytest.mark.parametrize(
    ("place", "path", "subject", "is_of"),
    [
        (FINGERS, "DB1_B/101_1.tif", "101", True),
        (FINGERS, "fvc2000/DB1_B/101_1.tif", "101", True),
        (FINGERS, "DB1_B/1011_1.tif", "101", False),
        (FINGERS, "DB2_B/101_1.tif", "101", False),
        (FINGERS, "DB1_B/102_101.tif", "101", False),
        (SPEECH, "LibriSpeech/dev-clean/84/121/x.flac", "84", True),
        (SPEECH, "dev-clean/84/121/x.flac", "121", False),
        (SPEECH, '"./dev-clean/84"', "84", True),
        (SPEECH, ".", "84", False),
    ],
)
def test_whose_a_path_is(place: Place, path: str, subject: str, is_of: bool) -> None:
    assert place.is_of(path, subject) is is_of


def test_how_a_set_lies() -> None:
    one = SampleSet("x", Path("x"), (Sample("finger", "1", "a/1_1", 0, "a/1_1.tif"),))
    assert Place.of(one) == Place("x", Path("x"), frozenset(), frozenset({"a"}))


def test_records_of_downloads_forget_numbers(root: Path) -> None:
    paths = ("dev-clean/84/121/84-121-0001.flac", "dev-clean/121/84/121-84-0001.flac")
    libri = root / "LibriSpeech"
    files = {path: contents.Content(1, "0" * 64) for path in paths}
    entry = lock.Entry("", "0" * 64, 1, lock.now(), lock.FIRST_USE)
    lock.record(root, {f"LibriSpeech/{path}": entry for path in paths})
    contents.record(root, "librispeech-dev-clean", files, root, lock.FIRST_USE)
    archives.remember(libri / "dev.tar.gz", "0" * 64, [libri / path for path in paths])
    records.forget(root, [Person("librispeech", "84")], [Place.of(one) for one in sources.sets(root)])
    assert set(contents.read(root, "librispeech-dev-clean")) == {paths[1]}
    assert set(archives.brought(libri / "dev.tar.gz")[1]) == {paths[1]}
    assert set(lock.read(root)) == {f"LibriSpeech/{paths[1]}", ".mmbio/librispeech-dev-clean.csv"}
    assert json.loads((root / lock.NAME).read_text())


def test_who_came_back(root: Path, tmp_path: Path) -> None:
    home = tmp_path / "runs"
    home.mkdir()
    assert excluded.returned(home, sources.sets(root)) == 0
    excluded.add(home, [("librispeech", "84"), ("other", "121")])
    assert excluded.returned(home, sources.sets(root, "librispeech")) == 1
    assert sources.sets(root, "faces94") == []


def test_a_download_that_brings_somebody_back_says_so(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("librispeech-dev-clean", "fvc2002"):
        download._warn_of_excluded(CATALOGUE[name], root, tmp_path)
    assert caplog.messages == []
    excluded.add(tmp_path, [("librispeech", "84")])
    for name in ("librispeech-dev-clean", "fvc2002"):
        download._warn_of_excluded(CATALOGUE[name], root, tmp_path)
    (line,) = caplog.messages
    assert line.startswith("librispeech-dev-clean: people came whom mmbio purge excluded: 1; build-virtual")

"""Placing what a user got by hand: recognised wherever it lies, verified, whole or not at all."""

import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mmbio.data.fetch import contents, lock
from mmbio.data.fetch.catalogue import CATALOGUE, Dataset, File, Part
from mmbio.data.fetch.place import place
from mmbio.errors import MmbioError
from mmbio.report import silent

SMALL = {  # the sets with as many files as a test can make
    "fvc2006": replace(
        CATALOGUE["fvc2006"],
        parts=tuple(Part(f"DB{i}_A", f"DB{i}_A/*.bmp", (4,), optional=True) for i in (1, 2)),
    ),
    "socofing": replace(
        CATALOGUE["socofing"],
        parts=(Part("Real", "Real/*.bmp", (2,)), Part("Altered-Easy", "Altered/Altered-Easy/*.bmp", optional=True)),
    ),
    "voxceleb1": replace(
        CATALOGUE["voxceleb1"],
        parts=(
            Part("voices", "**/id1????/*/*.wav", (4, 2), optional=True),
            Part("faces", "**/unzippedFaces/*/1.6/*/*.jpg", optional=True),
        ),
        archives=(),
    ),
    "voxceleb2": CATALOGUE["voxceleb2"],
}
META = "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid10001\tA_B\tf\tUK\tdev\nid10270\tC_D\tm\tUK\ttest\n"


def fvc(folder: Path, databases: tuple[str, ...] = ("DB1_A",)) -> Path:
    for database in databases:
        for name in ("1_1", "1_2", "2_1", "2_2"):
            written(folder / database / f"{name}.bmp", f"{database} {name}")
    return folder


def socofing(folder: Path) -> Path:
    for name in ("1__M_Left_index_finger.BMP", "2__F_Left_index_finger.BMP"):
        written(folder / "Real" / name, name)
    written(folder / "Altered/Altered-Easy/1__M_Left_index_finger_CR.BMP", "altered")
    return folder


def voxceleb(folder: Path) -> Path:
    for speaker in ("id10001", "id10270"):
        for clip in ("00001.wav", "00002.wav"):
            written(folder / "wav" / speaker / "video" / clip, speaker + clip)
    written(folder / "vox1_meta.csv", META)
    return folder


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def zipped(folder: Path, archive: Path) -> Path:
    return Path(shutil.make_archive(str(archive.with_suffix("")), "zip", folder.parent, folder.name))


def held(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


DB1 = {f"DB1_A/{name}.bmp" for name in ("1_1", "1_2", "2_1", "2_2")}
LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "itself": lambda p: fvc(p / "FVC"),
    "one too deep": lambda p: fvc(p / "FVC") / "DB1_A",
    "one too high": lambda p: fvc(p / "in/FVC").parent,
    "three too high": lambda p: fvc(p / "in/this/one/FVC").parents[2],
    "lower case": lambda p: fvc(p / "x", ("db1_a",)),
    "an archive": lambda p: zipped(fvc(p / "fvc2006"), p / "got.zip"),
    "an archive of the database": lambda p: zipped(fvc(p / "x") / "DB1_A", p / "DB1_A.zip"),
    "an archive in a folder": lambda p: (
        zipped(fvc(p / "fvc2006"), written(p / "z/readme.txt", "").parent / "a.zip").parent
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_set_is_found_wherever_it_lies_and_copied(layout: str, tmp_path: Path) -> None:
    source = LAYOUTS[layout](tmp_path / "got")
    before = held(tmp_path / "got")
    placed = place(SMALL["fvc2006"], source, tmp_path / "root", silent)
    assert {name.upper() for name in held(placed.folder)} == {name.upper() for name in DB1}
    assert held(tmp_path / "got") == before
    assert placed.folder == tmp_path / "root/fvc2006"
    assert (placed.n_files, placed.was_there) == (4, False)
    assert str(placed) == f"{placed.folder} (4 files, {placed.size} bytes; first use)"
    assert not [p for p in (tmp_path / "root").iterdir() if p.name.endswith((".arriving", "unpacked"))]


def test_what_is_placed_is_recorded(tmp_path: Path) -> None:
    place(SMALL["fvc2006"], fvc(tmp_path / "got"), tmp_path / "root", silent)
    known = contents.read(tmp_path / "root", "fvc2006")
    assert set(known) == DB1
    assert known["DB1_A/1_1.bmp"].size == len("DB1_A 1_1")
    entry = lock.read(tmp_path / "root")[".mmbio/fvc2006.csv"]
    assert (entry.verified, entry.url) == (lock.FIRST_USE, (tmp_path / "got").as_uri())


def test_in_its_place_already_nothing_is_copied(tmp_path: Path) -> None:
    fvc(tmp_path / "root/fvc2006")
    written(tmp_path / "root/fvc2006/notes.txt", "mine")
    for source in (tmp_path / "root", tmp_path / "root/fvc2006", tmp_path / "root/fvc2006/DB1_A"):
        placed = place(SMALL["fvc2006"], source, tmp_path / "root", silent)
        assert placed.was_there
        assert "in its place already" in str(placed)
    assert held(tmp_path / "root/fvc2006") == {*DB1, "notes.txt"}


def test_a_second_part_comes_beside_the_first(tmp_path: Path) -> None:
    place(SMALL["fvc2006"], fvc(tmp_path / "one"), tmp_path / "root", silent)
    written(tmp_path / "root/fvc2006/mine.txt", "mine")
    place(SMALL["fvc2006"], fvc(tmp_path / "two", ("DB2_A",)), tmp_path / "root", silent)
    assert held(tmp_path / "root/fvc2006") == {*DB1, *(name.replace("1_A", "2_A") for name in DB1), "mine.txt"}
    assert len(contents.read(tmp_path / "root", "fvc2006")) == 8


def test_another_file_than_the_one_placed_before_is_refused(tmp_path: Path) -> None:
    place(SMALL["fvc2006"], fvc(tmp_path / "one"), tmp_path / "root", silent)
    written(fvc(tmp_path / "two") / "DB1_A/1_1.bmp", "other")
    with pytest.raises(MmbioError, match=r"DB1_A/1_1.bmp: another file than the one placed before"):
        place(SMALL["fvc2006"], tmp_path / "two", tmp_path / "root", silent)
    assert (tmp_path / "root/fvc2006/DB1_A/1_1.bmp").read_text() == "DB1_A 1_1"


def test_socofing_is_found_in_the_shallower_of_two_copies(tmp_path: Path) -> None:
    got = tmp_path / "archive"
    socofing(got / "SOCOFing")
    socofing(got / "socofing/SOCOFing")
    placed = place(SMALL["socofing"], zipped(got, tmp_path / "archive.zip"), tmp_path / "root", silent)
    assert held(placed.folder) == held(got / "SOCOFing")
    assert any("600" in note for note in placed.notes)


@pytest.mark.parametrize("below", ["", "vox1", "a/b"])
def test_voxceleb_keeps_the_folders_that_tell_the_kind(below: str, tmp_path: Path) -> None:
    voxceleb(tmp_path / "got" / below)
    placed = place(SMALL["voxceleb1"], tmp_path / "got", tmp_path / "root", silent)
    assert placed.folder == tmp_path / "root/voxceleb/voxceleb1"
    assert "wav/id10001/video/00001.wav" in held(placed.folder)


def test_voxceleb_reads_the_lists_that_are_there_already(tmp_path: Path) -> None:
    got = voxceleb(tmp_path / "got")
    (got / "vox1_meta.csv").unlink()
    with pytest.raises(MmbioError, match=r"no vox1_meta\.csv"):
        place(SMALL["voxceleb1"], got, tmp_path / "root", silent)
    assert not (tmp_path / "root/voxceleb/voxceleb1").exists()
    written(tmp_path / "root/voxceleb/vox1_meta.csv", META)
    placed = place(SMALL["voxceleb1"], got, tmp_path / "root", silent)
    assert len(held(placed.folder)) == 4


def test_voxceleb_from_two_archives_in_one_folder(tmp_path: Path) -> None:
    for speaker, name in (("id10001", "vox1_dev_wav"), ("id10270", "vox1_test_wav")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as out:
            out.writestr(f"wav/{speaker}/video/00001.wav", "x")
    placed = place(SMALL["voxceleb1"], tmp_path, tmp_path / "root", silent)
    assert held(placed.folder) == {
        "vox1_dev_wav/wav/id10001/video/00001.wav",
        "vox1_test_wav/wav/id10270/video/00001.wav",
    }


def missing_file(p: Path) -> Path:
    (fvc(p) / "DB1_A/2_2.bmp").unlink()
    return p


def empty_file(p: Path) -> Path:
    written(fvc(p) / "DB1_A/2_2.bmp", "")
    return p


def dangling(p: Path) -> Path:
    (fvc(p) / "DB1_A/2_2.bmp").unlink()
    (p / "DB1_A/2_2.bmp").symlink_to("/nowhere")
    return p


def pipe(p: Path) -> Path:
    (fvc(p) / "DB1_A/2_2.bmp").unlink()
    os.mkfifo(p / "DB1_A/2_2.bmp")
    return p


def not_text(p: Path) -> Path:
    (fvc(p) / "DB1_A/2_2.bmp").rename(p / "DB1_A/2_2\udcff.bmp")
    return p


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "nothing there": (lambda p: p / "no", "no such file or folder; give the folder or archive that FVC2006 came as"),
    "another set": (socofing, "holds nothing of FVC2006 .looked for DB1_A/.*; see `mmbio datasets fvc2006`"),
    "an empty folder": (lambda p: written(p / "x/y", "") and p, "holds nothing of FVC2006"),
    "a file of another kind": (lambda p: written(p / "x.zip", "text"), "neither a zip nor a tar"),
    "an archive of another set": (lambda p: zipped(socofing(p / "x"), p / "y.zip"), "holds nothing of FVC2006"),
    "a file missing": (missing_file, r"not the whole of FVC2006: DB1_A: 3 of 4 \(DB1_A/\*.bmp\); take the rest"),
    "a file of zero bytes": (empty_file, "zero bytes"),
    "a link to nowhere": (dangling, "a link that leads nowhere"),
    "a name in no encoding": (not_text, "a name that is not printable text; rename the file"),
    "a pipe": (pipe, "a device or a pipe"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_in_one_sentence_and_nothing_is_placed(case: str, tmp_path: Path) -> None:
    make, words = BAD[case]
    source = make(tmp_path / "got")
    with pytest.raises(MmbioError, match=words) as caught:
        place(SMALL["fvc2006"], source, tmp_path / "root", silent)
    assert "\n" not in str(caught.value)
    assert "/root/" not in str(caught.value).replace(str(tmp_path / "root/fvc2006"), "")
    assert not (tmp_path / "root/fvc2006").exists()
    assert not (tmp_path / "root/mmbio-lock.json").exists()


def test_an_archive_with_a_known_hash_is_compared_with_it(tmp_path: Path) -> None:
    dataset = replace(SMALL["fvc2006"], archives=(File("fvc.zip", "", None, "md5:" + "0" * 32),))
    with pytest.raises(MmbioError, match=r"fvc.zip: md5 [0-9a-f]{12}... where the set's fvc.zip has 000000000000"):
        place(dataset, zipped(fvc(tmp_path / "x"), tmp_path / "fvc.zip"), tmp_path / "root", silent)


def test_lists_with_known_hashes_are_compared(tmp_path: Path) -> None:
    written(tmp_path / "got/vox1_meta.csv", META)
    known = File("vox1_meta.csv", "vox1_meta.csv", None, "md5:" + "0" * 32)
    dataset = replace(CATALOGUE["voxceleb-lists"], files=(known,))
    with pytest.raises(MmbioError, match=r"vox1_meta.csv: md5 .* where the set's vox1_meta.csv has 000000000000"):
        place(dataset, tmp_path / "got", tmp_path / "root", silent)


def test_a_set_that_needs_genders_is_placed_with_a_note(tmp_path: Path) -> None:
    written(tmp_path / "got/faces95/ann/ann.1.jpg", "x")
    placed = place(CATALOGUE["faces95"], tmp_path / "got", tmp_path / "root", silent)
    assert placed.notes == ("faces95: needs a genders.csv before it can be used",)


class TestRealData:
    """The copies of real sets, where they are there."""

    @pytest.fixture
    def data(self) -> Path:
        named = os.environ.get("MMBIO_TEST_DATA")
        data = Path(named) if named else Path(__file__).parents[4] / "shared/data"
        if not data.is_dir():
            pytest.skip("no real data")
        return data

    def ecg_id(self, data: Path, into: Path) -> tuple[Dataset, Path]:
        """Two subjects of ECG-ID with the set's own list of hashes."""
        for name in ("Person_01", "Person_02", "SHA256SUMS.txt"):
            source = data / "ecg-id-database-1.0.0" / name
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, into / name, **{})
        for path in (into, *into.rglob("*")):
            path.chmod(0o700)
        n = len(list(into.glob("Person_*/*.hea")))
        parts = tuple(replace(part, counts=(n,)) for part in CATALOGUE["ecg-id"].parts)
        return replace(CATALOGUE["ecg-id"], parts=parts), into

    def test_by_its_own_list_of_hashes(self, data: Path, tmp_path: Path) -> None:
        (tmp_path / "got").mkdir()
        dataset, source = self.ecg_id(data, tmp_path / "got")
        assert place(dataset, source, tmp_path / "root", silent).verified == "sha256 list beside the files"

    def test_a_changed_bit_is_seen(self, data: Path, tmp_path: Path) -> None:
        (tmp_path / "got").mkdir()
        dataset, source = self.ecg_id(data, tmp_path / "got")
        content = bytearray((source / "Person_02/rec_1.dat").read_bytes())
        content[100] ^= 1
        (source / "Person_02/rec_1.dat").write_bytes(content)
        with pytest.raises(MmbioError, match=r"Person_02/rec_1.dat: not the file that SHA256SUMS.txt names"):
            place(dataset, source, tmp_path / "root", silent)
        assert not (tmp_path / "root/ecg-id-database-1.0.0").exists()

    def test_fvc2000(self, data: Path, tmp_path: Path) -> None:
        placed = place(CATALOGUE["fvc2000"], data, tmp_path / "root", silent)
        assert placed.n_files == 80

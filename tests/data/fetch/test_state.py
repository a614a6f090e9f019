"""What is here of a set, and whether it is whole."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmbio.data.fetch import archives, contents, lock
from mmbio.data.fetch.catalogue import CATALOGUE, File, Part, Subjects
from mmbio.data.fetch.place import place
from mmbio.data.fetch.state import look
from mmbio.errors import MmbioError
from mmbio.report import silent

FVC = replace(
    CATALOGUE["fvc2000"],
    parts=tuple(Part(f"DB{i}_B", f"DB{i}_B/*.tif", (4,), optional=True) for i in (1, 2)),
)
INFINITE = '{"sha256": "0", "files": {"DB1_B/101_1.tif": {"size": 1e999, "sha256": "0"}}}'
NAMES = ("101_1.tif", "101_2.tif", "102_1.tif", "102_2.tif")


def fvc(folder: Path, database: str = "DB1_B") -> Path:
    (folder / database).mkdir(parents=True)
    for name in NAMES:
        (folder / database / name).write_text(name)
    return folder


def test_nothing_is_here(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "no"):
        state = look(FVC, root)
        assert (state.present, state.whole, state.folder) == (False, False, None)


@pytest.mark.parametrize("name", ["fvc2000", "FVC2000"])
def test_one_part_of_two(name: str, tmp_path: Path) -> None:
    fvc(tmp_path / name)
    state = look(FVC, tmp_path)
    assert (state.present, state.whole, state.faults) == (True, False, ())
    assert (state.parts, state.n_parts, state.n_files) == (("DB1_B: 4",), 2, 4)
    assert state.checked == "names and counts"
    assert state.subjects == Subjects(2, noun="finger")


def test_all_parts(tmp_path: Path) -> None:
    fvc(fvc(tmp_path / "fvc2000"), "DB2_B")
    assert look(FVC, tmp_path).whole


def damage_missing(path: Path) -> None:
    path.unlink()


def damage_size(path: Path) -> None:
    path.write_text("longer than it was")


def damage_bit(path: Path) -> None:
    path.write_text(path.read_text().swapcase())


def damage_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere")


@pytest.mark.parametrize(
    ("damage", "quick", "deep"),
    [
        (damage_missing, "DB1_B/101_1.tif: missing", "DB1_B/101_1.tif: missing"),
        (damage_size, "DB1_B/101_1.tif: 18 bytes where it had 9", "DB1_B/101_1.tif: 18 bytes where it had 9"),
        (damage_bit, None, "DB1_B/101_1.tif: another content than its hash says"),
        (damage_link, "DB1_B/101_1.tif: zero bytes", "DB1_B/101_1.tif: zero bytes"),
    ],
)
def test_damage_to_what_was_placed_by_hand(damage, quick: str | None, deep: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    place(FVC, fvc(tmp_path / "got"), tmp_path / "root", silent)
    assert look(FVC, tmp_path / "root").faults == ()
    assert look(FVC, tmp_path / "root", verify=True).checked == "the hashes of 4 files"
    damage(tmp_path / "root/fvc2000/DB1_B/101_1.tif")
    found = look(FVC, tmp_path / "root").faults
    assert quick in found if quick else found == ()
    assert deep in look(FVC, tmp_path / "root", verify=True).faults


def test_contents_that_are_not_those_recorded_are_told_and_placing_again_mends_them(tmp_path: Path) -> None:
    place(FVC, fvc(tmp_path / "got"), tmp_path / "root", silent)
    content = contents.path_of(tmp_path / "root", "fvc2000").read_text()
    (tmp_path / "root/.mmbio/fvc2000.csv").write_text(content.replace("101_1", "101_9"))
    told = ".mmbio/fvc2000.csv: not the list that was recorded; place the set again with --from"
    assert told in look(FVC, tmp_path / "root", verify=True).faults
    contents.path_of(tmp_path / "root", "fvc2000").unlink()
    assert look(FVC, tmp_path / "root", verify=True).faults == (told,)
    place(FVC, tmp_path / "got", tmp_path / "root", silent)
    assert look(FVC, tmp_path / "root", verify=True).faults == ()


def test_what_an_archive_brought_is_looked_for_by_its_note(tmp_path: Path) -> None:
    folder = fvc(tmp_path / "fvc2000")
    files = sorted((folder / "DB1_B").iterdir())
    archives.remember(folder / "DB1_B.zip", "0" * 64, files)
    entry = lock.Entry("http://x", "0" * 64, 9, lock.now(), lock.FIRST_USE)
    lock.record(tmp_path, {"fvc2000/DB1_B.zip": entry})
    assert look(FVC, tmp_path).checked == "names and sizes"
    assert look(FVC, tmp_path, verify=True).checked == "the hashes of 4 files"
    damage_bit(files[0])
    assert look(FVC, tmp_path).faults == ()
    assert look(FVC, tmp_path, verify=True).faults == ("DB1_B/101_1.tif: another content than its hash says",)
    files[0].write_text("cut")
    assert look(FVC, tmp_path).faults == ("DB1_B/101_1.tif: 3 bytes where it had 9",)


def test_a_damaged_note_counts_for_nothing(tmp_path: Path) -> None:
    folder = fvc(tmp_path / "fvc2000")
    entry = lock.Entry("http://x", "0" * 64, 9, lock.now(), lock.FIRST_USE)
    lock.record(tmp_path, {"fvc2000/DB1_B.zip": entry})
    for text in ("{", "[]", '{"files": 3}', json.dumps({"files": {"x": "y"}}), INFINITE):
        archives.note_of(folder / "DB1_B.zip").write_text(text)
        assert look(FVC, tmp_path).faults == ()


def test_files_of_the_record_of_downloads(tmp_path: Path) -> None:
    dataset = replace(FVC, reader=None, files=(File("DB1_B/101_1.tif", "x"),))
    fvc(tmp_path / "fvc2000")
    digest = hashlib.sha256(b"101_1.tif").hexdigest()
    entry = lock.Entry("http://x", digest, 9, lock.now(), lock.FIRST_USE)
    lock.record(tmp_path, {"fvc2000/DB1_B/101_1.tif": entry})
    assert look(dataset, tmp_path, verify=True).checked == "the hashes of 1 file"
    damage_bit(tmp_path / "fvc2000/DB1_B/101_1.tif")
    assert look(dataset, tmp_path, verify=True).faults == ("DB1_B/101_1.tif: another content than its hash says",)


def test_the_sets_own_list(tmp_path: Path) -> None:
    dataset = replace(FVC, sums="SHA256SUMS.txt", reader=None)
    folder = fvc(tmp_path / "fvc2000")
    lines = [f"{hashlib.sha256(name.encode()).hexdigest()} DB1_B/{name}" for name in (*NAMES, "103_1.tif")]
    (folder / "SHA256SUMS.txt").write_text("\n".join([*lines, "0" * 64 + " docs/page.html"]))
    state = look(dataset, tmp_path, verify=True)
    assert state.faults == ("DB1_B/103_1.tif: missing",)  # and the page beside the data is not
    assert state.checked == "the hashes of 4 files"


def test_many_faults_are_counted(tmp_path: Path) -> None:
    folder = fvc(tmp_path / "fvc2000")
    for i in range(10):
        (folder / f"DB1_B/{i}_1.tif").touch()
    told = look(replace(FVC, reader=None), tmp_path).faults
    assert len(told) == 6
    assert told[-1] == "and 6 more"


def test_what_the_reader_refuses_is_a_fault(tmp_path: Path) -> None:
    folder = fvc(tmp_path / "fvc2000")
    (folder / "DB1_B/101_1.tif").write_text("")
    assert any("cannot be read" in fault for fault in look(FVC, tmp_path).faults)


def test_a_damaged_list_of_contents_is_told(tmp_path: Path) -> None:
    fvc(tmp_path / "fvc2000")
    for text in ("", "x\n", "path,size,sha256\na,b,c\n", "path,size,sha256\na\n"):
        path = contents.path_of(tmp_path, "fvc2000")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        with pytest.raises(MmbioError, match="damaged list of what a set holds"):
            look(FVC, tmp_path)

"""Archives from strangers: every hostile one is made here, and refused whole."""

import bz2
import gzip
import io
import lzma
import os
import random
import stat
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmbio.data.fetch.archives import Limits, is_archive, unpack
from mmbio.errors import MmbioError

FILES = {"Real/1.bmp": b"one" * 1000, "Real/2.bmp": b"two", "README": b"read me"}
SMALL = Limits(members=50, total=1 << 22, file=1 << 20, ratio=50, slack=1 << 16, depth=4, path=100)


def zipped(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as out:
        for name, data in entries.items():
            out.writestr(name, data)
    return path


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def tarred(path: Path, entries: dict[str, bytes], mode: Literal["w", "w:gz", "w:bz2", "w:xz"] = "w") -> Path:
    with tarfile.open(path, mode) as out:
        for name, data in entries.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            out.addfile(member, io.BytesIO(data))
    return path


def tar_of(path: Path, *members: tarfile.TarInfo, data: bytes = b"") -> Path:
    with tarfile.open(path, "w") as out:
        for member in members:
            out.addfile(member, io.BytesIO(data) if member.size else None)
    return path


def info(name: str, kind: bytes = tarfile.REGTYPE, **changes: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    for key, value in changes.items():
        setattr(member, key, value)
    return member


def zip_with(path: Path, name: str, **changes: object) -> Path:
    entry = zipfile.ZipInfo("x")
    for key, value in changes.items():
        setattr(entry, key, value)
    entry.filename = name
    with zipfile.ZipFile(path, "w") as out:
        out.writestr(entry, b"data")
    return path


def patched(path: Path, old: bytes, new: bytes, count: int = -1) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, count))
    return path


def snapshot(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    return {
        str(p.relative_to(folder)): (p.lstat().st_mode, p.read_bytes() if p.is_file() else None)
        for p in folder.rglob("*")
    }


MAKERS: dict[str, Callable[[Path], Path]] = {
    "zip": lambda p: zipped(p, FILES),
    "stored zip": lambda p: zipped(p, FILES, zipfile.ZIP_STORED),
    "tar": lambda p: tarred(p, FILES),
    "tar.gz": lambda p: tarred(p, FILES, "w:gz"),
    "tar.bz2": lambda p: tarred(p, FILES, "w:bz2"),
    "tar.xz": lambda p: tarred(p, FILES, "w:xz"),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_good_archive_comes_out_as_it_went_in(kind: str, tmp_path: Path) -> None:
    archive = MAKERS[kind](tmp_path / "set.archive")
    files = unpack(archive, tmp_path / "set")
    assert {str(p.relative_to(tmp_path / "set")): p.read_bytes() for p in files} == FILES
    assert {p.name for p in tmp_path.iterdir()} == {"set", "set.archive"}


def test_files_and_folders_are_private_whatever_the_archive_says(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar", info("d", tarfile.DIRTYPE, mode=0o777), info("d/x", mode=0o6777))
    (made,) = unpack(archive, tmp_path / "out")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("top", ["LibriSpeech", "librispeech"])
def test_a_top_folder_called_as_the_target_is_the_target(top: str, tmp_path: Path) -> None:
    archive = tarred(tmp_path / "a.tgz", {f"./{top}/test/1.flac": b"1", f"{top}/README": b"2"}, "w:gz")
    unpack(archive, tmp_path / "LibriSpeech")
    assert sorted(p.name for p in (tmp_path / "LibriSpeech").iterdir()) == ["README", "test"]


def test_another_top_folder_stays(tmp_path: Path) -> None:
    unpack(zipped(tmp_path / "a.zip", {"other/1": b"1"}), tmp_path / "set")
    assert (tmp_path / "set/other/1").is_file()


def test_into_a_folder_that_is_there_files_replace_their_namesakes_and_leave_the_rest(tmp_path: Path) -> None:
    target = tmp_path / "set"
    (target / "Real").mkdir(parents=True)
    (target / "Real/1.bmp").write_bytes(b"half")
    (target / "genders.csv").write_text("mine")
    unpack(zipped(tmp_path / "a.zip", FILES), target)
    assert (target / "Real/1.bmp").read_bytes() == FILES["Real/1.bmp"]
    assert (target / "genders.csv").read_text() == "mine"
    assert {p.name for p in tmp_path.iterdir()} == {"set", "a.zip"}


@pytest.mark.parametrize(("there", "comes"), [("Real", "Real/1.bmp"), ("Real/1/2", "Real/1")])
def test_a_file_where_a_folder_is_wanted_changes_nothing(there: str, comes: str, tmp_path: Path) -> None:
    target = tmp_path / "set"
    (target / there).parent.mkdir(parents=True)
    (target / there).write_text("mine")
    archive = zipped(tmp_path / "a.zip", {"A": b"a", comes: b"x"})
    before = snapshot(tmp_path)
    with pytest.raises(MmbioError, match="a file stands where a folder is wanted"):
        unpack(archive, target)
    assert snapshot(tmp_path) == before


def test_the_target_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("mine")
    with pytest.raises(MmbioError, match=r"a file where a\.zip should be unpacked; move it away"):
        unpack(zipped(tmp_path / "a.zip", FILES), tmp_path / "set")


def overlapping(path: Path) -> Path:
    """Two entries of the list that point at the same bytes."""
    zipped(path, {"a": b"x" * 50_000, "b": b"x" * 50_000})
    content = bytearray(path.read_bytes())
    second = content.rfind(b"PK\x01\x02")
    content[second + 42 : second + 46] = struct.pack("<I", 0)
    content[second + 46 : second + 47] = b"a"
    path.write_bytes(content)
    return path


def bomb_of_lies(path: Path) -> Path:
    """A zip that says an entry of 100 bytes is in what unpacks to millions."""
    zipped(path, {"a": bytes(3_000_000)})
    return patched(path, struct.pack("<I", 3_000_000), struct.pack("<I", 100))


def long_header(path: Path, kind: bytes) -> Path:
    """A tar whose long name or pax header says that it is two gigabytes long."""
    header = info("././@LongLink", kind, size=2 << 30).tobuf(tarfile.GNU_FORMAT)
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(header + bytes(8 << 20))
    return path


def many_headers(path: Path) -> Path:
    """A thousand pax headers before one file, each read inside the one before."""
    pax = info("x", tarfile.XHDTYPE, size=12).tobuf(tarfile.USTAR_FORMAT) + b"12 path=abc\n".ljust(512, b"\0")
    path.write_bytes(pax * 1000 + info("y").tobuf() + bytes(1024))
    return path


def pax(archive: Path, **headers: str) -> Path:
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as out:
        member = info("inside", size=4, pax_headers=headers)
        out.addfile(member, io.BytesIO(b"data"))
    return archive


def negative(path: Path) -> Path:
    """A size below zero, which sends a reader back for ever."""
    header = bytearray(info("x", size=0).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = (-512).to_bytes(12, "big", signed=True)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(bytes(header) + bytes(1024))
    return path


def sparse(path: Path) -> Path:
    return tar_of(path, info("s", tarfile.GNUTYPE_SPARSE))


def cut(path: Path, maker: str, keep: float) -> Path:
    MAKERS[maker](path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    return path


def broken_crc(path: Path) -> Path:
    return patched(zipped(path, FILES, zipfile.ZIP_STORED), b"oneone", b"oneOne", 1)


def broken_gzip(path: Path) -> Path:
    tarred(path, FILES, "w:gz")
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    return path


def xz_of_memory(path: Path) -> Path:
    """An xz file whose header asks for a dictionary of 4 GiB, its check sum mended."""
    content = bytearray(tarred(path, FILES, "w:xz").read_bytes())
    end = 12 + (content[12] + 1) * 4  # of the block's header
    content[content.index(b"\x21\x01", 12, end) + 2] = 40
    content[end - 4 : end] = struct.pack("<I", zlib.crc32(content[12 : end - 4]))
    path.write_bytes(content)
    return path


def not_utf8(path: Path) -> Path:
    zipped(path, {"\u00e9\u00e9\u00e9": b"x"})
    return patched(path, "\u00e9\u00e9\u00e9".encode(), b"\xff\xfe\xff\xfe\xff\xfe")


def lying_zip64(path: Path) -> Path:
    entry = zipfile.ZipInfo("x")
    with zipfile.ZipFile(path, "w") as out:
        with out.open(entry, "w", force_zip64=True) as inner:
            inner.write(b"data")
        entry.extra = struct.pack("<HHQQ", 1, 16, 1 << 60, 1 << 60)
        entry.file_size = entry.compress_size = 0xFFFFFFFF - 1
    content = bytearray(path.read_bytes())
    listed = content.rfind(b"PK\x01\x02")
    content[listed + 20 : listed + 28] = b"\xff" * 8
    path.write_bytes(content)
    return path


HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "zip absolute": (lambda p: zipped(p, {"/etc/x": b"x"}), "absolute path"),
    "zip dots": (lambda p: zipped(p, {"a/../../x": b"x"}), r"leads out of the folder with '\.\.'"),
    "zip drive": (lambda p: zipped(p, {"C:x": b"x"}), "drive letter"),
    "zip backslash": (lambda p: zip_with(p, "..\\x"), "backslash"),
    "zip nul": (lambda p: patched(zipped(p, {"a_b": b"x"}), b"a_b", b"a\0b"), "control character"),
    "zip escape": (lambda p: zipped(p, {"a\x1b[2J": b"x"}), "control character"),
    "zip right to left": (lambda p: zipped(p, {"a\u202egpj.exe": b"x"}), "control character"),
    "zip trailing dot": (lambda p: zipped(p, {"Real./x": b"x"}), "ends with a dot or a blank"),
    "zip long": (lambda p: zipped(p, {"a" * 101: b"x"}), "too long"),
    "zip deep": (lambda p: zipped(p, {"a/" * 5 + "x": b"x"}), "below more than 4 folders"),
    "zip not utf-8": (not_utf8, "not a whole zip file"),
    "zip case": (lambda p: zipped(p, {"Real/x": b"1", "real/X": b"2"}), "takes the place of another"),
    "zip composed": (lambda p: zipped(p, {"\u00e9": b"1", "e\u0301": b"2"}), "takes the place of another"),
    "zip file as folder": (lambda p: zipped(p, {"x": b"1", "x/y": b"2"}), "takes the place of another"),
    "zip folder as file": (lambda p: zipped(p, {"x/y": b"2", "X": b"1"}), "takes the place of another"),
    "zip many": (lambda p: zipped(p, {f"{i}": b"" for i in range(51)}), "more than 50 entries"),
    "zip link": (lambda p: zip_with(p, "x", external_attr=(stat.S_IFLNK | 0o777) << 16), "a link or a device"),
    "zip device": (lambda p: zip_with(p, "x", external_attr=(stat.S_IFCHR | 0o777) << 16), "a link or a device"),
    "zip folder with bytes": (lambda p: zip_with(p, "x/"), "a file and a folder in one"),
    "zip bzip2": (lambda p: zipped(p, FILES, zipfile.ZIP_BZIP2), "packed by method 12; unpack it with 7-Zip"),
    "zip encrypted": (
        lambda p: patched(zip_with(p, "x"), b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
        "is encrypted",
    ),
    "zip overlap": (overlapping, "overlaps another entry"),
    "zip bomb": (lambda p: zipped(p, {"a": bytes(5_000_000)}), "unpacks to more than"),
    "zip large file": (
        lambda p: zipped(p, {"a": random.Random(0).randbytes(1_100_000)}),
        "'a' unpacks to more than 1,048,576",
    ),
    "zip lying bomb": (bomb_of_lies, "not a whole zip file"),
    "zip lying zip64": (lying_zip64, "overlaps another entry|not a whole zip"),
    "zip crc": (broken_crc, "Bad CRC-32"),
    "zip cut": (lambda p: cut(p, "zip", 0.7), "not a whole zip file"),
    "zip empty": (lambda p: zipped(p, {}), "holds no files"),
    "zip long listing": (
        lambda p: patched(
            zipped(p, FILES), b"PK\x05\x06\0\0\0\0\3\0\3\0", b"PK\x05\x06\0\0\0\0\3\0\3\0\xff\xff\xff\x7f"
        ),
        "list of entries",
    ),
    "tar absolute": (lambda p: tarred(p, {"/etc/x": b"x"}), "absolute path"),
    "tar dots": (lambda p: tarred(p, {"../x": b"x"}), "leads out of the folder"),
    "tar surrogates": (lambda p: tar_of(p, info("a\udc80b")), "control character"),
    "tar symlink": (lambda p: tar_of(p, info("l", tarfile.SYMTYPE, linkname="/etc"), info("l/x")), "a symbolic link"),
    "tar hard link": (lambda p: tar_of(p, info("l", tarfile.LNKTYPE, linkname="/etc/passwd")), "a hard link"),
    "tar pipe": (lambda p: tar_of(p, info("l", tarfile.FIFOTYPE)), "a device or pipe"),
    "tar device": (lambda p: tar_of(p, info("l", tarfile.BLKTYPE)), "a device or pipe"),
    "tar odd type": (lambda p: tar_of(p, info("l", b"V")), "of type 'V'"),
    "tar sparse": (sparse, "sparse"),
    "tar duplicate": (lambda p: tar_of(p, info("x"), info("x")), "takes the place of another"),
    "tar negative": (negative, "below zero|bytes long|not a whole tar"),
    "tar long name": (lambda p: long_header(p, tarfile.GNUTYPE_LONGNAME), "a header that says"),
    "tar pax header": (lambda p: long_header(p, tarfile.XHDTYPE), "a header that says"),
    "tar many headers": (many_headers, "or many in a row"),
    "tar pax path": (lambda p: pax(p, path="../../outside"), "leads out of the folder"),
    "tar pax absolute": (lambda p: pax(p, path="/outside"), "absolute path"),
    "tar pax size": (lambda p: pax(p, size="999999"), "not a whole tar file|is 4|ends too early"),
    "tar pax size below zero": (lambda p: pax(p, size="-512"), "not a whole tar file|below zero|bytes long"),
    "tar gz bomb": (lambda p: tarred(p, {"a": bytes(1 << 20), "b": bytes(1 << 20)}, "w:gz"), "unpacks to more than"),
    "tar bz2 bomb": (lambda p: tarred(p, {"a": bytes(1 << 20), "b": bytes(1 << 20)}, "w:bz2"), "unpacks to more than"),
    "tar xz bomb": (lambda p: tarred(p, {"a": bytes(1 << 20), "b": bytes(1 << 20)}, "w:xz"), "unpacks to more than"),
    "tar xz memory": (xz_of_memory, "not a whole tar file"),
    "tar gz crc": (broken_gzip, "not a whole tar file"),
    **{f"{kind} cut": (partial(cut, maker=kind, keep=0.4), "not a whole tar") for kind in MAKERS if "tar" in kind},
    "gz of no tar": (lambda p: written(p, gzip.compress(b"x" * 9000)), "not a whole tar file"),
    "bz2 of noise": (lambda p: written(p, b"BZh" + bytes(900)), "not a whole tar file"),
    "rar": (lambda p: written(p, b"Rar!\x1a\x07\x00"), "a .rar archive; unpack it with"),
    "7z": (lambda p: written(p, b"7z\xbc\xaf\x27\x1c"), "a .7z archive; unpack it with"),
    "nothing": (lambda p: written(p, b"<html>not found"), "neither a zip nor a tar"),
    "empty": (lambda p: written(p, b""), "neither a zip nor a tar"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("there", [False, True])
def test_a_hostile_archive_is_refused_whole_in_one_sentence(case: str, there: bool, tmp_path: Path) -> None:
    make, words = HOSTILE[case]
    (tmp_path / "inner").mkdir()
    archive = make(tmp_path / "a.archive")
    target = tmp_path / "inner/set"
    if there:
        target.mkdir()
        (target / "mine").write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises(MmbioError, match=words) as caught:
        unpack(archive, target, SMALL)
    assert snapshot(tmp_path) == before
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)


@pytest.mark.parametrize(
    "case", ["tar gz bomb", "zip bomb", "tar long name", "tar pax header", "zip lying bomb", "tar xz memory"]
)
def test_memory_stays_bounded(case: str, tmp_path: Path) -> None:
    archive = HOSTILE[case][0](tmp_path / "a.archive")
    tracemalloc.start()
    try:
        with pytest.raises(MmbioError):
            unpack(archive, tmp_path / "set", SMALL)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_zip_of_many_entries_is_refused_before_they_are_listed(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {f"{i}": b"" for i in range(20_000)})
    tracemalloc.start()
    try:
        with pytest.raises(MmbioError, match="more than 50 entries"):
            unpack(archive, tmp_path / "set", SMALL)
        assert tracemalloc.get_traced_memory()[1] < 5 << 20  # 541 bytes an entry come to 11 MB
    finally:
        tracemalloc.stop()


NAMES = {
    "\u00fc.bmp": "\u00fc.bmp",  # with the flag for UTF-8
    "a//b/./c": "a/b/c",
    "./x": "x",
    "\u6307\u7d0b.bmp": "\u6307\u7d0b.bmp",
}


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", NAMES)
def test_names_in_many_encodings(name: str, kind: str, tmp_path: Path) -> None:
    archive = (zipped if kind == "zip" else tarred)(tmp_path / "a", {name: b"x"})
    (made,) = unpack(archive, tmp_path / "set")
    assert str(made.relative_to(tmp_path / "set")) == NAMES[name]


def test_latin_1_in_a_tar_and_cp437_in_a_zip(tmp_path: Path) -> None:
    (one,) = unpack(tar_of(tmp_path / "a.tar", info("M\udcfcller")), tmp_path / "one")
    archive = patched(zipped(tmp_path / "a.zip", {"Mxller": b""}), b"Mxller", b"M\x81ller")
    (two,) = unpack(archive, tmp_path / "two")
    assert one.name == two.name == "M\u00fcller"


def test_folders_may_differ_in_case_where_no_file_does(tmp_path: Path) -> None:
    entries = {"SOCOFing/Real/1": b"1", "socofing/SOCOFing/Real/1": b"1"}  # as one public set is packed
    assert len(unpack(zipped(tmp_path / "a.zip", entries), tmp_path / "set")) == 2


def test_what_a_killed_run_left_is_swept_away(tmp_path: Path) -> None:
    target = tmp_path / "set"
    target.mkdir()
    (target / "mine").write_text("mine")
    (tmp_path / ".set.arriving").mkdir()
    (tmp_path / ".set.arriving/half").write_text("half")
    unpack(zipped(tmp_path / "a.zip", FILES), target)
    assert {p.name for p in tmp_path.iterdir()} == {"set", "a.zip"}
    assert not (target / "half").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", FILES)
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(MmbioError, match="cannot be written"):
        unpack(archive, tmp_path / "closed/set")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(list(MAKERS)), seed=st.integers(0, 2**32), flips=st.integers(1, 6), keep=st.floats(0.1, 1))
def test_any_damage_is_refused_whole_or_harmless(
    kind: str, seed: int, flips: int, keep: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    rng = random.Random(seed)
    archive = MAKERS[kind](folder / "a.archive")
    content = bytearray(archive.read_bytes())
    for _ in range(flips):
        content[rng.randrange(len(content))] = rng.randrange(256)
    archive.write_bytes(content[: int(len(content) * keep)])
    before = {p.name for p in folder.iterdir()}
    try:
        files = unpack(archive, folder / "set", SMALL)
    except MmbioError:
        assert {p.name for p in folder.iterdir()} == before
    else:
        assert all(p.is_file() and (folder / "set") in p.parents for p in files)


@pytest.mark.parametrize(("name", "known"), [("a.ZIP", True), ("a.tar.gz", True), ("a.bmp", False), ("a.rar", True)])
def test_is_archive(name: str, known: bool, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert is_archive(tmp_path / name) is known
    assert not is_archive(tmp_path / "no.zip")


def test_bz2_and_xz_of_several_streams(tmp_path: Path) -> None:
    plain = tarred(tmp_path / "a.tar", FILES).read_bytes()
    for name, compress in (("a.tbz2", bz2.compress), ("a.txz", lzma.compress), ("a.tgz", gzip.compress)):
        (tmp_path / name).write_bytes(compress(plain[:3000]) + compress(plain[3000:]))
        assert len(unpack(tmp_path / name, tmp_path / name.replace(".", "-"))) == len(FILES)

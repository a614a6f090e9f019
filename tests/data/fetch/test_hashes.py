"""Hashes: lists from strangers."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.data.fetch import hashes
from mmbio.data.fetch.hashes import parse, safe_path
from mmbio.errors import MmbioError

SHA = "0123456789abcdef" * 4
MD5 = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (f"{SHA} RECORDS", "RECORDS"),
        (f"{SHA} Person_42/rec_3.hea", "Person_42/rec_3.hea"),
        (f"{SHA}  two blanks.txt", "two blanks.txt"),
        (f"{SHA} *binary.dat", "binary.dat"),
        (f"{SHA}\ttab.dat", "tab.dat"),
        (f"{SHA.upper()} upper", "upper"),
        (f"{SHA} .old/index.shtml", ".old/index.shtml"),
        (f"{SHA}  ./here/x", "here/x"),
        (f"{SHA} café", "café"),
        (f"# a remark\n\n{SHA} x\r\n", "x"),
        (f"{SHA} x\n{SHA.upper()} x\n", "x"),
    ],
)
def test_lines(line: str, path: str) -> None:
    assert parse(line.encode(), "list") == {path: f"sha256:{SHA}"}


def test_md5() -> None:
    assert parse(f"{MD5}  dev-clean.tar.gz\n".encode(), "list", "md5") == {"dev-clean.tar.gz": f"md5:{MD5}"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no hashes where lines of HASH PATH were expected"),
        (b"\n# x\n", "no hashes"),
        (b"\xff\xfe", "not a list of hashes in UTF-8"),
        (b"<html><body>404</body></html>", "list line 1: '<html><body>404</body></html>' where 64 hex digits"),
        (MD5.encode() + b" x", "line 1: .* where 64 hex digits and a path were expected"),
        (SHA.encode(), "where 64 hex digits and a path"),
        (SHA.encode() + b"0 x", "where 64 hex digits and a path"),
        (SHA.encode() + b" ", "where 64 hex digits and a path"),
        (f"{SHA} x\n{SHA[::-1]} x".encode(), "line 2: a second hash for 'x'"),
        (f"{SHA} x/y\n{SHA} x".encode(), "'x' is listed as a file and as a folder"),
        (f"{SHA} ".encode() + b"a" * 10_000, r"line 1: '0123.*\.\.\.' where"),
        *(
            (f"{SHA} {path}".encode(), "line 1: the path .* is not one below the set's folder")
            for path in (
                *("/etc/passwd", "../x", "a/../../x", "a/..", "a//b", "a/", ".", "..", "./../x", "a/./b"),
                *("C:/x", "c:x", "a\\b", "..\\x", "a\x00b", "a\x1bb", "x.part", "x.part.json", "a" * 256, "é" * 128),
                *("a/" * 33 + "x", ".owner", "a/.Owner", ".mmbio/x.csv", "a/.mmbio-x"),
                *("/".join(["ab"] * 700), "a\u202eb", "a\u2028b"),
            )
        ),
    ],
)
def test_hostile_lists_are_one_sentence(content: bytes, told: str) -> None:
    with pytest.raises(MmbioError, match=told) as caught:
        parse(content, "list")
    assert str(caught.value).isprintable()
    assert "--mirror" in str(caught.value)


@pytest.mark.parametrize(("limit", "told"), [("LARGEST", "at most 10"), ("MOST", "more than 10 files")])
def test_lists_that_are_too_long(monkeypatch: pytest.MonkeyPatch, limit: str, told: str) -> None:
    monkeypatch.setattr(hashes, limit, 10)
    content = "".join(f"{SHA} {i}\n" for i in range(11))
    with pytest.raises(MmbioError, match=told):
        parse(content.encode(), "list")


def test_a_list_of_many_folders_takes_little_memory() -> None:
    content = "".join(f"{SHA} a{i}/{'b/' * 31}f\n" for i in range(2_000)).encode()
    tracemalloc.start()
    try:
        assert len(parse(content, "list")) == 2_000
        assert tracemalloc.get_traced_memory()[1] < 15 * len(content)
    finally:
        tracemalloc.stop()


def test_a_file_that_is_a_folder_of_another_far_behind() -> None:
    with pytest.raises(MmbioError, match=r"'a/b' is listed as a file and as a folder"):
        parse("".join(f"{SHA} {path}\n" for path in ("a/b/c", "a/b!", "a/b.c", "a/b")).encode(), "list")


@given(st.text())
def test_a_safe_path_stays_below_its_folder(path: str) -> None:
    if safe_path(path):
        assert Path("/set", path).resolve().is_relative_to("/set")
        assert Path("/set", path) != Path("/set")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_a_sentence(content: bytes) -> None:
    for prefix in (b"", SHA.encode() + b" "):
        try:
            found = parse(prefix + content, "list")
        except MmbioError:
            continue
        assert all(safe_path(path) and len(digest) == 71 for path, digest in found.items())


def test_the_real_list(real_data: Path) -> None:
    path = real_data / "ecg-id-database-1.0.0" / "SHA256SUMS.txt"
    if not path.is_file():
        pytest.skip("no list of ECG-ID there")
    found = parse(path.read_bytes(), str(path))
    assert len(found) == 999
    assert sum(name.endswith(".dat") and name.startswith("Person_") for name in found) == 310

"""Kaldi archives: what is read, what is refused, and that no command in an scp is run."""

from pathlib import Path

import numpy as np
import pytest

from mmbio.data import kaldi
from mmbio.errors import MmbioError

A, B = np.array([1, -2, 0.5], np.float32), np.array([3, 4, 5], np.float64)
KINDS = {"float32": b"FV ", "float64": b"DV "}


def binary(name: str, vector: np.ndarray) -> bytes:
    head = b"\0B" + KINDS[str(vector.dtype)] + b"\4" + len(vector).to_bytes(4, "little")
    return name.encode() + b" " + head + vector.tobytes()


def listed(path: Path) -> dict[str, list[float]]:
    read = kaldi.scp if path.suffix == ".scp" else kaldi.ark
    return {name: vector.tolist() for name, vector in read(path)}


@pytest.mark.parametrize(
    "content",
    [
        binary("a/1", A) + binary("ü", B),
        b"a/1  [ 1 -2 0.5 ]\n\xc3\xbc  [ 3 4 5 ]\n",
        b"a/1 [ 1.0 -2e0 5e-1 ]\r\n\n\xc3\xbc [3 4 5]",
        b"a/1  [ 1 -2 0.5 ]\n" + binary("ü", B) + b"\n",
    ],
    ids=["binary", "text", "loose text", "mixed"],
)
def test_archives(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "v.ark").write_bytes(content)
    assert listed(tmp_path / "v.ark") == {"a/1": [1, -2, 0.5], "ü": [3, 4, 5]}


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """v.ark with a/1 at byte 4 and b at byte 28, text.ark with a/1 at byte 5, bare.vec with one vector."""
    (tmp_path / "v.ark").write_bytes(binary("a/1", A) + binary("b", B))
    (tmp_path / "text.ark").write_bytes(b"a/1  [ 1 -2 0.5 ]\n")
    (tmp_path / "bare.vec").write_bytes(binary("", A)[1:])
    return tmp_path


@pytest.mark.parametrize(
    "lines", ["b v.ark:28\na/1 v.ark:4\n", "b v.ark:28\n\na/1 text.ark:4", "b v.ark:28\na/1 bare.vec"]
)
def test_an_scp_in_its_own_order_beside_its_archives(pair: Path, lines: str) -> None:
    (pair / "v.scp").write_text(lines)
    assert list(listed(pair / "v.scp").items()) == [("b", [3, 4, 5]), ("a/1", [1, -2, 0.5])]


def test_an_scp_with_paths_from_here(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pair)
    Path("lists").mkdir()
    Path("lists/v.scp").write_text(f"a v.ark:4\nb {pair}/v.ark:28\n")
    assert listed(Path("lists/v.scp")) == {"a": [1, -2, 0.5], "b": [3, 4, 5]}


def test_a_command_is_refused_and_not_run(pair: Path) -> None:
    (pair / "v.scp").write_text(f"a/1 touch {pair}/ran |\n")
    with pytest.raises(MmbioError, match=r"v\.scp: row 1 \(id 'a/1'\) is a command, which mmbio does not run"):
        listed(pair / "v.scp")
    assert not (pair / "ran").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a", r"row 1: expected ID FILE:OFFSET"),
        ("a v.ark:4[0:2]", r"row 1 \(id 'a'\) takes a range"),
        ("a none.ark:4", r"row 1 \(id 'a'\): no file none\.ark here or beside the scp"),
        ("a v.ark:9999", r"v\.ark: id 'a': ends before byte 9999, cut short"),
        ("a v.ark:5", r"v\.ark: id 'a': expected a binary vector"),
        ("a .", r"no file \. here"),
    ],
)
def test_entries_that_are_refused(pair: Path, line: str, told: str) -> None:
    (pair / "v.scp").write_text(line)
    with pytest.raises(MmbioError, match=told):
        listed(pair / "v.scp")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (binary("a/1", A)[:-1], r"id 'a/1': cut short"),
        (binary("a/1", A)[:12], r"id 'a/1': cut short"),
        (b"a \0BFM \4\1\0\0\0\4\1\0\0\0aaaa", r"id 'a': a matrix, expected one float vector an id"),
        (b"a \0BCM whatever", r"id 'a': a matrix"),
        (b"a \0B\4\1\0\0\0\4\1\0\0\0", r"id 'a': no vector of floating-point numbers"),
        (b"a \0BFV \4\xff\xff\xff\xff", r"id 'a': a vector of -1 numbers"),
        (b"a  [\n 1 2\n 3 4 ]\n", r"id 'a': a matrix"),
        (b"a  [ 1 2\n", r"id 'a': expected a binary vector or one in brackets"),
        (b"a  [ 1 x ]\n", r"id 'a': expected numbers in its brackets"),
        (b"a  [ ]\n", r"id 'a': a vector of 0 numbers"),
        (b"\xff\xfe [ 1 ]\n", "not UTF-8"),
        (b"no archive", r"no Kaldi archive, or cut short at byte 0|expected a binary vector"),
        (b"x" * 5000 + b" [ 1 ]", "no Kaldi archive, or cut short at byte 0"),
    ],
)
def test_archives_that_are_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "v.ark").write_bytes(content)
    with pytest.raises(MmbioError, match=told):
        listed(tmp_path / "v.ark")


def test_an_scp_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "v.scp").write_bytes(b"\xff\xfe\0")
    with pytest.raises(MmbioError, match="not a readable scp"):
        listed(tmp_path / "v.scp")

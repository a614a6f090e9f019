"""Lock: what a data root remembers of its downloads."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from mmbio.data.fetch.lock import FIRST_USE, NAME, Entry, read, record, refuse_other
from mmbio.errors import MmbioError

ENTRY = Entry("https://example.org/x", "ab" * 32, 7, "2024-01-02T03:04:05+00:00", FIRST_USE)


def test_nothing_yet(tmp_path: Path) -> None:
    assert read(tmp_path) == {}


def test_entries_are_added(tmp_path: Path) -> None:
    record(tmp_path, {"b": ENTRY})
    record(tmp_path, {"a": ENTRY})
    record(tmp_path, {})
    assert read(tmp_path) == {"a": ENTRY, "b": ENTRY}
    assert list(json.loads((tmp_path / NAME).read_text())["files"]) == ["a", "b"]


def test_processes_add_at_once(tmp_path: Path) -> None:
    code = """if True:
        import sys
        from pathlib import Path
        from mmbio.data.fetch.lock import Entry, record
        for i in range(5):
            record(Path(sys.argv[1]), {f"{sys.argv[2]}-{i}": Entry("u", "s", 1, "d", "v")})"""
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(i)]) for i in range(2)]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    assert len(read(tmp_path)) == 10


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"version": 2, "files": {}}',
        '{"version": 1}',
        '{"version": 1, "files": []}',
        '{"version": 1, "files": {"x": 3}}',
        '{"version": 1, "files": {"x": {"url": "u"}}}',
        json.dumps({"version": 1, "files": {"x": asdict(ENTRY) | {"size": "7"}}}),
        json.dumps({"version": 1, "files": {"x": asdict(ENTRY) | {"more": 1}}}),
    ],
)
def test_damage_is_one_sentence_and_never_trust_begun_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(MmbioError, match=r"mmbio-lock\.json: .*(take it from a backup, or remove it)"):
        read(tmp_path)
    with pytest.raises(MmbioError):
        record(tmp_path, {"x": ENTRY})
    assert (tmp_path / NAME).read_text() == text


def test_another_file_than_at_first_use(tmp_path: Path) -> None:
    refuse_other(tmp_path, "x", None, "cd" * 32, "https://example.org/x")
    refuse_other(tmp_path, "x", ENTRY, "ab" * 32, "https://example.org/x")
    told = r"another file than on 2024-01-02 .*remove the entry 'x' from .*mmbio-lock\.json"
    with pytest.raises(MmbioError, match=told):
        refuse_other(tmp_path, "x", ENTRY, "cd" * 32, "https://example.org/x")

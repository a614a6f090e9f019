"""Removal beside other runs, behind links, of data that cannot be read, and after kill -9."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmbio.data import vector_sets
from mmbio.data.fetch import contents, lock
from mmbio.data.synthetic import root as synthetic
from mmbio.errors import MmbioError
from mmbio.files import read_json, shared, write_json
from mmbio.purge import aside, remove, traces
from mmbio.purge.aside import ASIDE
from mmbio.purge.marks import Marks
from mmbio.purge.proof import JOURNAL, Proof

WHO, OTHER = "anna_07", "berta_08"


def make_set(folder: Path, *people: str) -> Path:
    table = pd.DataFrame(
        [(f"{who}/v0/c0", who, "F", f"{who}/v0", f"{who}/v0/c0", "test") for who in people],
        columns=list(vector_sets.COLUMNS),
    )
    table["face"] = np.arange(len(table))
    vectors = np.random.default_rng(0).standard_normal((len(table), 8)).astype(np.float32)
    vector_sets.write(folder, "tiny", table, {"face": {"": vectors}})
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A vector set of two people, and tables on both."""
    home = tmp_path / "runs"
    make_set(home / "tiny", WHO, OTHER)
    for i in range(20):
        (home / "tables" / f"t{i}").mkdir(parents=True)
        for who in (WHO, OTHER):
            (home / "tables" / f"t{i}" / f"{who}.csv").write_text(f"{who},0.5\n" * 99)
    return home


def purge(home: Path, who: str = WHO, root: Path | None = None) -> Proof:
    return remove.purge(remove.plan(who, home, root), False)[1]


def blob(folder: Path) -> bytes:
    names = "\n".join(str(p.relative_to(folder)) for p in folder.rglob("*")).encode()
    return names + b"\n".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


def of(who: str) -> Marks:
    return Marks((f"tiny/{who}",), (who,), (), (), (), ())


def test_the_journal_of_a_purge_that_was_killed_meanwhile_is_gone_on_with(home: Path) -> None:
    (home / "mine.txt").write_text(f"{OTHER} is here\n")
    planned = remove.plan(WHO, home)
    write_json(home / JOURNAL, {"asked": [OTHER], "marks": of(OTHER).to_json()})
    assert remove.purge(planned, False)[1].found == (("mine.txt", f"'{OTHER}' at byte 0"),)
    assert read_json(home / JOURNAL, "journal")["asked"] == [WHO, OTHER]
    assert not (home / "tiny").exists()


def test_a_journal_of_another_kind(home: Path) -> None:
    write_json(home / JOURNAL, {"asked": [OTHER]})
    with pytest.raises(MmbioError, match="not as mmbio purge wrote it; remove it"):
        remove.plan(WHO, home)


def test_runs_at_work_are_waited_for(home: Path) -> None:
    planned = remove.plan(WHO, home)
    with shared(home):
        thread = threading.Thread(target=remove.purge, args=(planned, False))
        thread.start()
        thread.join(0.3)
        (home / "tables" / "late").mkdir()
        (home / "tables" / "late" / "rows.csv").write_text(WHO)
        assert WHO.encode() in blob(home / "tiny")
    thread.join(60)
    assert WHO.encode() not in blob(home)


def test_a_set_of_nobody_else_goes_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_set(tmp_path / "root" / "tiny", WHO)
    (tmp_path / "runs").mkdir()
    went: list[Path] = []
    inner = aside.gone

    def gone(path: Path, home: Path) -> None:
        went.append(path)
        inner(path, home)

    monkeypatch.setattr(aside, "gone", gone)
    assert purge(tmp_path / "runs", root=tmp_path / "root").found == ()
    assert went == [root]
    assert not root.exists()


def test_a_home_whose_rooms_are_links(home: Path, tmp_path: Path) -> None:
    for room in ("tiny", "tables"):
        (home / room).rename(tmp_path / f"far-{room}")
        (home / room).symlink_to(tmp_path / f"far-{room}")
    assert purge(home).found == ()
    assert WHO.encode() not in blob(tmp_path)
    assert vector_sets.read(tmp_path / "far-tiny").samples["subject"].tolist() == [OTHER]
    assert (home / "tiny").is_symlink()


def test_a_home_that_is_a_set_keeps_what_else_is_in_it(tmp_path: Path) -> None:
    home = make_set(tmp_path / "runs", WHO, OTHER)
    (home / "other").mkdir()
    (home / "other" / "notes.txt").write_text("x")
    for who in (WHO, OTHER):
        assert purge(home, who).found == ()
        assert remove.plan(f"tiny:{who}", home).already
        assert (home / "other" / "notes.txt").read_text() == "x"
    assert {p.name for p in home.iterdir()} == {"other", "excluded.json", ".purge.lock"}


def test_rows_in_other_bytes_than_utf8(home: Path) -> None:
    (home / traces.RESULTS).write_bytes(f"name,value\n{WHO},1\nM\xfcller,2\n".encode("latin-1"))
    assert purge(home).found == ()
    assert (home / traces.RESULTS).read_bytes() == "name,value\nM\xfcller,2\n".encode("latin-1")


def test_keys_are_read_once_a_round(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []
    inner = traces._made_on

    def made_on(home: Path) -> dict[Path, tuple[traces.Thing, set[str]]]:
        calls.append(home)
        return inner(home)

    monkeypatch.setattr(traces, "_made_on", made_on)
    traces.find(home, of(WHO))
    assert len(calls) == 1


def test_somebody_who_is_gone_is_searched_for_again(home: Path) -> None:
    assert purge(home).found == ()
    for text in (f"tiny:{WHO}", WHO):
        planned = remove.plan(text, home)
        assert planned.already
        assert planned.marks.people == (f"tiny/{WHO}",)
    (home / "mine.txt").write_text(f"on {WHO}")
    assert purge(home).found == (("mine.txt", f"'{WHO}' at byte 3"),)
    with pytest.raises(MmbioError, match="nobody of this name"):
        remove.plan("clara_09", home)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with the ECG of four people."""
    ecg = synthetic._SETS["ecg"]
    for i in range(4):
        ecg.write_subject(tmp_path / "root" / ecg.FOLDER, i, 0, 0.1)
    return tmp_path / "root"


def test_a_set_that_cannot_be_read_is_told_as_left(root: Path, home: Path) -> None:
    header = next((root / "ecg-id-database-1.0.0" / "Person_02").glob("*.hea"))
    good = header.read_bytes()
    (home / "tables" / "t0" / "who.csv").write_text("Person_01")
    planned = remove.plan("Person_01", home, root)
    header.write_text("junk")
    found = dict(remove.purge(planned, False)[1].found)
    assert "could not be read, so nobody can tell who is in it" in found[str(header.parents[1])]
    assert found["root/ecg-id-database-1.0.0/Person_01"] == "its name"
    with pytest.raises(MmbioError, match=r"nobody of this name.*could not be read, so nobody can tell"):
        remove.plan("Person_03", home, root)
    header.write_bytes(good)
    assert purge(home, "Person_01", root).found == ()
    assert not list(root.rglob("Person_01"))


def test_records_of_downloads_forget_who_went(root: Path, home: Path) -> None:
    folder = "ecg-id-database-1.0.0"
    entry = lock.Entry("", "0" * 64, 1, lock.now(), lock.FIRST_USE)
    lock.record(root, {f"{folder}/Person_0{i}/rec_1.dat": entry for i in (1, 2)})
    files = {f"{folder}/Person_0{i}/rec_1.dat": contents.Content(1, "0" * 64) for i in (1, 2)}
    contents.record(root, "ecg-id", files, root, lock.FIRST_USE)
    assert purge(home, "Person_01", root).found == ()
    listing = contents.path_of(root, "ecg-id")
    assert set(contents.read(root, "ecg-id")) == {f"{folder}/Person_02/rec_1.dat"}
    left = lock.read(root)
    assert set(left) == {f"{folder}/Person_02/rec_1.dat", ".mmbio/ecg-id.csv"}
    assert left[".mmbio/ecg-id.csv"].sha256 == hashlib.sha256(listing.read_bytes()).hexdigest()


def test_samples_that_are_links_go_with_what_they_lead_to(root: Path, home: Path, tmp_path: Path) -> None:
    for path in list((root / "ecg-id-database-1.0.0" / "Person_01").iterdir()):
        path.rename(tmp_path / f"far-{path.name}")
        path.symlink_to(tmp_path / f"far-{path.name}")
    assert purge(home, "Person_01", root).found == ()
    assert not list(tmp_path.glob("far-*"))


def began(home: Path) -> int:
    """Changes with each run that begins; 0 where none is in the middle."""
    return (home / JOURNAL).stat().st_mtime_ns if (home / JOURNAL).exists() else 0


def killed(home: Path, seconds: float) -> bool:
    """Purge in a process that is killed some time after it wrote its journal; False where it ended before."""
    before = began(home)
    code = "from mmbio.cli.main import main; main()"
    words = [sys.executable, "-c", code, "purge", WHO, "--yes", "--quiet", "--out", str(home)]
    process = subprocess.Popen(words, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE)
    while process.poll() is None and began(home) in (0, before):
        time.sleep(0.001)
    time.sleep(seconds)
    process.kill()
    process.communicate(timeout=60)
    return process.returncode == -signal.SIGKILL


def test_killed_at_any_moment_and_run_again(home: Path) -> None:
    vector = np.load(home / "tiny" / "face.npy")[0].tobytes()
    marks = (WHO.encode(), vector)
    assert all(mark in blob(home) for mark in marks)
    made = [killed(home, seconds) for seconds in np.random.default_rng(0).uniform(0, 0.03, 3)]
    assert any(made)
    if (home / JOURNAL).exists():
        assert purge(home).found == ()
    assert not any(mark in blob(home) for mark in marks)
    assert not (home / ASIDE).exists()
    assert vector_sets.read(home / "tiny").samples["subject"].tolist() == [OTHER]

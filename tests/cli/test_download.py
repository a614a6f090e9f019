"""mmbio download: what a user sees of a set that is fetched, planned, gated, cut off and gone on with."""

import json
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from mmbio.cli.download_words import go_on
from mmbio.data.fetch import catalogue
from mmbio.data.fetch.catalogue import CATALOGUE
from mmbio.data.fetch.dataset import File
from mmbio.data.readers.socofing import FINGERS
from tests.data.fetch.server import Served, serving, write_sums

Call = Callable[..., Result]
Refused = Callable[..., None]

COUNT = 4


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server of a small set in ECG-ID's layout."""
    folder = tmp_path / "served"
    for i in range(COUNT):
        path = folder / f"Person_{i:02d}" / "rec_1.dat"
        path.parent.mkdir(parents=True)
        path.write_bytes(np.random.default_rng(i).bytes(20_000))
    write_sums(folder)
    with serving(folder) as server:
        yield server


@pytest.fixture
def faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server of faces94 as an archive without an official hash."""
    folder = tmp_path / "archives"
    folder.mkdir()
    with zipfile.ZipFile(folder / "faces94.zip", "w") as archive:
        archive.writestr("faces94/male/x/x.1.jpg", b"x" * 100)
    small = replace(CATALOGUE["faces94"], files=(File("faces94.zip", "faces94.zip", unpack=True),), size=1000)
    monkeypatch.setattr(catalogue, "CATALOGUE", MappingProxyType({**CATALOGUE, "faces94": small}))
    with serving(folder) as server:
        yield server


def test_a_set_comes_and_says_how_to_go_on(good: Call, served: Served, tmp_path: Path) -> None:
    words = ["download", "ECG-ID", "--mirror", served.url, "--out", tmp_path / "runs"]
    folder = tmp_path / "runs" / "data" / "ecg-id-database-1.0.0"
    lines = good(*words).stdout.splitlines()
    assert lines == [
        f"fetched: {folder} (4 files whole, 4 fetched now, 80 kB)",
        "verified: 4 by the mirror's sha256 list, which no official address vouches for; fetched without TLS",
        "licence: Open Data Commons Attribution 1.0 (citation: mmbio datasets ecg-id)",
        f"go on: mmbio tables --data {folder.parent} --source face=synthetic --source finger=synthetic",
    ]
    assert good(*words).stdout.startswith(f"already there: {folder} (4 files whole, 0 fetched now)\n")
    assert good(*words, "--quiet").output == ""


def test_as_json(good: Call, served: Served, tmp_path: Path) -> None:
    told = json.loads(good("download", "ecg-id", "--mirror", served.url, "--to", tmp_path / "to", "--json").stdout)
    assert told["folder"] == str(tmp_path / "to" / "ecg-id-database-1.0.0")
    assert (told["set"], told["n_files"], told["n_fetched"], told["bytes"], told["tls"]) == (
        "ecg-id",
        4,
        4,
        80_000,
        False,
    )
    assert told["verified"] == {"sha256 list of the mirror": 4}


def test_an_archive_by_first_use(good: Call, faces: Served, tmp_path: Path) -> None:
    words = ["download", "faces94", "--mirror", faces.url, "--to", tmp_path / "to"]
    told = good(*words).stdout
    assert "(1 file whole, 1 fetched now, 1 unpacked, " in told
    assert "verified: 1 by first use (no official hash; recorded in mmbio-lock.json, and another file is" in told
    assert (tmp_path / "to" / "faces94" / "male" / "x" / "x.1.jpg").read_bytes() == b"x" * 100
    assert not (tmp_path / "to" / "faces94" / "faces94.zip").exists()
    assert "1 files whole" not in good(*words).stdout
    assert faces.n_requests == 1


def test_what_was_found_here_is_told(good: Call, faces: Served, tmp_path: Path) -> None:
    (tmp_path / "root/faces94").mkdir(parents=True)
    (tmp_path / "root/faces94/faces94.zip").write_bytes((tmp_path / "archives/faces94.zip").read_bytes())
    told = good("download", "faces94", "--mirror", faces.url, "--to", tmp_path / "root").stdout
    assert "verified: 1 by nothing, found here (no official hash; recorded in mmbio-lock.json as it was found)" in told


def test_archives_are_kept(good: Call, faces: Served, tmp_path: Path) -> None:
    good("download", "faces94", "--mirror", faces.url, "--to", tmp_path / "to", "--keep-archives")
    assert (tmp_path / "to" / "faces94" / "faces94.zip").is_file()


def test_a_dry_run_lists_and_writes_nothing(good: Call, served: Served, tmp_path: Path) -> None:
    words = ["download", "ecg-id", "--mirror", served.url, "--out", tmp_path / "runs", "--dry-run"]
    lines = good(*words).stdout.splitlines()
    assert len(lines) == COUNT + 1
    assert "  to fetch                 ?  ecg-id-database-1.0.0/Person_00/rec_1.dat" in lines
    assert lines[-1].startswith("ecg-id: 4 of 4 files to fetch (about 13 MB), 0 here; about 13 MB of disk needed, ")
    told = json.loads(good(*words, "--json").stdout)
    assert (told["dry_run"], [file["state"] for file in told["files"]]) == (True, ["absent"] * COUNT)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
@pytest.mark.parametrize("name", [name for name, dataset in CATALOGUE.items() if dataset.steps])
def test_a_gated_set_prints_its_steps(
    mmbio: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, dry: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = mmbio("download", name, "--to", tmp_path / "to", *dry)
    assert result.exit_code == 1
    assert max(map(len, result.stdout.splitlines())) <= 80
    words = " ".join(result.stdout.split())
    for number, step in enumerate(CATALOGUE[name].steps, start=1):
        assert f" {number}. {' '.join(step.split())}" in words
    assert not (tmp_path / "to").exists()
    told = json.loads(mmbio("download", name, "--json", "--to", tmp_path / "to", *dry).stdout)
    assert (told["gated"], told["present"], told.get("dry_run", False)) == (True, False, bool(dry))


def test_a_gated_set_that_is_here_is_not_asked_for_again(mmbio: Call, good: Call, tmp_path: Path) -> None:
    folder = tmp_path / "got/SOCOFing/Real"
    folder.mkdir(parents=True)
    for person, finger in product(range(1, 601), FINGERS):
        (folder / f"{person}__M_{finger}_finger.BMP").write_text("x")
    words = ("download", "socofing", "--to", tmp_path / "got")
    lines = good(*words).stdout.splitlines()
    assert lines[0].startswith(f"already there: {folder.parent} (6,000 files, ")
    assert lines[1] == "SOCOFing is given by its owners only (non-commercial research; see the page)."
    assert good(*words, "--quiet").stdout == ""
    (folder / "1__M_Right_thumb_finger.BMP").unlink()
    result = mmbio(*words)
    assert (result.exit_code, result.stdout.startswith("here, not whole: ")) == (1, True)
    assert "  fault: Real: 5,999 of 6,000 (Real/*.bmp)\n" in result.stdout


def test_several_sets_are_an_object_a_line(mmbio: Call, tmp_path: Path) -> None:
    told = mmbio("download", "fvc2006", "socofing", "FVC2006", "--to", tmp_path, "--json").stdout.splitlines()
    assert [json.loads(line)["set"] for line in told] == ["fvc2006", "socofing"]


def test_the_root_of_the_environment(
    good: Call, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMBIO_DATA", str(tmp_path / "mine"))
    told = good("download", "ecg-id", "--mirror", served.url).stdout
    assert f"fetched: {tmp_path / 'mine' / 'ecg-id-database-1.0.0'}" in told
    assert "go on: mmbio tables --source face=synthetic --source finger=synthetic\n" in told


def test_what_there_is_decides_how_to_go_on(tmp_path: Path) -> None:
    for name in ("faces94", "ecg-id-database-1.0.0"):
        (tmp_path / name).mkdir()
    assert go_on(CATALOGUE["fvc2002"], tmp_path) == f"mmbio tables --data {tmp_path}"
    assert go_on(CATALOGUE["ptb"], tmp_path) == f"mmbio tables --data {tmp_path} --source finger=synthetic"
    assert go_on(CATALOGUE["voxceleb-lists"], tmp_path) == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("download x", "SET x: no such set; choose from synthetic, ecg-id, ptb, "),
        ("download ecgid", "SET ecgid: no such set; did you mean ecg-id; choose from"),
        ("download librispeech", "did you mean librispeech-dev-clean or librispeech-dev-other"),
        ("download ecg-id nose --to {to}", "SET nose: no such set"),
        ("download ecg-id --mirror x", "--mirror x: expected the address of a folder, such as https://"),
        ("download ecg-id --mirror http://example.invalid/", "http://example.invalid/: not asked for without TLS"),
        ("download ecg-id ptb --mirror https://x.invalid/", "--mirror https://x.invalid/: belongs to one set"),
        ("download synthetic --mirror https://x.invalid/", "--mirror .*: belongs to one set that is not synthetic"),
        ("download synthetic --from {to}", "--from .*: belongs to one set that is not synthetic"),
        (
            "download ecg-id --from {to} --mirror https://x.invalid/",
            "--from and --mirror: a set comes from one",
        ),
        ("download ecg-id --seed 1", "--seed: only synthetic is drawn; leave it out"),
        ("download ecg-id synthetic --to {to}", "synthetic takes a folder of its own"),
        ("download ecg-id --jobs 0", "'--jobs': 0 is not in the range"),
        ("download fvc2006 --from {to}/nowhere", "nowhere: no such file or folder; give the folder or archive"),
        ("download fvc2006 --from {to} --dry-run", "--dry-run and --from: "),
        ("download ecg-id --mirror {url}nowhere/", r"nowhere/SHA256SUMS\.txt: not there \(404\)"),
        ("download ecg-id --mirror {url} --to {file}", "file: cannot be written to"),
        ("download ecg-id --mirror {url} --to {file}/below", "below: cannot be written to"),
    ],
)
def test_refusals(refused: Refused, served: Served, tmp_path: Path, words: str, told: str) -> None:
    (tmp_path / "file").write_text("x")
    refused(told, words, tmp_path / "home", url=served.url, to=tmp_path, file=tmp_path / "file")


def started(served: Served, root: Path) -> "subprocess.Popen[str]":
    code = "from mmbio.cli.main import main; main()"
    words = [sys.executable, "-c", code, "download", "ecg-id", "--mirror", served.url, "--to", str(root)]

    def unignored() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # where what runs the tests ignores it, as a background job does

    return subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root.parent,
        preexec_fn=unignored,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_is_gone_on_with(
    good: Call, served: Served, tmp_path: Path, number: signal.Signals
) -> None:
    root = tmp_path / "root"
    served.faults.slow, served.faults.only, served.faults.chunk = 2_000, "rec_1", 500
    running = started(served, root)
    end = time.monotonic() + 30
    while sum(asked.sent >= 2_500 for asked in served.of("rec_1")) < COUNT and time.monotonic() < end:
        time.sleep(0.01)
    running.send_signal(number)
    _, told = running.communicate(timeout=30)
    assert running.returncode != 0
    assert list(root.rglob("*.part"))
    if number == signal.SIGINT:
        assert (
            f"{root / 'ecg-id-database-1.0.0'}: 1 of its files whole, 4 in part; the next run goes on with them" in told
        )
        assert "Traceback" not in told
    served.faults.slow = None
    served.forget()
    good("download", "ecg-id", "--mirror", served.url, "--to", root)
    assert [asked.status for asked in served.of("rec_1")] == [206] * COUNT
    assert sum(asked.sent for asked in served.of("rec_1")) < 80_000 - 8_000
    assert not list(root.rglob("*.part*"))


def test_a_damaged_record_is_one_sentence(refused: Refused, served: Served, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "mmbio-lock.json").write_text("{")
    told = r"mmbio-lock\.json: not a readable record of downloads .*take it from a backup, or remove it"
    refused(told, "download ecg-id --mirror {url} --to {to}", tmp_path / "home", url=served.url, to=tmp_path / "to")


def test_placed_by_hand(good: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meta = tmp_path / "got" / "vox1_meta.csv"
    meta.parent.mkdir()
    meta.write_text("VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid10001\tA\tm\tIreland\tdev\n")
    lists = CATALOGUE["voxceleb-lists"]
    small: Any = replace(lists, files=(File("vox1_meta.csv", "vox1_meta.csv"),), parts=lists.parts[:1])
    monkeypatch.setattr(catalogue, "CATALOGUE", MappingProxyType({**CATALOGUE, "voxceleb-lists": small}))
    told = good("download", "voxceleb-lists", "--from", meta.parent, "--to", tmp_path / "to").stdout
    assert f"placed: {tmp_path / 'to' / 'voxceleb'} (1 file, " in told
    assert (tmp_path / "to" / "voxceleb" / "vox1_meta.csv").read_bytes() == meta.read_bytes()
    again = good("download", "voxceleb-lists", "--to", tmp_path / "to").stdout
    assert again == f"already there: {tmp_path / 'to' / 'voxceleb'} (1 file, placed by hand, whole)\n"
    assert good("download", "voxceleb-lists", "--to", tmp_path / "to", "--dry-run").stdout == again


def test_an_archive_that_was_placed_by_hand_is_not_fetched(good: Call, faces: Served, tmp_path: Path) -> None:
    archive = tmp_path / "archives/faces94.zip"
    with zipfile.ZipFile(archive, "a") as more:
        for group in ("female", "malestaff"):
            more.writestr(f"faces94/{group}/{group}/y.1.jpg", group)
    good("download", "faces94", "--from", archive, "--to", tmp_path / "root")
    told = good("download", "faces94", "--mirror", faces.url, "--to", tmp_path / "root").stdout
    assert told == f"already there: {tmp_path / 'root' / 'faces94'} (3 files, placed by hand, whole)\n"
    assert faces.n_requests == 0


def test_what_an_archive_brought_is_verified_by_its_content(good: Call, faces: Served, tmp_path: Path) -> None:
    words = ("datasets", "faces94", "--data", tmp_path / "root", "--verify")
    good("download", "faces94", "--mirror", faces.url, "--to", tmp_path / "root")
    (tmp_path / "root/faces94/male/x/x.1.jpg").write_bytes(b"y" * 100)
    assert "male/x/x.1.jpg: another content than its hash says" in good(*words).stdout

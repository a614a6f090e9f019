import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb

from mmbio.data.readers.ecg_id import read
from mmbio.data.signals import beats, cut_beats
from mmbio.data.synthetic import ecg
from mmbio.data.synthetic.ecg import GAIN, IDENTITY_SPREAD, Waves, record, write_subject

SEED = 7
INDICES = (0, 1, 2, 64, 71)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root") / ecg.FOLDER
    for index in INDICES:
        write_subject(folder, index, SEED)
    return folder


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("everyone")
    for index in range(ecg.N_SUBJECTS):
        write_subject(folder, index, SEED)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def headers(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for path in sorted(folder.rglob("*.hea")):
        comments = wfdb.rdheader(str(path.with_suffix(""))).comments
        yield path.parent.name, dict(line.split(": ") for line in comments)


def first_record(folder: Path, index: int) -> Any:
    return wfdb.rdrecord(str(folder / f"Person_{index + 1:02d}" / "rec_1"), physical=False)


def test_layout(root: Path) -> None:
    assert [p.name for p in sorted(root.iterdir())] == [f"Person_{i + 1:02d}" for i in INDICES]
    for person in root.iterdir():
        names = sorted(p.name for p in person.iterdir())
        expected = [f"rec_{n}.{kind}" for n in (1, 2, 3) for kind in ("dat", "hea")]
        assert names in (expected[:4], expected)


def test_a_header_says_what_those_of_ecg_id_say(root: Path) -> None:
    lines = (root / "Person_02" / "rec_1.hea").read_text().splitlines()
    assert lines[0] == "rec_1 2 500 10000"
    assert re.fullmatch(r"rec_1\.dat 16 200\(0\)/mV 16 0 -?\d+ -?\d+ 0 ECG I", lines[1])
    assert re.fullmatch(r"rec_1\.dat 16 200\(0\)/mV 16 0 -?\d+ -?\d+ 0 ECG I filtered", lines[2])
    assert re.fullmatch(r"# Age: \d\d", lines[3])
    assert lines[4] == "# Sex: male"
    assert re.fullmatch(r"# ECG date: \d\d\.\d\d\.200[45]", lines[5])
    assert len(lines) == 6


@pytest.mark.parametrize("index", INDICES)
def test_checksums_and_units(root: Path, index: int) -> None:
    found = first_record(root, index)
    assert found.d_signal.shape == (10_000, 2)
    assert (found.units, found.adc_gain, found.baseline) == (["mV", "mV"], [GAIN, GAIN], [0, 0])
    assert [c % 65536 for c in found.checksum] == [c % 65536 for c in found.calc_checksum()]
    assert 0.3 < np.abs(found.d_signal / GAIN).max() < 4


def test_genders_and_ages(everyone: Path) -> None:
    for name, fields in headers(everyone):
        index = int(name.removeprefix("Person_")) - 1
        low, high = (13, 39) if index < 64 else (40, 75)
        assert fields["Sex"] == ("male" if index % 2 else "female")
        assert low <= int(fields["Age"]) <= high


def test_a_subject_has_one_age_and_its_dates_go_on(everyone: Path) -> None:
    said: dict[str, list[dict[str, str]]] = {}
    for name, fields in headers(everyone):
        said.setdefault(name, []).append(fields)
    assert len(said) == ecg.N_SUBJECTS
    assert {len(records) for records in said.values()} == {2, 3}
    for records in said.values():
        days = [tuple(map(int, reversed(fields["ECG date"].split(".")))) for fields in records]
        assert days == sorted(days)
        assert len({fields["Age"] for fields in records}) == 1
    n_dates = [len({fields["ECG date"] for fields in records}) for records in said.values()]
    assert min(n_dates) == 1
    assert max(n_dates) > 1


def test_ages_are_spread_over_the_band(everyone: Path) -> None:
    ages = {name: int(fields["Age"]) for name, fields in headers(everyone)}
    young = [age for age in ages.values() if age <= 39]
    assert len(young) == 64
    assert len(set(young)) >= 20
    assert 23 <= np.mean(young) <= 29


def test_the_reader_of_ecg_id_reads_it(root: Path) -> None:
    found = read(root).samples
    assert {sample.subject for sample in found} == {f"Person_{i + 1:02d}" for i in INDICES}
    assert {sample.gender for sample in found if sample.subject in ("Person_01", "Person_03")} == {"F"}


@pytest.mark.parametrize("index", INDICES)
def test_every_record_holds_enough_beats(root: Path, index: int) -> None:
    for path in (root / f"Person_{index + 1:02d}").glob("*.hea"):
        assert 15 <= len(beats(path)) <= 32


def test_the_same_seed_writes_the_same_bytes_in_any_order_and_process(root: Path, tmp_path: Path) -> None:
    np.random.seed(99)  # noqa: NPY002 - the global state must not matter
    for index in (64, 1):
        write_subject(tmp_path / "here", index, SEED)
    code = f"from pathlib import Path; from mmbio.data.synthetic.ecg import *; write_subject(Path(r'{tmp_path}'), 1, 7)"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
    expected = contents(root / "Person_02")
    assert contents(tmp_path / "here" / "Person_02") == expected
    assert contents(tmp_path / "Person_02") == expected
    assert contents(tmp_path / "here" / "Person_65") == contents(root / "Person_65")


@pytest.mark.parametrize(("seed", "spread"), [(SEED + 1, IDENTITY_SPREAD), (SEED, IDENTITY_SPREAD / 2)])
def test_seed_and_spread_change_the_signal(root: Path, tmp_path: Path, seed: int, spread: float) -> None:
    write_subject(tmp_path, 0, seed, spread)
    assert not np.array_equal(first_record(tmp_path, 0).d_signal, first_record(root, 0).d_signal)


def test_spread_leaves_age_and_dates(root: Path, tmp_path: Path) -> None:
    write_subject(tmp_path, 0, SEED, 0.1)
    assert list(headers(tmp_path)) == [(name, fields) for name, fields in headers(root) if name == "Person_01"]


def test_beats_lie_further_apart_between_subjects_with_more_spread(tmp_path: Path) -> None:
    def scatter(spread: float) -> float:
        folder = tmp_path / str(spread)
        for index in range(6):
            write_subject(folder, index, SEED, spread)
        means = [beats(folder / f"Person_{i + 1:02d}" / "rec_1.hea").mean(axis=0) for i in range(6)]
        return float(np.std(means, axis=0).mean())

    narrow, middle, wide = (scatter(spread) for spread in (0.0, 0.5, 1.0))
    assert narrow < middle < wide
    assert wide > 2 * narrow


@pytest.mark.parametrize("rate", [56.0, 70.0, 92.0])
def test_a_record_beats_at_its_rate_with_waves_where_they_were_put(rate: float) -> None:
    signal = record(Waves(ecg.TIMES, ecg.HEIGHTS, ecg.WIDTHS), rate, 1.0, np.random.default_rng(5))
    found = np.median(cut_beats(signal), axis=0)
    assert 15 <= len(cut_beats(signal)) <= 32
    assert abs(int(found.argmax()) - 150) <= 2  # R, 2 ms a sample
    assert abs(60 + int(found[60:110].argmax()) - (150 - 135 / 2)) <= 6  # P
    assert abs(220 + int(found[220:].argmax()) - (150 + 235 / 2)) <= 15  # T, which follows the rate


def test_a_spread_of_nothing_moves_nothing() -> None:
    moved = Waves(ecg.TIMES, ecg.HEIGHTS, ecg.WIDTHS).moved(np.random.default_rng(0), 0.0)
    for part, base in ((moved.times, ecg.TIMES), (moved.heights, ecg.HEIGHTS), (moved.widths, ecg.WIDTHS)):
        assert np.allclose(part, base)


@pytest.mark.parametrize(("index", "spread"), [(-1, 0.5), (0, -0.1)])
def test_what_cannot_be_is_refused(tmp_path: Path, index: int, spread: float) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        write_subject(tmp_path, index, SEED, spread)
    assert not list(tmp_path.iterdir())

"""run_log: one file a run, with what was asked, what went on and how it ended; nothing that lets anybody in."""

import logging
import os
import re
import shlex
import stat
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import Result

from mmbio.cli import running, steps
from mmbio.cli.run_log import RunLog, lasting, without_secrets
from mmbio.errors import MmbioError
from mmbio.workers import spawned

Call = Callable[..., Result]
Listing = Callable[[Path], Mapping[str, bytes]]

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")


def newest(home: Path) -> Path:
    return max((home / "logs").iterdir(), key=lambda path: path.stat().st_mtime_ns)


@pytest.fixture
def train(home: Path, good: Call) -> Callable[..., list[str]]:
    """`mmbio train` of what is there already -> the lines of its log."""

    def call(*words: str) -> list[str]:
        good("train", "--fusion", "attention", "--out", home, *words)
        return newest(home).read_text().splitlines()

    return call


def test_a_log_says_what_was_asked_with_what_and_how_it_ended(home: Path, train: Callable[..., list[str]]) -> None:
    lines = train("--seed", "0")
    heading = [line for line in lines if line.startswith("# ")]
    assert shlex.split(heading[0][2:]) == ["mmbio", "train", "--fusion", "attention", "--out", str(home), "--seed", "0"]
    assert heading[1] == f"# folder: {Path.cwd()}"
    assert re.match(r"# mmbio \S+, commit .+, Python 3\.\d+", heading[2])
    assert re.search(r"\btorch \d.*\bnumpy \d.*\bpandas \d", heading[3])
    assert re.search(r"\d+ cores, bf16: (yes|no|not known)", heading[4])
    assert "MMBIO_THREADS=1" in heading[5]
    assert lines[: len(heading)] == heading
    assert all(STAMP.match(line) for line in lines[len(heading) :])
    last = r"ended: done; \d+\.\d\d s, \d+\.\d\d s of the processor, at most [\d,]+ MiB in this process and [\d,]+ MiB"
    assert re.search(last, lines[-1])


def test_each_run_has_a_file_that_only_its_owner_reads(home: Path, train: Callable[..., list[str]]) -> None:
    train()
    first = newest(home)
    kept = first.read_text()
    train()
    assert newest(home) != first
    assert first.read_text() == kept
    assert re.fullmatch(r"\d{8}T\d{6}Z-train-[0-9a-f]{6}\.log", first.name)
    assert (stat.S_IMODE(first.stat().st_mode), stat.S_IMODE(first.parent.stat().st_mode)) == (0o600, 0o700)


def test_steps_are_told(good: Call, tiny_root: Path, tmp_path: Path) -> None:
    good("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", tmp_path)
    text = newest(tmp_path).read_text()
    assert re.search(r"Z reading ECG records: 1 of 6\n", text)
    assert re.search(r"Z reading ECG records: 6 of 6 in \d+\.\d s\n", text)


def test_what_writes_nothing_below_a_home_has_no_log(
    good: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    Path("scores.csv").write_text("score,label\n0.9,1\n0.1,0\n")
    good("metrics", "scores.csv")
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_mistake_in_the_options_makes_no_log(mmbio: Call, tmp_path: Path) -> None:
    assert mmbio("train", "--fusion", "nose", "--out", tmp_path).exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def broken(home: Path, mmbio: Call, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`mmbio train` in which training does something else."""

    def call(instead: Callable[[], object], *words: str, before: tuple[str, ...] = ()) -> Result:
        monkeypatch.setattr("mmbio.fuse.run.train", lambda *_, **__: instead())
        return mmbio(*before, "train", "--fusion", "sum", "--out", home, *words)

    return call


def failing(error: BaseException) -> Callable[[], None]:
    def instead() -> None:
        raise error

    return instead


def test_a_bug_is_one_sentence_and_its_traceback_in_the_log(home: Path, broken: Callable[..., Result]) -> None:
    result = broken(failing(TypeError("no such thing\nand more")), "--quiet")
    log = newest(home)
    told = f"Error: unexpected error (TypeError: no such thing): this is a bug of mmbio; the log {log} has the details"
    assert (result.exit_code, result.stdout, result.stderr) == (70, "", f"{told}; please report it\n")
    assert "Z Traceback (most recent call last):\n  | " in log.read_text()
    assert "  | and more" in log.read_text()


@pytest.mark.parametrize("words", [("-v",), ("--verbose",)])
def test_verbose_shows_the_traceback(broken: Callable[..., Result], words: tuple[str, ...]) -> None:
    for result in (broken(failing(TypeError("x")), *words), broken(failing(TypeError("x")), before=words)):
        assert "Traceback (most recent call last):" in result.stderr
        assert result.stderr.splitlines()[-1].startswith("Error: unexpected error (TypeError: x)")


def test_a_bug_where_there_is_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as ended, running.Run(["metrics"], verbose=False) as run:
        run.verb("metrics", {})
        raise TypeError("x")
    assert ended.value.code == 70
    assert "Traceback" in next(tmp_path.glob("*-metrics-*.log")).read_text()


def test_a_users_mistake_stands_in_the_log(home: Path, broken: Callable[..., Result]) -> None:
    result = broken(failing(MmbioError("there is none; make one")))
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, "Error: there is none; make one")
    assert "ended: failed: there is none; make one; " in newest(home).read_text()


def warn() -> None:
    warnings.warn_explicit("old thing", UserWarning, "library.py", 7)
    logging.getLogger("library").warning("careful")
    logging.getLogger("library").info("by the way")
    logging.getLogger("mmbio.files").warning("somebody else is at work")
    logging.getLogger("mmbio.files").info("a detail")
    raise MmbioError("enough")


LIBRARIES = ["library.py:7: UserWarning: old thing", "library: careful", "library: by the way", "a detail"]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("quiet", [True, False])
def test_libraries_warn_in_the_log(home: Path, broken: Callable[..., Result], quiet: bool) -> None:
    told = broken(warn, *(["--quiet"] if quiet else [])).stderr
    log = newest(home).read_text()
    assert not [line for line in LIBRARIES if line in told]
    assert ("somebody else is at work\n" in told) is not quiet
    assert all(line in log for line in [*LIBRARIES, "warning: mmbio.files: somebody else is at work"])


@pytest.mark.filterwarnings("default")
def test_verbose_shows_what_libraries_say(broken: Callable[..., Result]) -> None:
    told = broken(warn, "-v").stderr
    assert all(line in told for line in [*LIBRARIES, "somebody else is at work"])


def test_loggers_and_warnings_are_as_before(train: Callable[..., list[str]]) -> None:
    root = logging.getLogger()
    before = root.level, list(root.handlers), warnings.showwarning, logging.getLogger("mmbio").level
    train()
    assert (root.level, list(root.handlers), warnings.showwarning, logging.getLogger("mmbio").level) == before
    assert running.now() is None


def test_a_long_run_ends_with_a_line(home: Path, good: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LONG_S", 0.0)
    words = ("train", "--fusion", "attention", "--out", home)
    last = good(*words).stderr.splitlines()[-1]
    assert re.fullmatch(rf"\d+\.\d s, \d+\.\d GB at most; log: {re.escape(str(newest(home)))}", last)
    for silent in ("--quiet", "--json"):
        assert good(*words, silent).stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_log_that_cannot_be_written_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    log = RunLog(["train"])
    log.open(tmp_path / "file" / "logs")
    log.line("nowhere to go")
    assert log.path is None
    really = os.open
    monkeypatch.setattr(os, "open", lambda _path, *_: really("/dev/full", os.O_WRONLY))
    log.open(tmp_path / "logs")
    log.line("no space")
    log.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://me:pass@example.org/x", "https://***@example.org/x"),
        ("--mirror https://example.org/x?token=abc&page=2", "--mirror https://example.org/x?token=***&page=2"),
        ("https://example.org/?X-Amz-Signature=ab/c%20d 7", "https://example.org/?X-Amz-Signature=*** 7"),
        ("https://example.org/?page=1&api_key=abc'", "https://example.org/?page=1&api_key=***'"),
        ("mail me@example.org, face=0.5@probe", "mail me@example.org, face=0.5@probe"),
    ],
)
def test_secrets_are_left_out(tmp_path: Path, text: str, told: str) -> None:
    assert without_secrets(text) == told
    log = RunLog(["download", text])
    log.line(text)
    log.open(tmp_path)
    log.line(text)
    assert log.path is not None
    log.close()
    written = log.path.read_text().splitlines()
    assert shlex.split(written[0][2:])[:2] == ["mmbio", "download"]
    assert [line[len("2026-01-01T00:00:00.000Z ") :] for line in written[-2:]] == [told, told]
    assert text == told or not any(text in line for line in written)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (12.44, "12.4 s"), (59.94, "59.9 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")],
)
def test_lasting(seconds: float, told: str) -> None:
    assert lasting(seconds) == told


class TestSteps:
    """Steps: lines at the beginning, at tenths or half minutes, and at the end."""

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        now = [0.0]
        monkeypatch.setattr("mmbio.cli.steps.time.monotonic", lambda: now[0])
        monkeypatch.setattr(steps, "EVERY_S", 30.0)
        return now

    def test_lines(self, clock: list[float]) -> None:
        told: list[str] = []
        noted = steps.Steps(told.append)
        for n in range(1, 1001):
            clock[0] = n * 0.1
            noted.note("extracting face", n, 1000)
        assert told[0] == "extracting face: 1 of 1,000"
        assert told[1] == "extracting face: 100 of 1,000 in 9.9 s, 1 min 30 s left"
        assert told[-1] == "extracting face: 1,000 of 1,000 in 1 min 40 s"
        assert len(told) == 11

    def test_a_slow_one_is_told_each_half_minute(self, clock: list[float]) -> None:
        told: list[str] = []
        noted = steps.Steps(told.append)
        for n in range(1, 8):
            clock[0] = n * 29.0
            noted.note("training networks", n, 1000)
        assert len(told) == 4

    def test_lines_for_who_sees_no_bars(self, clock: list[float]) -> None:
        noted = steps.Steps(lambda _: None)
        noted.note("extracting face", 0, 5000)
        assert noted.due() == ""
        clock[0] = 31.0
        noted.note("extracting face", 1200, 5000)
        assert noted.due() == "extracting face: 1,200 of 5,000, 1 min 38 s left"
        assert noted.due() == ""

    def test_a_kind_that_begins_anew(self, clock: list[float]) -> None:
        noted = steps.Steps(lambda _: None)
        for done in (10, 20, 5, 9):
            noted.note("extracting face", done, 20)
        assert noted.extracted() == {"face": 29}
        assert noted.doing() == "extracting face (9 of 20 done)"


def test_what_was_written_is_listed_at_the_end(good: Call, tiny_root: Path, tmp_path: Path) -> None:
    good("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", tmp_path)
    name = next((tmp_path / "manifests").glob("[!.]*")).name
    *_, heading, written, last = newest(tmp_path).read_text().splitlines()
    assert heading.endswith(f"Z written below {tmp_path}: 1")
    assert written == f"  | manifests/{name}/"
    assert "Z ended: done; " in last


def warn_elsewhere() -> None:
    with spawned.pool(1) as pool:
        pool.submit(warnings.warn, "old thing").result(60)


def test_what_is_warned_of_in_another_process(home: Path, broken: Callable[..., Result]) -> None:
    result = broken(warn_elsewhere)
    assert "old thing" not in result.output
    assert re.search(r"Z warning: py\.warnings: \S+:\d+: UserWarning: old thing\n", newest(home).read_text())

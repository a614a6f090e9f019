"""endings: what ended a verb -> one sentence and an exit code; what is printed where nobody reads or nothing fits."""

import errno
import os
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import click
import pytest

from mmbio.cli.endings import is_of_stdout, told
from mmbio.errors import MmbioError

AGAIN = "and run the same command again: nothing finished is lost"
MMBIO = Path(sys.executable).with_name("mmbio")


class OutOfMemoryError(RuntimeError):
    """As torch names its own."""


def of_system(number: int, *names: str) -> OSError:
    return OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (MmbioError("face=2: too much; give less"), 2, "face=2: too much; give less"),
        (
            of_system(errno.ENOSPC, "a/b.npy"),
            2,
            f"a/b.npy: No space left on device; free some space on its disk, {AGAIN}",
        ),
        (of_system(errno.EDQUOT), 2, "a file: Disk quota exceeded; free some space"),
        (
            of_system(errno.EACCES, "a"),
            2,
            "a: Permission denied; give yourself the right to it, or another folder with",
        ),
        (of_system(errno.EROFS, "a"), 2, "a: Read-only file system; give yourself the right to it, or another folder"),
        (of_system(errno.ENOENT, "a.png"), 2, "a.png: No such file or directory; it went away while mmbio ran, so put"),
        (
            of_system(errno.EMFILE, "a"),
            2,
            "a: Too many open files; allow more with ulimit -n 4096, or set MMBIO_THREADS",
        ),
        (of_system(errno.ENOMEM), 2, "not enough memory: set MMBIO_THREADS=1, take"),
        (of_system(errno.EIO, "a"), 2, "a: Input/output error; its disk or network fails"),
        (OSError("odd"), 2, f"a file: odd; look after it, {AGAIN}"),
        (OSError(errno.EXDEV, "Invalid link", "a", None, "b"), 2, "a and b: Invalid link"),
        (MemoryError(), 2, "not enough memory"),
        (OutOfMemoryError("CUDA"), 2, "not enough memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), 2, "not enough memory"),
        (BrokenProcessPool("gone"), 2, "a process of this run was ended from outside"),
        (
            ModuleNotFoundError("No module named 'scipy'", name="scipy"),
            2,
            "No module named 'scipy': the installation is",
        ),
        (RuntimeError("operator torchvision::nms does not exist"), 2, "operator torchvision::nms does not exist: the"),
        (
            TypeError("x\ny"),
            70,
            "unexpected error (TypeError: x): this is a bug of mmbio; the log l.log has the details",
        ),
        (
            ImportError("cannot import name", name="mmbio.files"),
            70,
            "unexpected error (ImportError: cannot import name)",
        ),
        (RecursionError("deep"), 70, "unexpected error (RecursionError: deep)"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), 70, "unexpected error (UnicodeDecodeError: 'utf-8'"),
        (ValueError("x" * 999), 70, f"unexpected error (ValueError: {'x' * 200}...): this is a bug"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_sentences(error: BaseException, code: int, sentence: str) -> None:
    found = told(error, Path("l.log"))
    assert found[1] == code
    assert found[0].startswith(sentence)
    assert "\n" not in found[0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_whether_it_was_printing_that_failed() -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115
    with pytest.raises(OSError, match="No space") as printing:
        click.echo("x", file=full)
    with pytest.raises(OSError, match="No space") as closing:
        full.close()
    assert (is_of_stdout(printing.value), is_of_stdout(closing.value)) == (True, False)


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text("score,label\n0.9,1\n0.1,0\n")
    return path


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_device_for_what_is_printed(scores: Path, unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        words = [str(MMBIO), "metrics", str(scores)]
        done = subprocess.run(
            words, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60, env=environment
        )
    assert done.returncode == 2
    assert done.stderr == f"Error: standard output: No space left on device; free some space there, or send it" \
        f" elsewhere, {AGAIN}\n"  # fmt: skip


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nobody_reads_what_is_printed(scores: Path, unbuffered: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    words = [str(MMBIO), "metrics", str(scores)]
    done = subprocess.run(
        words, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=60, env=environment
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_standard_output_is_closed(scores: Path) -> None:
    line = f'exec "{MMBIO}" metrics "{scores}" >&-'
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False, timeout=60)
    told = "Error: standard output is closed, and results are printed there; send it to a file or /dev/null\n"
    assert (done.returncode, done.stderr) == (2, told)

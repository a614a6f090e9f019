"""endings: what ended a verb -> the sentence that a user reads, and the exit code."""

import errno
import os
import sys
from pathlib import Path
from typing import Final

from mmbio.errors import MmbioError

MISTAKE: Final = 2  # exit code of what a user can mend
BUG: Final = 70  # of what only mmbio can: EX_SOFTWARE of sysexits.h
AGAIN: Final = "and run the same command again: nothing finished is lost"
NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT)
CURES: Final = (
    (NO_SPACE, f"free some space on its disk, {AGAIN}"),
    ((errno.EACCES, errno.EPERM, errno.EROFS), "give yourself the right to it, or another folder with --out"),
    ((errno.ENOENT, errno.ESTALE), f"it went away while mmbio ran, so put it back, {AGAIN}"),
    ((errno.EMFILE, errno.ENFILE), f"allow more with ulimit -n 4096, or set MMBIO_THREADS=1, {AGAIN}"),
    ((errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR), "give another name"),
    ((errno.EIO,), f"its disk or network fails, which needs looking after, {AGAIN}"),
)
PRINTERS: Final = ("click", "rich")  # whose last frame is where printing fails
UNKNOWN: Final = f"look after it, {AGAIN}"
NO_MEMORY: Final = ("not enough memory", "can't allocate memory", "cannot allocate memory", "out of memory")
BROKEN: Final = ("torchvision::nms", "undefined symbol")  # torch beside another's torchvision


def told(error: BaseException, log: Path | None = None) -> tuple[str, int]:
    """The sentence and the exit code for what ended a verb; `log` is the file with the details."""
    if isinstance(error, MmbioError):
        return str(error), MISTAKE
    if _is_memory(error):
        return (
            "not enough memory: set MMBIO_THREADS=1, take fewer --workers, fewer --subjects or a smaller --scale, or a"
            f" machine with more, {AGAIN}"
        ), MISTAKE
    if isinstance(error, OSError):
        return _of_system(error), MISTAKE
    if type(error).__name__ == "BrokenProcessPool":
        return (
            f"a process of this run was ended from outside, perhaps for want of memory: set MMBIO_THREADS=1, {AGAIN}",
            MISTAKE,
        )
    if _is_installation(error):
        return f"{_short(error)}: the installation is not whole; mmbio doctor says what to do", MISTAKE
    details = f"; the log {log} has the details" if log else ""
    return f"unexpected error ({type(error).__name__}: {_short(error)}): this is a bug of mmbio{details};" \
        " please report it", BUG  # fmt: skip


def _of_system(error: OSError) -> str:
    """What the system refused, with the name of the file where it is known, and the cure."""
    name, why = _name(error) or "a file", error.strerror or _short(error) or type(error).__name__
    if error.errno in NO_SPACE and is_of_stdout(error):
        return f"standard output: {why}; free some space there, or send it elsewhere, {AGAIN}"
    cure = next((text for numbers, text in CURES if error.errno in numbers), UNKNOWN)
    return f"{name}: {why}; {cure}"


def is_of_stdout(error: BaseException) -> bool:
    """Whether it was printing that failed: nobody reads it any more, or there is no space where it goes."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    printer = at is not None and str(at.tb_frame.f_globals.get("__name__")).partition(".")[0] in PRINTERS
    return isinstance(error, OSError) and error.filename is None and printer


def forget_stdout() -> None:
    """Drop what could not be printed, so that Python does not try again when it ends."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _name(error: OSError) -> str:
    names = [os.fsdecode(n) for n in (error.filename, error.filename2) if isinstance(n, str | bytes | os.PathLike)]
    return " and ".join(names)


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    named = any(cls.__name__ == "OutOfMemoryError" for cls in type(error).__mro__)  # torch's, which is not loaded here
    return named or (isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY))


def _is_installation(error: BaseException) -> bool:
    missing = isinstance(error, ImportError) and not (error.name or "").startswith("mmbio")
    return missing or (isinstance(error, RuntimeError) and any(words in str(error) for words in BROKEN))


def _short(error: BaseException) -> str:
    """The first line of what an exception says, cut where it is long."""
    line = next(iter(str(error).strip().splitlines()), "")
    return line if len(line) <= 200 else f"{line[:200]}..."

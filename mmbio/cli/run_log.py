"""run_log: one file a run: what was asked, with what, what went on and how it ended; for people, never compared."""

import os
import re
import resource
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mmbio.files import private_folder
from mmbio.words import plural

FOLDER: Final = "logs"  # below the home folder
PRIVATE: Final = 0o600  # lines name files of people
KIB: Final = 1 if sys.platform == "darwin" else 1024  # bytes in the unit of ru_maxrss
HIDDEN: Final = "***"
# What lets somebody in: user:password@ of an address, and the value of a word such as token= or api_key=.
SECRETS: Final = (
    (re.compile(r"(?<=://)[^/@\s'\"]+@"), f"{HIDDEN}@"),
    (
        re.compile(r"(?i)([?&](?:[\w-]*(?:token|key|secret|passw\w*|signature|credential|auth))=|[?&]sig=)[^&#\s'\"]+"),
        rf"\1{HIDDEN}",
    ),
)


class RunLog:
    """Lines that wait until there is a folder for them, and are then added to one file, each as soon as it is told.

    A log that cannot be written (no space, no right) is given up: it never ends a run.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """`command` is what was typed, without the program."""
        self.path: Path | None = None
        self.command = shlex.join(["mmbio", *command])
        self._verb = next((word for word in command if re.fullmatch(r"[a-z][a-z-]*", word)), "run")
        self._descriptor = -1
        self._waiting: list[str] = []

    def line(self, text: str) -> None:
        """Add a line, or several that belong together, with the time; secrets in addresses are left out."""
        first, *others = without_secrets(text.rstrip("\n")).split("\n")
        told = "".join([f"{_now():%Y-%m-%dT%H:%M:%S.%f}"[:23], "Z ", first, "\n", *(f"  | {o}\n" for o in others)])
        if self._descriptor < 0:
            self._waiting.append(told)
        else:
            self._append(told)

    def open(self, folder: Path) -> None:
        """Begin a new file in a folder, with what the run is; nothing where there is one, or none can be made."""
        if self.path is not None:
            return
        name = f"{_now():%Y%m%dT%H%M%SZ}-{self._verb}-{os.urandom(3).hex()}.log"
        try:
            private_folder(folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            self._descriptor = os.open(folder / name, flags, PRIVATE)
        except OSError:
            return
        self.path = folder / name
        self._append("".join(f"# {without_secrets(line)}\n" for line in heading(self.command)))
        self._append("".join(self._waiting))
        self._waiting.clear()

    def close(self) -> None:
        """End the file; later lines are dropped."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self._waiting.clear()

    def _append(self, text: str) -> None:
        """One write to the end of the file, past any buffer: what was told survives a kill."""
        try:
            os.write(self._descriptor, text.encode("utf-8", errors="backslashreplace"))
        except OSError:
            return


def heading(command: str) -> Iterator[str]:
    """What a run is: the command, where, with which versions, on what machine, under which settings."""
    from mmbio import provenance  # which looks for versions: only where there is a file to tell them

    about = provenance.environment()
    settings = {name: value for name, value in os.environ.items() if name.startswith("MMBIO_")} | about["variables"]
    known = {True: "yes", False: "no", None: "not known"}
    yield command
    yield f"folder: {_folder()}"
    yield f"mmbio {about['mmbio']}, commit {about['commit'] or 'not known'}, Python {about['python']}"
    yield ", ".join(f"{name} {found}" for name, found in about["libraries"].items())
    yield f"{about['processor']}, {plural(about['cores'], 'core')}, bf16: {known[about['bf16']]}; {about['system']}"
    yield f"threads: {about['threads']}; " + (
        shlex.join(f"{n}={v}" for n, v in sorted(settings.items())) or "no settings"
    )
    yield f"process {os.getpid()}"


def without_secrets(text: str) -> str:
    """A text with user names, passwords and keys in addresses as ***."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def peaks() -> tuple[int, int]:
    """Bytes that this process, and the largest of its ended children, had at most in memory."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    own, child = (resource.getrusage(who).ru_maxrss * KIB for who in both)
    return own, child


def processor_seconds() -> float:
    """What this process and its ended children took of the processor."""
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def ending(outcome: str, began: float) -> str:
    """The last line: how it ended, what it took; `began` is a time.monotonic()."""
    own, child = peaks()
    return (
        f"ended: {outcome}; {time.monotonic() - began:.2f} s, {processor_seconds():.2f} s of the processor,"
        f" at most {own / 2**20:,.0f} MiB in this process and {child / 2**20:,.0f} MiB in one that it started"
    )


def lasting(seconds: float) -> str:
    """A duration to read: 12.4 s, 3 min 05 s, 2 h 07 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # removed meanwhile
        return "not there any more"


def _now() -> datetime:
    return datetime.now(UTC)

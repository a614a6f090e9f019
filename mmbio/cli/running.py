"""running: what goes on around a verb: its log, its signals, its warnings, and how it ends."""

import logging
import math
import os
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Final, TextIO

import click

from mmbio.cli import endings, run_log, written
from mmbio.cli.interrupts import Interrupts
from mmbio.cli.run_log import RunLog
from mmbio.cli.steps import Steps
from mmbio.errors import MmbioError
from mmbio.files import shared
from mmbio.words import plural

# These write nothing below a home folder; or, as purge, would name there who is to be gone.
HOMELESS: Final = ("metrics", "import", "score", "compare", "datasets", "doctor", "purge")
LONG_S: Final = 10.0  # from which a run is told about at its end


class Run:
    """One verb at work: enter it around all that the verb does."""

    def __init__(self, command: list[str], verbose: bool) -> None:
        """`command` is what was typed, without the program; `verbose` may still change while it is parsed."""
        self.log = RunLog(command)
        self.steps = Steps(self.tell)
        self.verbose, self.quiet = verbose, False
        self.began, self.clock = time.time(), time.monotonic()
        self._home: Path | None = None
        self._interrupts = Interrupts(self._last_words)
        self._stack = ExitStack()
        self._words = Lock()  # taken once: they are said by whoever ends the run first

    def __enter__(self) -> "Run":
        try:
            self._stack.enter_context(self._interrupts.watched())
            self._listen()
            _PROCESS.run = self
        except KeyboardInterrupt as error:
            self.__exit__(type(error), error, error.__traceback__)
        return self

    def verb(self, name: str, given: dict[str, Any]) -> None:
        """What is about to run, with its options."""
        if sys.stdout is None:
            raise MmbioError("standard output is closed, and results are printed there; send it to a file or /dev/null")
        self.quiet = bool(given.get("quiet") or given.get("as_json"))
        if name not in HOMELESS and not given.get("dry_run"):
            self._home = Path(given.get("out") or os.environ.get("MMBIO_HOME") or "runs")
            self._stack.enter_context(shared(self._home))

    def begin(self) -> None:
        """Begin the log file: the options are fine and the work begins."""
        if self._home is not None and self._home.is_dir():
            self.log.open(self._home / run_log.FOLDER)

    def tell(self, text: str) -> None:
        """Add a line to the log; with -v it is on stderr too."""
        self.log.line(text)
        if self.verbose:
            show(text)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _PROCESS.run = None
        try:
            code = self._ended(error)
        finally:
            self._stack.close()
            self.log.close()
        if code is not None:
            raise SystemExit(code) from None

    def _ended(self, error: BaseException | None) -> int | None:
        """Tell how it ended; the exit code, None where it ended as it did."""
        if self._interrupts.number or isinstance(error, KeyboardInterrupt):
            self._interrupts.end()
            return self._interrupts.exit_code
        if error is None or (isinstance(error, SystemExit | click.exceptions.Exit) and not _code(error)):
            self.begin()
            self._close_with("done")
            self._summary()
            return None
        if isinstance(error, SystemExit | click.exceptions.Exit | click.ClickException | click.Abort):
            self._close_with(f"refused: {getattr(error, 'message', '') or _code(error)}")
            return None
        if endings.is_of_stdout(error):
            endings.forget_stdout()
        if isinstance(error, BrokenPipeError) and endings.is_of_stdout(error):
            self._close_with("nobody reads what is printed any more")
            return 1
        return self._failed(error)

    def _failed(self, error: BaseException) -> int:
        if not isinstance(error, MmbioError):
            self._details(error)
        sentence, code = endings.told(error, self.log.path)
        self._close_with(f"failed: {sentence}")
        show(f"Error: {sentence}")
        return code

    def _details(self, error: BaseException) -> None:
        """The traceback into the log, which is in the folder for temporary files where there is no home."""
        text = "".join(traceback.format_exception(error))
        self.log.line(text)
        self.begin()
        if self.log.path is None and endings.told(error)[1] == endings.BUG:
            self.log.open(Path(tempfile.gettempdir()))
        if self.verbose:
            show(text.rstrip("\n"))

    def _close_with(self, outcome: str) -> None:
        if self._home is not None and self.log.path is not None and not self._interrupts.number:  # which is soon over
            self.log.line("\n".join(written.told(self._home, self.began)))
        self.log.line(run_log.ending(outcome, self.clock))

    def _summary(self) -> None:
        seconds = time.monotonic() - self.clock
        if self.quiet or seconds < LONG_S or self.log.path is None:
            return
        most = max(run_log.peaks()) / 1e9
        told = f"{run_log.lasting(seconds)}, {most:.1f} GB at most; log: {self.log.path}"
        click.secho(told, err=True, dim=True)

    def _last_words(self) -> bool:
        """What a user reads who ended the run, in one write: threads may still be at work; False where it was said."""
        if not self._words.acquire(blocking=False):
            return False
        self.begin()
        at = self.steps.doing()
        told = [f"stopped{f' while {at}' if at else ''}; no file is half-written"]
        kept = self._kept()
        told.append(f"{f'kept: {kept}; ' if kept else ''}run the same command again to go on")
        self._close_with(f"stopped by signal {self._interrupts.exit_code - 128}: {'; '.join(told)}")
        if sys.stderr is not None:
            clear = "\r\x1b[2K\x1b[?25h" if sys.stderr.isatty() else ""  # a bar's line, and the cursor that it hid
            os.write(2, (clear + "".join(f"{line}\n" for line in told)).encode())
        return True

    def _kept(self) -> str:
        """What stands on the disk since the run began."""
        vectors = [f"{plural(n, 'vector', spec=',')} of {modality}" for modality, n in self.steps.extracted().items()]
        counts = {}
        for what, pattern in (("checkpoint", "checkpoints/*.safetensors"), ("result", "results/*/rows.csv")):
            found = self._home.glob(pattern) if self._home is not None else ()
            counts[what] = sum(_time(path) >= math.floor(self.began) for path in found)
        return ", ".join([*vectors, *(plural(n, what, spec=",") for what, n in counts.items() if n)])

    def _listen(self) -> None:
        """Lead the warnings and lines of libraries into the log, and to stderr what is for the user."""
        root, ours = logging.getLogger(), logging.getLogger("mmbio")
        handler = _Handler(self)
        before = root.level, ours.level, warnings.showwarning
        root.addHandler(handler)
        root.setLevel(min(root.level, logging.INFO))
        ours.setLevel(logging.INFO)
        warnings.showwarning = self._warned

        def restore() -> None:
            root.removeHandler(handler)
            root.setLevel(before[0])
            ours.setLevel(before[1])
            warnings.showwarning = before[2]

        self._stack.callback(restore)

    def _warned(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,  # noqa: ARG002
        line: str | None = None,  # noqa: ARG002
    ) -> None:
        self.tell(f"warning: {filename}:{lineno}: {category.__name__}: {message}")


class _Handler(logging.Handler):
    """Lines of loggers: all into the log; to stderr ours from WARNING on, with -v from INFO on and libraries' too."""

    def __init__(self, run: Run) -> None:
        super().__init__(logging.INFO)
        self._run = run

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line."""
        text = self.format(record)
        self._run.log.line(f"{record.levelname.lower()}: {record.name}: {text}")
        ours = record.name.partition(".")[0] == "mmbio"
        shown = ours and record.levelno >= logging.WARNING and not self._run.quiet
        if shown or self._run.verbose:
            show(text if ours else f"{record.name}: {text}")


class _Process:
    """The verb that this process runs."""

    run: Run | None = None


_PROCESS: Final = _Process()


def now() -> Run | None:
    """The verb that this process runs; None where a verb's function is called by other means."""
    return _PROCESS.run


def show(text: str) -> None:
    """A line on stderr, above the bars where there are some: they stand in for sys.stderr, which click goes past."""
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(f"{run_log.without_secrets(text)}\n")
            sys.stderr.flush()


def _time(path: Path) -> float:
    """When a file was changed; 0 where it went away."""
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _code(error: BaseException) -> int | str:
    found = getattr(error, "exit_code", getattr(error, "code", 0))
    return found if isinstance(found, int | str) else 0

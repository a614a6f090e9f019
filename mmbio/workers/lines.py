"""lines: what libraries warn of in other processes, led to the loggers of the one that they compute for."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, TextIO

OWN: Final = ("distributed", "tornado", "asyncio")  # of Dask's own threads, which work beside what is computed
WARNINGS: Final = "py.warnings"  # as the standard library names the logger of warnings


class Line(NamedTuple):
    """What a logger, or the module warnings, told."""

    logger: str
    level: int
    text: str


Take = Callable[[Line], object]


class _Process:
    """Who takes the lines of this process; each gets all, as they work beside each other."""

    takers: tuple[Take, ...] = ()


_PROCESS: Final = _Process()


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Take a line of a library, or of mmbio."""
        if record.name.partition(".")[0] not in OWN:
            _tell(Line(record.name, record.levelno, self.format(record)))


_HANDLER: Final = _Handler(logging.WARNING)


def lead(take: Take) -> None:
    """Lead what is warned of in this process to `take`, for as long as the process lives."""
    _listen()
    _PROCESS.takers += (take,)


@contextmanager
def kept() -> Iterator[list[Line]]:
    """The lines of this process that are told inside the block, as they come."""
    _listen()
    found: list[Line] = []
    take = found.append
    _PROCESS.takers += (take,)
    try:
        yield found
    finally:
        _PROCESS.takers = tuple(one for one in _PROCESS.takers if one is not take)


def log(line: Line, whence: str = "") -> None:
    """Tell a line of another process in this one, as that process would."""
    logger = logging.getLogger(line.logger)
    if line.logger == WARNINGS and not logger.handlers:
        logger.addHandler(logging.NullHandler())  # where nobody listens, nothing is printed
    logger.log(line.level, "%s%s", whence, line.text)


def _tell(line: Line) -> None:
    for take in _PROCESS.takers:
        take(line)


def _listen() -> None:
    """Take lines from now on; where nobody wants them warnings are shown as they were."""
    root = logging.getLogger()
    if _HANDLER in root.handlers:
        return
    root.addHandler(_HANDLER)
    before = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if _PROCESS.takers:
            _tell(Line(WARNINGS, logging.WARNING, f"{filename}:{lineno}: {category.__name__}: {message}"))
        else:
            before(message, category, filename, lineno, file, line)

    warnings.showwarning = show

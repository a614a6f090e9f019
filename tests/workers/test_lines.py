"""lines: what is warned of goes to those who take it, and where nobody does it is shown as before."""

import logging
import warnings
from collections.abc import Iterator

import pytest

from mmbio.workers import lines
from mmbio.workers.lines import Line


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is shown where nobody takes it; afterwards nobody listens any more."""
    shown: list[str] = []
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_: shown.append(str(message)))
    yield shown
    logging.getLogger().removeHandler(lines._HANDLER)


def warn(text: str) -> None:
    warnings.warn_explicit(text, UserWarning, "library.py", 7)
    logging.getLogger("library").warning("%s, careful", text)
    logging.getLogger("library").debug("by the way")
    logging.getLogger("distributed.core").warning("busy")


def taken(text: str) -> list[Line]:
    return [
        Line("py.warnings", logging.WARNING, f"library.py:7: UserWarning: {text}"),
        Line("library", logging.WARNING, f"{text}, careful"),
    ]


@pytest.mark.filterwarnings("default")
def test_lines_of_a_block(as_before: list[str]) -> None:
    warn("before")
    with lines.kept() as outer:
        warn("one")
        with lines.kept() as inner:
            warn("two")
    warn("after")
    assert outer == [*taken("one"), *taken("two")]
    assert inner == taken("two")
    assert as_before == ["before", "after"]


def test_a_line_is_told_as_its_process_would(caplog: pytest.LogCaptureFixture) -> None:
    for line in taken("100 %s"):
        lines.log(line, "worker 1: ")
    assert [(r.name, r.levelno) for r in caplog.records] == [(line.logger, line.level) for line in taken("")]
    assert caplog.messages == [f"worker 1: {line.text}" for line in taken("100 %s")]

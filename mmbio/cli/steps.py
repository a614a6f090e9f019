"""steps: how far each kind of work has come, told in a log's lines and, where no one sees bars, in plain ones."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Final

from mmbio.cli.run_log import lasting

EVERY_S: Final = 30.0  # between two lines on one kind of work, at most
SOON_S: Final = 2.0  # between two of them at least
PARTS: Final = 10  # lines on one kind of work, where they are not too soon
EXTRACTING: Final = "extracting "


@dataclass
class Step:
    """One kind of work: how much is done, since when, and what was told of it last."""

    done: int
    total: int
    began: float = field(default_factory=lambda: time.monotonic())
    before: int = 0  # what was done when it began
    told: float = 0.0
    part: int = 0

    def left(self) -> str:
        """The time left as it goes, in words; '' where nothing can be said."""
        did = self.done - self.before
        if did <= 0 or self.done >= self.total:
            return ""
        return f", {lasting((time.monotonic() - self.began) / did * (self.total - self.done))} left"


class Steps:
    """The kinds of work of a run, in the order in which they began."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` gets a line when a kind of work begins, at a tenth or half a minute of it, and when it ends."""
        self._tell = tell
        self._steps: dict[str, Step] = {}
        self._earlier = Counter[str]()  # what was done of a kind before it began anew
        self._lock = RLock()
        self._latest = ""
        self._shown = time.monotonic()

    def note(self, what: str, done: int, total: int) -> None:
        """Take a report."""
        with self._lock:
            self._latest = what
            step = self._steps.get(what)
            if step is None or done < step.done:
                self._earlier[what] += step.done if step else 0
                step = self._steps[what] = Step(done, total, before=done, told=time.monotonic())
                self._tell(f"{what}: {done:,} of {total:,}")
                return
            if (done, total) == (step.done, step.total):
                return
            step.done, step.total = done, total
            part, now = PARTS * done // max(1, total), time.monotonic()
            over = now - step.told
            if done >= total or over >= EVERY_S or (part > step.part and over >= SOON_S):
                step.told, step.part = now, part
                self._tell(f"{what}: {done:,} of {total:,} in {lasting(now - step.began)}{step.left()}")

    def due(self) -> str:
        """A line for somebody who sees no bars, where none was asked for in the last half minute; else ''."""
        with self._lock:
            if time.monotonic() - self._shown < EVERY_S:
                return ""
            self._shown = time.monotonic()
            step = self._steps[self._latest]
            return f"{self._latest}: {step.done:,} of {step.total:,}{step.left()}"

    def doing(self) -> str:
        """What was being done last, and how far it is; '' where nothing was."""
        step = self._steps.get(self._latest)
        return f"{self._latest} ({step.done:,} of {step.total:,} done)" if step else ""

    def extracted(self) -> dict[str, int]:
        """Modality -> how many vectors were extracted, each shard of which is on the disk."""
        found = {
            what.removeprefix(EXTRACTING): step for what, step in self._steps.items() if what.startswith(EXTRACTING)
        }
        return {what: n for what, step in found.items() if (n := step.done + self._earlier[EXTRACTING + what])}

"""collected: results.csv as a run of cells fills it, in the order of the cells whichever is finished first."""

import re
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Final

from mmbio.errors import MmbioError
from mmbio.measure import results, sidecar
from mmbio.measure.evaluate import Evaluator

FIRST_FIELDS: Final = re.compile(r"^([0-9a-f]{16}),", re.MULTILINE)


class Collected:
    """The rows of finished evaluations, added to results.csv up to the first that is not finished.

    What finishes out of turn is added when its turn comes: of this run, or of the one that goes on after it was
    interrupted. So the file is the same however the work is spread. Raises MmbioError for a file of another version, or
    that was edited.
    """

    def __init__(self, home: Path, evaluators: Sequence[Evaluator], unfinished: Sequence[Evaluator]) -> None:
        self._path, self._lock = home / "results.csv", Lock()
        if self._path.exists():
            results.check(self._path)  # what cannot be added to is found before anything is computed
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        known = set(FIRST_FIELDS.findall(text)) - {evaluator.hash for evaluator in unfinished}
        self._check([evaluator for evaluator in evaluators if evaluator.hash in known])
        self._waiting = [evaluator for evaluator in evaluators if evaluator.hash not in known][::-1]

    def _check(self, there: Sequence[Evaluator]) -> None:
        """Raise MmbioError where rows of a finished evaluation are not as they were written."""
        found = results.differing(self._path, [one.folder / "rows.csv" for one in there]) if there else None
        if found:
            sidecar.check(found.parent)
            raise MmbioError(
                f"{self._path}: its rows of the result {found.parent.name} are not those of {found}, the file was"
                " edited or cut short; move it away and run mmbio tables again, which writes its rows anew"
            )

    def add(self) -> None:
        """Add the rows of those whose turn has come."""
        with self._lock:
            rows = []
            while self._waiting and (path := self._waiting[-1].folder / "rows.csv").is_file():
                sidecar.check(path.parent)
                rows += results.read(path)
                self._waiting.pop()
            if rows:
                results.append(self._path, rows)

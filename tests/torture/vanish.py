"""Vanish: folders that go while a step of the chain is at work on them."""

import re
import shutil
import time
from pathlib import Path
from typing import Final

from tests.torture.chain import ended, start
from tests.torture.steps import Place, Step

SENTENCE: Final = re.compile(r"^Error: \S.*[^.\n]$", re.MULTILINE)


def vanished(place: Place, step: Step, what: Path, after: float) -> tuple[int, str]:
    """Run a step and remove `what` after so many seconds; its exit code and what it said."""
    process = start(step, place)
    time.sleep(after)
    shutil.rmtree(what, ignore_errors=True)
    return ended(process, place)


def told_well(code: int, said: str) -> bool:
    """Whether a step ended well, or with one sentence and exit code 2."""
    if "Traceback" in said or code not in (0, 2):
        return False
    return code == 0 or len(SENTENCE.findall(said)) == 1

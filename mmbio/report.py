"""Report: how inner functions tell that work goes on; only the command line draws it."""

from collections.abc import Callable

Report = Callable[[str, int, int], None]  # (what is being done, how many are done, of how many)


def silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""

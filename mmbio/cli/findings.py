"""findings: what a check of the installation finds, and the cure."""

from dataclasses import dataclass
from typing import Final

STATES: Final = ("ok", "warn", "fail")


@dataclass(frozen=True)
class Finding:
    """One check: `cure` is what to do where the state is not ok."""

    check: str
    state: str
    found: str
    cure: str = ""


def ok(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", found)


def warn(check: str, found: str, cure: str) -> Finding:
    """It works, but not all of it or not as well as it could."""
    return Finding(check, "warn", found, cure)


def fail(check: str, found: str, cure: str) -> Finding:
    """It does not work."""
    return Finding(check, "fail", found, cure)

"""Typed values out of a parsed TOML file; every mistake names the place, the key and the cure.

`where` is the place as the user would call it, such as `my.toml, row 2`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mmbio.errors import MmbioError

Fields = Mapping[str, object]


def known(fields: Fields, allowed: Iterable[str], where: str) -> None:
    """Refuse keys outside `allowed`."""
    names = tuple(allowed)
    for key in fields:
        if key not in names:
            raise MmbioError(f"{where}: unknown key '{key}'; choose from {', '.join(names)}")


def value(fields: Fields, key: str, where: str) -> object:
    """The value of a key that must be there."""
    if key not in fields:
        raise MmbioError(f"{where}: the key '{key}' is missing; add it")
    return fields[key]


def text(fields: Fields, key: str, where: str) -> str:
    """One line of text that is not blank."""
    found = value(fields, key, where)
    if not isinstance(found, str) or not found.strip() or not found.isprintable():
        raise MmbioError(f"{where}: '{key}' is {found!r}; give one line of text in quotes")
    return found


def texts(fields: Fields, key: str, where: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """A list of lines of text, `default` where the key is not there."""
    if default is not None and key not in fields:
        return default
    found = value(fields, key, where)
    if not isinstance(found, list) or not all(isinstance(item, str) and item.isprintable() for item in found):
        raise MmbioError(f"{where}: '{key}' is {found!r}; give a list of texts, such as {key} = [\"...\"]")
    return tuple(found)


def flag(fields: Fields, key: str, where: str) -> bool:
    """True or false, false where the key is not there."""
    found = fields.get(key, False)
    if not isinstance(found, bool):
        raise MmbioError(f"{where}: '{key}' is {found!r}; give true or false")
    return found


def table(fields: Fields, key: str, where: str, default: Fields | None = None) -> Fields:
    """A table, `default` where the key is not there."""
    if default is not None and key not in fields:
        return default
    found = value(fields, key, where)
    if not isinstance(found, dict):
        raise MmbioError(f"{where}: '{key}' is {found!r}; give a table, such as {key} = {{ ... }}")
    return found


def tables(fields: Fields, key: str, where: str) -> tuple[Fields, ...]:
    """A list of tables that has at least one."""
    found = fields.get(key, [])
    if not isinstance(found, list) or not found or not all(isinstance(item, dict) for item in found):
        raise MmbioError(f"{where}: there are no {key}; add at least one [[{key}]]")
    return tuple(found)


def choices(values: Iterable[str], allowed: Iterable[str], where: str, what: str) -> tuple[str, ...]:
    """Names from `allowed`, at least one and none twice, in the order of `allowed`."""
    names, given = tuple(allowed), tuple(values)
    for name in given:
        if name not in names:
            raise MmbioError(f"{where}: unknown {what} '{name}'; choose from {', '.join(names)}")
    if not given or len(set(given)) < len(given):
        raise MmbioError(f"{where}: [{', '.join(given)}] should name each {what} once; choose from {', '.join(names)}")
    return tuple(name for name in names if name in given)


def number(found: object) -> float | None:
    """An int or float as a float, None for anything else (True and False too)."""
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def canonical(cell: str) -> str:
    """A text such that numbers equal in value are equal in text: `0.50` and `0.5` meet."""
    try:
        return repr(float(cell))
    except ValueError:
        return cell.strip()


def read_bytes(path: Path, what: str) -> bytes:
    """The bytes of a file the user named; `what` names it in the error."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise MmbioError(f"{path}: not a readable {what} ({error.strerror}); check the path") from error

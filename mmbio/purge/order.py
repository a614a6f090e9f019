"""Order: the commands that make anew what goes, so that each finds what those before it made."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open

from mmbio.data import manifest as manifest_room
from mmbio.errors import MmbioError
from mmbio.files import content_hash, read_json
from mmbio.purge import again

AUDITS: Final = "audits"  # of the newest manifest, so that they follow it
LAST: Final = ("mmbio tables", "mmbio report")


def commands(things: Sequence[Any], home: Path) -> tuple[str, ...]:
    """Of each manifest its build-virtual and audit, each training with its tests, the newest last, then the rest.

    A training takes the newest manifest and a test the newest checkpoint, and both extract what they need.
    """
    files = weight_files(home)
    results = [(record(t.path / "key.json").get("checkpoint"), t.again) for t in things if t.what == "result"]
    trained = [key_of(t.path) for t in _of("checkpoint", things)]
    known = {_hash(key): key for key in [*trained, *(key for key, _ in results)] if isinstance(key, dict) and key}
    tests: dict[str, list[str]] = {h: [] for h in known}
    for key, line in results:
        if isinstance(key, dict) and key and line:
            tests[_hash(key)].append(line)
    inner = {_hash(member) for key in known.values() for member in _members(key)}
    wanted = {h: key for h, key in known.items() if tests[h] or h not in inner}  # a rule trains its members
    lines: list[str] = []
    for thing in _of("manifest", things):
        manifest = str(record(thing.path / "manifest.json").get("hash"))
        mine = [h for h, key in wanted.items() if _is_on(key, manifest)]
        lines += [thing.again, *(t.again for t in things if t.what == AUDITS and manifest.startswith(t.path.name))]
        for h in mine:
            lines += [_train(wanted.pop(h), home, files), *sorted(set(tests[h]), key=len)]
        lines += [] if mine else dict.fromkeys(_extractions(thing.path, things, home, files))
    for h, key in wanted.items():  # of manifests that went before
        lines += [_train(key, home, files), *tests[h]]
    covered = ("manifest", "checkpoint", "result", "store", "store of no manifest here")
    rest = dict.fromkeys(line for t in things if t.what not in covered for line in t.again.splitlines())
    rest = {line: None for line in rest if line not in lines}
    lines += sorted(rest, key=lambda line: line.startswith(LAST))
    return tuple(line for line in lines if line)


def weight_files(home: Path) -> dict[str, str]:
    """The paths of files of weights, by their names in keys, as far as results tell them."""
    found = {}
    for path in sorted((home / "results").glob("*/run.json")):
        settings, key = record(path).get("settings"), record(path.with_name("key.json")).get("checkpoint")
        told = settings.get("weights") if isinstance(settings, dict) else None
        try:
            name = again.weights_of(key) if isinstance(key, dict) else ""
        except (KeyError, TypeError, AttributeError):
            continue
        if isinstance(told, str) and name.startswith("file-"):
            found[name] = str(Path(told).expanduser() if told.startswith("~") else home / told)
    return found


def key_of(path: Path) -> dict[str, Any]:
    """The key of a checkpoint; nothing where it is damaged."""
    try:
        with safe_open(path, "np") as file:
            key = json.loads((file.metadata() or {})["mmbio"])
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError):
        return {}
    return key if isinstance(key, dict) else {}


def record(path: Path) -> dict[str, Any]:
    """A file of JSON; nothing where it is damaged."""
    try:
        return read_json(path, "record")
    except MmbioError:
        return {}


def _of(what: str, things: Sequence[Any]) -> list[Any]:
    """The things of a kind, the newest last, as the newest is what commands take after them."""
    return sorted((t for t in things if t.what == what), key=lambda t: _time(t.path))


def _time(path: Path) -> int:
    file = path / "manifest.json" if path.is_dir() else path
    return file.stat().st_mtime_ns if file.exists() else 0


def _hash(key: Mapping[str, Any]) -> str:
    return content_hash({name: value for name, value in key.items() if name != "schema"})


def _members(key: Mapping[str, Any]) -> list[dict[str, Any]]:
    members = key.get("members")
    return [one for one in members if isinstance(one, dict)] if isinstance(members, list) else []


def _is_on(key: Mapping[str, Any], manifest: Any) -> bool:
    return any(one.get("manifest") == manifest for one in (key, *_members(key)))


def _train(key: Mapping[str, Any], home: Path, files: Mapping[str, str]) -> str:
    try:
        return again.of_checkpoint(key, home, files)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ""


def _extractions(folder: Path, things: Sequence[Any], home: Path, files: Mapping[str, str]) -> Iterator[str]:
    """What makes the stores of a manifest that nothing was trained on, each command once."""
    try:
        found = manifest_room.read(folder)
    except MmbioError:
        return
    items = {found.items_hash(m) for m in found.modalities}
    keys = [record(t.path / "key.json") for t in things if t.what == "store"]
    for key in keys:
        if key.get("items") in items:
            with suppress(KeyError, TypeError, ValueError, AttributeError):  # of a key that was edited
                yield again.of_store(key, home, files, str(found.info["protocol"]))

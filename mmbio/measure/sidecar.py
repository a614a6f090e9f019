"""Sidecar: when, where and from what a result was made, in `run.json` beside its rows; it is part of no identity."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mmbio import provenance
from mmbio.data.numpy_files import BROKEN, loaded
from mmbio.embed.settings import Settings, threads
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash, content_hash, read_json, write_json
from mmbio.measure.trials import Trials

if TYPE_CHECKING:
    from mmbio.measure.evaluate import Evaluator

SCHEMA: Final = 1
FILE: Final = "run.json"
LISTED: Final = "asked_trials.npy"  # (3, T) int64: rows of both sides, -1 where there is no such item, and genuine
CURE: Final = "evaluate it again with mmbio eval"


@dataclass(frozen=True)
class Sidecar:
    """What `run.json` holds beside the schema: what reproduction needs and key.json does not tell.

    Paths are relative to the home that the result was written below, or absolute with ~ for the user's home folder.
    """

    result: str  # the content hash of key.json
    data: str
    manifest: str  # its hash
    manifest_folder: str
    checkpoint: str
    settings: dict[str, Any]  # of extraction, as they were given, and its threads
    listed: str | None  # the words beside a user's own trial list, whose trials are in LISTED; None: the manifest's
    began: str | None  # UTC
    seconds: float | None  # spent on the evaluation, with extraction where vectors were missing
    environment: dict[str, Any]
    files: dict[str, str]  # name -> hash of the content of every other file of the result

    def settings_below(self, home: Path) -> Settings:
        """The extraction settings of then, for another home."""
        kept = {f.name: self.settings[f.name] for f in fields(Settings) if f.name != "home"}
        kept["backbones"] = tuple((m, name) for m, name in kept["backbones"])
        return Settings(home, **kept)


def cure(folder: Path) -> str:
    """What to do about a damaged result: while its folder stands there, it is not computed again."""
    return f"move {folder} away and run the mmbio tables or mmbio eval that made it again"


def write(folder: Path, evaluator: "Evaluator", began: float | None, seconds: float | None) -> None:
    """Write an evaluation's sidecar, and the trials of a user's own list."""
    home, settings, trials = evaluator.settings.home, evaluator.settings, evaluator.trials
    if trials:
        np.save(folder / LISTED, np.stack([trials.enrolment, trials.probe, trials.genuine]).astype(np.int64))
    weights = settings.weights
    if weights not in ("auto", "imagenet", "random"):
        settings = replace(settings, weights=_kept(Path(weights), home))
    plain = {name: value for name, value in asdict(settings).items() if name != "home"}
    made = Sidecar(
        result=evaluator.hash,
        data=str(evaluator.manifest.info["data"]),
        manifest=evaluator.manifest.hash,
        manifest_folder=_kept(evaluator.manifest.folder, home),
        checkpoint=_kept(evaluator.checkpoint.path, home),
        settings=plain | {"threads": threads()},
        listed=trials.words if trials else None,
        began=None if began is None else provenance.moment(began),
        seconds=None if seconds is None else round(seconds, 2),
        environment=provenance.environment(),
        files={path.name: bytes_hash(path.read_bytes()) for path in sorted(folder.iterdir())},
    )
    write_json(folder / FILE, {"schema": SCHEMA, **asdict(made)})


def read(folder: Path) -> Sidecar:
    """The sidecar of a result; raises MmbioError where there is none, or it is from a newer mmbio or edited."""
    path = folder / FILE
    if not path.is_file():
        raise MmbioError(f"{folder}: has no {FILE}, so an older mmbio wrote it; {CURE}")
    value = read_json(path, "record of a run", cure(folder))
    schema = value.pop("schema", None)
    if schema != SCHEMA:
        raise MmbioError(
            f"{path}: schema {schema!r}, this mmbio reads {SCHEMA}; use the mmbio that wrote it, or {CURE}"
        )
    try:
        found = Sidecar(**value)
        found.settings_below(folder), int(found.settings["threads"]), dict(found.environment), dict(found.files)
        if not all(isinstance(text, str) for text in (found.manifest, found.manifest_folder, found.checkpoint)):
            raise TypeError("a name in it is no text")
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
        raise MmbioError(f"{path}: not as mmbio wrote it, {error}; {cure(folder)}") from error
    _check_files(folder, found.files)
    return found


def check(folder: Path) -> None:
    """Raise MmbioError where a result that says what it wrote is no longer that."""
    if (folder / FILE).is_file():
        read(folder)


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Raise MmbioError for a file of a result that is gone or was changed."""
    for name, written in files.items():
        path = folder / Path(name).name
        try:
            now = bytes_hash(path.read_bytes())
        except OSError as error:
            raise MmbioError(f"{path}: of this result, and gone ({error.strerror}); {cure(folder)}") from error
        except ValueError as error:  # no name of a file
            raise MmbioError(f"{folder / FILE}: not as mmbio wrote it, the file was edited; {cure(folder)}") from error
        if now != written:
            raise MmbioError(f"{path}: not as mmbio wrote it, the file was edited; {cure(folder)}")


def trials_of(folder: Path, found: Sidecar, key: Mapping[str, Any]) -> Trials | None:
    """The trials of a user's own list as they were asked for, or None for the manifest's."""
    if found.listed is None:
        return None
    try:
        rows = loaded(folder / LISTED)
        if rows.dtype != np.int64:
            raise ValueError(f"of {rows.dtype}, not whole numbers")
        enrolment, probe, genuine = rows
    except BROKEN as error:
        raise MmbioError(f"{folder / LISTED}: not readable as trials ({error}); {cure(folder)}") from error
    made = Trials(enrolment, probe, genuine == 1, found.listed)
    if made.hash != key.get("trials"):
        raise MmbioError(f"{folder / LISTED}: not as mmbio wrote it, the file was edited; {cure(folder)}")
    return made


def key_of(folder: Path, found: Sidecar) -> dict[str, Any]:
    """Everything that determined a result; raises MmbioError where it was edited."""
    key = read_json(folder / "key.json", "key of a result", cure(folder))
    if content_hash(key) != found.result:
        raise MmbioError(f"{folder / 'key.json'}: not as mmbio wrote it, the file was edited; {cure(folder)}")
    return key


def place(kept: str, home: Path) -> Path:
    """A path as it was kept, from the home of its result."""
    return home / Path(kept).expanduser()


def _kept(path: Path, home: Path) -> str:
    """A path as it is kept: relative to the home where it is below it, else absolute."""
    path, home = path.resolve(), home.resolve()
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else provenance.typed(path)

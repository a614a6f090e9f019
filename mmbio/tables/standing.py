"""standing: a run of tables that was made before and stands whole, found without its results, and without torch.

What decides a run's figures is there before anything is computed: the choices, the specs, the code, the libraries,
the machine, and the data by the fingerprints of its manifests. Where all of it is as it was, and what was computed
and written is there as it was left, nothing can come out otherwise.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mmbio.errors import MmbioError
from mmbio.files import content_hash
from mmbio.measure import results
from mmbio.tables import explain, identity
from mmbio.tables.kept import Made, Notes
from mmbio.tables.spec import TableSpec

if TYPE_CHECKING:
    from mmbio.data.manifest import Manifest
    from mmbio.tables.publish import Published
    from mmbio.tables.run import Runner
    from mmbio.tables.settings import Settings

COLLECTED: Final = "results.csv"
FIGURES: Final = "figures/figures.json"


@dataclass(frozen=True)
class Stood:
    """A finished run: its label, its tables as text for a person, its files, its cells, and what to tell beside."""

    label: str
    folder: Path
    files: tuple[Path, ...]
    texts: tuple[str, ...]
    cells: tuple[str, ...]
    left_out: tuple[str, ...]  # told before anything is computed
    told: tuple[str, ...]  # and after


@dataclass(frozen=True)
class Asked:
    """A run of tables as it is asked for; what it is made of is read when this is made."""

    home: Path
    choices: Mapping[str, Any]  # all that decides what is computed and how it is labelled
    specs: tuple[Path, ...]
    fingerprint: Callable[[str, int], str]  # of the manifest of a split and a pairing seed, as its files are now

    def __post_init__(self) -> None:
        self._before  # noqa: B018

    def find(self) -> Stood | None:
        """The run, where it was made of just this and stands whole."""
        notes = Notes(self.home / "tables")
        told = notes.told(self._name)
        if told is None or not (self.home / COLLECTED).is_file():
            return None
        places = [(str(split), int(seed)) for split, seed in told["manifests"]]
        try:
            prints = {f"{split} {seed}": self.fingerprint(split, seed) for split, seed in places}
        except MmbioError:
            return None  # asking for it again says what is wrong
        found = notes.find(self._name, self._of(prints))
        if found is None or not self._collects(found.seen):
            return None
        texts = tuple(path.read_text(encoding="utf-8") for path in map(self.home.joinpath, told["texts"]))
        files = tuple(self.home / path for path in told["files"])
        named = (tuple(told[name]) for name in ("cells", "left_out", "told"))
        return Stood(told["label"], self.home / "tables" / told["label"], files, texts, *named)

    def _collects(self, seen: Iterable[Path]) -> bool:
        """Whether results.csv holds the rows of the results as they are; else asking again says what is wrong."""
        try:
            return results.differing(self.home / COLLECTED, [p for p in seen if p.name == "rows.csv"]) is None
        except MmbioError:
            return False

    def note(
        self,
        runner: "Runner",
        published: "Published",
        settings: Iterable["Settings"],
        specs: Iterable[TableSpec],
        left_out: Iterable[str],
    ) -> None:
        """Note the run as it was just made, with all `settings` that were computed for it."""
        settings = list(settings)
        manifests = {m.folder: m for m in (runner.manifest, *map(runner.manifest_of, settings))}
        prints = {_place(m): str(m.info["fingerprint"]) for m in manifests.values()}
        computed = dict.fromkeys(runner.evaluator(s).folder for s in settings)
        rests_on = [path for folder in (*computed, *manifests) for path in sorted(folder.iterdir())]
        store = runner.extraction.home / "store"  # of which the audit takes what is there
        label = published.folder.name
        told = {
            "label": label,
            "manifests": [place.split(" ") for place in prints],
            "texts": [self._below(path) for path in published.files if _is_a_table(path)],
            "files": [self._below(path) for path in published.files],
            "cells": explain.places(label, specs),
            "left_out": list(left_out),
            "told": list(published.told),
        }
        listed = published.folder / FIGURES
        files = (*published.files, *([listed] if listed.is_file() else []))
        notes = Notes(self.home / "tables")
        notes.add(self._name, self._of(prints), Made(files, told, (*rests_on, *([store] if store.is_dir() else []))))
        notes.save()

    @cached_property
    def _name(self) -> str:
        return f"run {content_hash({name: repr(value) for name, value in self.choices.items()})}"

    @cached_property
    def _before(self) -> dict[str, Any]:
        return identity.of_run(self.choices, self.specs)

    def _of(self, prints: Mapping[str, str]) -> dict[str, Any]:
        return {**self._before, "manifests": dict(prints)}

    def _below(self, path: Path) -> str:
        return path.relative_to(self.home).as_posix()


def _place(manifest: "Manifest") -> str:
    return f"{manifest.info['split']} {manifest.info['seed']}"


def _is_a_table(path: Path) -> bool:
    return path.suffix == ".txt" and path.name != "audit.txt"

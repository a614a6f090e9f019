"""Layout: where in a folder a set lies, one level too deep or too high, and what of it is there."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbio.data.fetch.dataset import Dataset, Part
from mmbio.errors import MmbioError

JUNK: Final = ("__MACOSX", "Thumbs.db", "desktop.ini")
# Folders that tell a part or a kind and belong to a set of subjects' folders anywhere below.
KINDS: Final = re.compile(r"wav|aac|mp4|(?:vox(?:celeb)?[12]?_?)?(?:dev|test)(?:_(?:wav|aac|mp4|txt))?", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A set as it lies in a folder: `files` are below `base`, and `counts` says how many of each part there are."""

    base: Path
    files: tuple[str, ...]
    counts: Mapping[str, int]  # by the part's pattern


def find(dataset: Dataset, source: Path) -> Found | None:
    """Where in a folder, or above it, the set begins; None where nothing of it is there.

    Of several places the one with the most of the set is taken, of equals the one nearest to the folder.
    """
    source = source.resolve()
    paths = listed(source)
    tests = [(part, _pattern(part)) for part in dataset.parts]
    hits: dict[str, Counter[str]] = defaultdict(Counter)
    own = {part.pattern for part in dataset.parts if not part.shared}
    for path in paths:
        for part, test in tests:
            matched = test.fullmatch(path)
            if matched:
                hits[matched[1]][part.pattern] += 1
                break
    hits = {base: counts for base, counts in hits.items() if own & set(counts)}
    if not hits:
        return None
    if any(part.pattern.startswith("**/") for part in dataset.parts):
        base = _common(hits, source)
        counts = sum(hits.values(), Counter())
    else:
        base = min(hits, key=lambda b: (-_n_required(dataset.parts, hits[b]), -hits[b].total(), len(b)))
        counts = hits[base]
    below = [path.removeprefix(base) for path in paths if path.startswith(base)]
    return Found(Path(base or "/"), _belonging(base, below, tests), dict(counts))


def listed(source: Path) -> list[str]:
    """The files of a folder as absolute paths, hidden ones and what systems add left out."""
    if not source.is_dir():
        raise MmbioError(f"{source}: no such folder; give the folder or archive that the set came as")
    found = []
    for folder, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith((".", *JUNK)))
        found += [f"{folder.rstrip('/')}/{name}" for name in sorted(files) if not name.startswith((".", *JUNK))]
    return found


def size_of(path: Path) -> int:
    """The size of a plain file in bytes; 0 of all else, such as a link to nowhere."""
    return path.stat().st_size if path.is_file() else 0


def missing(parts: Sequence[Part], counts: Mapping[str, int]) -> list[str]:
    """What is not there of a set, in words: `headers: 309 of 310 (Person_*/rec_*.hea)`; empty for a whole set."""
    wrong = []
    for part in parts:
        n = counts.get(part.pattern, 0)
        if n and (not part.counts or n in part.counts):
            continue
        if n:
            wrong.append(f"{part.what}: {n:,} of {' or '.join(f'{c:,}' for c in part.counts)} ({part.pattern})")
        elif not part.optional:
            of = f" of {part.counts[0]:,}" if part.counts and part.counts[0] > 1 else ""
            wrong.append(f"{part.what}: none{of} ({part.pattern})")
    if not wrong and not any(counts.get(part.pattern) for part in parts):
        wrong.append(f"none of {', '.join(part.pattern for part in parts)}")
    return wrong


def covered(parts: Iterable[Part], paths: Collection[str]) -> bool:
    """Whether each part, optional or not, has a file among paths below the set's folder."""
    return all(any(_pattern(part).fullmatch(f"/{path}") for path in paths) for part in parts)


def _pattern(part: Part) -> re.Pattern[str]:
    pattern = part.pattern.removeprefix("**/")
    text = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.compile(f"(.*/){text}", re.IGNORECASE)


def _n_required(parts: Iterable[Part], counts: Mapping[str, int]) -> int:
    return sum(1 for part in parts if not part.optional and counts.get(part.pattern))


def _common(bases: Iterable[str], source: Path) -> str:
    """The folder that all subjects' folders lie below, above those that tell the kind."""
    base = Path(os.path.commonpath(list(bases)))
    while KINDS.fullmatch(base.name) and source.parent in base.parents:
        base = base.parent
    return f"{base}/"


def _belonging(base: str, below: Sequence[str], tests: Sequence[tuple[Part, re.Pattern[str]]]) -> tuple[str, ...]:
    """The files of the set: those in the folders where its parts lie, and the texts beside these folders."""
    tops = {path.split("/")[0] for path in below if any(test.fullmatch(base + path) for _, test in tests)}
    return tuple(path for path in below if path.split("/")[0] in tops or ("/" not in path and _is_text(path)))


def _is_text(name: str) -> bool:
    return "." not in name or name.lower().endswith((".txt", ".csv", ".md", ".pdf", ".html"))

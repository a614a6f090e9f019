"""Get: a whole set, file by file in parallel; at any moment there are whole files and parts, and a rerun goes on."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from mmbio.data.fetch import contents, crew, layout, lock
from mmbio.data.fetch.addresses import without_user
from mmbio.data.fetch.answers import Unreachable
from mmbio.data.fetch.archives import remember, unpack
from mmbio.data.fetch.arrival import alone
from mmbio.data.fetch.dataset import Dataset
from mmbio.data.fetch.space import Expected, bytes_to_come, check_space, free_space
from mmbio.data.fetch.transfer import Resuming, Stopped, fetch
from mmbio.data.fetch.wanted import Standing, Wanted, standing, wanted
from mmbio.data.fetch.whence import Options, wire_to, without_tls
from mmbio.errors import MmbioError
from mmbio.report import Report, silent

EVERY: Final = 2.0  # seconds between two writings of the lock
TELL: Final = 0.1  # seconds between two reports of bytes
BEARABLE: Final = 10  # files that may fail before the rest is not tried


@dataclass(frozen=True)
class Plan:
    """What is here of a set and what is to come; sizes in bytes, about where the set does not say."""

    dataset: Dataset
    root: Path
    found: tuple[Standing, ...]
    to_come: int
    needed: int  # of disk
    free: int


@dataclass(frozen=True)
class Got:
    """A set that is whole now."""

    dataset: Dataset
    folder: Path
    n_files: int
    n_fetched: int
    n_bytes: int  # that came
    verified: dict[str, int]  # how -> files
    n_unpacked: int  # files out of archives, in this run
    without_tls: bool


def plan(dataset: Dataset, root: Path, options: Options, counts: Report = silent) -> Plan:
    """What fetching a set would do; nothing is written.

    Raises MmbioError where the set's own list of hashes cannot be had.
    """
    found = _look(dataset, root, wanted(dataset, root, options, write=False), options, counts)
    return Plan(dataset, root, found, *bytes_to_come(dataset, found), free_space(root / dataset.folder))


def placed_by_hand(dataset: Dataset, root: Path) -> int:
    """How many files of a whole set were placed from what a user had.

    0 where one of them is gone or of another size, or one of the set's parts, be it optional, was not among them.
    """
    held = contents.read(root, dataset.name)
    whole = layout.covered(dataset.parts, held) and contents.stand(root / dataset.folder, held)
    return len(held) if whole else 0


def get(dataset: Dataset, root: Path, options: Options, counts: Report = silent, amounts: Report = silent) -> Got:
    """Fetch what is not here of a set, verify it, and unpack its archives.

    `counts` is told of files that are looked at and unpacked, `amounts` of bytes. Two runs on one set: the second
    waits, and finds all here.
    Raises MmbioError; whatever came whole stays, and what came in part is gone on with by the next run.
    """
    with alone(root, dataset.folder):
        found = _look(dataset, root, wanted(dataset, root, options), options, counts)
        to_come, needed = bytes_to_come(dataset, found)
        check_space(root / dataset.folder, needed)
        return _Getting(dataset, root, options, counts, amounts).run(found, to_come)


def _look(
    dataset: Dataset, root: Path, items: tuple[Wanted, ...], options: Options, counts: Report
) -> tuple[Standing, ...]:
    entries, held = lock.read(root), contents.read(root, dataset.name)
    found: dict[str, Standing] = {}

    def look(item: Wanted) -> Standing:
        own = standing(item, root, entries.get(item.path))
        return own if own.state == "whole" else _by_hand(dataset, root, item, held) or own

    with closing(crew.each(look, items, options.jobs, options.wire.stop, Stopped)) as results:
        for result in results:
            if isinstance(result, crew.Failed):
                raise result.error
            found[result.wanted.path] = result
            counts(f"looking what is here of {dataset.name}", len(found), len(items))
    return tuple(found[item.path] for item in items)


def _by_hand(dataset: Dataset, root: Path, item: Wanted, held: Mapping[str, contents.Content]) -> Standing | None:
    """An archive of which a user placed all parts, which need not be fetched."""
    into = f"{item.file.into}/"
    parts = [part for part in dataset.parts if item.file.unpack and part.pattern.startswith(into)]
    files = {path: content for path, content in held.items() if path.startswith(into)}
    if not parts or not layout.covered(parts, files) or not contents.stand(root / dataset.folder, files):
        return None
    return Standing(item, "whole", size=sum(content.size for content in files.values()), by_hand=True)


class _Getting:
    """One run over a set: what the threads share."""

    def __init__(self, dataset: Dataset, root: Path, options: Options, counts: Report, amounts: Report) -> None:
        self.dataset = dataset
        self.root = root
        self.options = options
        self.counts = counts
        self.amounts = amounts
        self.wire = wire_to(dataset, options)
        self.entries = lock.read(root)
        self.pending: dict[str, lock.Entry] = {}
        self.written = self.told = time.monotonic()
        self.came = self.done = self.n_unpacked = 0
        self.expected = Expected()
        self.mutex = threading.Lock()
        self.unpacking = threading.Lock()
        self.thread = threading.local()

    def run(self, found: tuple[Standing, ...], to_come: int) -> Got:
        """Fetch and unpack what is missing."""
        self.done = sum(one.part for one in found if one.to_come)
        self.expected = Expected.of(found, self.done + to_come)
        for one in found:
            if one.by_hand:
                continue
            if not one.to_come:
                self._note(one.wanted, one.sha256, one.size, one.verified)
            if one.state == "whole" and one.wanted.file.unpack:
                self._remove_archive(self.root / one.wanted.path)
        missing = [one for one in found if one.state != "whole"]
        failed: list[MmbioError] = []
        try:
            with closing(crew.each(self._fetch, missing, self.options.jobs, self.wire.stop, Stopped)) as results:
                for result in results:
                    if isinstance(result, crew.Failed):
                        failed.append(self._bearable(result.error))
                        if isinstance(result.error, Unreachable) or len(failed) >= BEARABLE:
                            break
                    self._record(EVERY)
        finally:
            self._record(0.0)
        if failed:
            raise self._failure(failed, len(found))
        self._tell(0.0)
        verified = Counter(one.verified for one in found)
        n_fetched = sum(one.to_come for one in found)
        folder = self.root / self.dataset.folder
        plain = without_tls(self.dataset, self.options)
        return Got(self.dataset, folder, len(found), n_fetched, self.came, dict(verified), self.n_unpacked, plain)

    def _fetch(self, one: Standing) -> None:
        """Fetch a file, and unpack it where it is an archive; in a thread."""
        item, target = one.wanted, self.root / one.wanted.path
        sha256 = one.sha256
        if one.to_come:
            session = getattr(self.thread, "session", None)
            if session is None:
                session = self.thread.session = requests.Session()
            downloader = Resuming(target, session, item.file.hash, item.file.size, self.wire, self._moved)
            sha256 = fetch(item.url, downloader, lambda found: self._trust(item, found))
            size = target.stat().st_size
            self._note(item, sha256, size, item.verified)
            with self.mutex:
                self.expected.came(item, size)
        if item.file.unpack:
            with self.unpacking:
                files = unpack(target, target.parent / item.file.into, report=self.amounts)
                remember(target, sha256, files)
                self.n_unpacked += len(files)
            self._remove_archive(target)

    def _remove_archive(self, path: Path) -> None:
        if not self.options.keep_archives:
            path.unlink(missing_ok=True)

    def _trust(self, item: Wanted, sha256: str) -> None:
        """Compare with the first use, and record a first use before the file is there."""
        if item.file.hash is None:
            known = self.entries.get(item.path)
            lock.refuse_other(self.root, item.path, known, sha256, item.url)
            if known is None:
                self._note(item, sha256, (self.root / f"{item.path}.part").stat().st_size, item.verified)
                self._record(0.0)

    def _note(self, item: Wanted, sha256: str, size: int, verified: str) -> None:
        with self.mutex:
            known = self.entries.get(item.path)
            if known is None or (known.sha256, known.verified) != (sha256, verified):
                url = "" if verified == lock.FOUND_HERE else without_user(item.url)
                entry = lock.Entry(url, sha256, size, lock.now(), verified)
                self.entries[item.path] = self.pending[item.path] = entry

    def _record(self, every: float) -> None:
        """Write what is noted, unless that was done just now."""
        with self.mutex:
            if self.pending and time.monotonic() - self.written >= every:
                lock.record(self.root, self.pending)
                self.pending, self.written = {}, time.monotonic()

    def _moved(self, n: int) -> None:
        with self.mutex:
            self.done += n
            self.came += max(n, 0)
            self._tell(TELL)

    def _tell(self, every: float) -> None:
        if self.done and time.monotonic() - self.told >= every:
            self.told = time.monotonic()
            self.amounts(f"fetching {self.dataset.name}", self.done, max(self.expected.total, self.done))

    def _bearable(self, error: MmbioError | OSError) -> MmbioError:
        """A file's failure, which others may be fetched in spite of; one of the system is raised."""
        if isinstance(error, OSError):
            raise error
        return error

    def _failure(self, failed: list[MmbioError], n: int) -> MmbioError:
        told = next((error for error in failed if isinstance(error, Unreachable)), failed[0])
        prefix = f"{self.dataset.folder}/"
        own = {path for path in self.entries if path.startswith(prefix)} - {f"{prefix}{self.dataset.sums}"}
        more = "" if len(failed) == 1 else f", and {len(failed) - 1} more failed"
        return MmbioError(f"{told} ({len(own)} of {n} files are here and whole{more})")

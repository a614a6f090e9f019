"""Sums: a set's own list of hashes, fetched, read as a stranger's, recorded, and kept to."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import requests
from pooch.hashes import file_hash

from mmbio.data.fetch import hashes, lock
from mmbio.data.fetch.addresses import address, without_user
from mmbio.data.fetch.dataset import Dataset
from mmbio.data.fetch.parts import Part
from mmbio.data.fetch.transfer import Resuming, fetch
from mmbio.data.fetch.whence import Options, without_tls


def listed(dataset: Dataset, name: str, root: Path, options: Options, write: bool) -> tuple[Mapping[str, str], str]:
    """Path below the set's folder -> hash, and how a file that matches is verified.

    A list that stands as recorded is not fetched again, unless it came from a mirror and the set's own address can
    now be asked. Without `write` nothing is left on the disk. Raises MmbioError.
    """
    path = f"{dataset.folder}/{name}"
    target, entry = root / path, lock.read(root).get(path)
    official = options.base is None and not without_tls(dataset, options)
    own = entry is not None and entry.verified == lock.OWN_ADDRESS
    if (own or not official) and _stands(target, entry):
        return hashes.parse(target.read_bytes(), str(target)), _verified(own)
    if write:
        return _fetched(dataset, name, root, target, entry, options), _verified(official or own)
    with tempfile.TemporaryDirectory() as scratch:
        found = _fetched(dataset, name, root, Path(scratch) / name, entry, options)
    return found, _verified(official or own)


def _fetched(
    dataset: Dataset, name: str, root: Path, place: Path, entry: lock.Entry | None, options: Options
) -> Mapping[str, str]:
    """Fetch the list to `place`; it is recorded where that is below the root, and placed only if it can be read."""
    path, url = f"{dataset.folder}/{name}", address(dataset.base, name, options.base)
    official = options.base is None and not without_tls(dataset, options)
    own = official or (entry is not None and entry.verified == lock.OWN_ADDRESS)
    found: dict[str, str] = {}

    def trust(sha256: str) -> None:
        lock.refuse_other(root, path, entry, sha256, url)
        content = Part(place).path.read_bytes()
        found.update(hashes.parse(content, url))
        if place == root / path:
            verified = lock.OWN_ADDRESS if own else lock.FIRST_USE
            lock.record(root, {path: lock.Entry(without_user(url), sha256, len(content), lock.now(), verified)})

    with requests.Session() as session:
        fetch(url, Resuming(place, session, wire=replace(options.wire, limit=hashes.LARGEST)), trust)
    return found


def _stands(target: Path, entry: lock.Entry | None) -> bool:
    return entry is not None and target.is_file() and bool(file_hash(str(target), "sha256") == entry.sha256)


def _verified(own: bool) -> str:
    return lock.OFFICIAL_LIST if own else lock.MIRRORED_LIST

"""Transfer: one address to one file, resumed where it was cut, and put in place only when it is whole.

Keeps to pooch's protocol of a downloader and compares with pooch's hashes. pooch's own way to the file
is not taken: a kill would leave its temporary files, and lose what has come.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import IO, Final

import requests
import urllib3
from pooch.hashes import file_hash, hash_algorithm, hash_matches

from mmbio import __version__
from mmbio.data.fetch.addresses import without_user
from mmbio.data.fetch.answers import ELSEWHERE, Answer, Cut, Unreachable, ask
from mmbio.data.fetch.parts import Origin, Part
from mmbio.errors import MmbioError
from mmbio.files import private_folder, sync_entry

CHUNK: Final = 2**16
ENOUGH: Final = 2**20  # bytes that make a cut try a good one
NOTABLE: Final = 8.0  # seconds of waiting that a user is told of

_log = logging.getLogger("mmbio")

Moved = Callable[[int], None]  # bytes that came, negative where they are thrown away


class Stopped(Exception):
    """Another thread asked for an end; what has come stays."""


@dataclass(frozen=True)
class Wire:
    """How patiently servers are asked; seconds, tries in a row that gain nothing, and bytes."""

    connect: float = 10.0
    read: float = 30.0
    tries: int = 6
    wait: float = 1.0  # before the second try, twice as long before each further one
    longest: float = 60.0
    limit: int = 2**37  # of a file whose size no source gives
    plain: str = ""  # a host whose own address is http
    stop: Event = field(default_factory=Event)


@dataclass(frozen=True)
class Resuming:
    """A downloader for pooch that goes on by byte range in `target`.part.

    `known_hash` is pooch's `sha256:...` or `md5:...`; with it a part is gone on with even where the server gives
    nothing to know the remote file by, since a wrong whole would be found out. `size` is in bytes.
    """

    target: Path
    session: requests.Session
    known_hash: str | None = None
    size: int | None = None
    wire: Wire = Wire()
    moved: Moved = lambda _: None

    def __call__(self, url: str, output_file: str, pooch: object = None) -> None:  # noqa: ARG002 (pooch's protocol)
        """Fetch `url` to `output_file`, by way of the part."""
        self.fill(url)
        part = Part(self.target)
        part.path.replace(output_file)
        part.remove()

    def fill(self, url: str) -> bool:
        """Fetch until the part is whole by all that the server says; returns whether it all came in one answer.

        Raises Unreachable where tries do not help, MmbioError where the server refuses, Stopped.
        """
        part = Part(self.target)
        best, failures, answers = part.size, 0, int(part.size > 0)
        while not self._whole(part, url):
            try:
                answers += 1
                self._once(url, part)
                return answers == 1
            except Cut as cut:
                gained = part.size - best
                best = max(best, part.size)
                failures = 1 if gained >= min(ENOUGH, (self.size or 100 * ENOUGH) // 100 + 1) else failures + 1
                if failures >= min(self.wire.tries, cut.tries or self.wire.tries):
                    raise Unreachable(
                        f"{url}: {cut}, {failures} times in a row; run the same command again, which goes on from what"
                        " has come, or give another address with --mirror, or a copy with --from"
                    ) from cut
                self._pause(url, cut, failures)
        return False

    def _whole(self, part: Part, url: str) -> bool:
        """Whether an earlier run got all and was killed before it could put the file in place."""
        origin = part.origin()
        return (
            origin is not None
            and origin.url == without_user(url)
            and origin.size is not None
            and part.size == origin.size > 0
        )

    def _pause(self, url: str, cut: Cut, failures: int) -> None:
        wait = min(self.wire.wait * 2 ** (failures - 1), self.wire.longest) if cut.wait is None else cut.wait
        level = logging.WARNING if wait >= NOTABLE else logging.INFO
        _log.log(level, "%s: %s; trying again in %.3g s", url, cut, wait)
        if self.wire.stop.wait(wait):
            raise Stopped

    def _once(self, url: str, part: Part) -> None:
        """Ask once, and take what comes; returns when that is all of it."""
        origin = part.origin()
        offset = self._offset(part, origin, url)
        headers = {"Accept-Encoding": "identity", "User-Agent": f"mmbio/{__version__}"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        if offset and origin is not None and origin.validator:
            headers["If-Range"] = origin.validator
        with ask(self.session, url, headers, (self.wire.connect, self.wire.read), self.wire.plain) as answer:
            if answer.status == 200:
                self._from_the_start(url, part, answer)
            elif answer.status == 206 and offset and origin is not None and _continues(answer, offset, origin):
                with part.go_on() as handle:
                    self._take(url, answer, handle, offset, origin.size or answer.total)
            elif not (answer.status == 416 and self._all_here(answer, offset, origin)):
                self.moved(-part.size)
                part.remove()
                raise Cut(f"the server answered {answer.status} with another range than asked for")

    def _all_here(self, answer: Answer, offset: int, origin: Origin | None) -> bool:
        """Whether nothing lies behind the part; where a server told another size before, a hash must decide."""
        told_before = origin is not None and origin.size is not None
        return answer.total == offset > 0 and (self.known_hash is not None or not told_before)

    def _offset(self, part: Part, origin: Origin | None, url: str) -> int:
        """The byte to go on from; 0 where it cannot be known that the part is of the same file."""
        known = origin is not None and origin.url == without_user(url) and (origin.validator or self.known_hash)
        longer = origin is not None and origin.size is not None and part.size > origin.size
        return part.size if known and not longer else 0

    def _from_the_start(self, url: str, part: Part, answer: Answer) -> None:
        if self.known_hash is None and answer.kind == "text/html" and self.target.suffix not in (".html", ".shtml"):
            raise MmbioError(f"{url}: a web page came instead of the file; {ELSEWHERE}")
        # A server that says of x.tar.gz that it is encoded by gzip means the file itself; all else is unpacked.
        encoded = bool(answer.encoding) and self.target.suffix not in (".gz", ".tgz", ".Z")
        expected = None if encoded else answer.length
        if self.size is not None and expected is not None and expected != self.size:
            raise MmbioError(f"{url}: {expected} bytes at the server where {self.size} were expected; {ELSEWHERE}")
        if expected is not None and expected > self._limit:
            raise MmbioError(f"{url}: {expected} bytes, and {self._limit} is the most for a file; {ELSEWHERE}")
        validators = (None, None) if encoded else (answer.header("etag"), answer.header("last-modified"))
        self.moved(-part.size)
        with part.begin(Origin("" if encoded else without_user(url), *validators, expected)) as handle:
            self._take(url, answer, handle, 0, expected, decode=encoded)

    @property
    def _limit(self) -> int:
        return self.wire.limit if self.size is None else self.size

    def _take(
        self, url: str, answer: Answer, handle: IO[bytes], done: int, expected: int | None, decode: bool = False
    ) -> None:
        """Write what comes behind the `done` bytes that are here."""
        while True:
            if self.wire.stop.is_set():
                raise Stopped
            try:
                chunk = answer.response.raw.read1(CHUNK, decode_content=decode)
            except (urllib3.exceptions.HTTPError, requests.exceptions.RequestException) as error:
                raise Cut(f"{_words(error)} after {done} bytes") from error
            if not chunk:
                break
            done += len(chunk)
            if done > self._limit:
                raise MmbioError(f"{url}: more than the {self._limit} bytes expected came; {ELSEWHERE}")
            handle.write(chunk)
            self.moved(len(chunk))
        if expected is not None and done != expected:
            raise Cut(f"the connection was cut after {done} of {expected} bytes")


def fetch(url: str, downloader: Resuming, trust: Callable[[str], None] = lambda _: None) -> str:
    """Fetch `url` to the downloader's target, whole and verified or not at all; returns its sha256.

    `trust` is called with the sha256 before the file is put in place, and may refuse it. A part put together from
    several answers that is not the file is fetched once more from its start.
    Raises MmbioError; where a later run can go on, the part stays.
    """
    target = downloader.target
    try:
        private_folder(target.parent)
        part = Part(target)
        last = downloader.fill(url)
        while not _right(downloader, part):
            mismatch = _mismatch(url, downloader, part)
            downloader.moved(-part.size)
            part.remove()
            if last:
                raise mismatch
            downloader.fill(url)
            last = True
        known = downloader.known_hash or ""
        sha256: str = known[7:] if known.startswith("sha256:") else file_hash(str(part.path), "sha256")
        _ask(trust, sha256, part)
        _place(part)
    except requests.exceptions.RequestException as error:
        raise Unreachable(f"{url}: {error}; {ELSEWHERE}") from error
    except OSError as error:
        raise MmbioError(
            f"{target}: could not be written ({error.strerror or error}); what has come stays,"
            " so mend that and run the same command again"
        ) from error
    return sha256


def _ask(trust: Callable[[str], None], sha256: str, part: Part) -> None:
    """Ask whether the part may be placed; one that may not is removed, or the next run would find it whole."""
    try:
        trust(sha256)
    except MmbioError:
        part.remove()
        raise


def _place(part: Part) -> None:
    """Bring the part to the disk, and then to its place in one step."""
    sync_entry(part.path)
    part.path.replace(part.target)
    part.note.unlink(missing_ok=True)
    sync_entry(part.target.parent)


def _right(downloader: Resuming, part: Part) -> bool:
    if downloader.size is not None and part.size != downloader.size:
        return False
    if downloader.known_hash is None:
        return part.size > 0
    return bool(hash_matches(str(part.path), downloader.known_hash))


def _mismatch(url: str, downloader: Resuming, part: Part) -> MmbioError:
    size, known = downloader.size, downloader.known_hash
    if part.size == 0:
        return MmbioError(f"{url}: the server sent an empty file; {ELSEWHERE}")
    if size is not None and part.size != size:
        return MmbioError(
            f"{url}: {part.size} bytes came where {size} were expected; nothing of it is kept; {ELSEWHERE}"
        )
    algorithm = hash_algorithm(known)
    got, wanted = file_hash(str(part.path), algorithm), str(known).rpartition(":")[2]
    return MmbioError(
        f"{url}: not the file expected ({algorithm} {got[:12]}..., expected {wanted[:12]}...);"
        f" nothing of it is kept; {ELSEWHERE}"
    )


def _continues(answer: Answer, offset: int, origin: Origin) -> bool:
    """Whether a partial answer is what was asked for, of the same remote file."""
    etag = answer.header("etag")
    return (
        answer.first == offset
        and not answer.encoding
        and (answer.total is None or origin.size is None or answer.total == origin.size)
        and (etag is None or origin.etag is None or etag == origin.etag)
    )


def _words(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return "no byte in time"
    if isinstance(error, urllib3.exceptions.DecodeError):
        return "damaged gzip"
    return "the connection was cut"

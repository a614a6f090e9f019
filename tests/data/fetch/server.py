"""A local HTTP server that serves a folder and can be faulty in every way the tests need, and a forward proxy.

python tests/data/fetch/server.py FOLDER --port 8000 --slow 50000 --cut 100000
"""

import argparse
import gzip
import hashlib
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from email.utils import formatdate
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass
class Faults:
    """What goes wrong; each is for the paths that contain `only`, and `times` answers (None: all)."""

    cut: int | None = None  # the connection is closed after so many bytes of an answer's body
    slow: int | None = None  # bytes a second
    chunk: int = 1024  # bytes that a slow answer sends at once
    wrong: bool = False  # other bytes of the same length
    status: int | None = None  # this answer instead of the file
    retry_after: str | None = None
    location: str | None = None  # redirects there; "{path}" is the path asked for
    ranges: bool = True  # whether Range is heeded
    shift: int = 0  # a range begins so many bytes off
    lie: int = 0  # added to Content-Length
    unknown: bool = False  # no Content-Length, the end of the connection is the end of the file
    chunked: bool = False
    zipped: bool = False  # Content-Encoding: gzip
    empty: bool = False
    html: bool = False  # Content-Type: text/html
    etag: bool = True
    weak: bool = False  # the ETag is a weak one
    modified: bool = True  # Last-Modified is sent
    stall: float = 0.0  # seconds before the first byte
    only: str = ""
    times: int | None = None


@dataclass
class Asked:
    """One request: what was asked, and what was answered."""

    method: str
    path: str
    range: str | None
    if_range: str | None
    status: int = 0
    sent: int = 0  # bytes of the body


@dataclass
class Served:
    """A running server."""

    url: str
    faults: Faults
    asked: list[Asked] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @property
    def n_requests(self) -> int:
        return len(self.asked)

    @property
    def n_bytes(self) -> int:
        return sum(one.sent for one in self.asked)

    def of(self, path: str) -> list[Asked]:
        """The requests whose path contains `path`."""
        return [one for one in self.asked if path in one.path]

    def forget(self) -> None:
        self.asked.clear()

    def faulty(self, path: str) -> Faults:
        """The faults of the next answer, one of `times` used up."""
        with self.lock:
            if self.faults.only not in path or self.faults.times == 0:
                return Faults()
            if self.faults.times is not None:
                self.faults.times -= 1
            return self.faults


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD from a folder."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each small answer waits 40 ms for an acknowledgement
    folder: Path
    served: Served

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests read `served.asked`."""

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        asked = Asked(self.command, path, self.headers.get("Range"), self.headers.get("If-Range"))
        with self.served.lock:
            self.served.asked.append(asked)
        faults = self.served.faulty(path)
        time.sleep(faults.stall)
        file = (self.folder / path.lstrip("/")).resolve()
        inside = file.is_relative_to(self.folder.resolve()) and file.is_file()
        status = 302 if faults.location is not None else faults.status or (200 if inside else 404)
        if status != 200:
            asked.status = status
            self._refuse(status, faults, path)
        else:
            self._send_file(file, faults, asked)

    def _refuse(self, status: int, faults: Faults, path: str) -> None:
        self.send_response(status)
        if faults.location is not None:
            self.send_header("Location", faults.location.replace("{path}", path))
        if faults.retry_after is not None:
            self.send_header("Retry-After", faults.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_file(self, file: Path, faults: Faults, asked: Asked) -> None:
        content = b"" if faults.empty else file.read_bytes()
        etag = f'{"W/" if faults.weak else ""}"{hashlib.sha256(content).hexdigest()[:16]}"' if faults.etag else None
        modified = formatdate(file.stat().st_mtime, usegmt=True) if faults.modified else None
        total = len(content)
        start = self._start(faults, [x for x in (etag, modified) if x])
        if start is not None and start >= total:
            asked.status = 416
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{total}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if start is not None:
            start = min(max(start + faults.shift, 0), total - 1)
        body = content[start or 0 :]
        body = bytes(255 - byte for byte in body) if faults.wrong else body
        body = gzip.compress(body) if faults.zipped else body
        asked.status = 200 if start is None else 206
        self.send_response(asked.status)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self._headers(body, faults, etag, modified)
        if self.command == "GET":
            self._body(body, faults, asked)

    def _start(self, faults: Faults, validators: list[str]) -> int | None:
        """Where the answer begins; None for the whole file."""
        asked = self.headers.get("Range", "")
        if not faults.ranges or not asked.startswith("bytes=") or not asked.endswith("-"):
            return None
        fits = self.headers.get("If-Range") in (None, *validators)
        return int(asked[6:-1]) if fits else None

    def _headers(self, body: bytes, faults: Faults, etag: str | None, modified: str | None) -> None:
        given = {
            "ETag": etag,
            "Last-Modified": modified,
            "Content-Encoding": "gzip" if faults.zipped else None,
            "Content-Type": "text/html; charset=utf-8" if faults.html else "application/octet-stream",
            "Transfer-Encoding": "chunked" if faults.chunked else None,
            "Content-Length": None if faults.unknown or faults.chunked else str(len(body) + faults.lie),
            "Connection": "close" if faults.unknown or faults.lie or faults.cut is not None else None,
        }
        for name, value in given.items():
            if value is not None:
                self.send_header(name, value)
        self.close_connection = given["Connection"] is not None
        self.end_headers()

    def _body(self, body: bytes, faults: Faults, asked: Asked) -> None:
        sent = body if faults.cut is None else body[: faults.cut]
        step = faults.chunk if faults.slow else 2**16
        for at in range(0, len(sent), step):
            piece = sent[at : at + step]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if faults.chunked else piece)
            with self.served.lock:
                asked.sent += len(piece)
            if faults.slow:
                time.sleep(len(piece) / faults.slow)
        if faults.chunked and len(sent) == len(body):
            self.wfile.write(b"0\r\n\r\n")
        if faults.cut is not None and len(sent) < len(body):
            self.connection.shutdown(socket.SHUT_RDWR)


class Proxy(BaseHTTPRequestHandler):
    """Forwards GET requests with a whole address, as HTTP_PROXY asks."""

    served: Served

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        with self.served.lock:
            self.served.asked.append(Asked("GET", self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        onward = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
        onward.request("GET", parts.path, headers={k: v for k, v in self.headers.items() if k.lower() != "host"})
        answer = onward.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        onward.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests read `served.asked`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64


@contextmanager
def _running(handler: type[BaseHTTPRequestHandler], served: Served, port: int = 0) -> Iterator[Served]:
    server = _Server(("127.0.0.1", port), handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def serving(folder: Path, port: int = 0, **faults: Any) -> Iterator[Served]:
    """Serve a folder with the faults named; they can be changed while it runs."""
    served = Served("", Faults(**faults))
    with _running(type("Bound", (Handler,), {"folder": Path(folder), "served": served}), served, port) as running:
        yield running


def write_sums(folder: Path) -> None:
    """Write a folder's list of hashes as PhysioNet does."""
    names = [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix != ".txt"]
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()} {name}\n" for name in names]
    (folder / "SHA256SUMS.txt").write_text("".join(lines))


@contextmanager
def forwarding() -> Iterator[Served]:
    """A proxy that counts what it forwards."""
    served = Served("", Faults())
    with _running(type("Bound", (Proxy,), {"served": served}), served) as running:
        yield running


def _main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    for one in fields(Faults):
        if isinstance(one.default, bool):
            parser.add_argument(f"--{one.name}", action=argparse.BooleanOptionalAction, default=one.default)
        else:
            kind = {"cut": int, "slow": int, "status": int, "times": int}.get(one.name)
            parser.add_argument(
                f"--{one.name}", type=kind or (type(one.default) if one.default else str), default=one.default
            )
    given = vars(parser.parse_args())
    with serving(given.pop("folder"), given.pop("port"), **given) as served:
        sys.stdout.write(f"{served.url}\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


if __name__ == "__main__":
    _main()

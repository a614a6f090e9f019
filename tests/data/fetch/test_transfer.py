"""Transfer: every way in which a server fails ends in the file, whole, or in one sentence."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pooch
import pytest
import requests

from mmbio.data.fetch.parts import Origin, Part
from mmbio.data.fetch.transfer import Resuming, Stopped, Wire, fetch
from mmbio.errors import MmbioError
from tests.data.fetch.server import Served, forwarding, serving

FAST = Wire(wait=0.001, read=5.0)
CONTENT = np.random.default_rng(0).bytes(200_000)
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A folder with one file to serve."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "x.bin").write_bytes(CONTENT)
    return folder


@pytest.fixture
def get(tmp_path: Path) -> Callable[..., bytes]:
    """Fetch x.bin of a server to tmp_path/here/x.bin."""

    def call(server: Served, known_hash: str | None = SHA256, **more: Any) -> bytes:
        target = tmp_path / "here" / "x.bin"
        settings = {"wire": FAST} | more
        with requests.Session() as session:
            fetch(f"{server.url}x.bin", Resuming(target, session, known_hash, **settings))
        assert [path.name for path in target.parent.iterdir()] == [target.name]
        return target.read_bytes()

    return call


def named(value: object) -> str:
    return str(value).partition("Wire(")[0]


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "here").iterdir())


@pytest.mark.parametrize("known_hash", [SHA256, MD5, None])
def test_a_file_comes_whole(served: Path, get: Callable[..., bytes], known_hash: str | None) -> None:
    with serving(served) as server:
        assert get(server, known_hash) == CONTENT
        assert (server.n_requests, server.n_bytes) == (1, len(CONTENT))


def test_the_sha256_is_told_before_the_file_is_placed(served: Path, tmp_path: Path) -> None:
    told = []
    with serving(served) as server, requests.Session() as session:
        target = tmp_path / "x.bin"
        found = fetch(f"{server.url}x.bin", Resuming(target, session), lambda s: told.append((s, target.exists())))
    assert told == [(found, False)]
    assert f"sha256:{found}" == SHA256


@pytest.mark.parametrize(
    ("faults", "n_requests", "n_bytes"),
    [
        ({"cut": 50_000}, 4, 200_000),
        ({"cut": 50_000, "etag": False}, 4, 200_000),
        ({"cut": 50_000, "weak": True}, 4, 200_000),
        ({"cut": 50_000, "etag": False, "modified": False}, 4, 200_000),  # a hash is known
        ({"cut": 50_000, "times": 1}, 2, 200_000),
        ({"cut": 50_000, "ranges": False, "times": 2}, 3, 250_000),
        ({"cut": 50_000, "shift": 7, "times": 2}, 3, None),  # a wrong Content-Range: from the start again
        ({"status": 500, "times": 2}, 3, 200_000),
        ({"status": 503, "times": 2, "retry_after": "0"}, 3, 200_000),
        ({"status": 429, "times": 1, "retry_after": "0"}, 2, 200_000),
        ({"status": 429, "times": 1, "retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 2, 200_000),
        ({"status": 408, "times": 1, "retry_after": "soon"}, 2, 200_000),
        ({"chunked": True}, 1, 200_000),
        ({"chunked": True, "cut": 80_000, "times": 1}, 2, 200_000),
        ({"unknown": True}, 1, 200_000),
        ({"lie": 100, "times": 1}, 2, 200_000),  # the server says nothing lies behind
        ({"slow": 2_000_000, "chunk": 10_000}, 1, 200_000),
        ({"html": True}, 1, 200_000),  # a hash decides
    ],
    ids=named,
)
def test_faults_that_pass(
    served: Path, get: Callable[..., bytes], faults: dict[str, Any], n_requests: int, n_bytes: int | None
) -> None:
    with serving(served, **faults) as server:
        assert get(server) == CONTENT
        assert server.n_requests == n_requests
        assert n_bytes in (None, server.n_bytes)


@pytest.mark.parametrize("faults", [{"zipped": True}, {"zipped": True, "cut": 60_000, "times": 1}], ids=named)
def test_a_body_that_is_encoded_is_decoded_and_never_gone_on_with(
    served: Path, get: Callable[..., bytes], faults: dict[str, Any]
) -> None:
    with serving(served, **faults) as server:
        assert get(server) == CONTENT
        assert {asked.range for asked in server.asked} == {None}


def test_an_archive_said_to_be_encoded_is_the_archive(served: Path, tmp_path: Path) -> None:
    with serving(served, zipped=True) as server, requests.Session() as session:
        fetch(f"{server.url}x.bin", Resuming(tmp_path / "x.tar.gz", session, wire=FAST))
    assert (tmp_path / "x.tar.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert gzip.decompress((tmp_path / "x.tar.gz").read_bytes()) == CONTENT


@pytest.mark.parametrize(
    ("faults", "more", "told"),
    [
        ({"status": 404}, {}, r"x\.bin: not there \(404\); give another address with --mirror, or .* with --from"),
        ({"status": 403}, {}, r"x\.bin: not given to everybody \(403\); .*--mirror.*--from"),
        ({"status": 401}, {}, r"not given to everybody \(401\)"),
        ({"status": 418}, {}, r"the server answered 418 where a file was expected"),
        ({"status": 500}, {}, r"the server answered 500, 6 times in a row; .* goes on from what has come, .*--mirror"),
        ({"status": 429, "retry_after": "0"}, {}, r"the server answered 429, 6 times in a row"),
        ({"cut": 50_000, "ranges": False}, {}, r"the connection was cut after 50000 bytes, 6 times in a row"),
        ({"cut": 0}, {}, r"the connection was cut after 0 bytes, 6 times in a row"),
        (
            {"wrong": True},
            {},
            r"not the file expected \(sha256 [0-9a-f]{12}\.\.\., expected .*\); nothing of it is kept",
        ),
        ({"wrong": True}, {"known_hash": MD5}, r"not the file expected \(md5 "),
        ({"empty": True}, {}, "the server sent an empty file"),
        ({"empty": True}, {"known_hash": None}, "the server sent an empty file"),
        ({"html": True}, {"known_hash": None}, "a web page came instead of the file"),
        ({}, {"size": 199_999}, "200000 bytes at the server where 199999 were expected"),
        ({"chunked": True}, {"size": 199_999}, "more than the 199999 bytes expected came"),
        ({"unknown": True}, {"size": 200_001}, "200000 bytes came where 200001 were expected"),
        ({}, {"wire": Wire(limit=1000)}, "200000 bytes, and 1000 is the most for a file"),
        ({"unknown": True}, {"wire": Wire(limit=1000)}, "more than the 1000 bytes expected came"),
        ({"zipped": True}, {"wire": Wire(limit=1000)}, "more than the 1000 bytes expected came"),
        ({"lie": -7}, {}, "not the file expected"),
        ({"lie": 7}, {"known_hash": None}, "6 times in a row"),
        ({"stall": 0.3}, {"wire": Wire(wait=0.001, read=0.05, tries=2)}, "no answer in time, 2 times in a row"),
        ({"slow": 2_000, "chunk": 1000}, {"wire": Wire(wait=0.001, read=0.1, tries=2)}, "no byte in time after"),
        ({"location": "{path}"}, {}, "redirected more than 10 times"),
        ({"location": "http://192.0.2.1/x"}, {}, r"http://192\.0\.2\.1/x: not asked for without TLS; .*--mirror"),
        ({"location": "ftp://127.0.0.1/x"}, {}, "ftp://127.0.0.1/x: not asked for without TLS"),
        ({"location": "file:///etc/passwd"}, {}, "file:///etc/passwd: not asked for without TLS"),
    ],
    ids=named,
)
def test_faults_that_stay_are_one_sentence(
    served: Path, tmp_path: Path, get: Callable[..., bytes], faults: dict[str, Any], more: dict[str, Any], told: str
) -> None:
    with serving(served, **faults) as server, pytest.raises(MmbioError, match=told) as caught:
        get(server, **more)
    assert "\n" not in str(caught.value)
    assert set(left(tmp_path)) <= {"x.bin.part", "x.bin.part.json"}


def test_a_wrong_file_that_comes_in_pieces_is_fetched_twice_at_most(served: Path, get: Callable[..., bytes]) -> None:
    wrong = f"sha256:{'0' * 64}"
    with serving(served, cut=150_000, times=20) as server, pytest.raises(MmbioError, match="not the file expected"):
        get(server, wrong)
    assert (server.n_requests, server.n_bytes) == (4, 2 * len(CONTENT))


def test_a_password_in_an_address_is_not_written_down(served: Path, tmp_path: Path) -> None:
    with serving(served, cut=50_000, ranges=False) as server, requests.Session() as session:
        url = f"{server.url.replace('//', '//me:hunter2@')}x.bin"
        with pytest.raises(MmbioError, match="6 times in a row"):
            fetch(url, Resuming(tmp_path / "here" / "x.bin", session, SHA256, wire=FAST))
        assert all(b"hunter2" not in path.read_bytes() for path in (tmp_path / "here").iterdir())
        server.forget()
        server.faults.cut, server.faults.ranges = None, True
        fetch(url, Resuming(tmp_path / "here" / "x.bin", session, SHA256, wire=FAST))
        assert server.n_bytes == 150_000  # the part was gone on with


def test_a_redirect_is_followed(served: Path, get: Callable[..., bytes]) -> None:
    with serving(served) as real, serving(served, location=f"{real.url}{{path}}") as first:
        assert get(first) == CONTENT
        assert (first.n_bytes, real.n_bytes) == (0, len(CONTENT))


def begun(tmp_path: Path, server: Served, content: bytes = CONTENT[:120_000], **origin: Any) -> Part:
    """A part of x.bin as a killed run left it."""
    (tmp_path / "here").mkdir()
    part = Part(tmp_path / "here" / "x.bin")
    answer = requests.head(f"{server.url}x.bin", timeout=5)
    told = {"etag": answer.headers.get("etag"), "modified": answer.headers.get("last-modified"), "size": len(CONTENT)}
    with part.begin(Origin(**{"url": f"{server.url}x.bin", **told, **origin})) as handle:
        handle.write(content)
    server.forget()
    return part


@pytest.mark.parametrize(
    ("known_hash", "origin", "content", "n_bytes"),
    [
        (SHA256, {}, CONTENT[:120_000], 80_000),
        (None, {}, CONTENT[:120_000], 80_000),
        (SHA256, {}, CONTENT, 0),  # killed before it was put in place
        (SHA256, {"size": None}, CONTENT, 0),
        (None, {"size": None}, CONTENT, 0),
        (SHA256, {}, CONTENT + b"x", 200_000),
        (SHA256, {}, b"", 200_000),
        (None, {"etag": '"other"'}, CONTENT[:120_000], 200_000),  # If-Range: another remote file by now
        (None, {"etag": None}, CONTENT[:120_000], 80_000),
        (None, {"etag": None, "modified": None}, CONTENT[:120_000], 200_000),  # nothing to know it by
        (None, {"etag": 'W/"weak"', "modified": None}, CONTENT[:120_000], 200_000),
        (None, {"size": 150_000}, CONTENT[:120_000], None),  # another size by now: the answer is not read
        (SHA256, {"url": "http://127.0.0.1/elsewhere"}, CONTENT[:120_000], 200_000),
        (SHA256, {}, bytes(120_000), 280_000),  # gone on with, found to be wrong, fetched whole
        (SHA256, {}, bytes(200_000), 200_000),
    ],
)
def test_what_a_killed_run_left(
    served: Path,
    tmp_path: Path,
    get: Callable[..., bytes],
    known_hash: str | None,
    origin: dict[str, Any],
    content: bytes,
    n_bytes: int | None,
) -> None:
    with serving(served) as server:
        begun(tmp_path, server, content, **origin)
        assert get(server, known_hash) == CONTENT
        assert n_bytes in (None, server.n_bytes)


@pytest.mark.parametrize("note", ["", "{", "[]", '{"url": 3}', '{"url": "x", "more": 1}', "[" * 100_000, "\udcff"])
def test_a_damaged_note_begins_again(served: Path, tmp_path: Path, get: Callable[..., bytes], note: str) -> None:
    with serving(served) as server:
        begun(tmp_path, server).note.write_bytes(note.encode(errors="surrogateescape"))
        assert get(server) == CONTENT
        assert server.n_bytes == len(CONTENT)


def test_a_remote_file_that_changes_in_the_middle_is_never_glued(served: Path, tmp_path: Path) -> None:
    new = CONTENT[::-1]
    with serving(served, cut=50_000, times=1) as server, requests.Session() as session:

        def moved(n: int) -> None:
            if server.n_requests == 1:
                (served / "x.bin").write_bytes(new)

        fetch(f"{server.url}x.bin", Resuming(tmp_path / "x.bin", session, wire=FAST, moved=moved))
    assert (tmp_path / "x.bin").read_bytes() == new


def test_bytes_moved_add_up(served: Path, tmp_path: Path) -> None:
    moved: list[int] = []
    with serving(served, cut=50_000, ranges=False, times=2) as server, requests.Session() as session:
        fetch(f"{server.url}x.bin", Resuming(tmp_path / "x.bin", session, SHA256, wire=FAST, moved=moved.append))
    assert sum(moved) == len(CONTENT)
    assert min(moved) < 0


def test_a_stop_ends_a_slow_transfer_and_a_wait(served: Path, tmp_path: Path) -> None:
    stop = Event()
    for faults in ({"slow": 50_000, "chunk": 1000}, {"status": 503, "retry_after": "60"}):
        with serving(served, **faults) as server, requests.Session() as session:
            wire = Wire(stop=stop)
            stop.set()
            with pytest.raises(Stopped):
                fetch(f"{server.url}x.bin", Resuming(tmp_path / "here" / "x.bin", session, SHA256, wire=wire))
            stop.clear()


def test_refused_trust_leaves_nothing_that_the_next_run_would_take_for_whole(served: Path, tmp_path: Path) -> None:
    def refuse(sha256: str) -> None:
        raise MmbioError(f"another file: {sha256}")

    with serving(served) as server, requests.Session() as session, pytest.raises(MmbioError, match="another file"):
        fetch(f"{server.url}x.bin", Resuming(tmp_path / "here" / "x.bin", session, wire=FAST), refuse)
    assert left(tmp_path) == []


def test_nothing_listens(tmp_path: Path) -> None:
    wire = Wire(wait=0.001, tries=2)
    told = r"http://127.0.0.1:9/x: [Cc]onnection refused, 2 times in a row; .*--mirror"
    with requests.Session() as session, pytest.raises(MmbioError, match=told):
        fetch("http://127.0.0.1:9/x", Resuming(tmp_path / "x", session, wire=wire))


def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    wire = Wire(wait=0.001, tries=2)
    told = r"https://nowhere.invalid/x: .*(no server of this name|proxy).*, 2 times in a row"
    with requests.Session() as session, pytest.raises(MmbioError, match=told):
        fetch("https://nowhere.invalid/x", Resuming(tmp_path / "x", session, wire=wire))


def test_a_server_without_a_certificate(served: Path, tmp_path: Path) -> None:
    with serving(served) as server, requests.Session() as session:
        url = server.url.replace("http:", "https:")
        with pytest.raises(MmbioError, match=r"its certificate is not accepted|the connection"):
            fetch(f"{url}x.bin", Resuming(tmp_path / "x", session, wire=Wire(wait=0.001, tries=2)))


def test_an_address_without_tls(tmp_path: Path) -> None:
    told = "http://example.invalid/x: not asked for without TLS; give an https address with --mirror"
    with requests.Session() as session, pytest.raises(MmbioError, match=told):
        fetch("http://example.invalid/x", Resuming(tmp_path / "x", session))


@pytest.mark.parametrize("past", [False, True])
def test_a_proxy_of_the_environment(
    served: Path, get: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, past: bool
) -> None:
    with serving(served) as server, forwarding() as proxy:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "127.0.0.1" if past else "")
        assert get(server) == CONTENT
        assert [asked.path for asked in proxy.asked] == ([] if past else [f"{server.url}x.bin"])


def test_a_proxy_that_is_not_there(served: Path, get: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    with serving(served) as server, pytest.raises(MmbioError, match=r"the proxy cannot be reached .*HTTPS_PROXY"):
        get(server, wire=Wire(wait=0.001, tries=2))


def test_pooch_takes_it_as_a_downloader(served: Path, tmp_path: Path) -> None:
    with serving(served, cut=90_000) as server, requests.Session() as session:
        target = tmp_path / "cache" / "x.bin"
        target.parent.mkdir()
        downloader = Resuming(target, session, SHA256, wire=FAST)
        found = pooch.retrieve(f"{server.url}x.bin", SHA256, target.name, target.parent, downloader=downloader)
    assert Path(found).read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["x.bin"]


def test_a_folder_that_cannot_be_written(served: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with serving(served) as server, requests.Session() as session, pytest.raises(MmbioError, match="Not a directory"):
        fetch(f"{server.url}x.bin", Resuming(tmp_path / "file" / "x.bin", session, wire=FAST))


def test_a_full_disk(served: Path, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not (full.exists() and full.is_char_device()):
        pytest.skip("no device that is always full")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "x.bin.part").symlink_to(full)
    told = r"x\.bin: could not be written \(No space left on device\); what has come stays"
    with serving(served) as server, requests.Session() as session, pytest.raises(MmbioError, match=told):
        fetch(f"{server.url}x.bin", Resuming(tmp_path / "here" / "x.bin", session, SHA256, wire=FAST))

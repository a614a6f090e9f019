"""Answers: one question to a server, its redirects followed, and what each kind of answer means."""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin

import requests

from mmbio.data.fetch.addresses import check, check_redirect
from mmbio.errors import MmbioError

REDIRECTS: Final = 10
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})  # what another try may mend
LONGEST_WAIT: Final = 120.0  # seconds that a server may ask for
ELSEWHERE: Final = "give another address with --mirror, or what you already have with --from"


class Cut(Exception):
    """What another try may mend; `wait` is how many seconds the server asked for.

    `tries` is how many in a row are enough, where that is fewer than usual.
    """

    def __init__(self, why: str, wait: float | None = None, tries: int | None = None) -> None:
        super().__init__(why)
        self.wait, self.tries = wait, tries


class Unreachable(MmbioError):
    """A server that did not answer, however often it was asked: others of its files need not be tried."""


@dataclass(frozen=True)
class Answer:
    """What a server says before the bytes come; sizes in bytes, None where it does not say."""

    response: requests.Response
    status: int
    length: int | None
    first: int | None  # of a range
    total: int | None  # of a range
    encoding: str  # as sent, empty for none
    kind: str  # media type

    def header(self, name: str) -> str | None:
        """A header as sent, None where there is none or it holds control characters."""
        value = self.response.headers.get(name)
        return value if value and value.isprintable() else None


@contextmanager
def ask(
    session: requests.Session, url: str, headers: Mapping[str, str], timeouts: tuple[float, float], plain: str = ""
) -> Iterator[Answer]:
    """Ask for `url` and follow redirects, never from TLS to none.

    `timeouts` are seconds to connect and seconds without a byte; `plain` is a host that may be asked without TLS.
    Raises Cut for what another try may mend, MmbioError for what none will.
    """
    check(url, plain)
    where = url
    for _ in range(REDIRECTS + 1):
        response = _get(session, where, headers, timeouts)
        try:
            if not response.is_redirect:
                yield _answer(response, where)
                return
            after = urljoin(where, response.headers["location"])
            check_redirect(where, after, plain)
            where = after
        finally:
            response.close()
    raise MmbioError(f"{url}: redirected more than {REDIRECTS} times; {ELSEWHERE}")


def _get(
    session: requests.Session, url: str, headers: Mapping[str, str], timeouts: tuple[float, float]
) -> requests.Response:
    try:
        return session.get(url, headers=dict(headers), timeout=timeouts, stream=True, allow_redirects=False)
    except requests.exceptions.SSLError as error:
        raise MmbioError(
            f"{url}: its certificate is not accepted ({_reason(error)});"
            " if a proxy signs for it, name that proxy's certificates in REQUESTS_CA_BUNDLE"
        ) from error
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
        if _has_no_name(error):
            raise Cut("no server of this name is found: no network here, or a proxy is needed", tries=3) from error
        raise Cut(_reason(error)) from error
    except (requests.exceptions.RequestException, ValueError) as error:
        raise MmbioError(f"{url}: cannot be asked for ({error}); {ELSEWHERE}") from error


def _has_no_name(error: BaseException | None) -> bool:
    """Whether a name could not be turned into an address, which without a network none can."""
    while error is not None and not isinstance(error, socket.gaierror):
        error = error.__cause__ or error.__context__
    return error is not None


def _answer(response: requests.Response, url: str) -> Answer:
    status = response.status_code
    if status in PASSING:
        raise Cut(f"the server answered {status}", _retry_after(response.headers.get("retry-after", "")))
    if status in (401, 403):
        raise MmbioError(f"{url}: not given to everybody ({status}); {ELSEWHERE}")
    if status in (404, 410):
        raise MmbioError(f"{url}: not there ({status}); {ELSEWHERE}")
    if status not in (200, 206, 416):
        raise MmbioError(f"{url}: the server answered {status} where a file was expected; {ELSEWHERE}")
    first, total = _range(response.headers.get("content-range", ""))
    encoding = response.headers.get("content-encoding", "").strip().lower()
    return Answer(
        response,
        status,
        _number(response.headers.get("content-length", "")),
        first,
        total,
        "" if encoding == "identity" else encoding,
        response.headers.get("content-type", "").partition(";")[0].strip().lower(),
    )


def _range(text: str) -> tuple[int | None, int | None]:
    """The first byte and the file's size of a Content-Range."""
    found = re.fullmatch(r"bytes (?:([0-9]{1,18})-[0-9]{1,18}|\*)/(?:([0-9]{1,18})|\*)", text.strip())
    return (None, None) if found is None else (_number(found[1] or ""), _number(found[2] or ""))


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text.strip()) else None


def _retry_after(text: str) -> float | None:
    """Seconds from now, of a number or a date."""
    seconds = _number(text)
    if seconds is None:
        try:
            then = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = int((then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return min(max(float(seconds), 0.0), LONGEST_WAIT)


def _reason(error: requests.exceptions.RequestException) -> str:
    """The innermost reason of a failed question, in words for a sentence."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be reached or refuses; look at HTTPS_PROXY and NO_PROXY"
    inner: BaseException = error
    while (deeper := inner.__cause__ or inner.__context__) is not None:
        inner = deeper
    text = str(getattr(inner, "verify_message", None) or getattr(inner, "strerror", None) or inner)
    return re.sub(r" \(_ssl\.c:[0-9]+\)|\[SSL[^]]*\] ", "", text).rstrip(".") or "no connection"

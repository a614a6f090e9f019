"""Addresses: where a file of a set is asked for, and whether it may be asked for without TLS."""

import ipaddress
from urllib.parse import quote, urljoin, urlsplit

from mmbio.errors import MmbioError


def mirror_of(text: str) -> str:
    """A mirror's base as it is used, with a slash at its end.

    Raises MmbioError for anything but an https address, or an http address of this machine.
    """
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port  # raises where it is no number
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise MmbioError(f"--mirror {text}: expected the address of a folder, such as https://mirror.example/ecgiddb/")
    check(text, "")
    return text if text.endswith("/") else f"{text}/"


def address(base: str, url: str, mirror: str | None = None) -> str:
    """The whole address of `url`, which stands below `base` or is absolute; below `mirror` where one is given.

    An absolute address elsewhere keeps its last part at a mirror.
    """
    whole = urljoin(base, url)
    if mirror is None:
        return whole
    return mirror + (whole.removeprefix(base) if whole.startswith(base) else whole.rpartition("/")[2])


def quoted(path: str) -> str:
    """A file's path as a part of an address."""
    return quote(path, safe="/")


def without_user(url: str) -> str:
    """An address as it is recorded and shown, without a user's name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else url


def host_without_tls(base: str) -> str:
    """The host whose own address is http, which may be asked without TLS; empty where there is none."""
    parts = urlsplit(base)
    return (parts.hostname or "") if parts.scheme == "http" else ""


def loopback(url: str) -> bool:
    """Whether an address is of this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check(url: str, plain: str) -> None:
    """Refuse an address without TLS, but for this machine's and for the host `plain`.

    Raises MmbioError naming the address and the cure.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and (loopback(url) or parts.hostname == plain)):
        return
    raise MmbioError(f"{url}: not asked for without TLS; give an https address with --mirror")


def check_redirect(before: str, after: str, plain: str) -> None:
    """Refuse a redirect that leaves TLS, or leads where nothing is asked for without it."""
    if urlsplit(before).scheme == "https" and urlsplit(after).scheme != "https":
        raise MmbioError(f"{before}: leads to {after}, which is not TLS; give another address with --mirror")
    if loopback(after) and not loopback(before):
        raise MmbioError(f"{before}: leads to {after}, this machine itself; give another address with --mirror")
    check(after, plain)

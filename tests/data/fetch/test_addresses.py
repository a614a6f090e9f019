"""Addresses: whom a file is asked of, and who may be asked without TLS."""

import pytest

from mmbio.data.fetch.addresses import address, check, check_redirect, host_without_tls, mirror_of, quoted, without_user
from mmbio.errors import MmbioError

BASE = "https://example.org/files/set/"


@pytest.mark.parametrize(
    ("url", "mirror", "whole"),
    [
        ("a/b.dat", None, f"{BASE}a/b.dat"),
        ("https://other.org/x/meta.csv", None, "https://other.org/x/meta.csv"),
        ("a/b.dat", "https://m.org/", "https://m.org/a/b.dat"),
        (f"{BASE}a/b.dat", "https://m.org/", "https://m.org/a/b.dat"),
        ("https://other.org/x/meta.csv", "https://m.org/", "https://m.org/meta.csv"),
        (quoted("a b/#c?.dat"), None, f"{BASE}a%20b/%23c%3F.dat"),
    ],
)
def test_addresses(url: str, mirror: str | None, whole: str) -> None:
    assert address(BASE, url, mirror) == whole


@pytest.mark.parametrize("text", ["https://m.org/x", "https://m.org/x/", "http://127.0.0.1:80/", "http://localhost/"])
def test_mirrors(text: str) -> None:
    assert mirror_of(text) == text.rstrip("/") + "/"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "m.org/x",
        "ftp://m.org/",
        "file:///x",
        "https://",
        "https://m.org:x/",
        "https://m.org/?a=b",
        "http://[::1",
    ],
)
def test_what_is_no_mirror(text: str) -> None:
    with pytest.raises(MmbioError, match=r"--mirror .*: expected the address of a folder"):
        mirror_of(text)


@pytest.mark.parametrize(
    "url", ["http://m.org/", "http://127.0.0.1.m.org/", "http://localhost.m.org/", "http://10.0.0.1/"]
)
def test_mirrors_without_tls(url: str) -> None:
    with pytest.raises(MmbioError, match="not asked for without TLS"):
        mirror_of(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:hunter2@m.org:8/a@b?c@d", "https://m.org:8/a@b?c@d"),
        ("https://me@m.org/", "https://m.org/"),
        ("http://me:p@ss@[::1]:80/x", "http://[::1]:80/x"),
        ("https://m.org/a@b#", "https://m.org/a@b#"),
    ],
)
def test_a_user_is_left_out(url: str, shown: str) -> None:
    assert without_user(url) == shown


def test_a_set_whose_own_address_has_no_tls() -> None:
    plain = host_without_tls("http://old.example/set/")
    assert plain == "old.example"
    assert host_without_tls(BASE) == ""
    check("http://old.example/x", plain)
    with pytest.raises(MmbioError, match="not asked for without TLS"):
        check("http://other.example/x", plain)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("https://a.org/x", "http://a.org/x", "which is not TLS"),
        ("https://a.org/x", "http://127.0.0.1/x", "which is not TLS"),
        ("https://a.org/x", "https://127.0.0.1/x", "this machine itself"),
        ("http://old.example/x", "http://other.example/x", "not asked for without TLS"),
        ("http://old.example/x", "gopher://old.example/x", "not asked for without TLS"),
    ],
)
def test_redirects_that_are_refused(before: str, after: str, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        check_redirect(before, after, "old.example")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://a.org/x", "https://b.org/x"),
        ("http://old.example/x", "https://b.org/x"),
        ("http://old.example/x", "http://old.example/y"),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:2/x"),
    ],
)
def test_redirects_that_are_followed(before: str, after: str) -> None:
    check_redirect(before, after, "old.example")

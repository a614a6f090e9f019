"""Mutate: valid bytes made hostile, structure by structure."""

import random
from collections.abc import Callable, Sequence
from typing import Final, Literal

TOKENS: Final = (
    *(b"NaN", b"nan", b"1e999", b"-inf", b"1e-400", b"-0.0", b"-1", b"0", b"1_0", b"true", b"null", b"\xc2\xb2"),
    *(b"9" * 30, b"9" * 5000, b"18446744073709551616", b"4294967295", b"2147483648", b"9223372036854775807"),
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\xe2\x80\xae", b"\x1b[31m", b"\x85"),
    *(b"[", b"]", b"{", b"}", b'"', b"'", b",", b":", b"|", b";", b"#", b"=", b"@", b"\t", b"\r", b"\n", b"\r\n", b" "),
    *(b"../", b"/etc/passwd", b"|touch pwned|", b"$(touch pwned)", b"~", b"%s%n", b"{0}", b"x" * 700),
    *(b'"a\nb"', b'"unclosed', b'[["face",[1000000000]]]', b'{"a":{}}', b"[]", b"{}", b'""', b"(1000000000000,)"),
    *(b"\x93NUMPY", b"PK\x03\x04", b"RIFF", b"\0B", b"\x7fELF", b"\x80\x04", b"\xff\xff\xff\xff", b"\0\0\0\x80"),
)
DEEP: Final = (b"[" * 100_000, b'{"a":' * 100_000, b"[[" * 1000 + b"]]" * 1000, b'{"' * 5000)
NUMBERS: Final = (
    0,
    1,
    2,
    3,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**64 - 1,
)
MOST: Final = 8  # mutations of one input


def mutated(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds after one to MOST mutations; now and then bytes of nothing at all."""
    if rng.random() < 0.03:
        return rng.randbytes(rng.randrange(200))
    data = rng.choice(seeds)
    if rng.random() < 0.003:
        return _insert(rng, data, rng.choice(DEEP))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4, MOST))):
        mutation: Callable[[random.Random, bytes], bytes] = rng.choice(MUTATIONS)
        data = mutation(rng, data)
    if rng.random() < 0.05:
        other = rng.choice(seeds)
        data = data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
    return data


def _place(rng: random.Random, data: bytes) -> int:
    """A place in the bytes, the first hundred as likely as all: heads are there."""
    return rng.randrange((min(len(data), 100) if rng.random() < 0.5 else len(data)) + 1)


def _stretch(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = _place(rng, data)
    return start, min(len(data), start + rng.choice((1, 1, 2, 4, 8, 30, 100)))


def _insert(rng: random.Random, data: bytes, token: bytes) -> bytes:
    at = _place(rng, data)
    return data[:at] + token + data[at:]


def _flip(rng: random.Random, data: bytes) -> bytes:
    if not data:
        return data
    at = min(_place(rng, data), len(data) - 1)
    changed = data[at] ^ (1 << rng.randrange(8)) if rng.random() < 0.5 else rng.randrange(256)
    return data[:at] + bytes([changed]) + data[at + 1 :]


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _remove(rng: random.Random, data: bytes) -> bytes:
    start, stop = _stretch(rng, data)
    return data[:start] + data[stop:]


def _double(rng: random.Random, data: bytes) -> bytes:
    start, stop = _stretch(rng, data)
    return data[:stop] + data[start:stop] * rng.choice((1, 1, 2, 20)) + data[stop:]


def _token(rng: random.Random, data: bytes) -> bytes:
    return _insert(rng, data, rng.choice(TOKENS))


def _replace(rng: random.Random, data: bytes) -> bytes:
    start, stop = _stretch(rng, data)
    return data[:start] + rng.choice(TOKENS) + data[stop:]


def _number(rng: random.Random, data: bytes) -> bytes:
    """A whole number in the bytes, in binary, becomes an edge case."""
    size, at = rng.choice((1, 2, 4, 8)), _place(rng, data)
    number = int(rng.choice(NUMBERS) % 256**size)
    order: Literal["little", "big"] = rng.choice(("little", "big"))
    return data[:at] + number.to_bytes(size, order) + data[at + size :]


def _digits(rng: random.Random, data: bytes) -> bytes:
    """A number in digits becomes another."""
    places = [i for i, byte in enumerate(data[:4000]) if 48 <= byte <= 57]
    if not places:
        return data
    start = rng.choice(places)
    stop = start + 1
    while stop < len(data) and 48 <= data[stop] <= 57:
        stop += 1
    value = rng.choice(
        (*(str(n).encode() for n in NUMBERS), b"-1", b"1e999", b"NaN", b"0.5", b'""', b"null", b"9" * 25)
    )
    return data[:start] + value + data[stop:]


def _lines(rng: random.Random, data: bytes) -> bytes:
    """A line goes, comes twice, or moves."""
    lines = data.split(b"\n")
    line = lines.pop(rng.randrange(len(lines)))
    for _ in range(rng.choice((0, 1, 2))):
        lines.insert(rng.randrange(len(lines) + 1), line)
    return b"\n".join(lines)


MUTATIONS: Final[tuple[Callable[[random.Random, bytes], bytes], ...]] = (
    *(_flip, _flip, _cut, _remove, _double, _token, _token, _replace, _number, _digits, _digits, _lines),
)

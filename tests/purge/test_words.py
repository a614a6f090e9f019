"""Words: many texts as one pattern finds what each by itself finds."""

import re
from random import Random

import pytest

from mmbio.purge.words import PIECE, Words


def alone(texts: list[str], data: bytes) -> int | None:
    """Where the first text stands, by the rule in its plain form."""
    hits = [
        hit.start()
        for text in texts
        for hit in re.finditer(rb"(?<![0-9A-Za-z])(?=" + re.escape(text.encode()) + rb"(?![0-9A-Za-z]))", data)
        if not (data[: hit.start()].endswith(b"_") and text[0].isdigit())
    ]
    return min(hits, default=None)


def test_as_one_by_one() -> None:
    rng = Random(0)
    for _ in range(300):
        texts = ["".join(rng.choices("ab1_/", k=rng.randint(1, 6))) for _ in range(rng.randint(1, 12))]
        data = "".join(rng.choices("ab1_/ ", k=60))
        hit = Words(texts, "utf-8").find(data.encode())
        assert (hit and hit[0]) == alone(texts, data.encode()), (texts, data)
        wide = Words(texts, "utf-32-le", 4).find(data.encode("utf-32-le"))
        assert (wide and wide[0] // 4) == alone(texts, data.encode()), (texts, data)


@pytest.mark.parametrize("n", [1, 60, 300])
def test_texts_within_texts_at_any_depth(n: int) -> None:
    texts = ["a" * k for k in range(1, n + 1)]
    words = Words(texts, "utf-8")
    assert words.find(f"b{'a' * n} {'a' * n}".encode()) == (n + 2, "a" * n)
    assert words.find(f"{'a' * (n + 1)}".encode()) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-32-le"])
def test_where_one_piece_ends_and_the_next_begins(encoding: str) -> None:
    width = len("a".encode(encoding))
    words = Words(["Person_07", "anna"], encoding, width)
    for text in ("Person_07", "anna"):
        for before in range(PIECE // width - 10, PIECE // width + 2):
            data = ("." * before + text).encode(encoding)
            assert words.find(data) == (before * width, text)
            assert words.find(data[: -2 * width]) is None


def test_nothing_to_find() -> None:
    assert Words([], "utf-8").find(b"anything") is None
    assert Words([""], "utf-8").find(b"anything") is None

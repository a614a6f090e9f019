"""Words: many texts looked for at once in bytes, each where it stands by itself."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np

DEEP: Final = 40  # branches below one another, from where on the rest of a text is an alternative by itself

HEAD: Final = 4  # characters that are looked at before the pattern is, twice
FACTORS: Final = tuple(np.uint16(factor) for factor in (1, 31, 1237, 40503))
PIECE: Final = 1 << 20  # bytes looked at at once

Trie = dict[int, "Trie"]
END: Final = -1


class Words:
    """Texts as one pattern, tried only where the first characters of one of them stand."""

    def __init__(self, texts: Iterable[str], encoding: str, width: int = 1) -> None:
        """`width`: bytes of a character that is a letter or a digit of ASCII."""
        self._encoding, self._width = encoding, width
        encoded = sorted({text.encode(encoding, "surrogatepass") for text in texts if text})
        ends = rb"(?![0-9A-Za-z]" + b"\0" * (width - 1) + b")"
        self._pattern = re.compile(_pattern(encoded) + ends if encoded else b"(?!)", re.DOTALL)
        heads = [text[::width] for text in encoded]
        self._filters: list[tuple[int, int, np.ndarray]] = []
        shortest = min(map(len, heads), default=0)
        for start in range(0, min(shortest, 2 * HEAD), HEAD):
            n = min(HEAD, shortest - start)
            table = np.zeros(1 << 16, dtype=bool)
            for head in heads:
                table[_codes(np.frombuffer(head[start : start + n], np.uint8), n, 1)] = True
            self._filters.append((start, n, table))

    def find(self, data: Any) -> tuple[int, str] | None:
        """Where the first of the texts stands in a buffer, and which; None where there is none.

        A letter or digit beside it makes it another text. So does an underscore before a digit: 1_1.tif is not in
        a_1_1.tif, but a_Person_07 and Person_07_b are on Person_07.
        """
        for at in self._candidates(data):
            hit = self._pattern.match(data, at)
            if hit and self._begins(data, at):
                return at, hit[0].decode(self._encoding, "replace")
        return None

    def _candidates(self, data: Any) -> Iterator[int]:
        """The places where a text may begin, in order."""
        if not self._filters:
            return
        margin = 2 * HEAD * self._width
        for start in range(0, len(data), PIECE):
            piece = np.frombuffer(data[start : start + PIECE + margin], np.uint8)
            found: np.ndarray | None = None
            for offset, n, table in self._filters:
                if found is None:
                    found = np.flatnonzero(table[_codes(piece, n, self._width)])
                    found = found[found < PIECE]
                else:
                    at = found + offset * self._width
                    fits = at + (n - 1) * self._width < len(piece)
                    found, at = found[fits], at[fits]
                    code = sum((piece[at + i * self._width] * FACTORS[i] for i in range(n)), np.uint16(0))
                    found = found[table[code]]
            if found is not None:
                yield from (start + found).tolist()

    def _begins(self, data: Any, at: int) -> bool:
        before = bytes(data[max(0, at - self._width) : at])
        if len(before) < self._width or any(before[1:]):
            return True
        character = before[:1]
        first = bytes(data[at : at + 1])
        return not (character.isalnum() or (character == b"_" and first.isdigit()))


def _codes(data: np.ndarray, n: int, width: int) -> np.ndarray:
    """A number below 2 ** 16 for each place (m,): of n characters from there on."""
    m = max(0, len(data) - (n - 1) * width)
    codes = np.zeros(m, dtype=np.uint16)
    for i in range(n):
        codes += data[i * width : i * width + m] * FACTORS[i]
    return codes


def _pattern(texts: Iterable[bytes]) -> bytes:
    trie: Trie = {}
    for text in texts:
        node = trie
        for byte in text:
            node = node.setdefault(byte, {})
        node[END] = {}
    return _of(trie, 0)


def _of(node: Trie, depth: int) -> bytes:
    """The pattern of all that a node leads to, the longest first."""
    run = bytearray()
    while len(node) == 1 and END not in node:
        ((byte, node),) = node.items()
        run.append(byte)
    start = re.escape(bytes(run))
    rest = [byte for byte in node if byte != END]
    if not rest:
        return start
    if depth >= DEEP:
        inner = b"|".join([re.escape(text) for text in sorted(_texts(node), key=len, reverse=True)])
        return start + b"(?:" + inner + b")"
    inner = b"|".join(re.escape(bytes([byte])) + _of(node[byte], depth + 1) for byte in sorted(rest))
    return start + b"(?:" + inner + b")" + (b"?" if END in node else b"")


def _texts(node: Trie) -> list[bytes]:
    """All that a node leads to, by a stack: a text may be longer than Python calls may be deep."""
    found, stack = [], [(node, b"")]
    while stack:
        one, text = stack.pop()
        for byte, after in one.items():
            if byte == END:
                found.append(text)
            else:
                stack.append((after, text + bytes([byte])))
    return found

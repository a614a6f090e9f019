"""Words: many texts looked for at once in bytes, each where it stands by itself."""

import re
from collections.abc import Iterable
from typing import Any, Final

DEEP: Final = 40  # branches below one another, from where on the rest of a text is an alternative by itself

Trie = dict[int, "Trie"]
END: Final = -1


class Words:
    """Texts as one pattern, in which those that begin alike share what they begin with."""

    def __init__(self, texts: Iterable[str], encoding: str, width: int = 1) -> None:
        """`width`: bytes of a character that is a letter or a digit of ASCII."""
        self._encoding, self._width = encoding, width
        encoded = {text.encode(encoding, "surrogatepass") for text in texts if text}
        ends = rb"(?![0-9A-Za-z]" + b"\0" * (width - 1) + b")"
        self._pattern = re.compile(_pattern(encoded) + ends if encoded else b"(?!)", re.DOTALL)

    def find(self, data: Any) -> tuple[int, str] | None:
        """Where the first of the texts stands in a buffer, and which; None where there is none.

        A letter or digit beside it makes it another text. So does an underscore before a digit: 1_1.tif is not in
        a_1_1.tif, but a_Person_07 and Person_07_b are on Person_07.
        """
        at = 0
        while hit := self._pattern.search(data, at):
            if self._begins(data, hit.start()):
                return hit.start(), hit[0].decode(self._encoding, "replace")
            at = hit.start() + 1
        return None

    def _begins(self, data: Any, at: int) -> bool:
        before = bytes(data[max(0, at - self._width) : at])
        if len(before) < self._width or any(before[1:]):
            return True
        character = before[:1]
        first = bytes(data[at : at + 1])
        return not (character.isalnum() or (character == b"_" and first.isdigit()))


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

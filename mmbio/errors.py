"""The one exception that a user sees."""

from typing import Final

LONGEST: Final = 600  # characters of a sentence; it quotes what stands in files
KEPT: Final = 330  # of them from its beginning; the cure stands at its end


class MmbioError(Exception):
    """A user's mistake, told in one sentence: what, where, what was expected, and the cure.

    The command line prints it without a traceback and exits with code 2. It is one printable line whatever it quotes:
    line breaks, terminal escapes and broken characters are written as escapes, and what is too long is cut inside.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(_one_line(sentence))


def _one_line(text: str) -> str:
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(text) <= LONGEST:
        return text
    return f"{text[:KEPT]} ... {text[KEPT + 5 - LONGEST :]}"

"""HTML by hand: escaped texts, elements, ids that no two elements share.

`Html` is text that may stand in a page as it is; only `text` and `element` make it from anything else.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NewType

Html = NewType("Html", str)
Attributes = Mapping[str, str | bool | None]  # None and False: left out; True: the name alone

EMPTY: Final = frozenset({"br", "img", "meta", "wbr"})  # elements without an end
NOTHING: Final = Html("")


def text(value: object) -> Html:
    """A text escaped, with a replacement character for what no page can show."""
    return Html(html.escape("".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(value))))


def element(name: str, attributes: Attributes, *children: Html) -> Html:
    """An element with its attributes escaped and its children as they are."""
    given = [
        f" {key}" if value is True else f' {key}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    ]
    start = f"<{name}{''.join(given)}>"
    return Html(start if name in EMPTY else f"{start}{''.join(children)}</{name}>")


def joined(*parts: Html) -> Html:
    """Parts in a row, each on a line of its own."""
    return Html("\n".join(part for part in parts if part))


def breakable(value: str) -> Html:
    """A long name that may break after its plus, minus, underscore, equals signs and slashes."""
    return Html("".join(f"{text(part)}<wbr>" for part in re.findall(r"[^+\-_=/]*[+\-_=/]|[^+\-_=/]+", value)))


def hidden(value: str) -> Html:
    """Words for those who listen to the page."""
    return element("span", {"class": "unseen"}, text(value))


@dataclass
class Ids:
    """Gives out ids, none twice; all begin with `to-`."""

    given: set[str] = field(default_factory=set)

    def new(self, *words: str) -> str:
        """An id that reads like `words`."""
        slug = "-".join(["to", *re.findall(r"[a-z0-9]+", " ".join(words).lower())])
        number, found = 1, slug
        while found in self.given:
            number += 1
            found = f"{slug}--{number}"
        self.given.add(found)
        return found

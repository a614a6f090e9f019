"""The whole page: head with style and script inside, contents, how to read it, a section for each label."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mmbio import __version__
from mmbio.tables.report import Label
from mmbio.tables.report_html.label import Section, section
from mmbio.tables.report_html.markup import Html, Ids, breakable, element, hidden, joined, text
from mmbio.tables.report_html.stored_table import Cell, Column
from mmbio.tables.report_html.whisker import Scale, bar

HERE: Final = Path(__file__).parent
_EXAMPLE: Final = Cell(86.3, 82.0, 90.5, "", 159, 0.63, "", True, "77.49", 71.2, 83.1, 8.8, "", "", {})
_EXAMPLE_COLUMN: Final = Column("", "", "", "%", 1, "higher")


def page(labels: Sequence[Label], title: str) -> str:
    """The page's text; it loads nothing, and its policy forbids it to."""
    ids = Ids()
    top, reading = ids.new("top"), ids.new("how to read")
    sections = [section(label, ids) for label in labels]
    head = joined(
        element("meta", {"charset": "utf-8"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": policy(_part("report.js"))}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "color-scheme", "content": "light dark"}),
        element("title", {}, text(title)),
        element("style", {}, Html(_part("report.css"))),
    )
    body = joined(
        element("a", {"class": "skip", "href": f"#{reading}"}, text("Skip to the content")),
        _top(title, labels, top),
        element("div", {"class": "frame"}, _contents(sections, reading), _main(sections, reading)),
        element("a", {"class": "up", "href": "#to-contents"}, text("Contents")),
        element("footer", {}, element("p", {}, text(f"Written by mmbio {__version__}; this page loads nothing."))),
        element("script", {}, Html(_part("report.js"))),
    )
    whole = element("html", {"lang": "en"}, joined(element("head", {}, head), element("body", {}, body)))
    return f"<!DOCTYPE html>\n{whole}\n"


def policy(*scripts: str) -> str:
    """What a browser lets the page do: show what is in it, run these scripts, fetch nothing."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {allowed}"


def _part(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _top(title: str, labels: Sequence[Label], anchor: str) -> Html:
    n_tables = sum(len(label.tables) for label in labels)
    n_figures = sum(len(label.figures) for label in labels)
    counts = [(len(labels), "run", "runs"), (n_tables, "table", "tables"), (n_figures, "figure", "figures")]
    words = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n)
    return element("header", {}, element("h1", {"id": anchor}, text(title)), element("p", {}, text(words)))


def _contents(sections: Sequence[Section], reading: str) -> Html:
    items = [element("li", {}, element("a", {"href": f"#{reading}"}, text("How to read this")))]
    for part in sections:
        inner = [element("li", {}, _link(below)) for below in part.parts]
        items.append(element("li", {}, _link(part), element("ol", {}, joined(*inner))))
    heading = element("h2", {"id": "to-contents", "tabindex": "-1"}, text("Contents"))
    return element("nav", {"aria-labelledby": "to-contents"}, heading, element("ol", {}, joined(*items)))


def _link(part: Section) -> Html:
    return element("a", {"href": f"#{part.anchor}"}, breakable(part.name))


def _main(sections: Sequence[Section], reading: str) -> Html:
    return element("main", {}, joined(_reading(reading), *(part.html for part in sections)))


def _reading(anchor: str) -> Html:
    example = joined(
        element("span", {"class": "first"}, element("span", {"class": "value"}, text("86.3")), _best()),
        element("span", {"class": "interval"}, text("[82.0, 90.5]")),
        bar(_EXAMPLE, Scale(60.0, 100.0), with_reported=True),
        element("span", {"class": "paper"}, text("paper 77.49 +8.8")),
    )
    points = [
        ("Brackets", "hold the 95 % interval of the figure above them: what other subjects could have given."),
        ("The bar", "draws it on the scale below the column's name: dot and whisker measured, diamond the paper's"
                    " figure with the interval that its number of decisions allows."),
        ("paper", "is what the paper prints; behind it measured minus paper. It stands beside figures of real data"
                  " alone."),
        ("best", "marks the best of the rows compared with each other, and those not told from it: the paired"
                 " difference has a 95 % interval that holds 0. Two intervals that overlap do not say so."),
        ("n", "counts distinct test decisions; the smallest step is the least difference that so many can show."),
        ("A letter", "behind a figure is explained in the notes below its table."),
        ("Each figure", "opens to all that is known of it; a column's name sorts by it, best first."),
    ]  # fmt: skip
    pairs = [joined(element("dt", {}, text(name)), element("dd", {}, text(words))) for name, words in points]
    return element(
        "section",
        {"class": "reading"},
        element("h2", {"id": anchor}, text("How to read this")),
        element(
            "div",
            {"class": "legend"},
            element("div", {"class": "example"}, hidden("An example: "), example),
            element("dl", {}, joined(*pairs)),
        ),
    )


def _best() -> Html:
    return element("span", {"class": "best"}, text("best"))

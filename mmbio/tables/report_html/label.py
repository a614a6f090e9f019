"""One folder of tables as a section of the page: what data, tables, figures, audit, provenance."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mmbio.errors import MmbioError
from mmbio.protocols import PROTOCOLS, TRIPLETS
from mmbio.tables.report import AGAIN, Figure, Label
from mmbio.tables.report_html.details import anything, findings_html, values_html
from mmbio.tables.report_html.markup import NOTHING, Html, Ids, breakable, element, joined, text
from mmbio.tables.report_html.stored_table import StoredTable
from mmbio.tables.report_html.svg import inlined
from mmbio.tables.report_html.table import is_wide, table_html

KINDS: Final = {  # of data: the badge, and a sentence
    "synthetic": (
        "synthetic",
        "Synthetic data: nobody's biometrics are behind these figures. They show how methods compare on simulated sets"
        " and reproduce no figure of a paper.",
    ),
    "real": ("real", "Real data: measured on samples of people."),
    "part": ("real in part", "Real data in part: the sets named as synthetic are simulated, the others are of people."),
    "mixed": ("mixed", "Mixed: some of these tables are of synthetic data, others of real data; each says which."),
}


@dataclass(frozen=True)
class Section:
    """A part of the page that the table of contents names."""

    anchor: str
    name: str
    html: Html
    parts: tuple["Section", ...] = ()


def section(label: Label, ids: Ids) -> Section:
    """A label's section; raises MmbioError for a figure that is no drawing."""
    anchor = ids.new(label.name)
    anchors = {table.name: ids.new(label.name, table.name) for table in label.tables}
    mixed = len({table.synthetic for table in label.tables}) > 1
    parts = [_table(table, anchors[table.name], mixed, _drawn(label, table, anchor)) for table in label.tables]
    parts += [_figures(label, anchors, anchor, ids)] if label.figures else []
    parts += [_audit(label, ids)] if label.audit else []
    parts += [_environment(label, ids)] if label.environment else []
    name = element("h2", {"id": anchor}, breakable(label.name))
    html = element("section", {"class": "label"}, joined(name, _badges(label), _data(label), *(p.html for p in parts)))
    return Section(anchor, label.name, html, tuple(parts))


def _kind(label: Label) -> str:
    kinds = {table.synthetic for table in label.tables}
    if len(kinds) == 1 and not any("synthetic" in table.data for table in label.tables if not table.synthetic):
        return "synthetic" if kinds == {True} else "real"
    return "mixed" if len(kinds) > 1 else "part"


def _badges(label: Label) -> Html:
    kind = _kind(label)
    badges = [element("span", {"class": f"badge {kind}"}, text(KINDS[kind][0]))]
    words = label.name.split("-")
    splits = {split for protocol in PROTOCOLS.values() for split in protocol.splits}
    for key, known in (("split", splits), ("scale", set(TRIPLETS))):
        told = label.environment.get(key) or label.audit.get(key)
        value = told or next((word for word in reversed(words) if word in known), "")
        badges += [element("span", {"class": "badge"}, text(f"{value} {key}"))] if value else []
    protocols = dict.fromkeys(table.protocol for table in label.tables if table.protocol)
    badges += [element("span", {"class": "badge"}, text(f"{name} protocol")) for name in protocols]
    return element("p", {"class": "badges"}, joined(*badges))


def _data(label: Label) -> Html:
    kind = _kind(label)
    data = dict.fromkeys(table.data for table in label.tables if table.data)
    lines = [element("p", {}, element("strong", {}, text(KINDS[kind][1])))]
    lines += [element("p", {}, text(f"Data: {line}")) for line in data]
    return element("div", {"class": f"data {kind}"}, joined(*lines))


def _drawn(label: Label, table: StoredTable, anchor: str) -> list[tuple[str, str]]:
    """(anchor, title) of the figures that show a table."""
    return [
        (f"{anchor}-figure-{i}", figure.title or "figure")
        for i, figure in enumerate(label.figures)
        if figure.table == table.name
    ]


def _table(table: StoredTable, anchor: str, mixed: bool, drawn: Sequence[tuple[str, str]]) -> Section:
    kind = "synthetic" if table.synthetic else "real"
    badge = element("span", {"class": f"badge {kind}"}, text(kind)) if mixed else NOTHING
    links = [element("a", {"href": f"#{to}"}, text(title)) for to, title in drawn]
    html = element(
        "section",
        {"class": "table across" if is_wide(table) else "table"},
        joined(
            element("h3", {"id": anchor}, text(table.title), badge),
            element("p", {"class": "name"}, element("code", {}, breakable(table.name))),
            element("p", {"class": "links"}, text("Figures: "), Html(", ".join(links))) if links else NOTHING,
            table_html(table),
        ),
    )
    return Section(anchor, table.title, html)


def _figures(label: Label, anchors: dict[str, str], anchor: str, ids: Ids) -> Section:
    place = ids.new(label.name, "figures")
    drawings = [_figure(f, f"{anchor}-figure-{i}", anchors.get(f.table)) for i, f in enumerate(label.figures)]
    html = joined(
        element("h3", {"id": place}, text("Figures")), element("div", {"class": "drawings"}, joined(*drawings))
    )
    return Section(place, "Figures", element("section", {"class": "figures-of"}, html))


def _figure(figure: Figure, place: str, table: str | None) -> Html:
    told = figure.caption or figure.title or figure.path.stem
    if figure.svg is not None:
        try:
            picture = inlined(figure.svg, f"{place}-", told)
        except ValueError as error:
            raise MmbioError(f"{figure.path}: not a readable SVG ({error}); {AGAIN}") from error
    else:
        data = base64.b64encode(figure.png or b"").decode()
        picture = element("img", {"src": f"data:image/png;base64,{data}", "alt": told})
    link = element("a", {"href": f"#{table}"}, text("Table")) if table else NOTHING
    title = element("strong", {}, text(figure.title)) if figure.title else NOTHING
    words = joined(title, text(figure.caption), link)
    paper = element("div", {"class": "sheet"}, picture)
    return element("figure", {"id": place}, paper, element("figcaption", {}, words))


def _audit(label: Label, ids: Ids) -> Section:
    place = ids.new(label.name, "audit")
    found = label.audit.get("findings")
    records = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    rest = {key: value for key, value in label.audit.items() if key not in ("schema", "findings")}
    facts = {key: value for key, value in rest.items() if not isinstance(value, dict | list)}
    html = joined(
        element("h3", {"id": place}, text("Leak audit")),
        element("p", {}, text("What the training side and the test side have in common.")),
        findings_html(records) if records else element("p", {}, text("Nothing was found on both sides.")),
        values_html(facts),
        *(anything(key, value) for key, value in rest.items() if key not in facts),
    )
    return Section(place, "Leak audit", element("section", {"class": "audit"}, html))


def _environment(label: Label, ids: Ids) -> Section:
    place = ids.new(label.name, "provenance")
    values = {key: value for key, value in label.environment.items() if key != "schema"}
    html = joined(element("h3", {"id": place}, text("Provenance and environment")), values_html(values))
    return Section(place, "Provenance", element("section", {"class": "provenance"}, html))

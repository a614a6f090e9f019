"""The audit and the environment of a label: tables of findings, lists of names and values."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mmbio.tables.report_html.markup import NOTHING, Html, breakable, element, joined, text

FINDINGS: Final = {
    "kind": "Verdict",
    "level": "Level",
    "modality": "Modality",
    "between": "Between",
    "found": "Found",
    "says": "What it says",
}
NUMBERS: Final = ("found", "count", "of", "seed", "pairs")
LONG: Final = ("command", "commit", "manifest", "data", "processor")


def findings_html(found: Sequence[Mapping[str, Any]]) -> Html:
    """What an audit found, one row each; columns that none of them fills are left out."""
    rows = [{**finding, "found": _found(finding)} for finding in found]
    columns = {key: name for key, name in FINDINGS.items() if any(row.get(key) not in (None, "") for row in rows)}
    return records(rows, columns, "Findings of the audit")


def records(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], label: str) -> Html:
    """Rows of plain values as a table in a container that scrolls."""
    heads = [
        element("th", {"scope": "col", "class": _side(key)}, element("span", {"class": "name"}, text(name)))
        for key, name in columns.items()
    ]
    body = [
        element("tr", {}, joined(*(element("td", {"class": _side(k)}, text(plain(row.get(k)))) for k in columns)))
        for row in rows
    ]
    whole = element(
        "table",
        {"class": "records"},
        element("caption", {"class": "unseen"}, text(label)),
        element("thead", {}, element("tr", {}, joined(*heads))),
        element("tbody", {}, joined(*body)),
    )
    return element("div", {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": label}, whole)


def values_html(values: Mapping[str, Any]) -> Html:
    """Names and values as a list of definitions; what is nested stands in a list of its own."""
    pairs = [_pair(name, value) for name, value in values.items() if value not in (None, "", {}, [])]
    return element("dl", {"class": "values"}, joined(*pairs)) if pairs else NOTHING


def anything(name: str, value: object) -> Html:
    """A value of any shape below its name: records as a table, pairs as a list, others as text."""
    if isinstance(value, Mapping):
        shown = values_html(value)
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        columns = {str(key): spoken(str(key)) for row in value for key in row}
        shown = records(value, columns, spoken(name))
    else:
        shown = element("p", {}, text(plain(value))) if value not in (None, "", []) else NOTHING
    return joined(element("h4", {}, text(spoken(name))), shown) if shown else NOTHING


def plain(value: object) -> str:
    """A value as one line of text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{spoken(str(key))} {plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def spoken(name: str) -> str:
    """A key as words."""
    words = name.removeprefix("n_").replace("_", " ").strip()
    return words if words == "mmbio" else words[:1].upper() + words[1:]


def _found(finding: Mapping[str, Any]) -> str:
    count, of = finding.get("count"), finding.get("of")
    return plain(count) if of is None else f"{plain(count)} of {plain(of)}"


def _pair(name: str, value: object) -> Html:
    if isinstance(value, Mapping):
        items = [element("li", {}, breakable(f"{key} {plain(item)}")) for key, item in value.items()]
        inner = element("ul", {"class": "inline"}, joined(*items))
    elif name in LONG:
        words = shlex.join(map(str, value)) if isinstance(value, list) else plain(value)
        inner = element("code", {}, breakable(words))
    else:
        inner = breakable(plain(value))
    wide = isinstance(value, Mapping) or len(plain(value)) > 60
    return element(
        "div",
        {"class": "wide" if wide else None},
        element("dt", {}, text(spoken(name))),
        element("dd", {}, inner),
    )


def _side(key: str) -> str | None:
    return "number" if key in NUMBERS else key if key in ("says", "kind") else None

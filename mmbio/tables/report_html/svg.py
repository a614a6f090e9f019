"""SVG files made fit to stand in a page: only shapes and texts, nothing from elsewhere, ids of their own."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Final

from mmbio.tables.report_html.markup import Html, element, text

ELEMENTS: Final = frozenset(
    (
        *("svg", "g", "defs", "use", "symbol", "image", "text", "tspan"),
        *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon"),
        *("clipPath", "mask", "marker", "pattern", "linearGradient", "radialGradient", "stop"),
    )
)
_SVG: Final = "{http://www.w3.org/2000/svg}"
_XLINK: Final = "{http://www.w3.org/1999/xlink}"
_REFERENCE: Final = re.compile(r"url\(\s*['\"]?#([^)'\"\s]+)['\"]?\s*\)")
_PICTURE: Final = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]+")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*")
# matplotlib asks for these by a style sheet for all elements, which would reach the whole page
_ROOT_STYLE: Final = "stroke-linejoin:round;stroke-linecap:butt"


def inlined(content: str, prefix: str, label: str) -> Html:
    """The drawing as an element of a page: told as one picture called `label`, its ids behind `prefix`.

    Scripts, style sheets, metadata and whatever else is no shape or text are left out, and so is every reference
    to what lies outside. Raises ValueError where `content` is no SVG.
    """
    if "<!ENTITY" in content:
        raise ValueError("it declares entities")
    try:
        root = ET.fromstring(content)  # noqa: S314 - no entities, and nothing of it is kept unasked
    except ET.ParseError as error:
        raise ValueError(str(error)) from error
    if root.tag != f"{_SVG}svg":
        raise ValueError(f"its root is {root.tag}")
    kept = dict(_attributes(root, prefix))
    box = kept.get("viewBox") or _box(root)
    attributes = {"viewBox": box, "style": _ROOT_STYLE, "role": "img", "aria-label": label, "focusable": "false"}
    return element("svg", {"class": "drawing", **attributes}, *_children(root, prefix))


def _box(root: ET.Element) -> str | None:
    sizes = [re.match(r"[0-9.]+", root.get(name, "")) for name in ("width", "height")]
    return "0 0 " + " ".join(size[0] for size in sizes if size) if all(sizes) else None


def _children(parent: ET.Element, prefix: str) -> Iterator[Html]:
    if parent.text and parent.text.strip():
        yield text(parent.text)
    for child in parent:
        name = child.tag.removeprefix(_SVG) if isinstance(child.tag, str) else ""
        if name in ELEMENTS:
            yield element(name, dict(_attributes(child, prefix)), *_children(child, prefix))
        if child.tail and child.tail.strip():
            yield text(child.tail)


def _attributes(item: ET.Element, prefix: str) -> Iterator[tuple[str, str]]:
    for raw, value in item.attrib.items():
        name = raw.removeprefix(_XLINK)
        if not _NAME.fullmatch(name) or name.lower().startswith("on"):
            continue
        if name == "id":
            yield name, prefix + value
        elif name == "href":
            if value.startswith("#"):
                yield name, f"#{prefix}{value[1:]}"
            elif _PICTURE.fullmatch(value):
                yield name, value
        elif not _reaches_out(value):
            yield name, _REFERENCE.sub(rf"url(#{prefix}\1)", value)


def _reaches_out(value: str) -> bool:
    return "\\" in value or "url(" in _REFERENCE.sub("", value).lower()

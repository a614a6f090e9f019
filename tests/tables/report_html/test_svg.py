"""Drawings in a page: shapes and texts, ids of their own, nothing from elsewhere."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from mmbio.tables.report_html.svg import inlined


def test_a_drawing_keeps_its_shapes_and_nothing_else(drawing: str, page_of: Callable[[str], Any]) -> None:
    drawn = inlined(drawing, "p-", 'a "label"')
    page = page_of(drawn)
    assert drawn.startswith('<svg class="drawing" viewBox="0 0 200 100"')
    assert 'aria-label="a &quot;label&quot;"' in drawn
    assert page.all("id") == ["p-m", "p-c", "p-axes"]
    assert page.all("href") == ["#p-m"]
    assert page.all("clip-path") == ["url(#p-c)"]
    assert page.words.split() == ["false", "<", "true"]
    assert not re.search(r"script|metadata|<style|onclick|http|DOCTYPE", drawn)


@pytest.mark.parametrize("content", ["", "<svg", "<html/>", '<!DOCTYPE s [<!ENTITY a "b">]><svg/>', "<svg/>"])
def test_what_is_no_drawing(content: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        inlined(content, "", "")


@pytest.mark.parametrize("value", ["url(http://x)", "URL(//x)", "u\\72l(x)", "url('data:x')", "url( #a ) url(b)"])
def test_no_reference_to_elsewhere_is_kept(value: str) -> None:
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg"><rect fill="{value}" width="1"/></svg>'
    assert '<rect width="1">' in inlined(drawn, "", "")

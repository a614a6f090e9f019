"""HTML by hand: escapes, and ids that are never given twice."""

from mmbio.tables.report_html.markup import Ids, element, text


def test_ids_are_never_given_twice() -> None:
    ids = Ids()
    assert [ids.new("A b"), ids.new("a", "B"), ids.new("a-b", "2"), ids.new("\N{SNOWMAN}")] == [
        *("to-a-b", "to-a-b--2", "to-a-b-2", "to"),
    ]


def test_markup_escapes_attributes() -> None:
    assert (
        element("a", {"title": '"<&', "hidden": True, "id": None}, text("<"))
        == '<a title="&quot;&lt;&amp;" hidden>&lt;</a>'
    )

"""Tables of texts: nothing in a cell breaks the page around it."""

from chondria.report.tables import TextTable, html_page, markdown_page

TABLES = [
    TextTable(("name", "x"), [("a|b", "1"), ("<i>", "2")], caption="one"),
    TextTable(("name", "y"), [("c", "3")]),
]


def test_markdown_has_every_table_under_its_caption() -> None:
    assert markdown_page("title", TABLES, "notes").splitlines() == [
        "# title",
        "",
        "## one",
        "",
        "| name | x |",
        "|---|---|",
        r"| a\|b | 1 |",
        "| <i> | 2 |",
        "",
        "| name | y |",
        "|---|---|",
        "| c | 3 |",
        "",
        "notes",
    ]


def test_html_stands_alone_and_is_escaped() -> None:
    page = html_page("a & b", TABLES, "<notes>")
    assert page.count("<table>") == 2
    assert "<h2>one</h2>" in page
    assert "<td>&lt;i&gt;</td>" in page
    assert "<p>&lt;notes&gt;</p>" in page
    assert "a &amp; b" in page
    assert "nth-child(n+2)" in page
    assert "http" not in page

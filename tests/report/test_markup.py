"""Texts and numbers as HTML: escaped, short, and whole again in the CSV."""

import csv
import io
from base64 import b64decode

import pytest

from chondria.report.content import PlainTable
from chondria.report.markup import csv_link, heading, said, table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (12345678, "12345678"),
        (0.0272134, "0.02721"),
        (123456.7, "123457"),
        (1.5e-7, "1.5e-07"),
        (float("nan"), "–"),
        ([1.0, 2.5], "1 to 2.5"),
        ([1, 2], "1, 2"),
        ({"a": 1.25}, "a 1.25"),
        ("plain", "plain"),
    ],
)
def test_said(value: object, text: str) -> None:
    assert said(value) == text


def test_headings_have_their_unit_apart() -> None:
    assert heading("volume_um3") == "volume (µm³)"
    assert heading("mean_probability") == "mean probability"
    assert heading("nm") == "nm"


def test_tables_are_escaped_and_numbers_flush_right(evil: str) -> None:
    html = table(PlainTable([evil, "x"], [[evil, 1.5], ["b", None]]), evil)
    assert "<img" not in html
    assert html.count('<td class="number">') == 2
    assert "–" in html


def test_csv_gives_the_values_back(evil: str) -> None:
    rows = [[evil, 0.1 + 0.2, True, None], ["a,b\nc", 3, False, [1.5, 2.5]]]
    link = csv_link(PlainTable(["a", "b", "c", "d"], rows), f"{evil}.csv")
    assert "<img" not in link
    text = b64decode(link.split("base64,")[1].split('"')[0]).decode()
    assert list(csv.reader(io.StringIO(text))) == [
        ["a", "b", "c", "d"],
        [evil, repr(0.1 + 0.2), "true", ""],
        ["a,b\nc", "3", "false", "1.5 2.5"],
    ]


def test_rows_of_dictionaries_may_lack_columns() -> None:
    found = PlainTable.of([{"a": 1}, {"b": 2, "a": 3}])
    assert (found.names, found.rows) == (["a", "b"], [[1, None], [3, 2]])
    assert found.column("b") == [None, 2]

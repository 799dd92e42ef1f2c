"""Tables of experiments: the same lines in three formats."""

import csv

from chondria.report.result_table import HEADINGS, ResultRow, cells, write_tables

LINES = [
    ResultRow("U-Net | 32", "plain", "iou", 2, 0.87, 0.003, 0.867, 0.873, 0.85, 0.89, 0.87, 0.0023),
    ResultRow("<ResUNet>", "d4", "det", 1, 0.9, None, 0.9, 0.9),
]


def test_cells_for_people() -> None:
    assert len(cells(LINES[0])) == len(HEADINGS)
    assert cells(LINES[0])[3:] == (
        "2",
        "0.8700 ± 0.0030",
        "0.8670 to 0.8730",
        "0.8500 to 0.8900",
        "0.8700 ± 0.0023",
    )
    assert cells(LINES[1])[3:] == ("1", "0.9000", "0.9000 to 0.9000", "", "")


def test_three_files_say_the_same(tmp_path) -> None:
    write_tables(LINES, tmp_path, "a <title>", "and notes")
    with (tmp_path / "table.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["row"] for row in rows] == ["U-Net | 32", "<ResUNet>"]
    assert float(rows[0]["low"]) == 0.85
    assert rows[1]["sd"] == ""
    markdown = (tmp_path / "table.md").read_text(encoding="utf-8").splitlines()
    assert markdown[0] == "# a <title>"
    assert markdown[4].startswith(r"| U-Net \| 32 | plain | iou | 2 | 0.8700 ± 0.0030 |")
    assert markdown[-1] == "and notes"
    html = (tmp_path / "table.html").read_text(encoding="utf-8")
    assert "<td>&lt;ResUNet&gt;</td>" in html
    assert "a &lt;title&gt;" in html
    assert html.count("<tr>") == 3
    assert "http" not in html
    assert "<h2>" not in html


def test_the_page_leads_to_the_runs(tmp_path) -> None:
    runs = ["u-net/seed-0/report.html", "a <b>/seed #1/report.html"]
    write_tables(LINES, tmp_path, "title", reports=runs)
    html = (tmp_path / "table.html").read_text(encoding="utf-8")
    assert '<a href="u-net/seed-0/report.html">u-net/seed-0</a>' in html
    assert '<a href="a%20%3Cb%3E/seed%20%231/report.html">a &lt;b&gt;/seed #1</a>' in html

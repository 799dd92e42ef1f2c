"""Drawings in files of their own: whole, of plain colours, side by side."""

import xml.etree.ElementTree as ET
from dataclasses import asdict
from pathlib import Path

import numpy as np

from chondria.report.drawing import save_drawings
from chondria.report.line_chart import LineChart, line_chart
from chondria.report.reliability import reliability_diagrams
from chondria.trust.reliability import reliability

SVG = "{http://www.w3.org/2000/svg}"


def test_reliability_of_voxels_and_of_no_objects(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    p = rng.random(500)
    curves = [
        {"name": "voxels", "stage": stage} | asdict(reliability(q, rng.random(500) < p))
        for stage, q in (("before", p**0.3), ("after", p))
    ]
    curves.append({"name": "objects", "stage": "after"} | asdict(reliability(p[:0], p[:0])))
    path = save_drawings(reliability_diagrams(curves), tmp_path / "r.svg")
    root = ET.parse(path).getroot()
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"voxels", "objects"} <= set(texts)
    assert any(text.startswith("before ECE") for text in texts)
    left, right = (group for group in root if group.tag == f"{SVG}g")
    assert len(list(left.iter(f"{SVG}circle"))) > 10
    assert not list(right.iter(f"{SVG}circle"))


def test_the_file_needs_no_other(tmp_path: Path, evil: str) -> None:
    chart = LineChart(evil, "step", [1.0, 2.0], {evil: [1.0, 2.0], "b": [2.0, 1.0]})
    path = save_drawings({evil: line_chart(chart)}, tmp_path / "c.svg")
    text = path.read_text()
    assert "var(" not in text
    assert "url(" not in text
    root = ET.parse(path).getroot()
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert texts.count(evil) == 2  # title and legend
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    assert root.attrib["viewBox"] == f"0 0 {width:g} {height:g}"
    # The same again is the same file.
    assert save_drawings({evil: line_chart(chart)}, tmp_path / "d.svg").read_text() == text


def test_it_is_drawn_in_colours(tmp_path: Path, browser) -> None:
    chart = LineChart("Loss", "step", [1.0, 2.0], {"a": [1.0, 2.0], "b": [2.0, 1.0]})
    path = save_drawings({"Loss": line_chart(chart)}, tmp_path / "c.svg")
    page = browser.new_page()
    page.goto(path.as_uri())
    colour = "getComputedStyle(document.querySelector('.line-%d path')).stroke"
    assert page.evaluate(colour % 0) == "rgb(42, 147, 207)"
    assert page.evaluate(colour % 1) == "rgb(217, 104, 31)"
    grid = page.evaluate("getComputedStyle(document.querySelector('.grid')).stroke")
    assert grid == "rgb(227, 225, 218)"
    page.close()

"""Line charts: points where values are, gaps where there are none, and what the page reads."""

import json
import xml.etree.ElementTree as ET
from html import unescape

import pytest

from chondria.report.line_chart import (
    FLOOR,
    LEFT,
    MOST_DOTS,
    RIGHT,
    WIDTH,
    LineChart,
    chart_figure,
    line_chart,
)

X = [0.0, 10.0, 20.0, 30.0]


def lines_of(chart: LineChart) -> list[ET.Element]:
    root = ET.fromstring(line_chart(chart).svg())
    return [child for child in root if child.tag == "g"]


def dots(line: ET.Element) -> list[tuple[float, float]]:
    return [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in line.iter("circle")]


def test_points_stand_where_they_should(evil: str) -> None:
    chart = LineChart(evil, evil, X, {evil: [0.0, 1.0, 0.5, 2.0]}, (20.0, evil))
    (line,) = lines_of(chart)
    at = dots(line)
    assert at[0][0] == LEFT
    assert at[-1][0] == WIDTH - RIGHT
    assert at[1][0] - at[0][0] == pytest.approx((WIDTH - LEFT - RIGHT) / 3, abs=0.1)
    heights = [FLOOR - y for _, y in at]
    assert heights[1] - heights[0] == pytest.approx(2 * (heights[2] - heights[0]), abs=0.2)
    assert 0 < heights[0] < heights[3] / 5
    drawn = line_chart(chart)
    assert evil in drawn.label
    root = ET.fromstring(drawn.svg())
    (mark,) = (path for path in root.iter("path") if path.get("class") == "place")
    assert mark.attrib["d"].startswith(f"M{at[2][0]} ")


def test_what_is_missing_leaves_a_gap() -> None:
    values = [1.0, None, 2.0, float("nan")]
    (line,) = lines_of(LineChart("a", "step", X, {"b": values}))
    (path,) = line.iter("path")
    assert path.attrib["d"].count("M") == 2
    assert "L" not in path.attrib["d"]
    assert len(dots(line)) == 2


def test_many_points_are_a_line_only() -> None:
    n = MOST_DOTS + 1
    (line,) = lines_of(LineChart("a", "step", list(range(n)), {"b": [float(i) for i in range(n)]}))
    assert not dots(line)
    assert next(line.iter("path")).attrib["d"].count("L") == n - 1


def test_losses_that_fall_far_are_seen_by_ratios() -> None:
    chart = LineChart("loss", "step", X, {"a": [9.0, 0.3, 0.3, 0.1]})
    assert chart.upwards.logarithmic
    assert chart.upwards.low < 0.1
    assert chart.upwards.high > 9


def test_one_point_and_none_are_no_error() -> None:
    ET.fromstring(line_chart(LineChart("a", "step", [5.0], {"b": [0.0]}, (5.0, "kept"))).svg())
    ET.fromstring(line_chart(LineChart("a", "step", [5.0], {"b": [None]})).svg())


def test_the_page_reads_values(evil: str) -> None:
    chart = LineChart("Loss", "step", X, {evil: [4.0, 3.0, None, 1.0]}, (10.0, "kept"))
    figure = ET.fromstring(chart_figure(chart))
    data = json.loads(unescape(figure.attrib["data-chart"]))
    assert data["x"] == ["step 0", "step 10", "step 20", "step 30"]
    assert data["lines"] == [{"name": evil, "values": ["4", "3", "–", "1"]}]
    assert data["at"] == sorted(data["at"])
    assert data["rest"] == f"kept: step 10 · {evil} 3"
    assert figure.find("svg").attrib["tabindex"] == "0"
    assert figure.find("p").text == data["rest"]

"""Distributions side by side: one axis for all, medians in their places."""

import xml.etree.ElementTree as ET

import pytest

from chondria.report.strips import MOST_DOTS, strip_plot


def drawn(values: dict[str, list[float]]) -> list[ET.Element]:
    root = ET.fromstring(strip_plot(values, "volume"))
    return [row for row in root if row.tag == "g"]


def test_one_axis_for_all() -> None:
    first, second = drawn({"a": [1.0, 2.0, 3.0], "b": [2.0, 3.0, 4.0]})
    at = [[float(dot.attrib["cx"]) for dot in row.iter("circle")] for row in (first, second)]
    assert at[0][1] == at[1][0]
    assert at[0][2] == at[1][1]
    median = next(p for p in first.iter("path") if p.attrib["class"] == "median")
    assert median.attrib["d"].startswith(f"M{at[0][1]:.1f} ")


def test_skewed_values_stand_on_a_logarithmic_axis() -> None:
    (row,) = drawn({"a": [0.001, 0.01, 0.1, 1.0, 1e4]})
    at = [float(dot.attrib["cx"]) for dot in row.iter("circle")]
    assert at[1] - at[0] == pytest.approx(at[2] - at[1], abs=0.11)


def test_few_many_and_no_values(evil: str) -> None:
    ET.fromstring(strip_plot({evil: [], "b": []}, evil))
    ET.fromstring(strip_plot({evil: [0.0], "b": [0.0]}, evil))
    (row,) = drawn({"a": [float(i) for i in range(5000)]})
    assert len(list(row.iter("circle"))) <= MOST_DOTS

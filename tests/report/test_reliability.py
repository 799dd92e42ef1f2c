"""Reliability diagrams: points where the shares are."""

import xml.etree.ElementTree as ET

import pytest

from chondria.report.reliability import (
    LEFT,
    SIDE,
    TOP,
    reliability_diagram,
    reliability_diagrams,
)

BINS = [
    {"low": 0.0, "high": 0.5, "count": 30, "mean_probability": 0.25, "frequency": 0.5},
    {"low": 0.5, "high": 1.0, "count": 0, "mean_probability": 0.75, "frequency": 0.0},
]


def test_points_stand_where_they_should(evil: str) -> None:
    whole = BINS[0] | {"frequency_low": 0.4, "frequency_high": 0.6}
    curves = [
        {"stage": "before", "bins": BINS, "expected_calibration_error": 0.25},
        {"stage": "after", "bins": [whole]},
    ]
    root = ET.fromstring(reliability_diagram(curves, evil).svg())
    assert evil in root.attrib["aria-label"]
    assert "before: expected calibration error 0.2500" in root.attrib["aria-label"]
    dots = list(root.iter("circle"))
    assert len(dots) == 2
    assert float(dots[0].attrib["cx"]) == pytest.approx(LEFT + SIDE / 4)
    assert float(dots[0].attrib["cy"]) == pytest.approx(TOP + SIDE / 2)
    _, after = (group for group in root if group.tag == "g")
    intervals = [path.attrib["d"] for path in after.iter("path") if path.get("class") == "interval"]
    assert intervals == [f"M109.0 {TOP + SIDE * 0.6}V{TOP + SIDE * 0.4}"]


def test_nothing_counted_is_no_error() -> None:
    ET.fromstring(reliability_diagram([{"stage": "before", "bins": []}], "objects").svg())


def test_a_diagram_for_each_name_before_comes_first() -> None:
    curves = [
        {"name": name, "stage": stage, "bins": BINS, "expected_calibration_error": 0.5}
        for name in ("objects", "voxels")
        for stage in ("after", "before")
    ]
    drawn = reliability_diagrams(curves)
    assert list(drawn) == ["voxels", "objects"]
    assert [text.split()[0] for _, text in drawn["voxels"].legend] == ["before", "after"]
    assert "ECE 0.5" in drawn["voxels"].legend[0][1]

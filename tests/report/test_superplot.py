"""Superplots and forest plots: text stays text, and the same data give the same bytes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chondria.report.forest import ForestLine, draw_forest
from chondria.report.superplot import COLOURS, MOST_DOTS, Superplot, draw_superplot

RNG = np.random.default_rng(0)
CONDITION = np.repeat([0, 0, 1, 1], 30)
ANIMAL = np.repeat([0, 1, 2, 3], 30)
VALUES = np.exp(RNG.normal(0, 0.5, 120))
PLOT = Superplot(
    "volume (µm³)",
    ("control", "treated <b>"),
    VALUES,
    CONDITION,
    ANIMAL,
    np.array([VALUES[i == ANIMAL].mean() for i in range(4)]),
    np.array([0, 0, 1, 1]),
    [(1.0, 0.8, 1.2), (1.1, np.nan, np.nan)],
    True,
    "p = 0.03",
)


def luminance(colour: str) -> float:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("logarithmic", [True, False])
def test_text_stays_text(tmp_path: Path, logarithmic: bool) -> None:
    path = draw_superplot(replace(PLOT, logarithmic=logarithmic), tmp_path / "a.svg")
    svg = path.read_text()
    for text in ("volume (µm³)", "control", "treated &lt;b&gt;", "p = 0.03"):
        assert f">{text}</text>" in svg


def test_every_object_is_a_dot_up_to_a_bound(tmp_path: Path) -> None:
    def dots(plot: Superplot) -> int:
        svg = draw_superplot(plot, tmp_path / "b.svg").read_text()
        return sum(
            len(re.findall("<use ", group))
            for group in re.findall(r'<g id="PathCollection_\d+">.*?</g>\s*</g>', svg, re.S)
        )

    many = np.repeat(ANIMAL, 20)
    assert dots(PLOT) == 120 + 4
    crowded = replace(
        PLOT, values=np.repeat(VALUES, 20), condition=np.repeat(CONDITION, 20), animal=many
    )
    assert dots(crowded) == 4 * MOST_DOTS + 4


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (draw_superplot(PLOT, tmp_path / name).read_bytes() for name in ("1.svg", "2.svg"))
    assert one == two


def test_a_single_object_is_drawn(tmp_path: Path) -> None:
    single = Superplot(
        "x",
        ("a", "b"),
        np.array([1.0]),
        np.array([0]),
        np.array([0]),
        np.array([1.0]),
        np.array([0]),
        [(1.0, np.nan, np.nan)],
    )
    assert draw_superplot(single, tmp_path / "c.png").stat().st_size > 0


def test_colours_are_told_apart_from_white() -> None:
    assert len(set(COLOURS)) == len(COLOURS)
    assert max(map(luminance, COLOURS)) < 0.75


def test_a_forest_has_a_line_for_each_difference(tmp_path: Path) -> None:
    lines = [
        ForestLine("volume: b against a", 1.0, 0.2, 1.9, "ratio 1.5, p = 0.03"),
        ForestLine("length: b against a", np.nan, np.nan, np.nan, "no p-value"),
    ]
    svg = draw_forest(lines, tmp_path / "forest.svg", "Hedges' g").read_text()
    assert all(f">{line.label}</text>" in svg and f">{line.said}</text>" in svg for line in lines)
    assert len(re.findall(r'<g id="PathCollection', svg)) == 1


def test_means_of_one_animal_are_joined_and_look_alike(tmp_path: Path) -> None:
    joined = replace(PLOT, pair=np.array([0, 1, 1, 0]))
    lines = {
        name: len(
            re.findall(
                "stroke: #5d5d5d; stroke-width: 0.9",
                draw_superplot(plot, tmp_path / f"{name}.svg").read_text(),
            )
        )
        for name, plot in (("alone", PLOT), ("joined", joined))
    }
    assert lines == {"alone": 0, "joined": 2}
    svg = (tmp_path / "joined.svg").read_text()
    assert {svg.count(f"fill: {colour}; stroke: #000000") for colour in COLOURS[:2]} == {2}

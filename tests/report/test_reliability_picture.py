"""The picture of reliability."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from chondria.report.reliability_picture import draw_reliability
from chondria.trust.reliability import reliability


def test_a_panel_for_each_with_or_without_figures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    p = rng.random(500)
    curves = [
        {"name": name, "stage": stage} | asdict(reliability(q, rng.random(500) < p))
        for name, stage, q in (("voxels", "before", p**0.3), ("voxels", "after", p))
    ]
    curves.append({"name": "objects", "stage": "after"} | asdict(reliability(p[:0], p[:0])))
    path = draw_reliability(curves, tmp_path / "r.png")
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    height, width = pixels.shape[:2]
    assert width > 1.8 * height
    # Both colours are there, on the left only.
    for colour in ((0xB0, 0x65, 0x3A), (0x2F, 0x6F, 0x9F)):
        columns = np.nonzero(np.abs(pixels - colour).max(2) < 8)[1]
        assert columns.size > 100
        assert columns.max() < width / 2

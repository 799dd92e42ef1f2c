"""A run of a few balls as plain values, and a browser to look at its page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chondria.report.content import Figure, PageContent, PlainTable, ShownLayer, ShownVolume
from chondria.report.run_page import draw_run
from chondria.report.slices import LabelLayer, encode_slices
from chondria.volume import VoxelSize

# What must never end a block, an attribute or a cell.
EVIL = "</script><img src=x onerror=alert(1)>\"'&"
SHAPE = (6, 90, 120)
SIZE = (40.0, 10.0, 10.0)
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@dataclass
class Opened:
    """A page in the browser, and what it complained of or asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def picture(self) -> str:
        """Return the canvas as it is."""
        return str(self.page.evaluate("document.querySelector('.stage canvas').toDataURL()"))

    def point_at(self, y: float, x: float) -> tuple[float, float]:
        """Move the pointer to the middle of a pixel of the grid; gives where that is."""
        canvas = self.page.locator(".stage canvas")
        self.page.evaluate("document.getElementById('viewer').scrollIntoView()")
        left, top, sx, sy = canvas.evaluate("c => JSON.parse(c.dataset.view)")
        box = canvas.bounding_box()
        at = (box["x"] + left + (x + 0.5) * sx, box["y"] + top + (y + 0.5) * sy)
        self.page.mouse.move(*at)
        return at

    def every_switch_changes_the_picture(self, keys: str) -> None:
        """Press each switch twice, then its key."""
        for button in self.page.locator(".tools [data-toggle]").all():
            before, was = self.picture(), button.get_attribute("aria-pressed")
            button.click()
            assert button.get_attribute("aria-pressed") != was
            assert self.picture() != before
            button.click()
            assert self.picture() == before
        self.page.locator(".stage").focus()
        for key in keys:
            before = self.picture()
            self.page.keyboard.press(key)
            assert self.picture() != before

    def slice(self, z: int) -> None:
        """Wait until a slice is drawn."""
        self.page.wait_for_selector(f"canvas[data-slice='{z}']", timeout=30000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window; what needs it skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    if not any(found):
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=next(filter(None, found)), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Open HTML from a file; at the end it must have neither complained nor asked for anything."""
    opened: list[Opened] = []

    def open_it(html: str, width: int = 1600, height: int = 1000, **options: Any) -> Opened:
        path = tmp_path / f"page{len(opened)}.html"
        path.write_text(html, encoding="utf-8")
        viewport = {"width": width, "height": height}
        page = browser.new_page(viewport=viewport, **options)
        one = Opened(page)
        page.on("console", lambda message: one.complaints.append(message.text))
        page.on("pageerror", lambda error: one.complaints.append(str(error)))
        page.on("request", lambda request: one.requests.append(request.url))
        opened.append(one)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", timeout=30000)
        return one

    yield open_it
    for one in opened:
        one.page.close()
        assert not one.complaints
        assert all(url.startswith(("file:", "data:", "blob:")) for url in one.requests)
        assert sum(url.startswith("file:") for url in one.requests) == 1


def make_content(
    shape: tuple[int, int, int] = SHAPE, size: VoxelSize | None = SIZE, **changes: Any
) -> PageContent:
    """Make a page's content: balls whose size grows with their number; ids have gaps."""
    z, y, x = np.mgrid[: shape[0], : shape[1], : shape[2]]
    labels = np.zeros(shape, np.uint16)
    ids = [3, 4, 9, 12, 40]
    for place, number in enumerate(ids):
        radius, middle = 4 + 2 * place, (15 + 15 * (place % 3), 14 + 22 * place)
        labels[((y - middle[0]) ** 2 + (x - middle[1]) ** 2 < radius**2) & (z < 6 - place)] = number
    image = np.random.default_rng(0).integers(120, 200, shape).astype(np.uint8)
    image[labels > 0] //= 3
    probability = (labels > 0) * np.uint8(250)
    voxels = [int(np.count_nonzero(labels == number)) for number in ids]
    objects = [
        [number, count, count * 1e-6, 0.9 + 0.01 * place, count < 400, EVIL if place else None]
        for place, (number, count) in enumerate(zip(ids, voxels, strict=True))
    ]
    names = ["id", "voxels", "volume_um3", "mean_probability", "touches_border", "note"]
    layers = [
        ShownLayer("labels", "Found", LabelLayer(labels, ids), kind="objects"),
        ShownLayer("truth", EVIL, LabelLayer(np.roll(labels, 3, axis=2)), letter="T"),
    ]
    by_key = {shown.key: shown.layer for shown in layers}
    bins = [
        {"low": i / 5, "high": (i + 1) / 5, "count": 9, "mean_probability": i / 5 + 0.1}
        | {"frequency": i / 5 + 0.05, "frequency_low": i / 5, "frequency_high": i / 5 + 0.1}
        for i in range(5)
    ]
    curves = [{"name": EVIL, "stage": stage, "bins": bins} for stage in ("before", "after")]
    worklist = [
        [1, "merge", "9 12", 1, 45, 58, 40.0, 0.8, EVIL, None],
        [2, "miss", None, 4, 80, 100, 160.0, 0.5, "", None],
    ]
    work_names = [
        "rank",
        "kind",
        "ids",
        "z_px",
        "y_px",
        "x_px",
        "z_nm",
        "score",
        "reason",
        "points",
    ]
    content = PageContent(
        title=EVIL,
        subtitle=EVIL,
        objects=PlainTable(names, objects),
        figures=[Figure("5", EVIL, EVIL)],
        notes=[EVIL],
        volume=ShownVolume(
            encode_slices(image, probability, by_key, 10**6), layers, size, depth=shape[0]
        ),
        metrics=PlainTable(["metric", "value", "averaged_over"], [["iou", 0.9, EVIL]]),
        metrics_note=EVIL,
        calibration={"curves": curves, "note": EVIL},
        errors={"sentences": [EVIL], "rows": [{"measure": EVIL, "low": 1.0, "high": None}]},
        worklist=PlainTable(work_names, worklist),
        methods=[EVIL],
        references=[EVIL],
        facts={EVIL: PlainTable(["name", "value"], [[EVIL, EVIL]])},
    )
    return replace(content, **changes)


@pytest.fixture(scope="session")
def content() -> Callable[..., PageContent]:
    """Make a page's content (see `make_content`)."""
    return make_content


@pytest.fixture(scope="session")
def html() -> str:
    """The page of `make_content`."""
    return draw_run(make_content())


@pytest.fixture(scope="session")
def evil() -> str:
    """A text that would break pages that do not escape."""
    return EVIL

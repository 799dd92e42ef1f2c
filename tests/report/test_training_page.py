"""The page of a training, as text and in a real browser (which skips where there is none)."""

import base64
import csv
import io
import re
from dataclasses import replace

import numpy as np
import pytest

from chondria.report.content import Figure, PlainTable, ShownLayer, ShownVolume
from chondria.report.line_chart import LineChart
from chondria.report.slices import LabelLayer, encode_slices
from chondria.report.training_page import TrainingContent, draw_training

STEPS = [10.0, 20.0, 30.0]
HASH = "0123456789abcdef" * 4
RECIPE = "name: x\n# </pre><b>&\n"


def volume(name: str, shape: tuple[int, int, int], z: list[int]) -> ShownVolume:
    """A square that was found two pixels too far to the right."""
    truth = np.zeros(shape, bool)
    truth[:, 10:20, 10:20] = True
    found = np.roll(truth, 2, axis=2)
    errors = (found & ~truth) + np.uint8(2) * (truth & ~found)
    layers = [
        ShownLayer("truth", "Truth", LabelLayer(truth, [1]), letter="T", colour="#ffffff"),
        ShownLayer("found", "Found", LabelLayer(found, [1]), letter="F", on=False),
        ShownLayer(
            "errors",
            "Errors",
            LabelLayer(errors, [1, 2]),
            kind="classes",
            letter="E",
            classes=[("false positive", "#ff9d4d"), ("false negative", "#5cc8ff")],
        ),
    ]
    image = np.random.default_rng(0).integers(100, 200, shape).astype(np.uint8)
    by_key = {shown.key: shown.layer for shown in layers}
    slices = encode_slices(image, found * np.uint8(255), by_key, 10**6)
    return ShownVolume(slices, layers, (40.0, 10.0, 10.0), name, z)


def content(evil: str, **changes: object) -> TrainingContent:
    """Everything there can be; texts that would break pages that do not escape."""
    bins = [
        {"low": i / 5, "high": (i + 1) / 5, "count": 9, "mean_probability": i / 5 + 0.1}
        | {"frequency": i / 5 + 0.05, "frequency_low": i / 5, "frequency_high": i / 5 + 0.1}
        for i in range(5)
    ]
    names = ["name", "images_sha256"]
    everything = TrainingContent(
        title=evil,
        subtitle=evil,
        figures=[Figure("0.9", evil, evil)],
        notes=[evil],
        curves=[
            LineChart("Loss", "step", STEPS, {evil: [0.9, 0.5, 0.3]}, (20.0, "kept")),
            LineChart("IoU", "step", STEPS, {"a": [0.1, 0.5, 0.4], "b": [0.2, 0.6, 0.8]}),
        ],
        history=PlainTable(["step", "train_loss"], [[10.0, 0.9], [20.0, 0.5], [30.0, 0.3]]),
        volumes=[volume(evil, (4, 60, 80), [7, 8, 9, 10]), volume("b", (2, 100, 40), [3, 5])],
        scores=PlainTable(["data set", "iou"], [[evil, 0.9]]),
        scores_note=evil,
        threshold=LineChart("IoU", "threshold", [0.2, 0.4], {evil: [0.5, 0.6]}, (0.4, "chosen")),
        threshold_note=evil,
        postprocessing=PlainTable(["name", "value"], [["threshold", 0.4]]),
        calibration={"note": evil, "curves": [{"name": evil, "stage": "before", "bins": bins}]},
        errors={"sentences": [evil]},
        data=PlainTable(names, [[evil, HASH], ["b", None]]),
        recipe=RECIPE + evil,
        model={evil: PlainTable(["name", "value"], [[evil, evil]])},
        methods=[evil],
        references=[evil],
        facts={evil: PlainTable(["name", "value"], [[evil, evil]])},
    )
    return replace(everything, **changes)


@pytest.fixture(scope="module")
def page(evil: str) -> str:
    return draw_training(content(evil))


def test_sections_are_there_for_what_there_is(page: str, evil: str) -> None:
    found = re.findall(r'<section id="(\w+)"', page)
    assert found == [
        *("curves", "validation", "scores", "threshold", "calibration", "tally", "data"),
        *("recipe", "model", "methods", "provenance"),
    ]
    assert found == re.findall(r'<a href="#(\w+)">', page)[-len(found) :]
    bare = draw_training(TrainingContent(title="x", subtitle=""))
    assert not re.findall("<section", bare)
    assert "<img" not in page


def test_downloads_are_what_was_used(page: str, evil: str) -> None:
    links = re.findall(r'download="([\w.]+)" href="data:[\w/]+;charset=utf-8;base64,([^"]*)"', page)
    files = {name: base64.b64decode(text).decode() for name, text in links}
    assert files["recipe.yaml"] == RECIPE + evil
    rows = list(csv.reader(io.StringIO(files["history.csv"])))
    assert rows == [["step", "train_loss"], ["10.0", "0.9"], ["20.0", "0.5"], ["30.0", "0.3"]]
    # The table shows the beginning of a hash, the file has all.
    assert HASH in files["data.csv"]
    assert f">{HASH[:12]}…<" in page


def test_slices_truth_and_errors(open_page, page: str) -> None:
    one = open_page(page)
    one.slice(2)
    assert one.page.locator(".slider output").inner_text() == "z 9 · 3 of 4"
    one.every_switch_changes_the_picture("iptfe")
    readout = one.page.locator("#validation .readout")
    for x, said in ((21, "false positive"), (10, "false negative"), (15, ""), (40, "")):
        one.point_at(15, x)
        text = readout.inner_text()
        assert f"x {x} px" in text
        assert ("false" in text) == bool(said)
        assert said in text


def test_errors_have_the_colours_of_their_names(open_page, page: str) -> None:
    one = open_page(page)
    assert one.page.locator(".legend span").all_inner_texts() == [
        "false positive",
        "false negative",
    ]
    one.page.locator("[data-toggle=image]").click()
    one.page.locator("[data-toggle=truth]").click()
    pixels = one.page.evaluate(
        "(places) => { const seen = document.querySelector('.stage canvas');"
        "const copy = document.createElement('canvas'); copy.width = seen.width;"
        "copy.height = seen.height; const c = copy.getContext('2d', { willReadFrequently: true });"
        "c.drawImage(seen, 0, 0); const [left, top, sx, sy] = JSON.parse(seen.dataset.view);"
        "return places.map((x) => [...c.getImageData((left + (x + .5) * sx) * devicePixelRatio,"
        " (top + 15.5 * sy) * devicePixelRatio, 1, 1).data].slice(0, 3)); }",
        [21, 10, 15],
    )
    expected = [(0xFF, 0x9D, 0x4D), (0x5C, 0xC8, 0xFF), (0, 0, 0)]
    assert np.allclose(pixels, expected, atol=3)


def test_another_data_set(open_page, page: str) -> None:
    one = open_page(page)
    one.slice(2)
    first = one.picture()
    choice = one.page.locator("#validation select")
    choice.select_option("1")
    one.page.wait_for_selector("canvas[data-volume='1']")
    assert one.page.locator(".slider output").inner_text() == "z 5 · 2 of 2"
    assert one.page.locator(".slider input").get_attribute("max") == "1"
    assert one.picture() != first
    one.page.locator(".stage").focus()
    one.page.keyboard.press("Home")
    one.slice(0)
    one.point_at(90, 30)
    assert "y 90, x 30 px" in one.page.locator("#validation .readout").inner_text()
    choice.select_option("0")
    one.page.wait_for_selector("canvas[data-volume='0'][data-slice='2']")
    assert one.picture() == first


def test_values_of_curves_by_pointer_and_by_keys(open_page, page: str, evil: str) -> None:
    one = open_page(page)
    figures = one.page.locator("#curves figure")
    first, second = (figures.nth(i) for i in range(2))
    assert first.locator(".readout").inner_text() == f"kept: step 20 · {evil} 0.5"
    plot = second.locator("svg")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    one.page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + box["height"] / 2)
    assert second.locator(".readout").inner_text() == "step 30 · a 0.4 · b 0.8"
    one.page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] / 2)
    assert second.locator(".readout").inner_text() == "step 20 · a 0.5 · b 0.6"
    plot = first.locator("svg")
    plot.focus()
    for key, step in (("ArrowRight", 10), ("ArrowRight", 20), ("End", 30), ("ArrowLeft", 20)):
        one.page.keyboard.press(key)
        assert first.locator(".readout").inner_text().startswith(f"step {step} ·")
    assert one.page.locator("#announcer").inner_text().startswith("step 20")
    one.page.keyboard.press("Escape")
    assert first.locator(".readout").inner_text().startswith("kept: step 20")


def test_a_phone_and_the_dark(open_page, page: str) -> None:
    one = open_page(page, 390, 844, has_touch=True, is_mobile=True, device_scale_factor=2)
    assert one.page.evaluate("document.documentElement.scrollWidth") == 390
    wide = one.page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg') &&"
        " e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 90))"
    )
    assert not wide
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = open_page(page, color_scheme="dark")
    assert dark.page.evaluate(paper) != one.page.evaluate(paper)


def test_the_keyboard_reaches_everything_and_leaves_it(open_page, page: str) -> None:
    one = open_page(page)
    seen: list[str] = []
    for _ in range(80):
        one.page.keyboard.press("Tab")
        seen.append(
            one.page.evaluate(
                "(e => e === document.body ? 'END' : e.id || e.dataset.toggle ||"
                " e.getAttribute('download') || e.getAttribute('class') || e.tagName)"
                "(document.activeElement)"
            )
        )
        if seen[-1] == "END":
            break
    assert seen[-1] == "END"
    assert seen.count("lines") == 3
    assert {"theme", "image", "truth", "errors", "stage", "history.csv", "recipe.yaml"} <= set(seen)
    assert {"SELECT", "copy-methods", "data.csv"} <= set(seen)


def test_texts_of_files_are_only_texts(open_page, page: str, evil: str) -> None:
    one = open_page(page)
    assert one.page.locator("h1").inner_text() == evil
    assert one.page.locator("img").count() == 0
    assert one.page.locator("pre").inner_text() == RECIPE + evil
    assert evil in one.page.locator("#validation option").first.inner_text()


def test_a_page_without_anything_opens(open_page) -> None:
    one = open_page(draw_training(TrainingContent(title="nothing", subtitle="")))
    assert one.page.locator("main section").count() == 0

"""The page of a run in a real browser: what people see and do. Skips where there is none.

Every test also fails where the page complains on the console or asks for anything (conftest.py).
"""

import csv
import io
import json
from dataclasses import replace

from chondria.report.comparison import ComparisonContent, draw_comparison
from chondria.report.content import PlainTable
from chondria.report.run_page import draw_run

SHOWN_ID = "document.querySelector('.inspector').dataset.id"


def test_slices_scroll_by_wheel_keys_and_slider(open_page, html: str) -> None:
    one = open_page(html)
    one.slice(3)
    first = one.picture()
    one.point_at(80, 5)
    one.page.mouse.wheel(0, 100)
    one.slice(4)
    assert one.picture() != first
    one.page.mouse.wheel(0, -100)
    one.slice(3)
    assert one.picture() == first
    one.page.locator(".stage").focus()
    for key, z in (("ArrowRight", 4), ("End", 5), ("ArrowRight", 5), ("Home", 0), ("PageDown", 5)):
        one.page.keyboard.press(key)
        one.slice(z)
    one.page.locator(".slider input").fill("2")
    one.slice(2)
    assert one.page.locator(".slider output").inner_text() == "z 2 of 0–5"


def test_the_wheel_leaves_the_viewer_at_the_last_slice(open_page, html: str) -> None:
    one = open_page(html)
    one.page.locator(".stage").focus()
    one.page.keyboard.press("End")
    one.slice(5)
    before = one.page.evaluate("scrollY")
    one.point_at(20, 5)
    one.page.mouse.wheel(0, 200)
    one.page.wait_for_function(f"scrollY > {before}", timeout=30000)


def test_every_switch_changes_the_picture(open_page, html: str) -> None:
    one = open_page(html)
    one.every_switch_changes_the_picture("ipoft")
    before = one.picture()
    one.page.locator(".tools select").select_option("volume_um3")
    assert one.picture() != before


def test_an_object_under_the_pointer_shows_its_row(open_page, html: str, content) -> None:
    made = content()
    ids = made.objects.column("id")
    one = open_page(html)
    one.page.locator(".stage").focus()
    one.page.keyboard.press("Home")
    one.slice(0)
    layer = made.volume.layers[0].layer
    for place, number in enumerate(ids):
        z, y, x = layer.anchors[place]
        assert layer.source[z, y, x] == number
        one.point_at(y, x)
        assert one.page.evaluate(SHOWN_ID) == str(number)
        shown = one.page.locator("dd[data-column=voxels]").inner_text()
        assert shown == str(made.objects.column("voxels")[place])
        assert one.page.locator("tr.hovered td").first.inner_text() == str(number)
    one.point_at(85, 3)
    assert one.page.evaluate(SHOWN_ID) == ""


def test_a_click_keeps_an_object_and_a_row_leads_to_it(open_page, html: str, content) -> None:
    anchors = content().volume.layers[0].layer.anchors
    one = open_page(html)
    one.page.locator(".stage").focus()
    one.page.keyboard.press("Home")
    one.slice(0)
    _, y, x = anchors[2]
    one.page.mouse.click(*one.point_at(y, x))
    one.point_at(85, 3)
    assert one.page.evaluate(SHOWN_ID) == "9"
    assert one.page.locator("tr.pinned td").first.inner_text() == "9"
    one.page.locator(".stage").focus()
    one.page.keyboard.press("Escape")
    assert one.page.evaluate(SHOWN_ID) == ""
    one.page.keyboard.press("End")
    one.slice(5)
    row = one.page.locator("tr[data-place='4']")
    row.focus()
    one.page.keyboard.press("Enter")
    one.slice(anchors[4][0])
    assert one.page.evaluate(SHOWN_ID) == "40"


def test_a_range_of_a_histogram_selects_objects(open_page, html: str, content) -> None:
    one = open_page(html)
    before = one.picture()
    plot = one.page.locator(".histogram svg").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    middle = box["y"] + box["height"] / 2
    one.page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    one.page.mouse.down()
    one.page.mouse.move(box["x"] + box["width"] - 1, middle, steps=3)
    one.page.mouse.up()
    volumes = content().objects.column("volume_um3")
    half = (min(volumes) + max(volumes)) / 2
    expected = [
        str(number)
        for number, volume in zip(content().objects.column("id"), volumes, strict=True)
        if volume >= half
    ]
    assert 0 < len(expected) < 5
    assert one.page.locator("tr[data-place] td:first-child").all_inner_texts() == expected
    assert one.page.locator(".selection").inner_text() == f"{len(expected)} of 5 selected"
    assert one.page.locator("rect.chosen").count() > 0
    assert one.picture() != before
    one.page.get_by_role("button", name="Show all objects").click()
    assert one.page.locator("tr[data-place]").count() == 5
    plot.focus()
    one.page.keyboard.press("ArrowRight")
    assert one.page.locator("tr[data-place] td:first-child").all_inner_texts() == ["3"]
    one.page.keyboard.press("Escape")
    assert one.page.locator("tr[data-place]").count() == 5


def test_the_table_sorts_and_downloads(open_page, html: str, content) -> None:
    one = open_page(html)
    one.page.locator("[data-sort=volume_um3]").click()
    ids = [str(number) for number in content().objects.column("id")]
    volumes = content().objects.column("volume_um3")
    expected = [number for _, number in sorted(zip(volumes, ids, strict=True), reverse=True)]
    assert one.page.locator("tr[data-place] td:first-child").all_inner_texts() == expected
    with one.page.expect_download() as waiting:
        one.page.locator("#objects-csv").click()
    rows = list(csv.reader(io.StringIO(waiting.value.path().read_text())))
    assert rows[0] == list(content().objects.names)
    assert [row[0] for row in rows[1:]] == ids
    assert [float(row[2]) for row in rows[1:]] == volumes
    assert rows[2][-1] == content().objects.rows[1][-1]
    with one.page.expect_download() as waiting:
        one.page.locator("#worklist .button").click()
    rows = list(csv.reader(io.StringIO(waiting.value.path().read_text())))
    assert waiting.value.suggested_filename == "worklist.csv"
    assert rows[0] == list(content().worklist.names)
    assert rows[1][:3] == ["1", "merge", "9 12"]


def test_the_worklist_leads_to_its_places(open_page, html: str) -> None:
    one = open_page(html)
    heads = one.page.locator("#worklist th").all_inner_texts()
    assert heads == ["rank", "kind", "ids", "z (px)", "y (px)", "x (px)", "score", "reason"]
    one.page.locator(".jump").first.click()
    one.slice(1)
    assert one.page.evaluate(SHOWN_ID) == "9"
    before = one.picture()
    one.page.locator(".jump").nth(1).click()
    one.slice(4)
    assert one.picture() != before
    assert one.page.evaluate(SHOWN_ID) == ""


def test_zoom_keeps_the_place_under_the_pointer(open_page, html: str) -> None:
    one = open_page(html)
    at = one.point_at(30, 58)
    one.page.keyboard.down("Control")
    one.page.mouse.wheel(0, -200)
    one.page.keyboard.up("Control")
    one.page.wait_for_selector(".stage.zoomed")
    canvas = one.page.locator(".stage canvas")
    left, top, sx, sy = json.loads(canvas.get_attribute("data-view"))
    box = canvas.bounding_box()
    assert abs((at[0] - box["x"] - left) / sx - 58.5) < 1
    assert abs((at[1] - box["y"] - top) / sy - 30.5) < 1
    one.page.get_by_role("button", name="Show the whole slice").click()
    assert one.page.locator(".stage.zoomed").count() == 0


def test_light_and_dark(open_page, html: str) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = open_page(html).page.evaluate(paper)
    one = open_page(html, color_scheme="dark")
    dark = one.page.evaluate(paper)
    assert light != dark
    one.page.locator("#theme").click()
    assert one.page.evaluate(paper) == light


def test_a_phone(open_page, html: str) -> None:
    one = open_page(html, 390, 844, has_touch=True, is_mobile=True, device_scale_factor=2)
    assert one.page.evaluate("document.documentElement.scrollWidth") == 390
    wide = one.page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, .rows') &&"
        " e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className)"
    )
    assert not wide
    one.page.get_by_role("button", name="Next slice").tap()
    one.slice(4)


def test_the_keyboard_reaches_everything_and_leaves_it(open_page, html: str) -> None:
    one = open_page(html)
    seen: list[str] = []
    for _ in range(80):
        one.page.keyboard.press("Tab")
        seen.append(
            one.page.evaluate(
                "(e => e === document.body ? 'END' : e.id || e.dataset.toggle || e.dataset.sort ||"
                " e.getAttribute('class') || e.tagName)(document.activeElement)"
            )
        )
        if seen[-1] == "END":
            break
    assert seen[-1] == "END"
    assert {"theme", "image", "outlines", "truth", "stage", "volume_um3", "jump"} <= set(seen)
    assert {"objects-csv", "copy-methods"} <= set(seen)
    assert one.page.evaluate(
        "[...document.querySelectorAll('button, input, select, a, svg')].every(e =>"
        " e.textContent.trim() || e.getAttribute('aria-label') || e.closest('label'))"
    )


def test_texts_of_files_are_only_texts(open_page, html: str, evil: str) -> None:
    one = open_page(html)
    assert one.page.title() == evil
    assert one.page.locator("h1").inner_text() == evil
    assert one.page.locator("img").count() == 0
    assert evil in one.page.locator("tr[data-place='1']").inner_text()
    assert one.page.locator("[data-toggle=truth]").inner_text() == evil


def test_no_object_one_slice_no_voxel_size(open_page, content) -> None:
    made = content((1, 40, 60))
    names = made.objects.names
    one = open_page(
        draw_run(
            content(
                (1, 40, 60),
                None,
                objects=PlainTable(names, []),
                volume=replace(made.volume, layers=[]),
                worklist=PlainTable(["rank"], []),
                calibration={},
            )
        )
    )
    one.slice(0)
    assert "No object was found" in one.page.locator("#objects").inner_text()
    assert one.page.locator("#calibration").count() == 0
    one.point_at(20, 30)
    assert "x 30 px" in one.page.locator(".readout").inner_text()
    bare = open_page(draw_run(content(volume=None)))
    assert bare.page.locator("#slices").count() == 0
    assert bare.page.locator("tr[data-place]").count() == 5


def test_many_objects_scroll(open_page, content) -> None:
    rows = [[i + 1, 10 * i, 1e-6 * i, 0.5, False, None] for i in range(5000)]
    made = content()
    one = open_page(draw_run(content(objects=PlainTable(made.objects.names, rows), volume=None)))
    assert one.page.locator("tr[data-place]").count() < 80
    one.page.locator("tr[data-place='0']").focus()
    one.page.keyboard.press("End")
    assert one.page.evaluate("document.activeElement.dataset.place") == "4999"
    assert one.page.locator("tr[data-place]").count() < 80


def test_runs_over_each_other(open_page, content) -> None:
    made = content()
    layers = [
        replace(shown, name=f"run {i}", kind="lines", letter=str(i))
        for i, shown in enumerate(made.volume.layers, start=1)
    ]
    table = PlainTable(["figure", "a", "b"], [["objects", "5", "4"]])
    one = open_page(
        draw_comparison(
            ComparisonContent(
                title="2 runs compared",
                subtitle="",
                notes=[],
                figures=table,
                measures={"volume_um3": {"a": [1.0, 2.0], "b": [1.5]}},
                volume=replace(made.volume, layers=layers),
            )
        )
    )
    one.slice(3)
    before = one.picture()
    one.page.locator(".stage").focus()
    one.page.keyboard.press("2")
    assert one.picture() != before
    assert one.page.locator(".inspector, .rows").count() == 0

"""The file itself: whole, closed to the network, and of sound blocks whatever texts it holds."""

import base64
import hashlib
import json
import re

import pytest

from chondria.report.content import PlainTable
from chondria.report.page import embed_json
from chondria.report.run_page import draw_run


def test_the_page_may_load_nothing(html: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    assert policy[1].startswith("default-src 'none';")
    assert not re.search(r"(?:src|href)=\"?(?:https?:)?//", html)
    assert "@import" not in html
    assert "url(" not in html
    assert not re.search(r"\b(?:fetch|XMLHttpRequest|WebSocket|import)\s*\(", html)


def test_the_policy_allows_this_script_only(html: str) -> None:
    script = re.search(r'<script type="module">(.*?)</script>', html, re.S)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html


def test_blocks_of_data_end_where_they_should(html: str, content, evil: str) -> None:
    blocks = re.findall(r'<script type="application/json" id="report-data">(.*?)</script>', html)
    data = json.loads(blocks[0])
    assert data["volumes"][0]["layers"][1]["name"] == evil
    assert data["objects"]["columns"][0] == content().objects.column("id")
    assert data["volumes"][0]["z"] == list(range(6))
    assert html.count('<script type="text/plain"') == 6 * 4
    assert "<img" not in html


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "\u2028&amp;", "$title ${body}"])
def test_json_holds_any_text(text: str) -> None:
    block = embed_json("key", {"a": text, "b": [float("nan"), 2**60, (1, None)]})
    inside = block.split(">", 1)[1].removesuffix("</script>\n")
    assert not re.search("[<>&\u2028]", inside)
    assert json.loads(inside) == {"a": text, "b": [None, str(2**60), [1, None]]}


def test_sections_are_there_for_what_there_is(content) -> None:
    bare = draw_run(
        content(
            objects=PlainTable(["id"], []),
            volume=None,
            metrics=None,
            calibration={},
            errors={},
            worklist=None,
            methods=[],
        )
    )
    assert re.findall(r'<section id="(\w+)"', bare) == ["objects", "provenance"]
    full = draw_run(content())
    found = re.findall(r'<section id="(\w+)"', full)
    assert found == re.findall(r'<a href="#(\w+)">', full)[-len(found) :]
    assert len(found) == 9

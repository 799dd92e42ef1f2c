"""The page of a run: one file of HTML that needs neither a network nor any other file."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from chondria.report.content import PageContent, PlainTable, ShownLayer
from chondria.report.sections import sections
from chondria.report.slices import SliceSet

__all__ = ["assemble", "draw_page", "embed_json", "embed_texts", "grid_of", "layer_of"]

STYLES = ("style.css", "viewer.css")
# In this order, one file after the other in one scope.
SCRIPTS = (
    "state.js",
    "decode.js",
    "outlines.js",
    "palette.js",
    "scale.js",
    "viewer.js",
    "steering.js",
    "inspector.js",
    "histograms.js",
    "table.js",
    "main.js",
)
# Beyond 2**53 - 1 a number is no longer exact in the page.
LARGEST_EXACT = 2**53 - 1


def draw_page(content: PageContent) -> str:
    """Write the page of one run.

    Parameters
    ----------
    content : PageContent
        Plain values; any text may hold any character.

    Returns
    -------
    str
        HTML with its style, scripts and data inside. A content security policy forbids it to load
        anything.
    """
    parts = [embed_json("report-data", _data(content))]
    if content.slices is not None:
        for key, texts in content.slices.texts.items():
            parts.append(embed_texts(key, texts))
    return assemble(content.title, sections(content), "".join(parts))


def assemble(title: str, body: str, data: str) -> str:
    """Put body and data, both HTML, into the frame of a page with style and scripts."""
    folder = files("chondria.report") / "page"
    style = "\n".join((folder / name).read_text(encoding="utf-8") for name in STYLES)
    script = "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)
    script = f'\n"use strict";\n{script}\n'
    digest = b64encode(sha256(script.encode()).digest()).decode("ascii")
    frame = Template((folder / "page.html").read_text(encoding="utf-8"))
    return frame.substitute(
        title=escape(title), style=style, script=script, digest=digest, body=body, data=data
    )


def embed_json(key: str, values: object) -> str:
    """Write values as a block of JSON that no text inside can end."""
    text = json.dumps(_plain(values), ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json" id="{key}">{text}</script>\n'


def embed_texts(key: str, texts: list[str]) -> str:
    """Write base64 texts, each in a block of its own that is read when it is needed."""
    return "".join(
        f'<script type="text/plain" id="{key}-{place}">{text}</script>\n'
        for place, text in enumerate(texts)
    )


def _data(content: PageContent) -> dict[str, Any]:
    return {
        "shape": content.shape,
        "voxel_size_nm": content.voxel_size_nm,
        "grid": None if content.slices is None else grid_of(content.slices),
        "layers": [layer_of(shown) for shown in content.layers],
        "objects": _columns(content.objects),
        "worklist": None if content.worklist is None else _columns(content.worklist),
    }


def grid_of(slices: SliceSet) -> dict[str, Any]:
    """Describe the grid of encoded slices to the page's scripts."""
    return {
        "z": slices.z,
        "step": slices.detail.step_px,
        "height": slices.shape_px[0],
        "width": slices.shape_px[1],
        "has": list(slices.texts),
    }


def layer_of(shown: ShownLayer) -> dict[str, Any]:
    """Describe a label map to the page's scripts."""
    layer = shown.layer
    return {
        "key": shown.key,
        "name": shown.name,
        "ids": layer.ids,
        "anchors": [layer.anchors.get(place) for place in range(len(layer.ids))],
    }


def _columns(table: PlainTable) -> dict[str, Any]:
    return {"names": list(table.names), "columns": [table.column(name) for name in table.names]}


def _plain(value: Any) -> Any:
    """Take out what JSON or JavaScript cannot hold: numbers that are not finite, or too large."""
    match value:
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple() | Iterator():
            return [_plain(item) for item in value]
        case float() if not math.isfinite(value):
            return None
        case int() if abs(value) > LARGEST_EXACT:
            return str(value)
    return value

"""A page: one file of HTML that needs neither a network nor any other file."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from chondria.report.content import PlainTable, ShownLayer, ShownVolume

__all__ = ["draw_page", "embed_json", "read_parts"]

STYLES = ("style.css", "drawings.css", "viewer.css")
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
    "charts.js",
    "main.js",
)
# Beyond 2**53 - 1 a number is no longer exact in the page.
LARGEST_EXACT = 2**53 - 1


def draw_page(
    title: str,
    body: str,
    volumes: Sequence[ShownVolume] = (),
    objects: PlainTable | None = None,
    worklist: PlainTable | None = None,
) -> str:
    """Write a page.

    Parameters
    ----------
    title : str
        Any text.
    body : str
        HTML, as `chondria.report.sections.frame` gives it.
    volumes : sequence of ShownVolume
        For its slice browser.
    objects, worklist : PlainTable, optional
        For its histograms and tables; any text may hold any character.

    Returns
    -------
    str
        HTML with its style, scripts and data inside. A content security policy forbids it to load
        anything.
    """
    data = {
        "volumes": [_volume(volume, place) for place, volume in enumerate(volumes)],
        "objects": _columns(objects or PlainTable([], [])),
        "worklist": None if worklist is None else _columns(worklist),
    }
    parts = [embed_json("report-data", data)]
    for place, volume in enumerate(volumes):
        for key, texts in volume.slices.texts.items():
            parts.append(_embed_texts(f"{_prefix(place)}{key}", texts))
    return _assemble(title, body, "".join(parts))


def read_parts(*names: str) -> str:
    """Read parts of the page, one after the other, by their files' names."""
    folder = files("chondria.report") / "page"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _assemble(title: str, body: str, data: str) -> str:
    """Put body and data, both HTML, into the frame of a page with style and scripts."""
    script = f'\n"use strict";\n{read_parts(*SCRIPTS)}\n'
    digest = b64encode(sha256(script.encode()).digest()).decode("ascii")
    return Template(read_parts("page.html")).substitute(
        title=escape(title),
        style=read_parts(*STYLES),
        script=script,
        digest=digest,
        body=body,
        data=data,
    )


def embed_json(key: str, values: object) -> str:
    """Write values as a block of JSON that no text inside can end."""
    text = json.dumps(_plain(values), ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json" id="{key}">{text}</script>\n'


def _embed_texts(key: str, texts: list[str]) -> str:
    """Write base64 texts, each in a block of its own that is read when it is needed."""
    return "".join(
        f'<script type="text/plain" id="{key}-{place}">{text}</script>\n'
        for place, text in enumerate(texts)
    )


def _prefix(place: int) -> str:
    return f"v{place}-"


def _volume(volume: ShownVolume, place: int) -> dict[str, Any]:
    """Describe a volume to the page's scripts."""
    slices = volume.slices
    return {
        "name": volume.name,
        "prefix": _prefix(place),
        "voxel_size_nm": volume.voxel_size_nm,
        "depth": volume.depth,
        "z": slices.z if volume.z is None else [volume.z[z] for z in slices.z],
        "step": slices.detail.step_px,
        "height": slices.shape_px[0],
        "width": slices.shape_px[1],
        "has": list(slices.texts),
        "layers": [_layer(shown) for shown in volume.layers],
    }


def _layer(shown: ShownLayer) -> dict[str, Any]:
    """Describe a label map to the page's scripts."""
    layer = shown.layer
    described: dict[str, Any] = {
        name: getattr(shown, name)
        for name in ("key", "name", "kind", "letter", "on", "colour", "classes")
    }
    if shown.kind != "objects":
        return described
    anchors = [layer.anchors.get(place) for place in range(len(layer.ids))]
    return described | {"ids": layer.ids, "anchors": anchors}


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

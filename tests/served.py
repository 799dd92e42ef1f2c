"""A local HTTP server with ranges that can break off, refuse or ignore ranges; small archives."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import imagecodecs
import numpy as np

from chondria.data.dataset import DataSet, Download, Part, Split

SHAPE = (3, 20, 24)


@dataclass
class Served:
    """Files by their path, and how the server is to behave."""

    files: dict[str, bytes]
    root: str = ""
    breaks: int = 0
    ranges: bool = True
    requests: list[str] = field(default_factory=list)


@contextmanager
def serve(**files: bytes) -> Iterator[Served]:
    """Serve files at ``root/NAME``; the first `breaks` answers stop half way."""
    served = Served(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            served.requests.append(wanted)
            content = served.files.get(self.path[1:])
            if content is None:
                self.send_error(404)
                return
            start = int(wanted[6:-1]) if wanted and served.ranges else 0
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                last = len(content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
            rest = content[start:]
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            if served.breaks > 0:
                served.breaks -= 1
                rest = rest[: len(rest) // 2]
            self.wfile.write(rest)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    served.root = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def slices(seed: int) -> np.ndarray:
    """Random grey levels, which no compression shortens: a file of some size."""
    return np.random.default_rng(seed).integers(3, 250, SHAPE, np.uint8)


def labels() -> np.ndarray:
    """255 in a box, 2 along an edge, 0 elsewhere."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[:, 5:12, 4:15] = 255
    mask[:, :, -2:] = 2
    return mask


def png(pixels: np.ndarray) -> bytes:
    return bytes(imagecodecs.png_encode(pixels))


def archive(members: dict[str, bytes]) -> bytes:
    """Make a ZIP."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return stream.getvalue()


def tar(members: dict[str, bytes]) -> bytes:
    """Make a compressed tar."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as opened:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            opened.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def members() -> dict[str, bytes]:
    """Slices 8, 9, 10 and labels in colours with a transparent background, as archives have."""
    found = {"README.txt": b"about", "__MACOSX/Set/In/._im9.png": b"shadow"}
    for z in range(SHAPE[0]):
        grey = labels()[z]
        alpha = np.where(grey == 255, 255, 0).astype(np.uint8)
        found[f"Set/In/im{8 + z}.png"] = png(slices(1)[z])
        found[f"Set/Out/{8 + z}.png"] = png(np.stack([grey, grey, grey, alpha], axis=-1))
    return dict(reversed(found.items()))


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


#: What the server gives.
ARCHIVE = archive(members())
HASH = sha256(ARCHIVE)


def small_set(*addresses: str, known: str | None = None) -> DataSet:
    """A set of one archive, `tiny/train/images` and `tiny/train/labels`."""
    parts = (
        Part("tiny/train/images", SHAPE, "images", "downloads/tiny.zip", "Set/In/*.png"),
        Part("tiny/train/labels", SHAPE, "masks", "downloads/tiny.zip", "Set/Out/*.png", 255),
    )
    return DataSet(
        name="tiny",
        what="noise",
        page="https://example.org/tiny",
        licence="none",
        terms="For tests.",
        citations=("Nobody, 2000.",),
        splits=(Split("train", parts),),
        downloads=(Download("downloads/tiny.zip", addresses, known),),
        voxel_size_nm=(30.0, 4.0, 4.0),
    )

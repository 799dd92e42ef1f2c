"""Download one file over HTTP; what was interrupted goes on where it broke off."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chondria.errors import DownloadError
from chondria.io.atomic import check_disk_space

if TYPE_CHECKING:
    from requests import Response

__all__ = ["ResumingDownloader", "Tell"]

#: Called with the bytes that are there and those there will be (None where nobody knows).
Tell = Callable[[int, int | None], None]

TIMEOUT_S = 30.0
# What has not filled a chunk when a connection breaks is lost.
CHUNK_BYTES = 2**16
_CONTENT_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<total>\d+)")


class ResumingDownloader:
    """A downloader for pooch that keeps what arrived and asks the server for the rest.

    Parameters
    ----------
    partial : Path
        Where the bytes are collected; a file there is what an earlier try left.
    tell : callable
        Told of the progress.
    attempts : int
        Times that a broken connection is tried again before it is given up.
    pause_s : float
        Seconds before the second attempt; twice that before the third, and so on.
    """

    def __init__(
        self,
        partial: Path,
        tell: Tell = lambda done, total: None,
        *,
        attempts: int = 4,
        pause_s: float = 1.0,
    ) -> None:
        self._partial, self._tell = partial, tell
        self._attempts, self._pause_s = attempts, pause_s

    def __call__(self, url: str, output_file: str, pooch: Any = None) -> None:
        """Download an address to a file.

        Raises
        ------
        DownloadError
            If the server cannot be reached or refuses, or the connection keeps breaking.
        DiskSpaceError
            If the disk cannot hold the file.
        """
        import requests

        for attempt in range(1, self._attempts + 1):
            try:
                self._go_on(url)
                break
            except requests.RequestException as error:
                if attempt == self._attempts or _is_final(error):
                    raise DownloadError(self._say(url, error)) from error
            time.sleep(self._pause_s * attempt)
        self._partial.replace(output_file)

    def _go_on(self, url: str) -> None:
        import requests

        here = self._partial.stat().st_size if self._partial.exists() else 0
        # Bytes as they are stored: a range of compressed ones would not fit.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={here}-"} if here else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
            if here and not _continues(answer, here):
                if answer.status_code == 416 and answer.headers.get("Content-Range") == (
                    f"bytes */{here}"
                ):
                    return  # all of it had arrived
                if answer.status_code != 200:
                    self._partial.unlink()
                    raise requests.ConnectionError("the server has no such part of the file")
                here = 0
            answer.raise_for_status()
            self._collect(answer, here)

    def _collect(self, answer: Response, here: int) -> None:
        import requests

        length = answer.headers.get("Content-Length")
        total = here + int(length) if length else None
        if total is not None:
            check_disk_space(self._partial.parent, total - here)
        with self._partial.open("ab" if here else "wb") as stream:
            for chunk in answer.iter_content(CHUNK_BYTES):
                here += stream.write(chunk)
                self._tell(here, total)
        if total is not None and here != total:
            raise requests.ConnectionError("the connection broke off")

    def _say(self, url: str, error: Exception) -> str:
        import requests

        if isinstance(error, requests.HTTPError) and error.response is not None:
            answer = error.response
            return f"'{url}' is refused ({answer.status_code} {answer.reason})"
        if self._partial.exists():
            kept = self._partial.stat().st_size
            return f"'{url}' broke off {self._attempts} times ({kept} bytes are kept)"
        return f"'{url}' cannot be reached ({_reason(error)})"


def _continues(answer: Response, here: int) -> bool:
    said = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return answer.status_code == 206 and said is not None and int(said["start"]) == here


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_S:.0f} s"
    return "no connection" if isinstance(error, requests.ConnectionError) else str(error)


def _is_final(error: Exception) -> bool:
    """Whether another attempt is useless: a wrong address or a refusal."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code < 500
    return isinstance(error, ValueError)  # of requests, these are of addresses that are none

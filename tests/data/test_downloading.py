from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chondria.data.downloading import ResumingDownloader
from chondria.errors import DownloadError

CONTENT = bytes(range(256)) * 5


@settings(max_examples=30)
@given(here=st.integers(0, len(CONTENT)), breaks=st.integers(0, 3), ranges=st.booleans())
def test_whatever_was_left_the_file_becomes_whole(
    served, here: int, breaks: int, ranges: bool
) -> None:
    told = []
    with TemporaryDirectory() as name, served.serve(file=CONTENT) as server:
        server.breaks, server.ranges = breaks, ranges
        part, file = Path(name) / "part", Path(name) / "file"
        part.write_bytes(CONTENT[:here])
        tell = lambda done, total: told.append((done, total))  # noqa: E731
        ResumingDownloader(part, tell, pause_s=0.0)(f"{server.root}/file", str(file))
        assert file.read_bytes() == CONTENT
        assert not part.exists()
    assert not told or told[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/file", "http://", "nonsense"])
def test_addresses_that_are_none(address: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="cannot be reached"):
        ResumingDownloader(tmp_path / "part", pause_s=60.0)(address, str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []

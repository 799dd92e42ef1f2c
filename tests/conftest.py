"""Fixtures shared by every room's tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A loaded machine makes single examples slow; that is no failure.
settings.register_profile("chondria", deadline=None)
settings.load_profile("chondria")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of real EM images with truth; tests that need it skip where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CHONDRIA_DATA", default))
    if not (folder / "lucchi++").is_dir():
        pytest.skip(f"no real data at {folder} (set CHONDRIA_DATA)")
    return folder

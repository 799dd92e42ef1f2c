import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chondria import io
from chondria.errors import FormatError
from chondria.io import FORMATS, format_suffix
from chondria.io.formats import format_of_suffix
from chondria.io.header import (
    Grid,
    header_from_dict,
    header_to_dict,
    length_nm,
    pixel_dtype,
)

lengths = st.floats(0.1, 1000, allow_nan=False)


@settings(deadline=None)
@given(lengths, st.sampled_from([("um", 1e3), ("mm", 1e6), ("Å", 0.1), ("m", 1e9), ("pm", 1e-3)]))
def test_lengths_keep_twelve_digits(length: float, unit: tuple[str, float]) -> None:
    assert length_nm(length / unit[1], unit[0]) == pytest.approx(length, rel=1e-11)


def test_factors_leave_no_noise() -> None:
    assert length_nm(0.0046, "um") == 4.6
    assert length_nm(0.0046, " \u03bcm") == length_nm(0.0046, "\\u00B5m") == 4.6
    assert length_nm(46, "\u212b") == length_nm(46, "Angstrom") == 4.6


@pytest.mark.parametrize(
    ("value", "unit"), [(None, "nm"), (1, None), (1, "pixel"), (0, "nm"), (-1, "nm")]
)
def test_nothing_is_guessed(value, unit) -> None:
    assert length_nm(value, unit) is None
    assert length_nm(float("nan"), "nm") is None
    assert length_nm(float("inf"), "nm") is None


@settings(deadline=None)
@given(st.none() | st.tuples(lengths, lengths, lengths), st.tuples(lengths, lengths, lengths))
def test_dictionary_round_trip(size, origin) -> None:
    grid = Grid((1, 2, 3), np.dtype("u1"), size, origin)
    header = header_from_dict(header_to_dict(grid), "x")
    assert header.voxel_size_nm == (None if size is None else list(size))
    assert header.origin_nm == origin


def test_pixel_types() -> None:
    assert pixel_dtype("?", "x") == np.uint8
    assert pixel_dtype(">f4", "x") == np.float32
    for dtype in (np.complex128, "O", "S2", "U2", "M8[s]", np.longdouble, [("a", "u1")]):
        with pytest.raises(FormatError, match=r"pixels of type .* in x; allowed are"):
            pixel_dtype(dtype, "x")


def test_table_of_formats() -> None:
    for key, entry in FORMATS.items():
        assert entry.key == key
        assert format_suffix(key) == entry.suffix
        assert {np.dtype(name).name for name in entry.pixel_types} == set(entry.pixel_types)
        if entry.suffix not in ("", ".ome.zarr", ".zarr"):
            assert format_of_suffix(io.detect.Path(f"a{entry.suffix.upper()}")) == key
    with pytest.raises(FormatError, match="no format 'bmp'"):
        format_suffix("bmp")


def test_importing_the_room_imports_no_library_of_a_format() -> None:
    heavy = ["torch", "zarr", "tifffile", "imagecodecs", "h5py", "mrcfile", "nibabel", "PIL"]
    script = f"import sys, chondria.io; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_public_names() -> None:
    assert all(hasattr(io, name) for name in io.__all__)
    assert set(io.__all__) == {
        name
        for name in vars(io)
        if not name.startswith("_") and not isinstance(getattr(io, name), type(sys))
    }

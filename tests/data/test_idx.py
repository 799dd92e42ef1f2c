"""IDX files: what is written by hand reads back; what is damaged is refused."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from chondria.data.idx import read_idx
from chondria.errors import FormatError, InputNotFoundError


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


@given(arrays(np.uint8, array_shapes(max_dims=3)), st.booleans())
def test_arrays_read_back(tmp_path_factory, array, packed) -> None:
    path = tmp_path_factory.mktemp("idx") / "a"
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    assert np.array_equal(read_idx(path), array)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no IDX file"),
        (b"\x89PNG", "no IDX file"),
        (idx(np.zeros((2, 3), np.uint8))[:-1], r"promises an array of shape \(2, 3\)"),
        (idx(np.zeros((2, 3), np.uint8))[:7], "cut off"),
        (gzip.compress(idx(np.zeros((2, 3), np.uint8)), mtime=0)[:-9], "Cannot unpack"),
    ],
    ids=["nothing", "a PNG", "cut", "cut in the head", "cut and packed"],
)
def test_damaged_files_are_refused(tmp_path, content, sentence) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=sentence):
        read_idx(path)


def test_a_missing_file_says_how_to_get_it(tmp_path) -> None:
    with pytest.raises(InputNotFoundError, match="chondria datasets fetch mnist"):
        read_idx(tmp_path / "none")

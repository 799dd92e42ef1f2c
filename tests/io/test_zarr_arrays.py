import json
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from chondria.errors import FormatError
from chondria.io import open_volume, save_volume, volume_format
from chondria.io.header import Grid
from chondria.io.recent import KEPT_BYTES
from chondria.io.zarr_arrays import choose_storage
from chondria.volume import Volume

VALUES = np.random.default_rng(5).integers(1, 60000, (5, 33, 47), np.uint16)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", [">u2", "<i4", ">f4"])
def test_foreign_arrays(tmp_path: Path, version: int, dtype: str) -> None:
    values = VALUES.astype(dtype)
    array = zarr.create_array(
        tmp_path / "v.zarr",
        shape=values.shape,
        dtype=dtype,
        chunks=(2, 16, 16),
        zarr_format=version,
        attributes={"resolution": [1, 2, 3], "voxel_size_nm": [50, 4, 5]},
    )
    array[:] = values
    volume = open_volume(tmp_path / "v.zarr")
    assert volume_format(tmp_path / "v.zarr") == "zarr"
    assert volume.dtype.isnative
    np.testing.assert_array_equal(volume.numpy(), VALUES)
    assert volume.voxel_size_nm == (50, 4, 5)


def test_resolution_is_no_voxel_size(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "v", data=VALUES, attributes={"resolution": [50, 4, 5]})
    assert open_volume(tmp_path / "v").voxel_size_nm is None


def test_wrong_voxel_size_attribute(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "v.zarr", data=VALUES, attributes={"voxel_size_nm": "five"})
    with pytest.raises(FormatError, match=r"in .*v\.zarr cannot be read; allowed is"):
        open_volume(tmp_path / "v.zarr")


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 3000), st.integers(1, 20000), st.integers(1, 20000)),
    st.sampled_from(["u1", "f4"]),
)
def test_storage_fits_the_volume_and_the_memory(shape, dtype) -> None:
    storage = choose_storage(Grid(shape, np.dtype(dtype)))
    for size, chunk, shard in zip(shape, storage.chunk, storage.shard, strict=True):
        assert shard % chunk == 0
        assert 1 <= chunk <= size
        assert shard < size + chunk
    slab = storage.shard[0] * shape[1] * shape[2] * np.dtype(dtype).itemsize
    # Chunks may stick out over the last slice.
    assert slab <= 2 * KEPT_BYTES or storage.shard[0] == 1


def test_storage_of_usual_shapes() -> None:
    def boxes(*shape: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        storage = choose_storage(Grid(shape, np.dtype("u1")))
        return storage.chunk, storage.shard

    assert boxes(1000, 1000, 1000) == ((64, 64, 64), (256, 256, 256))
    assert boxes(1, 4096, 4096) == ((1, 512, 512), (1, 2048, 2048))
    assert boxes(20, 1024, 1024) == ((20, 64, 64), (20, 256, 256))
    assert boxes(500, 8000, 8000) == ((4, 256, 256), (4, 1024, 1024))


def test_whole_volume_is_few_files(tmp_path: Path) -> None:
    volume = Volume(np.zeros((130, 300, 300), np.uint8), (5, 5, 5))
    path = save_volume(volume, tmp_path / "v.zarr", "zarr")
    files = [file for file in path.rglob("*") if file.is_file()]
    assert len(files) == 1 + 4
    assert json.loads((path / "zarr.json").read_text())["attributes"]["voxel_size_nm"] == [5, 5, 5]

"""Prediction: tiles equal the whole, sinks get what they ask for, failures are heard."""

import re
import threading

import numpy as np
import pytest
import torch
import zarr
from torch import nn

from chondria.errors import ModelError, SettingsError, ShapeError
from chondria.inference.compute import Compute
from chondria.inference.predict import predict
from chondria.inference.prediction_settings import PredictionSettings
from chondria.io.png import read_png
from chondria.networks.catalog import build_network


class SmallNet(nn.Module):
    """Two levels, stride 2; a block of 2 px sees 5 px beyond its ends."""

    stride_px = 2
    halo_px = 5
    values_per_px = 12

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Conv2d(1, 4, 3, padding=1)
        self.coarse = nn.Conv2d(4, 4, 3, padding=1)
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.head = nn.Conv2d(8, 1, 3, padding=1)
        self.dropout = nn.Dropout(0.5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        fine = torch.relu(self.fine(images))
        coarse = self.dropout(torch.relu(self.coarse(torch.max_pool2d(fine, 2))))
        return self.head(torch.cat([fine, self.up(coarse)], 1))


class OnePixel(nn.Module):
    """Logits are the input."""

    stride_px = 1
    halo_px = 0
    values_per_px = 1

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


@pytest.fixture
def small_net() -> nn.Module:
    torch.manual_seed(0)
    network = SmallNet()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)
    return network


def normalize(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype(np.float32) / 255 - 0.5) / 0.2


def volume(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def predicted(network, source, dtype=np.float32, progress=None, **settings) -> np.ndarray:
    sink = np.full(source.shape, 77, dtype)
    settings = PredictionSettings(**settings)
    predict(network, source, sink, normalize=normalize, settings=settings, progress=progress)
    return sink


@pytest.mark.parametrize("tile_px", [18, 24, 40, 64, 100])
@pytest.mark.parametrize("margin_px", [0, 5, 16])
def test_tiles_equal_the_whole(small_net, tile_px, margin_px) -> None:
    source = volume(3, 53, 71)
    whole = predicted(small_net, source, margin_px=margin_px)
    tiled = predicted(small_net, source, margin_px=margin_px, tile_px=tile_px)
    assert np.ptp(whole) > 0.5
    assert np.abs(tiled - whole).max() < 1e-5


@pytest.mark.parametrize("tile_px", [256, 512, 1024])
def test_usual_tiles_equal_the_whole(small_net, tile_px) -> None:
    source = volume(1, 701, 1101)
    whole = predicted(small_net, source)
    assert np.abs(predicted(small_net, source, tile_px=tile_px) - whole).max() < 1e-5


def test_a_halo_that_is_too_small_would_show(small_net, monkeypatch) -> None:
    source = volume(1, 53, 71)
    whole = predicted(small_net, source)
    monkeypatch.setattr(SmallNet, "halo_px", 2)
    assert np.abs(predicted(small_net, source, tile_px=24) - whole).max() > 1e-3


@pytest.mark.parametrize("margin_px", [0, 16])
def test_the_whole_is_the_network_on_the_mirrored_slice(small_net, margin_px) -> None:
    source = volume(2, 30, 41)
    # 41 is odd: one more mirrored pixel makes it a multiple of the network's stride.
    sides = ((0, 0), (margin_px, margin_px), (margin_px, margin_px + 1))
    padded = np.pad(source, sides, mode="reflect")
    with torch.inference_mode():
        logits = small_net.eval()(torch.from_numpy(normalize(padded))[:, None])
    y, x = (slice(margin_px, margin_px + n) for n in source.shape[1:])
    expected = torch.sigmoid(logits)[:, 0, y, x].numpy()
    found = predicted(small_net, source, margin_px=margin_px)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(("slices", "sizes"), [(8, {4}), (10, {2}), (9, {3}), (7, {4, 3})])
def test_batches_are_equal_where_that_is_cheap(small_net, slices, sizes) -> None:
    """A network that is compiled for its shape is then compiled once."""
    seen = set()
    hook = small_net.register_forward_pre_hook(lambda _, given: seen.add(len(given[0])))
    predicted(small_net, volume(slices, 24, 24), batch_px=4 * 24 * 24)
    hook.remove()
    assert seen == sizes


@pytest.mark.parametrize("batch_px", [1, 3000, 10**6])
def test_batches_do_not_matter(small_net, batch_px) -> None:
    source = volume(5, 40, 40)
    one = predicted(small_net, source, batch_px=1)
    many = predicted(small_net, source, batch_px=batch_px, tile_px=40)
    np.testing.assert_allclose(many, one, atol=1e-6)


@pytest.mark.parametrize("tile_px", [256, 304])
def test_tiles_of_the_true_network_equal_the_whole(tile_px) -> None:
    torch.manual_seed(1)
    network = build_network("unet", filters=4)
    source = volume(1, 301, 333)
    whole = predicted(network, source)
    tiled = predicted(network, source, tile_px=tile_px)
    assert np.ptp(whole) > 0.05
    assert np.abs(tiled - whole).max() < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("tile_px", [256, 512, 1024])
def test_tiles_of_a_real_slice_of_odd_size_equal_the_whole(data_folder, tile_px) -> None:
    torch.manual_seed(1)
    network = build_network("unet", filters=16)
    image = read_png(data_folder / "lucchi++" / "test" / "images" / "0080.png")
    source = image[None, 5:706, 11:1024]
    assert source.shape == (1, 701, 1013)
    difference = predicted(network, source, tile_px=tile_px) - predicted(network, source)
    assert np.abs(difference).max() < 1e-5


def test_uint8_is_255_times_the_probability(small_net) -> None:
    source = volume(2, 40, 50)
    bytes_ = predicted(small_net, source, dtype=np.uint8)
    np.testing.assert_array_equal(bytes_, np.rint(255 * predicted(small_net, source)))


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_from_zarr_to_zarr(small_net, dtype) -> None:
    array = volume(5, 40, 50)
    source = zarr.create_array({}, shape=array.shape, chunks=(2, 16, 16), dtype="uint8")
    source[:] = array
    # Chunks that tiles and slices share.
    sink = zarr.create_array({}, shape=array.shape, chunks=(4, 16, 16), dtype=dtype)
    settings = PredictionSettings(tile_px=32)
    predict(small_net, source, sink, normalize=normalize, settings=settings)
    expected = predicted(small_net, array, dtype=np.dtype(dtype), tile_px=32)
    np.testing.assert_array_equal(sink[:], expected)


def test_averaging_changes_nothing_for_a_network_that_sees_one_pixel() -> None:
    source = volume(2, 20, 33)
    averaged = predicted(OnePixel(), source, tta="d4")
    np.testing.assert_allclose(averaged, predicted(OnePixel(), source), atol=1e-6)
    np.testing.assert_allclose(averaged, 1 / (1 + np.exp(-normalize(source))), atol=1e-6)


def test_averaged_tiles_equal_the_averaged_whole(small_net) -> None:
    source = volume(1, 41, 62)
    whole = predicted(small_net, source, tta="d4")
    assert np.abs(whole - predicted(small_net, source)).max() > 1e-2
    assert np.abs(predicted(small_net, source, tta="d4", tile_px=32) - whole).max() < 1e-5


def test_averaged_prediction_turns_with_the_image(small_net) -> None:
    source = volume(1, 32, 48)
    turned = predicted(small_net, np.rot90(source, axes=(1, 2)), tta="d4")
    expected = np.rot90(predicted(small_net, source, tta="d4"), axes=(1, 2))
    np.testing.assert_allclose(turned, expected, atol=1e-6)


def test_bf16_is_near(small_net) -> None:
    source = volume(1, 40, 50)
    difference = predicted(small_net, source, compute=Compute(precision="bf16")) - predicted(
        small_net, source
    )
    assert 0 < np.abs(difference).max() < 0.05


def test_progress_counts_tiles_up_to_the_last(small_net) -> None:
    told = []
    predicted(small_net, volume(3, 40, 50), tile_px=32, progress=lambda *at: told.append(at))
    assert [total for _, total in told] == [told[-1][1]] * len(told)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]


def test_training_goes_on_as_before(small_net) -> None:
    small_net.train()
    first, second = (predicted(small_net, volume(1, 20, 20)) for _ in range(2))
    # Dropout was off while predicting.
    np.testing.assert_array_equal(first, second)
    assert small_net.training
    small_net(torch.zeros(1, 1, 8, 8)).sum().backward()
    assert all(parameter.grad is not None for parameter in small_net.parameters())


class Broken:
    """Reads until slice 2, or writes until slice 2."""

    shape, dtype = (20, 24, 24), np.dtype(np.uint8)

    def __getitem__(self, key):
        if key[0] >= 2:
            raise OSError("the disk is gone")
        return np.zeros(self.shape, self.dtype)[key]

    def __setitem__(self, key, value):
        self[key]


@pytest.mark.parametrize("broken", ["source", "sink"])
def test_a_failure_to_read_or_write_is_heard(small_net, broken) -> None:
    arrays = {"source": volume(*Broken.shape), "sink": volume(*Broken.shape), broken: Broken()}
    before = threading.active_count()
    settings = PredictionSettings(batch_px=1)
    with pytest.raises(OSError, match="the disk is gone"):
        predict(small_net, **arrays, normalize=normalize, settings=settings)
    assert threading.active_count() == before


def test_a_failure_to_compute_leaves_no_thread(small_net) -> None:
    def fails(*_):
        raise RuntimeError("out of memory")

    before = threading.active_count()
    small_net.register_forward_hook(fails)
    with pytest.raises(RuntimeError, match="out of memory"):
        predicted(small_net, volume(9, 24, 24), batch_px=1)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("sink", "error", "said"),
    [
        (np.zeros((2, 20, 21), np.float32), ShapeError, "(2, 20, 21)"),
        (np.zeros((2, 20, 20), np.uint16), SettingsError, "uint16"),
    ],
)
def test_a_sink_that_does_not_fit_is_refused(small_net, sink, error, said) -> None:
    with pytest.raises(error, match=re.escape(said)):
        predict(small_net, volume(2, 20, 20), sink, normalize=normalize)


def test_tiles_without_room_are_refused(small_net) -> None:
    with pytest.raises(SettingsError, match="at least 14 px"):
        predicted(small_net, volume(1, 50, 50), tile_px=12)


@pytest.mark.parametrize("settings", [{"tta": "flips"}, {"tta": None}])
def test_unknown_settings_are_refused(settings) -> None:
    with pytest.raises(SettingsError, match="allowed are"):
        PredictionSettings(**settings)


def test_a_network_that_is_none_is_refused(small_net) -> None:
    with pytest.raises(ModelError, match="without stride_px, halo_px, values_per_px"):
        predicted(nn.Conv2d(1, 1, 3, padding=1), volume(1, 20, 20))
    small_net.head = nn.Conv2d(8, 1, 3)
    with pytest.raises(ModelError, match="keep the shape"):
        predicted(small_net, volume(1, 20, 20))

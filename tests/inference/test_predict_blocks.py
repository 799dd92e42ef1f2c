"""Prediction in blocks of slices: the whole where a block sees enough, the mean elsewhere."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from chondria.errors import SettingsError, ShapeError
from chondria.inference.compute import Compute
from chondria.inference.predict_blocks import predict_blocks
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import choose_compute_for, predict_volume
from chondria.models import Model, ModelCard
from chondria.networks.catalog import build_network
from chondria.networks.network import Network
from chondria.volume import Volume


class Small(Network):
    """One level of 3-D convolutions, and a coarser one in the plane: sees `reach` slices."""

    dimensions = 3

    def __init__(self, reach: int = 1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.reach = reach
        depth = 2 * reach + 1
        self.fine = nn.Conv3d(1, 4, (depth, 3, 3), padding=(reach, 1, 1))
        self.coarse = nn.Conv3d(4, 4, (1, 3, 3), padding=(0, 1, 1))
        self.head = nn.Conv3d(8, 1, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.mul_(3)

    stride_px = 2
    halo_px = 4
    values_per_px = 16

    @property
    def halo_slices(self) -> int:
        return self.reach

    def forward(self, images: Tensor) -> Tensor:
        fine = torch.relu(self.fine(images))
        coarse = torch.relu(self.coarse(torch.max_pool3d(fine, (1, 2, 2))))
        return self.head(
            torch.cat([fine, coarse.repeat_interleave(2, 3).repeat_interleave(2, 4)], 1)
        )


def volume(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def normalize(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype(np.float32) / 255 - 0.5) / 0.2


def whole(network: Network, source: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        images = torch.from_numpy(normalize(source))[None, None]
        return torch.sigmoid(network.eval()(images))[0, 0].numpy()


def predicted(network, source, block_slices=8, dtype=np.float32, progress=None, **settings):
    sink = np.full(source.shape, 77, dtype)
    predict_blocks(
        network,
        source,
        sink,
        block_slices=block_slices,
        normalize=normalize,
        settings=PredictionSettings(**settings),
        progress=progress,
    )
    return sink


@pytest.mark.parametrize("block_slices", [2, 7, 8, 30])
@pytest.mark.parametrize("tile_px", [None, 24])
def test_a_network_that_sees_one_slice_gives_the_whole(block_slices, tile_px) -> None:
    source = volume(21, 30, 44)
    found = predicted(Small(reach=0), source, block_slices, tile_px=tile_px)
    expected = whole(Small(reach=0), source)
    assert np.ptp(expected) > 0.5
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_where_every_block_sees_enough_it_is_the_whole() -> None:
    source = volume(20, 24, 32)
    expected = whole(Small(), source)
    wrong = np.abs(predicted(Small(), source) - expected).max((1, 2)) > 1e-5
    # Blocks are 0-8, 4-12, 8-16 and 12-20; what lies at an end of one has seen zeros there.
    assert np.flatnonzero(wrong).tolist() == [4, 7, 8, 11, 12, 15]


@pytest.mark.parametrize("slices", [13, 16, 17, 20])
def test_elsewhere_it_is_the_mean_of_the_blocks(slices) -> None:
    source, network = volume(slices, 16, 16), Small(reach=3)
    starts = {13: (0, 2, 5), 16: (0, 4, 8), 17: (0, 3, 6, 9), 20: (0, 4, 8, 12)}[slices]
    total, count = np.zeros(source.shape), np.zeros((slices, 1, 1))
    for start in starts:
        total[start : start + 8] += whole(network, source[start : start + 8])
        count[start : start + 8] += 1
    np.testing.assert_allclose(predicted(network, source), total / count, atol=1e-5)


def test_a_shallow_volume_is_one_block() -> None:
    source = volume(5, 16, 16)
    found = predicted(Small(reach=3), source)
    np.testing.assert_allclose(found, whole(Small(reach=3), source), atol=1e-5)


def test_slices_are_mirrored_up_to_the_stride() -> None:
    network = build_network("unet3d", filters=[2, 3], pool_slices=[2], dropout=[0.0, 0.0])
    source = volume(5, 8, 8)
    mirrored = np.concatenate([source, source[3:4]])
    np.testing.assert_allclose(predicted(network, source), whole(network, mirrored)[:5], atol=1e-5)


@pytest.mark.parametrize("tta", ["none", "d4"])
def test_tiles_equal_whole_blocks(tta) -> None:
    source = volume(12, 53, 41)
    one = predicted(Small(), source, tta=tta)
    tiled = predicted(Small(), source, tta=tta, tile_px=24)
    assert np.ptp(one) > 0.5
    np.testing.assert_allclose(tiled, one, atol=1e-5)


def test_averaged_prediction_turns_with_the_image() -> None:
    source = volume(6, 16, 24)
    turned = predicted(Small(), np.rot90(source, axes=(1, 2)), tta="d4")
    expected = np.rot90(predicted(Small(), source, tta="d4"), axes=(1, 2))
    np.testing.assert_allclose(turned, expected, atol=1e-6)


def test_bytes_are_rounded_means_and_bf16_is_near() -> None:
    source = volume(12, 16, 16)
    floats = predicted(Small(), source)
    np.testing.assert_array_equal(predicted(Small(), source, dtype=np.uint8), np.rint(255 * floats))
    near = predicted(Small(), source, compute=Compute(precision="bf16"))
    assert 0 < np.abs(near - floats).max() < 0.1


class Watched:
    """A sink that notes which slices came, and how far reading was by then."""

    def __init__(self, shape) -> None:
        self.shape, self.dtype = shape, np.dtype(np.float32)
        self.order: list[int] = []

    def __setitem__(self, key, values) -> None:
        assert values.shape == self.shape[1:]
        self.order.append(key[0])


def test_slices_are_written_once_in_order_and_as_soon_as_they_are_done() -> None:
    sink, seen = Watched((20, 16, 16)), []
    predict_blocks(
        Small(),
        volume(20, 16, 16),
        sink,
        block_slices=8,
        normalize=normalize,
        settings=PredictionSettings(),
        progress=lambda *at: seen.append((*at, len(sink.order))),
    )
    assert sink.order == list(range(20))
    assert seen == [(1, 4, 4), (2, 4, 8), (3, 4, 12), (4, 4, 20)]


@pytest.mark.parametrize(
    ("compute", "sentence"),
    [
        (Compute(backend="openvino"), "backend openvino .* three-dimensional.*backend torch"),
        (Compute(backend="openvino", precision="int8"), "three-dimensional"),
    ],
)
def test_only_torch_computes_blocks(compute, sentence) -> None:
    with pytest.raises(SettingsError, match=sentence):
        predicted(Small(), volume(4, 8, 8), compute=compute)


# --- from a model ---


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    # Normalised by what its type holds, so that no slice changes how another is seen.
    card = ModelCard("blocks", "", "xiao", {"filters": [2, 3]}, (10.0, 10.0), "unit", 4)
    return Model(build_network("xiao", filters=[2, 3]).eval(), card)


def test_a_volume_is_predicted_in_blocks_of_the_training_s_depth(model) -> None:
    image = Volume(volume(9, 40, 48), (30.0, 5.0, 5.0))
    found = np.empty(image.shape, np.float32)
    predict_volume(model, image, found)
    assert found.min() >= 0
    assert found.max() <= 1
    # Not slice by slice, and no block knows of slices far away.
    changed = image.numpy().copy()
    changed[0] = 255 - changed[0]
    other = np.empty(image.shape, np.float32)
    predict_volume(model, image.with_data(changed), other)
    moved = np.abs(other - found).max((1, 2)) > 1e-6
    assert moved[:2].all()
    assert not moved[5:].any()


def test_a_single_slice_is_refused(model) -> None:
    image = Volume(volume(1, 16, 16), (30.0, 10.0, 10.0))
    with pytest.raises(ShapeError, match=r"single slice in cell\.tif.*'xiao' is three-dim.*2-D"):
        predict_volume(model, image, np.empty(image.shape), where="cell.tif")


def test_the_backend_is_torch_unless_another_is_asked_for(model) -> None:
    image = Volume(volume(300, 200, 200), (30.0, 10.0, 10.0))
    assert choose_compute_for(model, image, "cpu").backend == "torch"
    with pytest.raises(SettingsError, match="backend openvino"):
        choose_compute_for(model, image, "cpu", backend="openvino")
    with pytest.raises(SettingsError, match=r"precision int8 .* the precision bf16 or fp32"):
        choose_compute_for(model, image, "cpu", precision="int8")


def test_windows_are_blended_of_2d_networks_only(model) -> None:
    image = Volume(volume(4, 16, 16), (30.0, 10.0, 10.0))
    with pytest.raises(SettingsError, match="only 2-D networks see slices in windows"):
        predict_volume(
            model,
            image,
            np.empty(image.shape, np.float32),
            settings=PredictionSettings(blending="spline", window_px=16),
        )

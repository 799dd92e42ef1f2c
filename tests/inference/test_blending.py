"""The thesis's smooth blending beside its published definition, written down in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal.windows import triang
from torch import nn

from chondria.errors import SettingsError
from chondria.inference.blending import BlendedSlices, spline_window, window_grid
from chondria.inference.compute import Compute
from chondria.inference.predict import predict
from chondria.inference.prediction_settings import PredictionSettings
from chondria.networks.catalog import build_network


class BorderNet(nn.Module):
    """Sees 2 px beyond a pixel, zeros beyond its input, and left, right, up and down unlike."""

    stride_px = 2
    halo_px = 4
    values_per_px = 8

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1)
        )
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


class Constant(nn.Module):
    """Every pixel is as probable."""

    stride_px = 1
    halo_px = 0
    values_per_px = 1
    logit = 1.25

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.full_like(images, self.logit)


def normalize(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype(np.float32) / 255 - 0.5) / 0.2


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def predicted(network: nn.Module, source: np.ndarray, dtype=np.float32, **changes) -> np.ndarray:
    sink = np.full(source.shape, 77, dtype)
    how = PredictionSettings(**({"blending": "spline"} | changes))
    predict(network, source, sink, normalize=normalize, settings=how)
    return sink


# ------------------------------------------------------------ the definition


def published_window(size: int, power: int = 2) -> np.ndarray:
    quarter = size // 4
    outer = np.abs(2 * triang(size)) ** power / 2
    outer[quarter:-quarter] = 0
    inner = 1 - np.abs(2 * (triang(size) - 1)) ** power / 2
    inner[:quarter] = inner[-quarter:] = 0
    line = inner + outer
    return line / np.average(line)


def straightforward(network: nn.Module, image: np.ndarray, size: int) -> np.ndarray:
    """Eight whole padded images, one window after the other; everything in float64.

    The published code pads by half a window only; here every axis is padded to a multiple of it.
    """
    network, half = network.eval().double(), size // 2
    padded = np.pad(image, [(half, half + -n % half) for n in image.shape], mode="reflect")
    window = np.outer(published_window(size), published_window(size))
    views = []
    for flipped in (False, True):
        for turns in range(4):
            view = np.rot90(padded[:, ::-1] if flipped else padded, turns)
            total = np.zeros(view.shape)
            for y in range(0, view.shape[0] - size + 1, half):
                for x in range(0, view.shape[1] - size + 1, half):
                    patch = torch.from_numpy(view[y : y + size, x : x + size].copy())
                    with torch.inference_mode():
                        p = torch.sigmoid(network(patch[None, None]))[0, 0].numpy()
                    total[y : y + size, x : x + size] += p * window
            total = np.rot90(total / 4, -turns)
            views.append(total[:, ::-1] if flipped else total)
    network.float()
    return np.mean(views, 0)[half : half + image.shape[0], half : half + image.shape[1]]


@settings(max_examples=25)
@given(height=st.integers(1, 75), width=st.integers(1, 75), size=st.sampled_from([16, 32, 48]))
def test_blending_follows_its_definition(height: int, width: int, size: int) -> None:
    network, source = BorderNet(), noise(1, height, width)
    expected = straightforward(network, normalize(source[0]).astype(np.float64), size)
    found = predicted(network, source, window_px=size)[0]
    assert np.abs(found - expected).max() < 1e-5


@pytest.mark.parametrize("compute", [Compute(), Compute(backend="openvino")], ids=str)
def test_a_true_network_follows_the_definition_too(compute) -> None:
    if compute.backend == "openvino":
        pytest.importorskip("openvino")
    torch.manual_seed(1)
    network, source = build_network("unet", filters=4), noise(2, 30, 50)
    expected = [straightforward(network, normalize(s).astype(np.float64), 32) for s in source]
    found = predicted(network, source, window_px=32, compute=compute)
    assert np.ptp(found) > 0.02
    assert np.abs(found - np.array(expected)).max() < 1e-4


@pytest.mark.slow
def test_real_slices_follow_the_definition(data_folder) -> None:
    from chondria.io import open_volume
    from chondria.models import load_model

    network = load_model().network
    folder = data_folder / "lucchi++" / "test" / "images"
    # A part of odd sizes: 32 passes in float64 take their time.
    source = open_volume(folder).data[60:61, 331:444, 317:438]
    assert source.shape == (1, 113, 121)
    expected = [straightforward(network, normalize(s).astype(np.float64), 256) for s in source]
    found = predicted(network, source)
    assert np.ptp(found) > 0.5  # something is seen
    assert np.abs(found - np.array(expected)).max() < 1e-4


# -------------------------------------------------------------------- weights


@pytest.mark.parametrize("size", [16, 256, 320])
def test_the_window_is_the_published_one(size: int) -> None:
    np.testing.assert_allclose(spline_window(size), published_window(size), rtol=1e-14)
    halves = spline_window(size).reshape(2, -1).sum(0)
    np.testing.assert_allclose(halves, 2, rtol=1e-14)


@pytest.mark.parametrize("shape", [(1000, 777), (768, 1024), (1, 1), (100, 300), (129, 128)])
def test_weights_add_up_to_one_at_every_pixel(shape: tuple[int, int]) -> None:
    windows = window_grid(shape, 256)
    blended = BlendedSlices(np.empty((1, *shape), np.float32), windows)
    total, count = np.zeros(shape), np.zeros(shape, int)
    for window in windows:
        total[window.write] += blended.weights(window)
        count[window.write] += 1
    assert np.abs(total - 1).max() < 1e-6
    assert (count == 4).all()
    assert {window.read_shape for window in windows} == {(256, 256)}


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_a_constant_stays_constant(dtype: type) -> None:
    found = predicted(Constant(), noise(1, 1000, 777), dtype)
    probability = 1 / (1 + np.exp(-Constant.logit))
    if dtype == np.uint8:
        assert (found == round(255 * probability)).all()
    else:
        assert np.abs(found - probability).max() < 1e-6


def test_probabilities_never_leave_their_range(monkeypatch) -> None:
    monkeypatch.setattr(Constant, "logit", 50.0)
    found = predicted(Constant(), noise(1, 1000, 777))
    assert found.min() > 1 - 1e-6
    assert found.max() <= 1


# --------------------------------------------------------------------- stream


@pytest.mark.parametrize("batch_px", [1, 5 * 32 * 32, 10**6])
def test_batches_do_not_matter(batch_px: int) -> None:
    source = noise(3, 50, 40)
    one = predicted(BorderNet(), source, window_px=32, batch_px=1)
    many = predicted(BorderNet(), source, window_px=32, batch_px=batch_px)
    np.testing.assert_allclose(many, one, atol=1e-6)


def test_slices_come_whole_and_in_order() -> None:
    class Sink:
        shape, dtype = (4, 40, 50), np.dtype(np.float32)
        written: list[int] = []  # noqa: RUF012

        def __setitem__(self, key, value) -> None:
            assert value.shape == self.shape[1:]
            self.written.append(key[0])

    sink, told = Sink(), []
    how = PredictionSettings(blending="spline", window_px=32, batch_px=7 * 32 * 32)
    predict(
        BorderNet(),
        noise(*Sink.shape),
        sink,
        normalize=normalize,
        settings=how,
        progress=lambda *at: told.append(at),
    )
    assert Sink.written == [0, 1, 2, 3]
    assert told[-1] == (4 * 4 * 5, 4 * 4 * 5)


def test_averaging_is_part_of_blending() -> None:
    source = noise(1, 40, 50)
    plain, d4 = (predicted(BorderNet(), source, window_px=32, tta=tta) for tta in ("none", "d4"))
    np.testing.assert_array_equal(plain, d4)
    turned = predicted(BorderNet(), np.rot90(source, axes=(1, 2)), window_px=32)
    # 40 and 50 are no multiples of 16: the grid of the turned slice is another one.
    assert np.abs(turned - np.rot90(plain, axes=(1, 2))).max() > 1e-4
    source = noise(1, 48, 64)
    plain = predicted(BorderNet(), source, window_px=32)
    turned = predicted(BorderNet(), np.rot90(source, axes=(1, 2)), window_px=32)
    np.testing.assert_allclose(turned, np.rot90(plain, axes=(1, 2)), atol=1e-6)


def test_windows_that_cannot_be_halved_or_pooled_are_refused() -> None:
    for changes in ({"window_px": 250}, {"window_px": 0}, {"blending": "linear"}):
        with pytest.raises(SettingsError, match=r"multiple of 16|allowed are none and spline"):
            PredictionSettings(**changes)
    network = BorderNet()
    network.stride_px = 32
    with pytest.raises(SettingsError, match="of 48 px; their width must be a multiple of 32"):
        predicted(network, noise(1, 40, 40), window_px=48)

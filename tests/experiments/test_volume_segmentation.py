"""Every step of post-processing repairs on a phantom, visibly, the defect that it is for.

    python tests/experiments/test_volume_segmentation.py docs/images/postprocessing.png

draws the picture of docs/postprocessing.md; its blending is done by the model of the package.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter
from torch import nn

from chondria.config.experiment import Step
from chondria.data.phantom import Phantom, make_phantom
from chondria.experiments.labelling import label_volume
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import predict_volume
from chondria.models import Model, ModelCard
from chondria.networks.catalog import build_network
from chondria.postprocessing.filters import threshold, z_median, zy_median
from chondria.postprocessing.oztel import drop_spurious, refine_boundaries
from chondria.volume import Volume

# Found rightly, found by mistake, missed.
COLOURS = {"right": (90, 200, 130), "false": (255, 120, 0), "missed": (60, 110, 255)}
NAMED = {"threshold": 0.5, "z_median_nm": 0, "smallest_diameter_nm": 0, "largest_doubt": 0}


@dataclass(frozen=True)
class Repair:
    """One slice before and after a step, all (Y, X)."""

    image: np.ndarray
    truth: np.ndarray
    before: np.ndarray
    after: np.ndarray


# ---------------------------------------------------------------- the repairs


@cache
def phantom() -> Phantom:
    return make_phantom((9, 192, 240), (4.0, 4.0, 4.0), seed=11)


def segmented(probability: np.ndarray, **fields: object) -> np.ndarray:
    """The mask that a step of a recipe makes of probabilities, in the phantom's image."""
    step = Step(**(NAMED | {"name": "one"} | fields))
    settings = SegmentationSettings(**step.model_dump(exclude={"name"}))
    return label_volume(probability, phantom().image, settings)[0] > 0


def repair(probability: np.ndarray, **fields: object) -> Repair:
    """What a step makes of the middle slice, where the defect is."""
    image, truth = phantom().image.numpy(), phantom().labels.numpy() > 0
    before, after = segmented(probability), segmented(probability, **fields)
    return Repair(image[4], truth[4], before[4], after[4])


def flawless() -> np.ndarray:
    return np.where(phantom().labels.numpy() > 0, 235, 15).astype(np.uint8)


def repair_z() -> Repair:
    """A slice that the network saw through a fold."""
    probability = flawless()
    probability[4, 30:130, 30:200] = 255 - probability[4, 30:130, 30:200]
    return repair(probability, z_median_nm=36.0)


def repair_zy() -> Repair:
    """Scratches along rows, in two slices."""
    probability = flawless()
    for row in range(8, 190, 24):
        probability[4:6, row : row + 2] = 255 - probability[4:6, row : row + 2]
    return repair(probability, zy_median_px=5)


def repair_spurious() -> Repair:
    """Spots of a probability just above the threshold; one that touches an object stays."""
    probability = flawless()
    spots = gaussian_filter(np.random.default_rng(0).normal(size=probability.shape), (1, 4, 4))
    probability[(spots > 2 * spots.std()) & (probability < 128)] = 160
    return repair(probability, spurious_probability=0.8)


def repair_boundaries() -> Repair:
    """Outlines that lie 3 pixels outside."""
    truth = phantom().labels.numpy() > 0
    outside_px = np.stack([distance_transform_edt(~plane) for plane in truth])
    probability = np.where(outside_px <= 3, 235, 15).astype(np.uint8)
    return repair(probability, refine_boundaries_px=4)


def repair_border_effect(model: Model, image: Volume, window_px: int) -> Repair:
    """Windows side by side against blended ones; the truth is a prediction without any border."""

    def predicted(volume: Volume, **settings: object) -> np.ndarray:
        sink = np.empty(volume.shape, np.float32)
        predict_volume(model, volume, sink, settings=PredictionSettings(**settings))
        return sink > 0.5

    slices, height, width = image.shape
    assert slices == 1
    cut = (height // window_px, window_px, width // window_px, window_px)
    windows = image.numpy().reshape(cut).swapaxes(1, 2).reshape(-1, window_px, window_px)
    alone = predicted(Volume(windows, image.voxel_size_nm))
    before = alone.reshape(cut[0], cut[2], window_px, window_px).swapaxes(1, 2)
    return Repair(
        image.numpy()[0],
        predicted(image, margin_px=window_px)[0],
        before.reshape(height, width),
        predicted(image, blending="spline", window_px=window_px)[0],
    )


class WideNet(nn.Module):
    """Dark neighbourhoods of 25 px square are foreground; what is beyond a border is grey."""

    stride_px = 1
    halo_px = 12
    values_per_px = 2

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return -12 * nn.functional.avg_pool2d(images, 25, 1, 12) - 6


def repair_blending() -> Repair:
    card = ModelCard("wide", "dark is foreground", "unet", {}, pixel_size_nm=None)
    image = phantom().image
    part = Volume(image.numpy()[4:5, 64:, :192], image.voxel_size_nm)
    return repair_border_effect(Model(WideNet(), card), part, 64)


# --------------------------------------------------------------------- pictures


def painted(repair: Repair, mask: np.ndarray) -> np.ndarray:
    """The image, tinted where something was found or should have been, (Y, X, 3)."""
    picture = np.repeat(repair.image[..., None], 3, axis=2).astype(np.float32)
    for name, where in (
        ("right", mask & repair.truth),
        ("false", mask & ~repair.truth),
        ("missed", ~mask & repair.truth),
    ):
        picture[where] = 0.35 * picture[where] + 0.65 * np.array(COLOURS[name])
    return picture.round().astype(np.uint8)


def coloured_px(path: Path) -> tuple[int, int]:
    """How many pixels of a picture are painted as errors, and how many as right."""
    red, green, blue = np.moveaxis(np.asarray(Image.open(path)).astype(int), -1, 0)
    errors = (red - blue > 60) | (blue - red > 60)
    return int(errors.sum()), int(((green - red > 40) & ~errors).sum())


@pytest.mark.parametrize(
    ("repaired", "most_errors_left"),
    [
        (repair_blending, 0.35),
        (repair_z, 0.1),
        (repair_zy, 0.1),
        (repair_spurious, 0.05),
        (repair_boundaries, 0.35),
    ],
)
def test_a_step_repairs_its_defect_visibly(
    repaired: Callable[[], Repair], most_errors_left: float, tmp_path: Path
) -> None:
    found = repaired()
    for name, mask in (("before", found.before), ("after", found.after)):
        Image.fromarray(painted(found, mask)).save(tmp_path / f"{name}.png")
    (errors_before, right_before), (errors_after, right_after) = (
        coloured_px(tmp_path / f"{name}.png") for name in ("before", "after")
    )
    assert errors_before > 0.05 * found.truth.sum() > 50
    assert errors_after <= most_errors_left * errors_before
    assert right_after > 0.9 * max(right_before, found.truth.sum())


# ---------------------------------------------------------------------- wiring


def test_the_filters_come_in_the_published_order() -> None:
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.normal(size=phantom().image.shape), (0.5, 3, 3))
    probability = np.clip(flawless() + 90 * noise / noise.std(), 0, 255).astype(np.uint8)
    found = segmented(
        probability,
        spurious_probability=0.8,
        refine_boundaries_px=3,
        z_median_nm=12.0,
        zy_median_px=3,
    )
    mask = drop_spurious(threshold(probability, 0.5), probability, 0.8)
    expected = zy_median(z_median(refine_boundaries(mask, phantom().image.data, 3), 3), 3)
    np.testing.assert_array_equal(found, expected)
    other = refine_boundaries(z_median(mask, 3), phantom().image.data, 3)
    assert np.count_nonzero(found != zy_median(other, 3)) > 0


def test_touching_objects_are_separated_where_it_is_asked_for() -> None:
    z, y, x = np.mgrid[:9, :192, :240]
    balls = [(y - 90) ** 2 + (x - c) ** 2 < 45**2 for c in (75, 162)]  # 4 nm pixels; touch
    probability = np.where(balls[0] | balls[1], 230, 20).astype(np.uint8)
    for dimensions in (2, 3):
        counts = []
        for separate in (False, True):
            step = Step(**(NAMED | {"name": "one", "separate": separate}))
            settings = SegmentationSettings(
                **step.model_dump(exclude={"name"}), dimensions=dimensions
            )
            labels, confidence = label_volume(probability, phantom().image, settings)
            counts.append(int(labels.max()))
            assert confidence.mean_probability.size == counts[-1] + 1
        assert counts == ([9, 18] if dimensions == 2 else [1, 2])
    assert z.shape == probability.shape


def test_steps_that_are_off_change_nothing() -> None:
    probability = flawless()
    np.testing.assert_array_equal(segmented(probability), threshold(probability, 0.5))


def test_a_small_true_network_is_blended_through_the_settings() -> None:
    from chondria.experiments.volume_segmentation import segment_volume

    torch.manual_seed(0)
    network = build_network("unet", filters=2, levels=2, dropout=[0, 0, 0])
    model = Model(network.eval(), ModelCard("tiny", "", "unet", {}, pixel_size_nm=(8.0, 8.0)))
    image = phantom().image.with_data(phantom().image.numpy()[:2])
    settings = SegmentationSettings(
        threshold=0.5, blending="spline", window_px=32, device="cpu", precision="fp32"
    )
    found = segment_volume(model, image, settings)
    expected = np.empty(image.shape, np.uint8)
    how = PredictionSettings(blending="spline", window_px=32)
    predict_volume(model, image, expected, settings=how)
    assert found.probability.shape == image.shape
    assert np.abs(found.probability.numpy().astype(int) - expected).max() <= 1


def draw(path: Path) -> None:
    """Draw every step in a column: image and truth, before, after."""
    from matplotlib import pyplot

    from chondria.models import load_model

    neuropil = make_phantom((1, 192, 256), (8.0, 8.0, 8.0), seed=1).image
    columns = {
        "blending: spline": repair_border_effect(load_model(), neuropil, 64),
        "spurious_probability: 0.8": repair_spurious(),
        "refine_boundaries_px: 4": repair_boundaries(),
        "z_median_nm: 36": repair_z(),
        "zy_median_px: 5": repair_zy(),
    }
    figure, axes = pyplot.subplots(3, len(columns), figsize=(15, 7.6), layout="constrained")
    for column, (title, found) in enumerate(columns.items()):
        axes[0, column].set_title(title, family="monospace", fontsize=11)
        for row, mask in enumerate((found.truth, found.before, found.after)):
            axes[row, column].imshow(painted(found, mask)[:192, :240])
            axes[row, column].set(xticks=[], yticks=[])
            iou = (mask & found.truth).sum() / (mask | found.truth).sum()
            axes[row, column].set_xlabel("" if row == 0 else f"IoU {iou:.2f}")
    for row, said in enumerate(("wanted", "before", "after")):
        axes[row, 0].set_ylabel(said, fontsize=12)
    figure.savefig(path, dpi=72)


if __name__ == "__main__":
    import sys

    draw(Path(sys.argv[1]))

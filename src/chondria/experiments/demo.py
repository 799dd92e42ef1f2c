"""The job of `chondria demo`: phantom, segmentation, scores and a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from chondria.data.phantom import make_phantom
from chondria.data.phantom_style import PhantomStyle
from chondria.evaluation.sheet import MetricSheet, score
from chondria.experiments.reporting import record_scores, write_report
from chondria.experiments.run_folder import new_run_folder, write_json
from chondria.experiments.segmentation import segment
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.inference.device import choose_device
from chondria.io import save_volume
from chondria.models import Model
from chondria.report.overview import draw_overview

__all__ = ["Demo", "demo"]

SHAPE = (24, 512, 512)
VOXEL_SIZE_NM = (20.0, 5.0, 5.0)
# Textbook tissue, with neither pale mitochondria nor lysosomes: its score says that the
# installation works, not how well a model does on real images.
STYLE = replace(
    PhantomStyle.serial_section(),
    pale_fraction=0.0,
    dark_bodies_per_um3=0.0,
    mitochondrion_diameter_nm=(250.0, 500.0),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """Scores of the segmented phantom, its picture with the truth in green, and its report."""

    sheet: MetricSheet
    picture: Path
    page: Path


def demo(
    model: Model,
    folder: str | Path,
    *,
    seed: int = 7,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Demo:
    """Make a phantom, segment it and score the result.

    Parameters
    ----------
    model : Model
        See `chondria.models.load_model`.
    folder : str or Path
        A new folder: phantom/, segmentation/, scores.json and overview.png are left there.
    seed : int
        Of the phantom.
    device : str
        See `chondria.inference.device.choose_device`.
    progress : callable, optional
        Told how many tiles of how many are predicted.

    Returns
    -------
    Demo
        Scores, picture and report.

    Raises
    ------
    OutputExistsError
        If the folder holds files.
    DeviceError
        If there is no such device.
    """
    choose_device(device)  # a device that is not there is refused before any work
    with new_run_folder(folder) as run:
        phantom = make_phantom(SHAPE, VOXEL_SIZE_NM, seed=seed, style=STYLE)
        (run / "phantom").mkdir()
        image = save_volume(phantom.image, run / "phantom" / "image.tif")
        truth = save_volume(phantom.labels, run / "phantom" / "labels.tif")
        found = segment(
            model,
            phantom.image,
            run / "segmentation",
            SegmentationSettings(device=device),
            progress=progress,
            where=[image],
        )
        sheet = score(
            found.labels.numpy(),
            phantom.labels.numpy(),
            voxel_size_nm=VOXEL_SIZE_NM,
            prediction_is_instances=True,
            truth_is_instances=True,
        )
        iou = sheet.as_dict()["iou"]
        write_json(run / "scores.json", sheet.as_dict())
        record_scores(run / "segmentation", sheet, truth, truth_is_instances=True)
        page = write_report(run / "segmentation", phantom.image)
        picture = draw_overview(
            phantom.image,
            found.labels.data,
            run / "overview.png",
            truth=phantom.labels.data,
            title=f"phantom {seed}: found in colour, truth in green, IoU {iou:.3f}",
        )
        return Demo(sheet, picture, page)

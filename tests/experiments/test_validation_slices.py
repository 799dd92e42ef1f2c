"""Validation slices: gathered with their places in the data, kept whole or thinned, read back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chondria.data.normalize import Normalisation
from chondria.data.splits import Split
from chondria.data.training_volume import TrainingVolume
from chondria.errors import FormatError, InputNotFoundError
from chondria.evaluation.overlap import contingency_table
from chondria.evaluation.semantic import semantic_scores
from chondria.experiments import validation_slices
from chondria.experiments.validation_scores import score_table, scores_at, threshold_chart
from chondria.experiments.validation_slices import (
    FOLDER,
    ValidationSlices,
    gather_validation,
    keep_validation,
    kept_validation,
)
from chondria.experiments.validation_view import shown_validation
from chondria.models import ModelCard
from chondria.postprocessing.filters import threshold
from chondria.report.encoding import decode_runs

CARD = ModelCard(
    "x",
    "",
    "unet",
    {},
    pixel_size_nm=(10.0, 10.0),
    data=[
        {"name": "a", "voxel_size_nm": (50.0, 4.6, 4.6), "box_zyx": [[12, 20], [0, 9], [5, 9]]},
        {"name": "b"},
        {"name": "c", "voxel_size_nm": None},
    ],
)


def volume(name: str, train: list[int], validation: list[int]) -> TrainingVolume:
    draws = np.random.default_rng(len(name))
    images = draws.integers(0, 255, (8, 30, 40)).astype(np.uint8)
    masks = draws.random((8, 30, 40)) < 0.3
    return TrainingVolume.from_arrays(
        name, images, masks, Normalisation(128, 40), Split(train, validation)
    )


@pytest.fixture
def seen() -> list[ValidationSlices]:
    volumes = [volume("a", [0, 1], [4, 5, 7]), volume("b", [0], []), volume("c", [], [2, 3])]

    def predict(of: TrainingVolume) -> np.ndarray:
        draws = np.random.default_rng(1)
        true = of.masks[list(of.split.validation)].numpy() > 0
        noise = draws.integers(0, 140, true.shape) + 115 * true
        return noise.astype(np.uint8)

    return gather_validation(volumes, CARD, predict)


def test_slices_know_their_places(seen: list[ValidationSlices]) -> None:
    a, c = seen
    assert (a.name, a.z, a.voxel_size_nm) == ("a", [16, 17, 19], (50.0, 10.0, 10.0))
    assert (c.name, c.z, c.voxel_size_nm) == ("c", [2, 3], None)
    assert not a.are_neighbours
    assert c.are_neighbours
    expected = volume("a", [0, 1], [4, 5, 7])
    np.testing.assert_array_equal(a.image, expected.images[[4, 5, 7]])
    np.testing.assert_array_equal(a.truth, expected.masks[[4, 5, 7]] > 0)


def test_what_is_kept_is_read_back(seen: list[ValidationSlices], tmp_path: Path) -> None:
    keep_validation(tmp_path, seen)
    keep_validation(tmp_path, seen)  # a training that was resumed at its end
    for kept, was in zip(kept_validation(tmp_path), seen, strict=True):
        assert (kept.name, kept.z, kept.every_z) == (was.name, was.z, was.z)
        assert kept.voxel_size_nm == was.voxel_size_nm
        for layer in ("image", "truth", "probability"):
            np.testing.assert_array_equal(getattr(kept, layer).numpy(), getattr(was, layer))


def test_scores_are_those_of_the_mask(seen: list[ValidationSlices], tmp_path: Path) -> None:
    keep_validation(tmp_path, seen)
    kept = kept_validation(tmp_path)
    for at in (0.02, 0.3, 0.5, 0.55, 0.98):
        found = threshold(seen[0].probability, at)
        expected = semantic_scores(contingency_table(found.astype(int), seen[0].truth.astype(int)))
        assert scores_at(kept[0].counts, at) == expected
    table = score_table(kept, 0.5, {"iou_a": 0.25, "validation_iou": 0.5})
    assert table.column("data set") == ["a", "c", "mean"]
    assert table.column("iou in training, at 0.5") == [0.25, None, 0.5]
    assert table.column("iou")[2] == pytest.approx(sum(table.column("iou")[:2]) / 2)
    chart = threshold_chart(kept, 0.41)
    assert chart.x == sorted(chart.x)
    at = list(chart.x).index(0.41)
    assert chart.lines["a"][at] == scores_at(kept[0].counts, 0.41).iou
    assert list(chart.lines) == ["a", "c", "mean"]
    assert list(threshold_chart(kept[:1], 0.5).lines) == ["a"]


def test_errors_are_shown_by_their_kind(seen: list[ValidationSlices], tmp_path: Path) -> None:
    keep_validation(tmp_path, seen)
    a, c = shown_validation(kept_validation(tmp_path), 0.5, 10**6)
    assert (a.name, list(a.z or ()), c.voxel_size_nm) == ("a", [16, 17, 19], None)
    found, truth = threshold(seen[0].probability[1], 0.5), seen[0].truth[1]
    errors = decode_runs(a.slices.texts["errors"][1], truth.shape)
    np.testing.assert_array_equal(errors, 1 * (found & ~truth) + 2 * (truth & ~found))
    shown = decode_runs(a.slices.texts["truth"][1], truth.shape)
    np.testing.assert_array_equal(shown, truth)
    assert a.slices.nbytes + c.slices.nbytes < 10**6
    assert shown_validation([], 0.5, 10**6) == []


def test_nothing_wrong_is_no_error(seen: list[ValidationSlices], tmp_path: Path) -> None:
    perfect = replace(seen[1], probability=seen[1].truth * np.uint8(255))
    empty = np.zeros_like(seen[0].truth)
    nothing = replace(seen[0], truth=empty, probability=empty * np.uint8(255))
    keep_validation(tmp_path, [perfect, nothing])
    kept = kept_validation(tmp_path)
    assert score_table(kept, 0.5, {}).column("iou") == [1, 1, 1]
    for volume in shown_validation(kept, 0.5, 10**6):
        assert set(volume.slices.texts["errors"]) == {""}


def test_very_many_slices_are_thinned(
    seen: list[ValidationSlices], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(validation_slices, "MOST_VOXELS", 3 * 30 * 40)
    keep_validation(tmp_path, seen)
    a, c = kept_validation(tmp_path)
    assert (a.z, a.every_z, c.z, c.every_z) == ([16, 19], [16, 17, 19], [2], [2, 3])
    assert a.image.shape == (2, 30, 40)
    assert a.counts.pixels == 3 * 30 * 40


def test_none_and_damage(seen: list[ValidationSlices], tmp_path: Path) -> None:
    keep_validation(tmp_path, [])
    assert not any(tmp_path.iterdir())
    assert kept_validation(tmp_path) == []
    keep_validation(tmp_path, seen)
    (tmp_path / FOLDER / "1-image.tif").unlink()
    with pytest.raises(InputNotFoundError, match="1-image"):
        kept_validation(tmp_path)
    (tmp_path / FOLDER / "slices.json").write_text('{"volumes": [{"name": "a"}]}')
    with pytest.raises(FormatError, match="slices"):
        kept_validation(tmp_path)

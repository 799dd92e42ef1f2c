"""Every metric against an independent implementation, on random label volumes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from chondria.evaluation.boundary import boundary_distances
from chondria.evaluation.detection import detection_per_slice, detection_score
from chondria.evaluation.instance import (
    AP_THRESHOLDS,
    instance_scores,
    mean_average_precision,
    panoptic_quality,
)
from chondria.evaluation.overlap import contingency_table
from chondria.evaluation.partition import adapted_rand, variation_of_information
from chondria.evaluation.semantic import semantic_scores, tile_ious

Labels = NDArray[np.uint16]
Pair = tuple[Labels, Labels]
NOTHING = np.zeros((2, 3, 4), np.uint16)
ONE = np.pad(np.ones((1, 1, 2), np.uint16), ((0, 1), (1, 1), (1, 1)))

oracle_settings = settings(max_examples=200, deadline=None)


@st.composite
def boxes(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[slice, ...]:
    starts = [draw(st.integers(0, size - 1)) for size in shape]
    return tuple(slice(start, start + draw(st.integers(1, 6))) for start in starts)


@st.composite
def label_pairs(draw: st.DrawFn, most_slices: int = 6) -> Pair:
    """Up to six boxes of truth; the prediction is the truth repainted, or painted afresh."""
    shape = draw(st.tuples(st.integers(1, most_slices), st.integers(1, 12), st.integers(1, 12)))
    truth = np.zeros(shape, np.uint16)
    for _ in range(draw(st.integers(0, 6))):
        truth[draw(boxes(shape))] = draw(st.sampled_from([1, 2, 3, 4, 5, 700]))
    prediction = truth.copy() if draw(st.booleans()) else np.zeros(shape, np.uint16)
    for _ in range(draw(st.integers(0, 6))):
        prediction[draw(boxes(shape))] = draw(st.sampled_from([0, 1, 2, 3, 4, 9, 300]))
    return prediction, truth


def both_and_one_empty(test):
    for pair in [(NOTHING, NOTHING), (ONE, np.zeros_like(ONE)), (np.zeros_like(ONE), ONE)]:
        test = example(pair=pair)(test)
    return test


def same(value: float, oracle: float) -> bool:
    return value == pytest.approx(oracle, rel=1e-9, abs=1e-9)


# ---------------------------------------------------------------- overlap: scikit-image


@both_and_one_empty
@oracle_settings
@given(pair=label_pairs())
def test_contingency_table_agrees_with_scikit_image(pair: Pair) -> None:
    from skimage.metrics import contingency_table as skimage_table

    prediction, truth = pair
    dense = skimage_table(truth, prediction, sparse_type="array").toarray()
    true_ids, predicted_ids = np.nonzero(dense)
    table = contingency_table(prediction, truth)
    ours = dict(
        zip(zip(table.true_ids, table.predicted_ids, strict=True), table.voxels, strict=True)
    )
    pairs = zip(true_ids, predicted_ids, strict=True)
    assert ours == {(t, p): dense[t, p] for t, p in pairs}


# ---------------------------------------------------------------- semantic: scikit-learn


@both_and_one_empty
@oracle_settings
@given(pair=label_pairs())
def test_semantic_scores_agree_with_scikit_learn(pair: Pair) -> None:
    from sklearn import metrics

    prediction, truth = pair
    p, t = prediction.ravel() > 0, truth.ravel() > 0
    ours = semantic_scores(contingency_table(prediction, truth))
    perfect = bool((p == t).all())
    convention = {"zero_division": 1.0 if perfect else 0.0}
    ious = metrics.jaccard_score(t, p, labels=[False, True], average=None, **convention)
    assert same(ours.iou, ious[1])
    assert same(ours.voc, ious.mean())
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        t, p, average="binary", **convention
    )
    assert same(ours.precision, precision)
    assert same(ours.recall, recall)
    assert same(ours.dice, f1)
    assert same(ours.accuracy, metrics.accuracy_score(t, p))


@oracle_settings
@given(pair=label_pairs(), tile_px=st.integers(2, 13))
def test_tile_ious_agree_with_padded_tiles_one_by_one(pair: Pair, tile_px: int) -> None:
    prediction, truth = (labels > 0 for labels in pair)
    margin = [(0, 0)] + [(0, -size % tile_px) for size in truth.shape[1:]]
    padded_p, padded_t = np.pad(prediction, margin), np.pad(truth, margin)
    ious = tile_ious(prediction, truth, tile_px=tile_px)
    for (z, row, column), iou in np.ndenumerate(ious):
        y, x = row * tile_px, column * tile_px
        tile = (z, slice(y, y + tile_px), slice(x, x + tile_px))
        p, t = padded_p[tile].ravel(), padded_t[tile].ravel()
        assert p.size == tile_px**2
        if (p | t).any():
            assert same(iou, (p & t).sum() / (p | t).sum())
        else:
            assert np.isnan(iou)


# ---------------------------------------------------------------- detection: py-ctcmetrics


def ctc_counts(frames: list[Pair]) -> dict[str, int]:
    """Operations by py-ctcmetrics, which reads files that exist and wants background in each."""
    from ctc_metrics.utils import representations

    results = []
    with pytest.MonkeyPatch.context() as patch:
        for prediction, truth in frames:
            files = {".": np.pad(truth, 1), "..": np.pad(prediction, 1)}
            patch.setattr(representations.tiff, "imread", files.__getitem__)
            results.append(representations.match(".", "..")[:4])
    columns = map(list, zip(*results, strict=True))
    return representations.count_acyclic_graph_correction_operations(None, None, *columns)


@oracle_settings
@given(pair=label_pairs())
def test_det_agrees_with_py_ctcmetrics(pair: Pair) -> None:
    from ctc_metrics.metrics import det

    ours = detection_score(contingency_table(*pair))
    if not pair[1].any() or not pair[0].any():  # the peer divides by zero or stops
        assert ours.det == float(not pair[0].any() and not pair[1].any())
        return
    theirs = ctc_counts([pair])
    assert (ours.splits, ours.false_negatives, ours.false_positives) == (
        theirs["NS"],
        theirs["FN"],
        theirs["FP"],
    )
    assert same(ours.det, det(**theirs))


@oracle_settings
@given(pair=label_pairs(most_slices=3))
def test_det_per_slice_agrees_with_py_ctcmetrics(pair: Pair) -> None:
    from ctc_metrics.metrics import det
    from skimage.measure import label

    frames = [
        (label(p, connectivity=2), label(t, connectivity=2)) for p, t in zip(*pair, strict=True)
    ]
    frames = [(p.astype(np.uint16), t.astype(np.uint16)) for p, t in frames]
    ours = detection_per_slice(*pair)
    if pair[1].any() and pair[0].any():
        assert same(ours.det, det(**ctc_counts(frames)))


# ---------------------------------------------------------------- instances: SciPy, StarDist's rule


def iou_matrix(prediction: Labels, truth: Labels) -> NDArray[np.float64]:
    """IoU of every true (row) and predicted object (column), one mask at a time."""
    true = [truth == i for i in np.unique(truth[truth > 0])]
    predicted = [prediction == i for i in np.unique(prediction[prediction > 0])]
    ious = [[(t & p).sum() / (t | p).sum() for p in predicted] for t in true]
    return np.array(ious, float).reshape(len(true), len(predicted))


def stardist_matching(ious: NDArray[np.float64], threshold: float) -> tuple[int, float]:
    """True positives and summed IoU by the assignment that StarDist's matching.py describes."""
    if not ious.size or not (ious >= threshold).any():
        return 0, 0.0
    shorter = min(ious.shape)
    chosen = linear_sum_assignment((ious >= threshold) + ious / (2 * shorter), maximize=True)
    matched = ious[chosen][ious[chosen] >= threshold]
    return matched.size, float(matched.sum())


@both_and_one_empty
@oracle_settings
@given(pair=label_pairs())
def test_instance_scores_agree_with_an_optimal_assignment(pair: Pair) -> None:
    table, ious = contingency_table(*pair), iou_matrix(*pair)
    n_true, n_predicted = ious.shape
    average_precisions = []
    for threshold in (0.1, 0.3, *AP_THRESHOLDS, 1.0):
        tp, summed = stardist_matching(ious, threshold)
        ours = instance_scores(table, threshold)
        assert ours.true_positives == tp
        assert ours.true_positives + ours.false_negatives == n_true
        assert ours.true_positives + ours.false_positives == n_predicted
        union = n_true + n_predicted - tp
        average_precision = tp / union if union else 1.0
        average_precisions.append(average_precision)
        assert same(ours.average_precision, average_precision)
        assert same(ours.f1, 2 * tp / (n_true + n_predicted) if union else 1.0)
        if threshold >= 0.5:
            assert same(ours.matched_iou, summed)
    assert same(mean_average_precision(table), float(np.mean(average_precisions[2:-1])))


@oracle_settings
@given(pair=label_pairs(), threshold=st.floats(0.01, 1.0))
def test_no_matching_is_larger(pair: Pair, threshold: float) -> None:
    candidates = csr_array((iou_matrix(*pair) >= threshold).astype(int))
    most = (maximum_bipartite_matching(candidates) >= 0).sum() if candidates.nnz else 0
    assert instance_scores(contingency_table(*pair), threshold).true_positives == most


@both_and_one_empty
@oracle_settings
@given(pair=label_pairs())
def test_panoptic_quality_follows_its_definition(pair: Pair) -> None:
    ious = iou_matrix(*pair)
    matched = ious[ious > 0.5]
    unmatched = sum(ious.shape) - 2 * matched.size
    ours = panoptic_quality(contingency_table(*pair))
    if sum(ious.shape) == 0:
        assert ours.panoptic_quality == 1.0
    else:
        assert same(ours.panoptic_quality, matched.sum() / (matched.size + unmatched / 2))
    product = ours.segmentation_quality * ours.recognition_quality
    assert same(ours.panoptic_quality, product)


# ---------------------------------------------------------------- partitions: scikit-image


@both_and_one_empty
@oracle_settings
@given(pair=label_pairs())
def test_variation_of_information_agrees_with_scikit_image(pair: Pair) -> None:
    from skimage.metrics import variation_of_information as skimage_information

    prediction, truth = pair
    table = contingency_table(prediction, truth)
    split, merge = skimage_information(truth, prediction)
    ours = variation_of_information(table)
    assert same(ours.split, split)
    assert same(ours.merge, merge)
    if truth.any():
        split, merge = skimage_information(truth, prediction, ignore_labels=[0])
        ours = variation_of_information(table, ignore_true_background=True)
        assert same(ours.split, split)
        assert same(ours.merge, merge)


@oracle_settings
@given(pair=label_pairs())
def test_adapted_rand_agrees_with_scikit_image(pair: Pair) -> None:
    from skimage.metrics import adapted_rand_error

    prediction, truth = pair
    table = contingency_table(prediction, truth)
    for ignored in ((), (0,)):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            # The peer's "precision" divides by the pairs of its first image.
            error, recall, precision = adapted_rand_error(truth, prediction, ignore_labels=ignored)
        ours = adapted_rand(table, ignore_true_background=bool(ignored))
        for value, oracle in [
            (ours.error, error),
            (ours.precision, precision),
            (ours.recall, recall),
        ]:
            assert np.isnan(oracle) or same(value, oracle)


# ---------------------------------------------------------------- boundaries: SciPy


@oracle_settings
@given(pair=label_pairs(), voxel_size_nm=st.tuples(*[st.sampled_from([4.0, 5.0, 30.0])] * 3))
def test_boundary_distances_agree_with_a_distance_transform(
    pair: Pair, voxel_size_nm: tuple[float, float, float]
) -> None:
    def boundary(labels: Labels) -> NDArray[np.bool_]:
        return (labels > 0) & ~ndimage.binary_erosion(labels > 0, border_value=1)

    edges = [boundary(labels) for labels in pair]
    ours = boundary_distances(*(labels > 0 for labels in pair), voxel_size_nm)
    if not edges[0].any() or not edges[1].any():
        expected = 0.0 if edges[0].any() == edges[1].any() else None
        assert ours.hausdorff95_nm == ours.mean_distance_nm == expected
        return
    maps = [ndimage.distance_transform_edt(~edge, sampling=voxel_size_nm) for edge in edges]
    there, back = maps[1][edges[0]], maps[0][edges[1]]
    assert same(ours.hausdorff95_nm, max(np.percentile(there, 95), np.percentile(back, 95)))
    assert same(ours.mean_distance_nm, np.concatenate([there, back]).mean())

"""From the files of a training to what its page shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from chondria.experiments.report_content import LARGEST_BYTES, SPARE_BYTES
from chondria.experiments.report_facts import SOFTWARE, fact_table, grouped_facts
from chondria.experiments.training_reading import TrainingContents
from chondria.experiments.trust_reports import calibration_report
from chondria.experiments.validation_scores import score_table, threshold_chart
from chondria.experiments.validation_view import shown_validation
from chondria.models import Model, ModelCard
from chondria.report.content import Figure, PlainTable
from chondria.report.learning_curves import counted_in, learning_curves
from chondria.report.markup import said
from chondria.report.training_methods import TrainedModel, write_training_methods
from chondria.report.training_page import TrainingContent
from chondria.trust.record import TrustRecord

__all__ = ["model_facts", "postprocessing_facts", "training_content"]

GROUPS = {
    "Computation": ("device", "precision", "seed", "steps", "best_step"),
    "Software": SOFTWARE,
}
OF_MODEL = ("name", "description", "network", "options", "pixel_size_nm", "normalisation")
OF_USE = ("patch_slices", "boundary_nm", "chondria", "terms")
POSTPROCESSING = ("threshold", "z_median_nm", "smallest_diameter_nm", "largest_doubt")


def training_content(contents: TrainingContents, notes: Sequence[str] = ()) -> TrainingContent:
    """Gather what the page of a training shows.

    Parameters
    ----------
    contents : TrainingContents
        Read from its run folder.
    notes : sequence of str
        What the reader must know first.

    Returns
    -------
    TrainingContent
        With validation slices that leave the page below `LARGEST_BYTES`.
    """
    card, record = contents.model.card, contents.record
    trust = TrustRecord.from_dict(card.trust) if card.trust else None
    calibration = {} if trust is None else calibration_report(trust)
    trained = TrainedModel(contents.recipe, record, contents.model.parameters, calibration)
    methods = write_training_methods(trained)
    seen = contents.validation
    return TrainingContent(
        title=f"Training of {card.name}",
        subtitle=_subtitle(contents),
        figures=list(_figures(contents, calibration)),
        notes=[*_notes(contents), *notes],
        curves=learning_curves(contents.rows, counted_in(card.network), record.get("best_step")),
        history=contents.history,
        volumes=shown_validation(seen, card.threshold, LARGEST_BYTES - SPARE_BYTES),
        scores=score_table(seen, card.threshold, contents.at_best) if seen else None,
        scores_note=_scores_note(card.threshold),
        threshold=threshold_chart(seen, card.threshold) if seen else None,
        threshold_note=_threshold_note(contents),
        postprocessing=postprocessing_facts(card),
        calibration=calibration,
        errors={"sentences": [trust.tally.sentence()]} if trust and trust.tally else {},
        data=_data(contents),
        recipe=contents.recipe_text,
        model=model_facts(contents.model),
        methods=methods.paragraphs,
        references=methods.references,
        facts={k: v for k, v in grouped_facts(record, GROUPS).items() if v.rows},
    )


def _subtitle(contents: TrainingContents) -> str:
    card, record = contents.model.card, contents.record
    sets = dict.fromkeys(
        str(entry["name"]) for entry in card.data if entry.get("used_for") != "validation"
    )
    parts = [
        card.description,
        f"{card.network} of {contents.model.parameters:,} parameters",
        f"learned from {', '.join(sets)}" if sets else "",
        str(record.get("started", ""))[:10],
    ]
    return " · ".join(part for part in parts if part)


def _figures(contents: TrainingContents, calibration: Mapping[str, Any]) -> Iterator[Figure]:
    best, record = contents.at_best, contents.record
    if "validation_iou" in best:
        yield Figure(f"{best['validation_iou']:.3f}", "", "validation IoU")
        yield Figure(said(best["validation_loss"]), "", "validation loss")
    yield Figure(said(best["train_loss"]), "", "training loss")
    counted = counted_in(contents.model.card.network)
    yield Figure(str(record.get("best_step", "")), f"of {record.get('steps')}", f"{counted} kept")
    yield Figure(f"{contents.model.card.threshold:g}", "", "threshold")
    errors = [
        f"{curve['expected_calibration_error']:.4f}"
        for curve in calibration.get("curves", ())
        if curve["name"] == "voxels"
    ]
    if errors:
        yield Figure(errors[-1], f"from {errors[0]}", "calibration error of voxels")
    seconds = [row["seconds"] for row in contents.rows if "seconds" in row]
    if seconds and seconds == sorted(seconds):  # they begin anew in a run that was resumed
        yield Figure(said(round(seconds[-1] / 60, 1)), "min", "time")


def _notes(contents: TrainingContents) -> Iterator[str]:
    if not any("validation_iou" in row for row in contents.rows):
        yield "Nothing was held out, so this page has no validation; the last weights were kept."
    elif not contents.validation:
        yield "The run folder keeps no validation slices, so none are shown."
    for volume in contents.validation:
        if len(volume.z) < len(volume.every_z):
            yield (
                f"{len(volume.z)} of the {len(volume.every_z)} validation slices of {volume.name} "
                "were kept to be looked at, evenly spread; scores are of all."
            )


def _scores_note(threshold: float) -> str:
    return (
        "Of the validation slices at the model's pixel size, each data set as one whole; "
        f"voxels of a probability above {threshold:g} are foreground, before any other "
        "post-processing. These slices chose the weights, so scores on new data are lower."
    )


def _threshold_note(contents: TrainingContents) -> str:
    if contents.recipe["training"].get("search_threshold"):
        return "The threshold with the highest mean IoU on the validation slices was taken."
    return "Threshold and filters are those of the recipe; chondria segment uses them by default."


def _data(contents: TrainingContents) -> PlainTable | None:
    """List what was learned from and chosen on, with its files and hashes."""
    sets = {one["name"]: one for one in contents.recipe.get("data", {}).get("sets") or ()}
    rows = [
        {
            "name": entry.get("name"),
            "used for": entry.get("used_for", "training"),
            "slices": entry.get("slices"),
            "voxel_size_nm": _crossed(entry.get("voxel_size_nm")),
            "box (z, y, x)": _box(entry.get("box_zyx")),
            "images": sets.get(entry.get("name"), {}).get("images"),
            "masks": sets.get(entry.get("name"), {}).get("masks"),
            "images_sha256": entry.get("images_sha256"),
            "masks_sha256": entry.get("masks_sha256"),
            "seed": entry.get("seed"),
        }
        for entry in _entries(contents)
    ]
    known = [name for name in (rows[0] if rows else ()) if any(row[name] for row in rows)]
    return PlainTable(known, [[row[name] for name in known] for row in rows]) if rows else None


def _entries(contents: TrainingContents) -> Iterator[Mapping[str, Any]]:
    """Give the record of each volume; validation along z shares the volume of training."""
    held = {volume.name: volume.every_z for volume in contents.validation}
    entries = contents.record.get("data", ())
    named = {entry["name"] for entry in entries if entry.get("used_for") == "validation"}
    for entry in entries:
        yield entry
        if (z := held.get(entry["name"])) and entry["name"] not in named:
            slices = f"{z[0]}-{z[-1]} ({len(z)})"
            yield {**entry, "used_for": "validation", "slices": slices}


def _crossed(values: Sequence[float] | None) -> str | None:
    return " × ".join(f"{value:g}" for value in values) if values else None


def _box(sides: Sequence[Sequence[int]] | None) -> str | None:
    return ", ".join(f"{start}–{stop - 1}" for start, stop in sides) if sides else None


def postprocessing_facts(card: ModelCard) -> PlainTable:
    """Show the threshold and the filters that a card has."""
    return fact_table({name: getattr(card, name) for name in POSTPROCESSING})


def model_facts(model: Model) -> dict[str, PlainTable]:
    """Show the card of a model that is a file, by heading, and the file's hash and size."""
    card, path = model.card, Path(model.source)
    file: dict[str, Any] = {"file": path.name, "weights_sha256": model.weights_sha256}
    file |= {"megabytes": path.stat().st_size / 1e6, "parameters": model.parameters}
    groups = {
        "Card": fact_table({name: getattr(card, name) for name in OF_MODEL + OF_USE}),
        "Figures": fact_table(card.validation),
        "File": fact_table(file),
        "Citations": fact_table({f"{i}": text for i, text in enumerate(card.citations, start=1)}),
    }
    return {group: table for group, table in groups.items() if table.rows}

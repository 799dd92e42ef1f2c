"""What the run folder of a training holds, read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chondria.errors import FormatError, InputNotFoundError
from chondria.experiments.run_reading import read_json, read_table
from chondria.experiments.validation_slices import KeptSlices, kept_validation
from chondria.models import Model, load_model
from chondria.report.content import PlainTable

__all__ = ["TrainingContents", "read_training"]

FILES = ("recipe.yaml", "run.json", "history.csv", "model.safetensors")


@dataclass(frozen=True, eq=False, slots=True)
class TrainingContents:
    """A run folder's files.

    Attributes
    ----------
    folder : Path
        Where it is.
    record : dict
        run.json.
    recipe_text : str
        recipe.yaml.
    recipe : dict
        What that says.
    history : PlainTable
        history.csv.
    model : Model
        model.safetensors.
    validation : list of KeptSlices
        Validation slices; empty where nothing was held out.
    """

    folder: Path
    record: dict[str, Any]
    recipe_text: str
    recipe: dict[str, Any]
    history: PlainTable
    model: Model
    validation: list[KeptSlices]

    @property
    def rows(self) -> list[dict[str, float]]:
        """The history by rows."""
        names = self.history.names
        return [
            {name: float(v) for name, v in zip(names, row, strict=True) if v is not None}
            for row in self.history.rows
        ]

    @property
    def at_best(self) -> dict[str, float]:
        """The row of the history whose weights were kept."""
        best = self.record.get("best_step")
        return next((row for row in self.rows if row["step"] == best), self.rows[-1])


def read_training(folder: str | Path) -> TrainingContents:
    """Read the run folder of a training.

    Raises
    ------
    InputNotFoundError
        If there is no finished training in it.
    FormatError
        If a file in it is damaged.
    ModelError
        If the model is.
    """
    run = Path(folder)
    for name in FILES:
        if not (run / name).is_file():
            raise InputNotFoundError(
                f"There is no {name} in '{run}', so it is no finished training; go on with it "
                "(--resume), or give the folder of one that is."
            )
    text = (run / "recipe.yaml").read_text(encoding="utf-8")
    history = read_table(run / "history.csv")
    if not history.rows or "step" not in history.names:
        raise FormatError(
            f"Found no steps in '{run / 'history.csv'}'; the file is damaged: train anew."
        )
    return TrainingContents(
        folder=run,
        record=read_json(run / "run.json"),
        recipe_text=text,
        recipe=_recipe(text, run),
        history=history,
        model=load_model(run / "model.safetensors"),
        validation=kept_validation(run),
    )


def _recipe(text: str, run: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise FormatError(
            f"Cannot read '{run / 'recipe.yaml'}' as YAML ({error}); the file is damaged."
        ) from error
    if not isinstance(found, dict) or not {"name", "network", "training"} <= found.keys():
        raise FormatError(f"Found no recipe of a training in '{run / 'recipe.yaml'}'.")
    return found

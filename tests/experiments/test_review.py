"""From a run folder to its worklist, and from decisions to corrected labels that training takes."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from chondria.config.recipe import Recipe
from chondria.data.inspection_order import SliceOrder
from chondria.errors import (
    FormatError,
    InputNotFoundError,
    OutputExistsError,
    PixelValueError,
    SettingsError,
    VoxelSizeError,
)
from chondria.experiments.corrections import apply_decisions
from chondria.experiments.review import odd_slices, review
from chondria.experiments.training_data import load_training_data
from chondria.io import data_hash, open_volume, save_volume
from chondria.morphometrics.table import measure_objects, write_objects_csv
from chondria.volume import Volume

SIZE = (40.0, 10.0, 10.0)


def make_run(folder: Path, size=SIZE) -> Path:
    """A run of two rods that are joined by a bridge, and of one that was missed."""
    labels = np.zeros((8, 100, 140), np.uint16)
    labels[:, 10:30, 20:120] = 2
    labels[:, 44:64, 20:120] = 2
    labels[4, 30:44, 70:74] = 2
    probability = np.where(labels > 0, 240, 5).astype(np.uint8)
    probability[:, 78:95, 20:120] = 110
    noise = np.random.default_rng(0).normal(0, 6, labels.shape)
    image = (170 - 0.4 * probability + noise).clip(0, 255).astype(np.uint8)
    run = folder / "run"
    run.mkdir(parents=True)
    for name, values in (("labels", labels), ("probability", probability)):
        save_volume(Volume(values, size), run / f"{name}.tif")
    write_objects_csv(measure_objects(Volume(labels, size)), run / "objects.csv")
    path = save_volume(Volume(image, size), folder / "image.tif")
    record = {"image": str(path), "image_sha256": data_hash(open_volume(path))}
    (run / "run.json").write_text(json.dumps(record))
    return run


def rows_of(run: Path) -> list[dict[str, str]]:
    with (run / "worklist.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_report_shows_the_worklist(tmp_path):
    run = make_run(tmp_path)
    review(run)
    assert 'id="worklist"' in (run / "report.html").read_text()


def decide(run: Path, **decisions: str) -> Path:
    """Fill in the first line of each kind, as a spreadsheet with semicolons would save it."""
    rows = rows_of(run)
    for kind, decision in decisions.items():
        next(row for row in rows if row["kind"] == kind)["decision"] = decision
    path = run.parent / "decided.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_worklist_names_the_bridge_and_the_missed_rod(tmp_path):
    run = make_run(tmp_path)
    review(run)
    rows = rows_of(run)
    assert [row["kind"] for row in rows[:2]] in (["merge", "miss"], ["miss", "merge"])
    merge = next(row for row in rows if row["kind"] == "merge")
    assert merge["ids"] == "2"
    assert float(merge["y_nm"]) == pytest.approx(10 * int(merge["y_px"]))
    assert float(merge["z_nm"]) == pytest.approx(40 * 4)
    assert "neck" in merge["reason"]
    for row in rows:
        with Image.open(run / row["crop"]) as picture:
            assert picture.width > 300
    assert [float(row["score"]) for row in rows] == sorted(
        (float(row["score"]) for row in rows), reverse=True
    )


def test_the_number_of_entries_is_kept_to(tmp_path):
    run = make_run(tmp_path)
    assert len(review(run, entries=1)) == len(rows_of(run)) == 1
    assert len(list((run / "worklist").iterdir())) == 1


def test_training_can_take_the_corrected_labels_as_new_truth(tmp_path):
    run = make_run(tmp_path)
    before = {path: path.read_bytes() for path in run.iterdir()}
    review(run)
    new = tmp_path / "new"
    counts = apply_decisions(run, decide(run, merge="split", miss="add"), new)
    assert dict(counts) == {"add": 1, "split": 1}
    labels = open_volume(new / "labels.tif")
    assert labels.voxel_size_nm == pytest.approx(SIZE)
    found = labels.numpy()
    assert len(np.unique(found)) == 4
    assert len({int(found[4, y, 100]) for y in (20, 54, 86)} - {0}) == 3
    assert all(path.read_bytes() == content for path, content in before.items())
    record = json.loads((new / "run.json").read_text())
    assert record["objects"] == 3
    assert record["decisions"] == counts
    assert record["labels_sha256"] == data_hash(open_volume(run / "labels.tif"))
    recipe = Recipe.model_validate(
        {
            "name": "again",
            "pixel_size_nm": [10, 10],
            "network": {"name": "unet"},
            "data": {
                "sets": [
                    {
                        "name": "corrected",
                        "images": "image.tif",
                        "masks": "new/mask.tif",
                        "validation_slices": 2,
                        "gap_slices": 1,
                    }
                ]
            },
        }
    )
    ((volume, card),) = load_training_data(recipe, tmp_path)
    assert card["name"] == "corrected"
    assert volume is not None
    assert set(np.unique(open_volume(new / "mask.tif").numpy())) == {0, 255}


def test_a_corrected_run_can_be_reviewed_again(tmp_path):
    run = make_run(tmp_path)
    review(run)
    new = tmp_path / "new"
    apply_decisions(run, decide(run, merge="split", miss="add"), new)
    kinds = {entry.suspicion.kind for entry in review(new) if entry.score > 0.5}
    assert "miss" not in kinds
    assert "merge" not in kinds


def test_slices_that_the_image_sets_apart_are_named():
    generator = np.random.default_rng(0)
    plane = np.kron(generator.normal(size=(16, 16)), np.ones((8, 8)))
    stack = np.stack([plane + generator.normal(0, 0.1, plane.shape) for _ in range(9)])
    stack[4] = np.roll(stack[4], 40, axis=1)
    assert odd_slices(Volume(stack, SIZE)).keys() == {4}
    assert SliceOrder().suspects() == ([], [], [])


def test_what_cannot_be_reviewed_is_refused(tmp_path):
    with pytest.raises(InputNotFoundError, match="no run in"):
        review(tmp_path)
    run = make_run(tmp_path / "a")
    with pytest.raises(SettingsError, match="0 entries"):
        review(run, entries=0)
    (tmp_path / "a" / "image.tif").rename(tmp_path / "moved.tif")
    with pytest.raises(InputNotFoundError, match="--image"):
        review(run)
    other = Volume(np.zeros((8, 100, 140), np.uint8), SIZE)
    path = save_volume(other, tmp_path / "other.tif")
    with pytest.raises(PixelValueError, match="other pixels"):
        review(run, image=path)
    assert not (run / "worklist").exists()
    review(run, image=tmp_path / "moved.tif")
    with pytest.raises(OutputExistsError, match="may hold decisions"):
        review(run, image=tmp_path / "moved.tif")
    (run / "probability.tif").unlink()
    with pytest.raises(InputNotFoundError, match="no probabilities"):
        review(run)
    with pytest.raises(VoxelSizeError, match="--voxel-size"):
        review(make_run(tmp_path / "b", size=None))


def test_what_cannot_be_applied_leaves_nothing(tmp_path):
    run = make_run(tmp_path)
    table = tmp_path / "decisions.csv"
    for text, error in (("ids,decision\n9,drop\n", SettingsError), ("a,b\n", FormatError)):
        table.write_text(text)
        with pytest.raises(error):
            apply_decisions(run, table, tmp_path / "new")
        assert not (tmp_path / "new").exists()
    table.write_text("ids,decision\n2,drop\n")
    with pytest.raises(OutputExistsError, match="another run"):
        apply_decisions(run, table, run)


def test_the_commands_say_what_they_did(tmp_path, run_cli):
    run = make_run(tmp_path)
    code, out, err = run_cli("review", run, "-n", 5)
    assert code == 0, err
    assert out.strip().endswith("worklist.csv")
    assert "1 merge" in err + out
    code, out, err = run_cli("apply", run, decide(run, merge="split"), "-o", tmp_path / "new")
    assert code == 0, err
    assert "1 split" in err + out
    code, _, err = run_cli("apply", run, tmp_path / "none.csv", "-o", tmp_path / "newer")
    assert code == 2
    assert err.startswith("chondria: There is no file")

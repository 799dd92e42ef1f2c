"""The job of `chondria stats` on experiments that were made up, from tables to pages."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from chondria.errors import ChondriaError, OutputExistsError
from chondria.experiments.group_comparison import (
    Groups,
    GroupSettings,
    compare_groups,
    write_groups,
)
from chondria.experiments.group_pages import notes_on
from chondria.groups.sentences import sentences


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


class Made:
    """Run folders of an experiment, and what comes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lines, self.tables = folder, ["table,condition,animal,cell"], []

    def add(self, condition: str, animal: str, values: np.ndarray, **more: object) -> Path:
        """Write the table of an image; every fifth object touches the border and is huge."""
        run = self.folder / f"run-{len(self.tables)}"
        run.mkdir()
        lines = ["id,volume_um3,sphericity,centroid_z_nm,touches_border"]
        for i, value in enumerate(values):
            lines.append(f"{i + 1},{value:.8g},{0.5 + 0.01 * (i % 7)},{i},false")
            if i % 5 == 0:
                lines.append(f"{1000 + i},{1e6},{0.9},{i},true")
        (run / "objects.csv").write_text("\n".join(lines) + "\n")
        if more:
            (run / "objects.volume.json").write_text(json.dumps({"volume": more}))
        self.tables.append(run)
        self.lines.append(f"{run.name},{condition},{animal},cell {len(self.tables)}")
        return run

    def compare(self, **settings: object) -> Groups:
        (self.folder / "design.csv").write_text("\n".join(self.lines) + "\n")
        chosen = GroupSettings(**settings)  # type: ignore[arg-type]
        return compare_groups(self.tables, self.folder / "design.csv", chosen)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


@pytest.fixture
def experiment(made: Made) -> Callable[..., Made]:
    def experiment(conditions: str = "ab", animals: int = 3, effect: float = 1.0) -> Made:
        rng = np.random.default_rng(0)
        for i, condition in enumerate(conditions):
            for animal in range(animals):
                centre = rng.normal(effect * i, 0.2)
                for _ in range(2):
                    values = np.exp(rng.normal(centre, 0.5, 12))
                    density = 0.3 + 0.1 * rng.random()
                    made.add(condition, f"{condition}{animal}", values, density_per_um3=density)
        return made

    return experiment


def test_everything_that_is_left(experiment, tmp_path: Path) -> None:
    groups = experiment().compare()
    out = write_groups(groups, tmp_path / "out")
    names = {"stats.csv", "conditions.csv", "animals.csv", "variance.csv", "stats.md", "stats.html"}
    names |= {"run.json", "forest.svg"}
    names |= {f"superplot-{name}.svg" for name in ("volume_um3", "sphericity", "density_per_um3")}
    assert {path.name for path in out.iterdir()} == names
    record = json.loads((out / "run.json").read_text())
    assert record["job"] == "stats"
    assert len(record["tables"]) == 12
    assert all(re.fullmatch("[0-9a-f]{64}", table["sha256"]) for table in record["tables"])
    assert record["measures"][0] == {
        "name": "volume_um3",
        "scale": "log",
        "at_border_left_out": 36,
        "missing_left_out": 0,
        "animals_without_values": [],
    }
    page = (out / "stats.html").read_text()
    assert page.count("data:image/svg+xml") == 4
    assert not re.search(r'(src|href)="https?:', page)


def paired_experiment(made: Made, animals: int = 6) -> Made:
    """Animals that vary much, and all react much alike."""
    rng = np.random.default_rng(1)
    for animal in range(animals):
        own = rng.normal(0, 1)
        for shift, condition in enumerate(("before", "after")):
            for _ in range(2):
                centre = own + rng.normal(0.5 * shift, 0.05)
                made.add(condition, f"m{animal}", np.exp(rng.normal(centre, 0.3, 20)))
    return made


def test_animals_seen_before_and_after_are_compared_within_themselves(
    made: Made, tmp_path: Path
) -> None:
    groups = paired_experiment(made).compare(measures=("volume_um3",))
    out = write_groups(groups, tmp_path / "out")
    means = {(row["animal"], row["condition"]): row["mean"] for row in rows(out / "animals.csv")}
    before, after = (
        [np.log(float(means[f"m{i}", condition])) for i in range(6)]
        for condition in ("before", "after")
    )
    expected = stats.ttest_rel(after, before)
    (row,) = rows(out / "stats.csv")
    assert float(row["p"]) == pytest.approx(expected.pvalue)
    assert float(row["low"]) == pytest.approx(np.exp(expected.confidence_interval().low))
    assert (row["method"], row["hedges_g_of"]) == ("paired t-test on animal means", "differences")
    assert float(row["smallest_p_permutation"]) == 2 / 2**6
    assert json.loads((out / "run.json").read_text())["paired"] is True
    (sentence,) = sentences(groups.found[0])
    assert "larger in after than in before" in sentence
    assert "Hedges' g of the differences" in sentence
    assert "6 animals, 12 cells" in sentence
    assert sentence.endswith("; the same animals.")
    assert "animals of one name are one animal" in " ".join(notes_on(groups.found))
    assert ">Hedges' g of differences within animals" in (out / "forest.svg").read_text()


def test_an_animal_without_values_in_a_condition_is_left_out_and_named(made: Made) -> None:
    paired_experiment(made, 4)
    made.add("before", "m4", np.ones(3))
    made.add("after", "m4", np.array([]))
    (found,) = made.compare(measures=("volume_um3",)).found
    assert found.sample.count("animal", 0) == 4
    assert sentences(found)[-1] == (
        "No value of volume_um3 in some condition: animal m4 (left out)."
    )


def test_no_animal_with_values_in_both_conditions(made: Made) -> None:
    made.add("before", "m0", np.ones(3))
    made.add("after", "m0", np.array([]))
    with pytest.raises(ChondriaError, match="no animal with a value of 'volume_um3' in each"):
        made.compare(measures=("volume_um3",))


def test_figures_are_those_of_a_t_test_on_log_means(experiment, tmp_path: Path) -> None:
    out = write_groups(experiment().compare(measures=("volume_um3",)), tmp_path / "out")
    means = {
        condition: [
            np.log(float(row["mean"]))
            for row in rows(out / "animals.csv")
            if row["condition"] == condition
        ]
        for condition in "ab"
    }
    expected = stats.ttest_ind(means["b"], means["a"])
    (row,) = rows(out / "stats.csv")
    interval = expected.confidence_interval()
    assert (row["condition"], row["against"], row["scale"]) == ("b", "a", "log")
    assert float(row["p"]) == pytest.approx(expected.pvalue)
    assert float(row["low"]) == pytest.approx(np.exp(interval.low))
    assert float(row["high"]) == pytest.approx(np.exp(interval.high))
    first = rows(out / "conditions.csv")[0]
    counts = {name: first[name] for name in ("animals", "cells", "images", "objects")}
    assert counts == {"animals": "3", "cells": "6", "images": "6", "objects": "72"}


def test_objects_at_the_border_are_left_out_unless_asked_for(experiment) -> None:
    made = experiment()
    without = made.compare(measures=("volume_um3",)).found[0]
    kept = made.compare(measures=("volume_um3",), keep_border=True).found[0]
    assert (without.measured.at_border, kept.measured.at_border) == (36, 0)
    assert len(kept.sample.values) == len(without.sample.values) + 36
    assert "36 objects that touch a border" in " ".join(notes_on([without]))
    assert "border" not in " ".join(notes_on([kept]))


def test_an_effect_is_said_in_a_sentence(experiment) -> None:
    (said,) = sentences(experiment().compare(measures=("volume_um3",)).found[0])
    assert re.fullmatch(
        r"volume_um3 is larger in b than in a: ratio of geometric means [\d.]+, 95 % interval "
        r"[\d.]+ to [\d.]+, p [=<] [\d.]+ \(t-test on animal means, 4 degrees of freedom\), "
        r"Hedges' g [\d.]+ \([\d.]+ to [\d.]+\); n = 3 animals, 6 cells, 6 images, 72 objects of "
        r"a; 3 animals, 6 cells, 6 images, 72 objects of b\.",
        said,
    )


def test_no_effect_says_what_could_have_been_found(experiment) -> None:
    (said,) = sentences(experiment(effect=0.0).compare(measures=("volume_um3",)).found[0])
    assert said.startswith("No evidence that volume_um3 differs between a and b: ")
    assert re.search(r"finds a ratio of geometric means [\d.]+ four times out of five\.$", said)


def test_measures_of_images(experiment) -> None:
    found = experiment().compare(measures=("density_per_um3",)).found[0]
    assert found.measured.unit == "image"
    assert found.scale == "linear"
    assert len(found.sample.values) == 12
    assert "objects" not in sentences(found)[0]


def test_an_undefined_value_of_an_image_is_refused(experiment) -> None:
    made = experiment()
    made.add("a", "a0", np.ones(2), density_per_um3=None)
    with pytest.raises(ChondriaError, match=r"'density_per_um3' of '.*objects.volume.json'"):
        made.compare(measures=("density_per_um3",))


def test_a_damaged_summary_is_refused(experiment) -> None:
    made = experiment()
    (made.tables[0] / "objects.volume.json").write_text("[1]")
    with pytest.raises(ChondriaError, match="not hold what `chondria measure` writes"):
        made.compare()


def test_three_conditions_have_an_omnibus_and_pairs(experiment, tmp_path: Path) -> None:
    groups = experiment("abc", animals=2).compare(measures=("volume_um3",))
    said = sentences(groups.found[0])
    assert len(said) == 4
    assert said[0].startswith("volume_um3 differs between 3 conditions: p")
    assert all("among all pairs (Holm)" in sentence for sentence in said[1:])
    assert len(rows(write_groups(groups, tmp_path / "out") / "stats.csv")) == 3


def test_one_animal_in_a_condition_is_figures_without_a_test(made: Made, tmp_path: Path) -> None:
    made.add("a", "m", np.array([1.0, 2.0, 4.0]))
    made.add("b", "n", np.array([4.0]))
    groups = made.compare(measures=("volume_um3",))
    (said,) = sentences(groups.found[0])
    assert said == (
        "volume_um3: no test is possible between a and b, as a and b have one animal only; their "
        "geometric means are 2 and 4 (ratio of geometric means 2), and other animals may show "
        "anything else; n = 1 animal, 1 cell, 1 image, 3 objects of a; 1 animal, 1 cell, 1 image, "
        "1 object of b."
    )
    out = write_groups(groups, tmp_path / "out")
    assert rows(out / "stats.csv")[0]["p"] == ""
    assert not (out / "forest.svg").exists()


def test_one_lonely_condition_of_three_is_named(experiment) -> None:
    made = experiment(animals=2)
    made.add("c", "c0", np.ones(3))
    first, *pairs = sentences(made.compare(measures=("volume_um3",)).found[0])
    assert first.startswith(
        "volume_um3: no test of 3 conditions is possible, as c has one animal only; take it out of "
        "the design to compare the others; n = 2 animals"
    )
    assert len(pairs) == 3


def test_values_that_do_not_vary(made: Made, tmp_path: Path) -> None:
    for condition in "ab":
        for animal in range(2):
            made.add(condition, f"{condition}{animal}", np.ones(3))
    groups = made.compare()
    assert "does not vary between animals" in sentences(groups.found[0])[0]
    write_groups(groups, tmp_path / "out")


def test_an_animal_without_objects_is_named(experiment) -> None:
    made = experiment()
    made.add("a", "empty", np.empty(0), density_per_um3=0)
    found = made.compare(measures=("volume_um3",)).found[0]
    assert found.lost_animals == ("empty",)
    assert sentences(found)[-1] == "No value of volume_um3: animal empty."


def test_missing_values_are_refused_or_left_out(experiment) -> None:
    made = experiment()
    made.add("a", "a0", np.array([1.0, np.nan]), density_per_um3=0.3)
    with pytest.raises(ChondriaError, match=r"Found 1 of 2 rows without a finite number .*volume"):
        made.compare(measures=("volume_um3",))
    found = made.compare(measures=("volume_um3",), skip_missing=True).found[0]
    assert found.measured.missing == 1
    assert "1 of volume_um3" in " ".join(notes_on([found]))


@pytest.mark.parametrize("method", ["student", "welch", "mixed"])
def test_other_methods(experiment, method: str) -> None:
    found = experiment().compare(measures=("volume_um3",), method=method).found[0]
    assert found.comparison.contrasts[0].difference.p_value < 0.05


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"measures": ("length_um",)}, "no column 'length_um'"),
        ({"measures": ("centroid_z_nm",)}, "'centroid_z_nm' is no measure"),
        ({"method": "anova"}, "auto, student, welch, paired, mixed"),
        ({"scale": "root"}, "auto, log, linear"),
    ],
)
def test_settings_that_do_not_fit_are_refused(experiment, settings, match: str) -> None:
    with pytest.raises(ChondriaError, match=match):
        experiment().compare(**settings)


def test_tables_without_the_border_flag_or_a_common_measure(made: Made, tmp_path: Path) -> None:
    for name, column in (("a", "volume_um3"), ("b", "area_um2")):
        run = made.add(name, name, np.ones(2))
        (run / "objects.csv").write_text(f"id,{column}\n1,1\n")
    with pytest.raises(ChondriaError, match="no size or shape in common"):
        made.compare()
    (made.tables[1] / "objects.csv").write_text("id,volume_um3\n1,1\n")
    with pytest.raises(ChondriaError, match=r"no column 'touches_border' .*--keep-border"):
        made.compare()
    assert made.compare(keep_border=True).found[0].measured.name == "volume_um3"


def test_a_condition_without_objects_is_refused(made: Made) -> None:
    made.add("a", "m", np.ones(2))
    made.add("b", "n", np.empty(0))
    with pytest.raises(ChondriaError, match="no value of 'volume_um3' in the condition 'b'"):
        made.compare()


def test_nothing_is_overwritten(experiment, tmp_path: Path) -> None:
    groups = experiment().compare(measures=("volume_um3",))
    write_groups(groups, tmp_path / "out")
    with pytest.raises(OutputExistsError):
        write_groups(groups, tmp_path / "out")

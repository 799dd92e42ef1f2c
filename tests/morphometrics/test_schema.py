"""The schema describes what the tables hold, and the guide what the schema holds."""

from pathlib import Path

import numpy as np
import pytest

from chondria.morphometrics.measures import measure_everything
from chondria.morphometrics.schema import COLUMNS, SUMMARY, describe, dtype_of, markdown_rows
from chondria.morphometrics.stereology import summarise_volume
from chondria.volume import Volume

GUIDE = Path(__file__).parents[2] / "docs" / "measure.md"
UNITS = {"um3": "µm³", "um2": "µm²", "um": "µm", "nm": "nm", "px": "px", "deg": "°"}


def test_names_are_unique_and_end_with_their_unit() -> None:
    names = [column.name for column in (*COLUMNS, *SUMMARY)]
    assert len(names) == len(set(names))
    for column in COLUMNS:
        assert UNITS.get(column.name.rsplit("_", 1)[-1], "") == column.unit, column.name
        assert column.description


def test_the_guide_has_a_row_for_every_column() -> None:
    lines = GUIDE.read_text().splitlines()
    for row in (*markdown_rows(COLUMNS), *markdown_rows(SUMMARY)):
        assert row in lines


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("given", [True, False])
def test_the_table_has_the_columns_of_the_schema(depth: int, given: bool) -> None:
    labels = Volume(np.ones((depth, 4, 5), np.uint16), (50.0, 4.6, 4.6))
    other = labels if given else None
    table = measure_everything(labels, image=other, probability=other)
    places = ("always", "slice" if depth == 1 else "volume")
    expected = [c for c in COLUMNS if c.where in places and (given or not c.needs)]
    assert sorted(table.columns) == sorted(column.name for column in expected)
    for name, values in table.columns.items():
        assert isinstance(values.tolist()[0], dtype_of(name)), name
    summary = summarise_volume(labels, table).as_dict()
    assert list(summary) == [column.name for column in SUMMARY if column.where in places]


def test_an_unknown_column_is_no_column() -> None:
    with pytest.raises(KeyError):
        describe("volume")

"""Tables come back from their files as they were."""

import json
from pathlib import Path

import numpy as np
import pytest

from chondria.errors import FormatError, MissingPackageError
from chondria.morphometrics.measures import measure_everything
from chondria.morphometrics.stereology import summarise_volume
from chondria.morphometrics.table import ObjectTable
from chondria.morphometrics.table_files import check_table_format, described, write_table
from chondria.volume import Volume


@pytest.fixture(scope="module")
def measured() -> tuple[ObjectTable, dict]:
    labels = np.zeros((3, 12, 12), np.uint64)
    labels[1, 2:5, 2:6], labels[2, 8:, 8:], labels[0, 11, 0] = 2**64 - 1, 7, 9
    volume = Volume(labels, (50.0, 4.6, 4.6))
    table = measure_everything(volume)
    return table.with_column("doubt", np.array([0.5, 1.5, 2.5])), summarise_volume(
        volume, table
    ).as_dict()


def test_csv_and_parquet_hold_every_value(measured, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table, summary = measured
    for name, read in (("t.csv", pandas.read_csv), ("t.parquet", pandas.read_parquet)):
        write_table(table, tmp_path / name, summary)
        frame = read(tmp_path / name)
        assert list(frame.columns) == list(table.columns)
        for column in frame:
            np.testing.assert_allclose(frame[column].to_numpy(), table[column], rtol=1e-9)
    assert frame["id"].tolist() == [7, 9, 2**64 - 1]


def test_parquet_fields_say_their_unit(measured, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table, summary = measured
    write_table(table, tmp_path / "t.parquet", summary)
    schema = parquet.read_schema(tmp_path / "t.parquet")
    assert schema.field("volume_um3").metadata[b"unit"].decode() == "µm³"
    assert b"voxels" in schema.field("volume_um3").metadata[b"description"]
    assert json.loads(schema.metadata[b"chondria_volume"]) == summary


def test_excel_has_sheets_of_objects_volume_and_columns(measured, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    table, summary = measured
    write_table(table, tmp_path / "t.xlsx", summary)
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert book.sheetnames == ["objects", "volume", "columns"]
    heading, *rows = book["objects"].iter_rows(values_only=True)
    assert list(heading) == list(table.columns)
    assert rows[2][0] == str(2**64 - 1)
    for row, expected in zip(rows, table.rows(), strict=True):
        for name, value in zip(heading, row, strict=True):
            if value is None:
                assert np.isnan(expected[name]), name
            elif name not in ("id", "nearest_id"):
                assert value == pytest.approx(expected[name]), name
    volume = {row[0]: row[1:] for row in book["volume"].iter_rows(values_only=True)}
    assert volume["objects"][0] == 3
    assert volume["analysed_volume_um3"][1] == "µm³"
    columns = [row[0] for row in book["columns"].iter_rows(values_only=True)]
    assert columns == ["column", *table.columns]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_tables_without_objects_are_written(suffix: str, tmp_path: Path) -> None:
    empty = measure_everything(Volume(np.zeros((2, 3, 3), np.uint8), (5.0, 5.0, 5.0)))
    write_table(empty, tmp_path / f"t{suffix}")
    assert (tmp_path / f"t{suffix}").stat().st_size > 0


def test_unknown_columns_are_described_by_their_name(measured) -> None:
    columns = list(described(measured[0].columns))
    assert [column.name for column in columns] == list(measured[0].columns)
    assert (columns[-1].unit, columns[-1].description) == ("", "")


def test_what_cannot_be_written_is_refused(measured, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(FormatError, match=r"'\.ods'.*\.csv, \.parquet, \.xlsx"):
        write_table(measured[0], tmp_path / "t.ods")
    monkeypatch.setattr("chondria.morphometrics.table_files.find_spec", lambda name: None)
    for suffix in (".parquet", ".xlsx"):
        with pytest.raises(MissingPackageError, match=r"chondria\[tables\]"):
            check_table_format(f"t{suffix}")
    check_table_format("t.csv")
    assert not list(tmp_path.iterdir())

import hashlib
from pathlib import Path

import numpy as np
import pytest

from chondria.errors import FormatError, InputNotFoundError
from chondria.experiments.object_tables import find_table, read_table
from chondria.morphometrics.table import measure_objects, write_objects_csv
from chondria.volume import Volume


def test_what_segment_writes_is_read_back(blobs: tuple[Volume, Volume], tmp_path: Path) -> None:
    objects = measure_objects(blobs[1])
    write_objects_csv(objects, tmp_path / "objects.csv")
    table = read_table(find_table(tmp_path))
    assert len(table) == len(objects)
    np.testing.assert_allclose(table.numbers("volume_um3"), objects["volume_um3"])
    assert table.flags("touches_border").tolist() == objects["touches_border"].tolist()
    assert table.sha256 == hashlib.sha256((tmp_path / "objects.csv").read_bytes()).hexdigest()


def test_parquet_is_told_by_its_content(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    columns = {"id": [1, 2], "volume_um3": [0.5, None], "touches_border": [True, False]}
    write_table(pyarrow.table(columns), tmp_path / "objects.parquet")
    table = read_table(find_table(tmp_path))
    np.testing.assert_array_equal(table.numbers("volume_um3"), [0.5, np.nan])
    assert table.flags("touches_border").tolist() == [True, False]
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(FormatError, match="damaged"):
        read_table(damaged)


def test_a_table_without_objects(tmp_path: Path) -> None:
    path = tmp_path / "objects.csv"
    path.write_text("id,volume_um3,touches_border\n")
    table = read_table(path)
    assert len(table) == 0
    assert table.numbers("volume_um3").shape == table.flags("touches_border").shape == (0,)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "not a table"),
        ("a,b\n1\n", "Row 1 of .* has 1 values, and there are 2 columns"),
        ("x,volume_um3\n1,2\n2,large\n", "Found 'large' in row 2 of the column 'volume_um3'"),
        ("x\n1\n", "no column 'volume_um3' in .*; it has x"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(FormatError, match=match):
        read_table(path).numbers("volume_um3")


def test_binary_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="not a table"):
        read_table(path)


def test_flags_are_true_or_false(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("flag\nTrue\n0\nperhaps\n")
    with pytest.raises(FormatError, match="'perhaps' in row 3"):
        read_table(path).flags("flag")
    with pytest.raises(FormatError, match="no column 'other'"):
        read_table(path).flags("other")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"no objects.csv or objects.parquet"):
        find_table(tmp_path)
    with pytest.raises(InputNotFoundError, match="no file or folder"):
        find_table(tmp_path / "absent")

from pathlib import Path

import pytest

from chondria.errors import DesignError, InputNotFoundError
from chondria.experiments.group_design import read_design
from chondria.groups.place import Place


@pytest.fixture
def design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a design and two tables, one a file and one in a run folder; read them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.csv").write_text("id\n1\n")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "objects.csv").write_text("id\n1\n")

    def design(text: str, tables: tuple[str, ...] = ("one.csv", "two")):
        (tmp_path / "design.csv").write_text(text)
        return read_design(Path("design.csv"), [Path(table) for table in tables])

    return design


@pytest.mark.parametrize("name", ["two", "two/", "two/objects.csv"])
@pytest.mark.parametrize("other", ["one", "one.csv", "./one.csv"])
def test_tables_by_path_or_name(design, name: str, other: str) -> None:
    found = design(f"animal,table,condition,cell\nm 2,{name},b,x\nm 1,{other},a,x\n")
    assert found.tables == (Path("two/objects.csv"), Path("one.csv"))
    assert found.places == (Place("b", "m 2", "x", "0"), Place("a", "m 1", "x", "1"))
    assert found.conditions == ("b", "a")


def test_paths_from_the_folder_of_the_design(design, tmp_path, monkeypatch) -> None:
    design("table,condition,animal\none.csv,a,1\ntwo,b,2\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    tables = [Path("../one.csv"), Path("../two"), Path("../two/objects.csv")]
    found = read_design(Path("../design.csv"), tables)
    assert [place.animal for place in found.places] == ["1", "2"]


def test_images_of_several_tables(design) -> None:
    found = design("table,condition,animal,image\none,a,1,i\ntwo,b,2,i\n")
    assert [place.image for place in found.places] == ["i", "i"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("table,condition\none,a\n", "no column 'animal' in the design"),
        ("table,condition,animal\n", "has no rows"),
        ("table,condition,animal\none,a,1\ntwo,,2\n", "Row 2 .* has no condition"),
        ("table,condition,animal,cell\none,a,1,\ntwo,b,2,c\n", "Row 1 .* has no cell"),
        ("table,condition,animal\none,a,1\ntwo,a,2\n", "one condition only, 'a'"),
        ("table,condition,animal\none,a,1\n", "The table 'two' has no row in the design"),
        (
            "table,condition,animal\none,a,1\ntwo,b,2\nthree,b,3\n",
            "'three' in row 3 .* is not among the tables given",
        ),
        ("table,condition,animal\none,a,1\ntwo,b,2\none,b,3\n", "names the table 'one' a second"),
    ],
)
def test_designs_that_do_not_fit_are_refused(design, text: str, match: str) -> None:
    with pytest.raises(DesignError, match=match):
        design(text)


def test_a_name_of_two_tables_is_refused(design, tmp_path: Path) -> None:
    (tmp_path / "deep" / "two").mkdir(parents=True)
    (tmp_path / "deep" / "two" / "objects.csv").write_text("id\n1\n")
    (tmp_path / "designs").mkdir()
    path = tmp_path / "designs" / "design.csv"
    path.write_text("table,condition,animal\ntwo,a,1\n")
    tables = [tmp_path / "two", tmp_path / "deep" / "two"]
    # From here, `two` is a path; from elsewhere it may be either.
    with pytest.raises(DesignError, match=r"one condition only|has no row"):
        read_design(path, tables)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "designs")
        with pytest.raises(DesignError, match=r"may be .*two or .*two; write its path"):
            read_design(path, tables)


def test_no_design(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match="no design"):
        read_design(tmp_path / "design.csv", [])

"""Tables of decisions, as people and spreadsheets save them."""

import pytest

from chondria.errors import FormatError, InputNotFoundError, SettingsError
from chondria.review.decisions import read_decisions

HEAD = "rank,kind,ids,z_px,y_px,x_px,reason,decision,points\n"
LINES = (
    "1,merge,4,1,2,3,A neck.,split,1 2 3 | 4 5 6\n"
    "2,split,7 9,1,2,3,,Merge,\n"
    '3,miss,,5,6,7,"Half, a mitochondrion",add,\n'
    "4,uncertain,3,1,1,1,,,\n"
)


def saved(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "decisions.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_tables_of_spreadsheets_are_read(tmp_path, separator, encoding, newline):
    text = (HEAD + LINES).replace('"Half, a mitochondrion"', "Half a mitochondrion")
    text = text.replace(",", separator).replace("\n", newline)
    split, merge, add = read_decisions(saved(tmp_path, text, encoding))
    assert (split.action, split.ids, split.line) == ("split", (4,), 2)
    assert split.points_px == ((1, 2, 3), (4, 5, 6))
    assert (merge.action, merge.ids) == ("merge", (7, 9))
    assert (add.action, add.ids, add.place_px) == ("add", (), (5, 6, 7))


def test_two_columns_suffice(tmp_path):
    (drop,) = read_decisions(saved(tmp_path, "ids,decision\n12,drop\n"))
    assert (drop.action, drop.ids, drop.place_px) == ("drop", (12,), None)


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("a,b\n1,2\n", FormatError, "the columns a, b .* 'decision' and 'ids'"),
        ("", FormatError, "the columns none"),
        ("ids,decision\n1,\n", SettingsError, "no decision .* keep, drop, merge, split, add"),
        ("ids,decision\n1,remove\n", SettingsError, "'remove' in line 2 .*allowed are keep"),
        ("ids,decision\nx1,drop\n", FormatError, "'x1' in line 2"),
        ("ids,decision\n,drop\n", SettingsError, "'drop' is said of one object or more"),
        ("ids,decision\n5 5,merge\n", SettingsError, "'merge' is said of two objects"),
        ("ids,decision\n5 6,split\n", SettingsError, "'split' is said of one object"),
        ("ids,decision,points\n5,split,1 2 3\n", SettingsError, "one point in line 2"),
        ("ids,decision,points\n5,split,1 2 | 1 2 3\n", FormatError, "the point '1 2'"),
        ("ids,decision\n,add\n", SettingsError, "'add' needs z_px"),
        ("ids,decision\n1,caf\xe9\n", FormatError, "no text in UTF-8"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(tmp_path, text, error, match):
    with pytest.raises(error, match=match):
        read_decisions(saved(tmp_path, text, "latin-1"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputNotFoundError, match="no file"):
        read_decisions(tmp_path / "none.csv")

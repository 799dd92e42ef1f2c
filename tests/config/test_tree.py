"""A recipe may be laid over another one: mappings are joined, everything else is replaced."""

from pathlib import Path

import pytest
import yaml

from chondria.config.tree import read_tree
from chondria.errors import InputNotFoundError, SettingsError


def write(path: Path, tree: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(tree))
    return path


def test_keys_of_the_extending_file_win_and_lists_are_replaced(tmp_path: Path) -> None:
    write(
        tmp_path / "below.yaml",
        {
            "name": "a",
            "recipe": {"seed": 1, "data": {"root": "r", "sets": [1, 2]}},
            "rows": [1],
        },
    )
    path = write(
        tmp_path / "tables" / "above.yaml",
        {"extends": "../below.yaml", "recipe": {"data": {"sets": [3]}, "network": {}}, "rows": [4]},
    )
    assert read_tree(path) == {
        "name": "a",
        "recipe": {"seed": 1, "data": {"root": "r", "sets": [3]}, "network": {}},
        "rows": [4],
    }


def test_a_mapping_replaces_what_is_none_and_the_other_way_round(tmp_path: Path) -> None:
    write(tmp_path / "below.yaml", {"a": 1, "b": {"c": 2}})
    path = write(tmp_path / "above.yaml", {"extends": "below.yaml", "a": {"d": 3}, "b": 4})
    assert read_tree(path) == {"a": {"d": 3}, "b": 4}


def test_files_may_extend_in_a_row_but_not_in_a_circle(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", {"x": 1, "y": 1, "z": 1})
    write(tmp_path / "b.yaml", {"extends": "a.yaml", "y": 2, "z": 2})
    path = write(tmp_path / "c.yaml", {"extends": "b.yaml", "z": 3})
    assert read_tree(path) == {"x": 1, "y": 2, "z": 3}
    write(tmp_path / "a.yaml", {"extends": "c.yaml"})
    with pytest.raises(SettingsError, match=r"a\.yaml|c\.yaml.*extending itself"):
        read_tree(path)


def test_what_is_extended_must_be_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", {"extends": "none.yaml"})
    with pytest.raises(InputNotFoundError, match=r"none\.yaml"):
        read_tree(path)

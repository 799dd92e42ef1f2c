"""From YAML to frozen settings: read, changed by dotted keys, validated, errors in one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from chondria.errors import InputNotFoundError, SettingsError

__all__ = ["Settings", "apply_changes", "read_tree", "set_in_tree", "validated"]


class Settings(BaseModel):
    """A part of a recipe; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Kind = TypeVar("Kind", bound=Settings)


def read_tree(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping, laid over the one that it `extends`, if any.

    ``extends`` names another file, from the folder of this one. Of mappings, this file's keys
    win over the other's; a list replaces the other's list.

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    SettingsError
        If it is no YAML mapping, or extends itself.
    """
    return _read_over(Path(path), ())


def _read_over(path: Path, extending: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in extending:
        raise SettingsError(f"Found the recipe {path} extending itself; take out its 'extends'.")
    tree = _read_file(path)
    below = tree.pop("extends", None)
    if below is None:
        return tree
    return _laid_over(_read_over(path.parent / str(below), (*extending, path.resolve())), tree)


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    mappings = [
        key
        for key, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(key), dict)
    ]
    return below | above | {key: _laid_over(below[key], above[key]) for key in mappings}


def _read_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputNotFoundError(f"There is no recipe '{path}'; give the path of a YAML file.")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"Cannot read the recipe {path} as YAML: {error}.") from error
    if not isinstance(tree, dict):
        raise SettingsError(f"Found no settings in {path}; a recipe is a YAML mapping.")
    return tree


def apply_changes(tree: dict[str, Any], changes: Sequence[str]) -> None:
    """Apply changes such as ``training.steps=100``; values are YAML.

    Raises
    ------
    SettingsError
        If one is not of that form, or there is no such place.
    """
    for change in changes:
        dotted, equals, text = change.partition("=")
        if not equals or not dotted:
            raise SettingsError(f"Found the change '{change}'; write it as key.key=value.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SettingsError(f"Cannot apply the change '{change}': {error}.") from error
        set_in_tree(tree, dotted, value)


def set_in_tree(tree: dict[str, Any], dotted: str, value: Any) -> None:
    """Set the value at a key such as ``training.steps`` or ``data.sets.0.weight``.

    Raises
    ------
    SettingsError
        If there is no such place.
    """
    *parents, last = dotted.split(".")
    node: Any = tree
    try:
        for key in parents:
            node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
        node[int(last) if isinstance(node, list) else last] = value
    except (TypeError, AttributeError) as error:
        raise SettingsError(
            f"Cannot apply the change '{dotted}={value}': there are no settings at "
            f"'{'.'.join(parents)}'."
        ) from error
    except (ValueError, IndexError) as error:
        raise SettingsError(f"Cannot apply the change '{dotted}={value}': {error}.") from error


def validated(kind: type[Kind], tree: dict[str, Any], where: str) -> Kind:
    """Make settings of a tree.

    Raises
    ------
    SettingsError
        The first thing that is wrong; an unknown key names the nearest.
    """
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise SettingsError(f"{_explain(error, kind)} (in {where}).") from error


def _explain(error: ValidationError, kind: type[Settings]) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"The setting '{where}' cannot be used: {first['msg']}"
    keys = _keys_at(first["loc"][:-1], kind)
    near = difflib.get_close_matches(str(first["loc"][-1]), keys, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"There is no setting '{where}'; {hint}allowed here: {', '.join(keys)}"


def _keys_at(parents: Sequence[int | str], kind: type[Settings]) -> list[str]:
    """Keys that are allowed at a place of the settings."""
    model: Any = kind
    for part in parents:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = next(iter(getattr(annotation, "__args__", ())), annotation)
    return list(model.model_fields)

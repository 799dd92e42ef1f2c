"""Parts of a recipe that have a name, and a folder of that name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from chondria.config.tree import Settings
from chondria.errors import SettingsError

__all__ = ["Named", "check_names", "chosen", "folder_name"]

Part = TypeVar("Part", bound="Named")


class Named(Settings):
    """Settings with a name."""

    name: str

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return folder_name(self.name)


def folder_name(name: str) -> str:
    """Keep the letters and digits of a name, with single hyphens between."""
    kept = "".join(letter if letter.isalnum() else " " for letter in name.lower())
    return "-".join(kept.split())


def check_names(what: str, names: Sequence[str], where: str) -> None:
    """Refuse names that are not each their own.

    Raises
    ------
    SettingsError
        If two are the same, or one is empty.
    """
    if len(set(names)) < len(names) or "" in names:
        raise SettingsError(
            f"Found two {what} of one name, or one without letters or digits, in {where}; give "
            "each its own (folders are named by letters and digits)."
        )


def chosen(what: str, parts: Sequence[Part], only: Sequence[str], where: str) -> list[Part]:
    """Find parts by name; all of them where no name is given.

    Raises
    ------
    SettingsError
        If there is none of a name; lists those that there are.
    """
    names = [part.name for part in parts]
    for name in only:
        if name not in names:
            raise SettingsError(
                f"There is no {what} '{name}' in '{where}'; there are: {'; '.join(names)}."
            )
    return [part for part in parts if not only or part.name in only]

"""Facts of a run for its page: names and values as people read them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from chondria.report.content import PlainTable
from chondria.report.markup import heading, said

__all__ = ["SOFTWARE", "fact_table", "grouped_facts"]

# What `environment` of a run folder says.
SOFTWARE = ("chondria", "python", "packages", "platform", "processors", "command", "started")


def fact_table(values: Mapping[str, Any]) -> PlainTable:
    """Give a table of two columns: lengths with crosses between, a command as it was typed."""
    return PlainTable(["name", "value"], [[heading(k), _fact(v)] for k, v in values.items()])


def grouped_facts(
    record: Mapping[str, Any], groups: Mapping[str, tuple[str, ...]]
) -> dict[str, PlainTable]:
    """Take what there is of some names of a record, by the heading of each group."""
    return {
        group: fact_table({name: record[name] for name in names if name in record})
        for group, names in groups.items()
    }


def _fact(value: Any) -> Any:
    if isinstance(value, list | tuple) and value:
        if all(isinstance(item, str) for item in value):
            return shlex.join(value)
        return " × ".join(said(item) for item in value)
    return value

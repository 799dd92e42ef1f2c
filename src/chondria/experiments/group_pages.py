"""Figures and pages of a comparison of conditions."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from chondria.groups.measure import MeasureComparison
from chondria.groups.sentences import number, p_text, sentences
from chondria.report.forest import ForestLine, draw_forest
from chondria.report.superplot import Superplot, draw_superplot
from chondria.report.tables import TextTable, html_page, markdown_page

__all__ = ["draw_groups", "notes_on", "write_pages"]

TITLE = "Conditions compared"


def draw_groups(found: Sequence[MeasureComparison], folder: Path) -> list[Path]:
    """Draw a superplot for each measure, and the effect sizes of all.

    Parameters
    ----------
    found : sequence of MeasureComparison
        All measures.
    folder : Path
        Exists.

    Returns
    -------
    list of Path
        SVG files.
    """
    names = [f"superplot-{one.measured.name}.svg" for one in found]
    figures = [
        draw_superplot(_superplot(one), folder / name)
        for one, name in zip(found, names, strict=True)
    ]
    lines = [line for one in found for line in _forest_lines(one)]
    if not any(math.isfinite(line.value) for line in lines):
        return figures
    what = "of differences within animals" if _is_paired(found) else "of animal means"
    label = f"Hedges' g {what}, 95 % interval"
    return [*figures, draw_forest(lines, folder / "forest.svg", label)]


def write_pages(found: Sequence[MeasureComparison], figures: Sequence[Path], folder: Path) -> None:
    """Write stats.md and stats.html, which holds the figures and stands alone.

    Parameters
    ----------
    found : sequence of MeasureComparison
        All measures.
    figures : sequence of Path
        Of `draw_groups`, in the folder.
    folder : Path
        Exists.
    """
    said = [sentence for one in found for sentence in sentences(one)]
    texts = [_contrast_table(found), _condition_table(found), _variance_table(found)]
    tables = [table for table in texts if table.lines]
    notes = " ".join(notes_on(found))
    links = "\n\n".join(f"![{figure.stem}]({figure.name})" for figure in figures)
    page = markdown_page(TITLE, tables, f"{notes}\n\n{links}", above=said)
    (folder / "stats.md").write_text(page, encoding="utf-8")
    page = html_page(TITLE, tables, notes, above=said, figures=[_inline(path) for path in figures])
    (folder / "stats.html").write_text(page, encoding="utf-8")


def notes_on(found: Sequence[MeasureComparison]) -> list[str]:
    """Say how it was compared, and what was left out.

    Parameters
    ----------
    found : sequence of MeasureComparison
        All measures.

    Returns
    -------
    list of str
        Sentences.
    """
    notes = [
        "Animals, not mitochondria, are the independent observations: values are averaged over the "
        "objects of an image, the images of a cell and the cells of an animal."
    ]
    if _is_paired(found):
        notes.append(
            "Each animal was seen in every condition, so differences within animals are compared; "
            "animals of one name are one animal: different ones need different names in the design."
        )
    logs = [one.measured.name for one in found if one.scale == "log"]
    if logs:
        notes.append(
            f"Sizes are skewed, so logarithms are compared ({', '.join(logs)}): means are "
            "geometric, differences are ratios."
        )
    objects = [one.measured for one in found if one.measured.unit == "object"]
    cut = max((one.at_border for one in objects), default=0)
    if cut:
        notes.append(f"{cut} objects that touch a border of their volume were left out.")
    missing = [f"{one.missing} of {one.name}" for one in objects if one.missing]
    if missing:
        notes.append(f"Objects without a value were left out: {', '.join(missing)}.")
    tests = sum(math.isfinite(c.difference.p_value) for m in found for c in m.comparison.contrasts)
    if len(found) > 1 and tests > 1:
        notes.append(
            f"There are {tests} tests in {len(found)} measures: say which one the experiment was "
            "made for, or take p_holm_all of stats.csv, which is corrected for all of them."
        )
    return notes


def _is_paired(found: Sequence[MeasureComparison]) -> bool:
    return any(one.sample.paired for one in found)


def _superplot(one: MeasureComparison) -> Superplot:
    sample, means = one.sample, one.comparison.means
    back = np.exp if one.scale == "log" else np.asarray
    count = range(len(sample.conditions))
    return Superplot(
        _axis_label(one.measured.name),
        sample.conditions,
        np.asarray(back(sample.values)),
        sample.condition,
        sample.units[0],
        np.asarray(back(means.values)),
        means.condition,
        [one.shown_mean(i) for i in count],
        one.scale == "log",
        _headline(one),
        sample.pair if sample.paired else None,
    )


def _axis_label(name: str) -> str:
    """Write volume_um3 as volume (µm³)."""
    units = {"_um3": "µm³", "_um2": "µm²", "_um": "µm", "_nm": "nm"}
    for ending, unit in units.items():
        if name.endswith(ending):
            words = name.removesuffix(ending)
            per = words.endswith("_per")
            said = words.removesuffix("_per").replace("_", " ")
            return f"{said} ({'1/' if per else ''}{unit})"
    return name.replace("_", " ")


def _headline(one: MeasureComparison) -> str:
    model = one.comparison.model
    if model is None:
        return "no test: one animal"
    return f"{p_text(model.omnibus_p)}\n{model.method}"


def _forest_lines(one: MeasureComparison) -> list[ForestLine]:
    lines = []
    for contrast in one.comparison.contrasts:
        a, b = (one.sample.conditions[i] for i in (contrast.a, contrast.b))
        effect, difference = contrast.effect, contrast.difference
        sign = "ratio" if one.scale == "log" else "difference"
        low, high = (number(one.shown(x)) for x in (difference.low, difference.high))
        said = f"{sign} {number(one.shown(difference.value))} ({low} to {high}), "
        said += p_text(contrast.p_holm)
        label = f"{one.measured.name}: {b} against {a}"
        lines.append(ForestLine(label, effect.value, effect.low, effect.high, said))
    return lines


def _contrast_table(found: Sequence[MeasureComparison]) -> TextTable:
    lines = []
    for one in found:
        for c in one.comparison.contrasts:
            low, high = (number(one.shown(x)) for x in (c.difference.low, c.difference.high))
            lines.append(
                (
                    one.measured.name,
                    f"{one.sample.conditions[c.b]} against {one.sample.conditions[c.a]}",
                    "ratio" if one.scale == "log" else "difference",
                    number(one.shown(c.difference.value)),
                    f"{low} to {high}",
                    number(c.difference.p_value),
                    number(c.p_holm),
                    f"{number(c.permutation.p_value)} ({number(c.permutation.smallest_p)})",
                    f"{number(c.effect.value)} ({number(c.effect.low)} to {number(c.effect.high)})",
                )
            )
    headings = ("measure", "conditions", "what", "estimate", "95 % interval", "p", "p (Holm)")
    more = ("permutation p (smallest possible)", "Hedges' g")
    return TextTable((*headings, *more), lines, 3, "Differences")


def _condition_table(found: Sequence[MeasureComparison]) -> TextTable:
    lines = []
    levels = ("animal", "cell", "image", "object")
    for one in found:
        for i, name in enumerate(one.sample.conditions):
            mean, low, high = one.shown_mean(i)
            told = [
                str(one.sample.count(level, i)) if level in one.levels else "" for level in levels
            ]
            kind = "geometric mean" if one.scale == "log" else "mean"
            figures = (number(mean), f"{number(low)} to {number(high)}")
            lines.append((one.measured.name, name, kind, *figures, *told))
    headings = ("measure", "condition", "what", "value", "95 % interval")
    return TextTable((*headings, *(f"{level}s" for level in levels)), lines, 3, "Conditions")


def _variance_table(found: Sequence[MeasureComparison]) -> TextTable:
    lines = [
        (
            one.measured.name,
            share.level,
            str(share.units),
            number(share.variance),
            f"{share.share:.1%}",
            number(share.icc),
        )
        for one in found
        for share in one.variances
    ]
    headings = ("measure", "between", "units", "variance", "share", "ICC")
    return TextTable(headings, lines, 2, "Where the variance lies")


def _inline(path: Path) -> tuple[str, str]:
    """A picture's name, and the picture as an address."""
    text = base64.b64encode(path.read_bytes()).decode()
    return path.stem, f"data:image/svg+xml;base64,{text}"

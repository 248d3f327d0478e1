"""Forest plots as inline SVG. The one file that imports matplotlib.

The SVG is made to stand inside a page:
- ids are prefixed with the figure's name, so that two figures never share one;
- colours are the page's own variables, so that dark mode and print hold for figures too;
- texts are put in after drawing, escaped, so that matplotlib neither lays out scripts it has no font for nor reads
  a `$` in somebody's slice name as mathematics;
- nothing depends on the day or the machine: the same rows give the same bytes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Literal

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from evalkit.report.text import one_line, visible

Tone = Literal["better", "worse", "undecided", "judge"]

# Colours that stand for the page's variables while matplotlib draws; only `_as_markup` reads them again.
_VARIABLES = {
    "#010101": "var(--ink)",
    "#020202": "var(--muted)",
    "#030303": "var(--line)",
    "#040404": "var(--better)",
    "#050505": "var(--worse)",
    "#060606": "var(--paper)",
}
_INK, _MUTED, _LINE, _BETTER, _WORSE, _PAPER = _VARIABLES
_COLOURS: dict[Tone, str] = {"better": _BETTER, "worse": _WORSE, "undecided": _MUTED, "judge": _BETTER}
_MARKERS: dict[Tone, str] = {"better": "^", "worse": "v", "undecided": "o", "judge": "o"}

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "evalkit",
    "text.parse_math": False,
    "font.size": 9.0,
    "axes.linewidth": 0.8,
}
_WIDTH_IN, _ROW_IN, _FRAME_IN = 9.4, 0.25, 0.62
_CHARACTER_IN = 0.075
_LONGEST_LABEL = 46


@dataclass(frozen=True)
class ForestRow:
    """One estimate: a mark at `value`, a line from `low` to `high`."""

    label: str
    value: float | None
    """None = nothing to draw; `note` says why."""
    low: float | None
    high: float | None
    tone: Tone = "undecided"
    hollow: bool = False
    """A diamond without filling: people's labels."""
    margin: float | None = None
    """Where the margin line stands in this row."""
    heading: bool = False
    """A line of text that begins a group."""
    note: str = ""
    """Written at the right end of the row."""


@dataclass
class _Texts:
    """Texts to be put in after drawing, by their placeholders."""

    written: dict[str, str] = field(default_factory=dict)

    def place(self, text: str) -> str:
        """A placeholder that matplotlib may draw in the text's stead."""
        name = f"@{len(self.written)}@"
        self.written[name] = text
        return name


def forest(
    name: str,
    rows: Sequence[ForestRow],
    *,
    title: str,
    description: str,
    axis: str,
    zero: float | None = 0.0,
    ends: tuple[str, str] = ("", ""),
) -> Markup:
    """A forest plot as an `<svg>` element.

    name: prefix of every id; letters, digits and hyphens, once per page.
    axis: the label of the horizontal axis, with the unit. ends: what left and right mean.
    zero: where the line of no difference stands; None = none.
    """
    texts = _Texts()
    with mpl.rc_context(_SETTINGS):
        height = _FRAME_IN + _ROW_IN * len(rows)
        figure = Figure(figsize=(_WIDTH_IN, height))
        FigureCanvasSVG(figure)
        label_width = min(max((len(row.label) for row in rows), default=0), _LONGEST_LABEL) * _CHARACTER_IN + 0.25
        left, right, bottom = label_width / _WIDTH_IN, 1 - 1.1 / _WIDTH_IN, (_FRAME_IN - 0.12) / height
        axes = figure.add_axes((left, bottom, right - left, 1 - bottom - 0.1 / height))
        _frame(axes, rows, zero, texts, axis, ends)
        for number, row in enumerate(rows):
            _draw(axes, row, len(rows) - 1 - number, texts)
        drawn = StringIO()
        nothing = dict.fromkeys(["Date", "Creator", "Format", "Type"])
        figure.savefig(drawn, format="svg", metadata=nothing)
    return _as_markup(drawn.getvalue(), name, texts, title, description)


def _frame(
    axes: Axes, rows: Sequence[ForestRow], zero: float | None, texts: _Texts, axis: str, ends: tuple[str, str]
) -> None:
    """Limits, the line of no difference, the axis and its label."""
    values = [
        value for row in rows for value in (row.low, row.value, row.high, row.margin, zero) if value is not None
    ] or [0.0, 1.0]
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    axes.set_xlim(low - 0.04 * spread, high + 0.04 * spread)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_yticks([])
    axes.set_facecolor("none")
    axes.figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_LINE)
    axes.tick_params(axis="x", colors=_MUTED, length=3)
    axes.grid(visible=True, axis="x", color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    if zero is not None:
        axes.axvline(zero, color=_INK, linewidth=1.0)
    below = -0.27 / (_ROW_IN * len(rows))
    for place, words, side in ((0.0, ends[0], "left"), (0.5, axis, "center"), (1.0, ends[1], "right")):
        if words:
            axes.text(place, below, texts.place(words), transform=axes.transAxes, ha=side, va="top", color=_MUTED)


def _draw(axes: Axes, row: ForestRow, y: int, texts: _Texts) -> None:
    label = one_line(row.label, _LONGEST_LABEL)
    weight = "bold" if row.heading else "normal"
    beside = axes.get_yaxis_transform()
    axes.text(-0.015, y, texts.place(label), transform=beside, ha="right", va="center", color=_INK, fontweight=weight)
    if row.note:
        axes.text(1.015, y, texts.place(row.note), transform=beside, ha="left", va="center", color=_MUTED)
    if row.margin is not None:
        axes.vlines(row.margin, y - 0.5, y + 0.5, color=_WORSE, linewidth=1.0, linestyles=(0, (3, 2)))
    if row.value is None:
        return
    colour = _COLOURS[row.tone]
    if row.low is not None and row.high is not None:
        axes.hlines(y, row.low, row.high, color=colour, linewidth=1.2 if row.hollow else 2.0)
    marker = "D" if row.hollow else _MARKERS[row.tone]
    filling = _PAPER if row.hollow else colour
    axes.plot(
        [row.value],
        [y],
        marker=marker,
        markersize=5.5 if row.hollow else 7,
        color=colour,
        markerfacecolor=filling,
        linestyle="none",
    )


def _as_markup(svg: str, name: str, texts: _Texts, title: str, description: str) -> Markup:
    """What matplotlib wrote, made to stand inside a page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # The style element would reach out of the figure into the whole page; page.css has the same rule for figures alone.
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', svg)
    svg = svg.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r"@\d+@", lambda match: str(escape(visible(texts.written[match.group()]))), svg)
    view = re.search(r'viewBox="[^"]*"', svg)
    head = f'<svg {view.group() if view else ""} role="img" aria-labelledby="{name}-title {name}-desc">'
    described = '\n<title id="{0}-title">{1}</title>\n<desc id="{0}-desc">{2}</desc>'
    words = Markup(described).format(name, visible(title), visible(description))
    body = svg[svg.index(">") + 1 :]
    return Markup(head) + words + Markup("\n".join(line.rstrip() for line in body.splitlines() if line.strip()) + "\n")

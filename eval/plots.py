"""The plots of a report, each as an SVG element that stands inside a page.

It brings no fonts, and no colours but those of the data, so that it reads on a light page and on a
dark one; its ids are its own.
"""

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from markupsafe import Markup

from eval.tables import NOTHING, Value, decimal, middle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

HUES = ("#0072B2", "#D55E00", "#009E73")
"""Blue, vermilion and bluish green of Okabe & Ito 2008, told apart by colour-blind people too;
each has a contrast of 3 : 1 or more with a white page and with a dark one (WCAG 2.2, 1.4.11)."""

INK = "#010203"
"""Stands for the page's own text colour; replaced by `currentColor`."""

WIDTH = 4.6
"""Inches; the text is 10 points, so that it can be read when the plot is a phone's width."""

_STYLE: "dict[RcKeyType, object]" = {
    "svg.fonttype": "none",  # text stays text: it is found, read aloud, and takes the page's font
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same widths on every machine
    "text.parse_math": False,  # a dollar in a question's type is a dollar
    "font.size": 10,
    "figure.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
_NO_DATE = dict.fromkeys(("Date", "Creator", "Format", "Type"))
# matplotlib's style would hold for the whole page; its numbered ids come again in each plot.
_LEFT_OUT = re.compile(
    r"<metadata>.*?</metadata>|<defs>\s*<style.*?</defs>| id=\"[\w.]+_\d+\""
    r"|font-family: 'DejaVu Sans'",
    re.DOTALL,
)
_LONGEST_LABEL = 34


def inline_svg(draw: Callable[["Figure"], None], title: str, label: str, height: float) -> Markup:
    """Draw a figure and give it as an `<svg>` element: the same bytes for the same data.

    Args:
        draw: Draws on an empty figure; takes `INK` for all that is not data.
        title: Its heading.
        label: What it shows, in words, for those who do not see it.
        height: Inches.
    """
    # Half a second to import, and only reports need it.
    import matplotlib
    from matplotlib.figure import Figure

    written = io.StringIO()
    # What was drawn decides on the ids, so that those of two plots of a page differ.
    salt = hashlib.sha256(f"{title} {label}".encode()).hexdigest()
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": salt}), warnings.catch_warnings():
        # Only the width of such a letter is guessed; the page has the font.
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        figure.suptitle(title, x=0.01, horizontalalignment="left", fontweight="bold")
        draw(figure)
        figure.savefig(written, format="svg", transparent=True, metadata=_NO_DATE)
    svg = written.getvalue()
    content = _LEFT_OUT.sub("", svg[svg.index(">", svg.index("<svg")) + 1 :])
    return Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="{}" {}>{}').format(
        re.search(r'viewBox="([^"]*)"', svg)[1],  # type: ignore[index]
        Markup('class="plot" role="img" aria-label="{}"').format(f"{title}. {label}"),
        Markup(content.replace(INK, "currentColor").replace("xlink:href", "href")),  # noqa: S704
    )


def short(text: str) -> str:
    """Words from data as a label: one line, not too long, nothing that SVG cannot hold."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= _LONGEST_LABEL else line[: _LONGEST_LABEL - 1] + "…"


@dataclass(frozen=True, slots=True)
class Bars:
    """One run's figure for each type of question, with an interval where it has one."""

    name: str
    values: Mapping[str, Value]


def bars_by_type(measure: str, series: Sequence[Bars]) -> Markup:
    """A measure of each type of question, the interval as a whisker; one run or two beside it.

    Types stand in the order of the first run, which every run has.
    """
    kinds = list(series[0].values)
    thick = 0.8 / len(series)

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        for number, (bars, hue) in enumerate(zip(series, HUES, strict=False)):
            at = [row + thick * (number - (len(series) - 1) / 2) for row in range(len(kinds))]
            values = [bars.values.get(kind) for kind in kinds]
            lengths = [middle(value) or 0 for value in values]
            axes.barh(at, lengths, 0.9 * thick, color=hue, label=short(bars.name))
            for y, value in zip(at, values, strict=True):
                if value is not None and not isinstance(value, float | int):
                    axes.plot([value.low, value.high], [y, y], color=INK, linewidth=1)
                axes.text(1.02, y, _shown(value), transform=axes.get_yaxis_transform(),
                          verticalalignment="center", fontsize=9)  # fmt: skip
        axes.set_yticks(range(len(kinds)), [_with_count(kind, series[0]) for kind in kinds])
        axes.set(ylim=(len(kinds) - 0.4, -0.6), xlim=(0, 1))
        axes.tick_params(axis="y", length=0)
        _light_grid(axes, "x")
        if len(series) > 1:
            figure.legend(loc="outside lower left")

    label = "; ".join(
        f"{bars.name}: " + ", ".join(f"{kind} {_shown(bars.values.get(kind))}" for kind in kinds)
        for bars in series
    )
    rows = len(kinds) * (0.14 + 0.15 * len(series)) + 0.2 * len(series) * (len(series) > 1)
    return inline_svg(draw, f"{measure} by type", f"{label}.", 0.75 + rows)


def risk_coverage(risk: Sequence[float]) -> Markup:
    """How the share of wrong answers falls when only the surest questions are answered.

    The curve of El-Yaniv & Wiener 2010, "On the foundations of noise-free selective
    classification" (`eval.figures.risk_by_coverage`).
    """
    area = decimal(float(np.mean(risk)))

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        axes.plot(np.arange(1, len(risk) + 1) / len(risk), risk, color=HUES[0], linewidth=2)
        axes.set(xlabel=f"share of questions answered; area {area}", xlim=(0, 1))
        axes.set_ylabel("share of those wrong")
        axes.set_ylim(bottom=0)
        _light_grid(axes)

    return inline_svg(draw, "Risk by coverage", f"The area under the curve is {area}.", 2.7)


def question_by_question(measure: str, values: Sequence[float]) -> Markup:
    """A measure of every question, the greatest first."""
    ordered = np.sort(np.asarray(values, dtype=float))[::-1]
    above, below = int((ordered > 0).sum()), int((ordered < 0).sum())
    counts = f"{above} above 0, {len(ordered) - above - below} at 0, {below} below"
    edges = np.arange(len(ordered) + 1)

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        # A bar a value without a gap, as one shape: there can be thousands.
        axes.stairs(np.maximum(ordered, 0), edges, fill=True, color=HUES[0])
        axes.stairs(np.minimum(ordered, 0), edges, fill=True, color=HUES[1])
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set(xlabel=f"questions: {counts}", xlim=(0, max(len(ordered), 1)))
        _light_grid(axes, "y")

    return inline_svg(draw, f"{measure}, question by question", f"{counts}.", 2.4)


def _light_grid(axes: "Axes", which: Literal["both", "x", "y"] = "both") -> None:
    axes.set_axisbelow(True)
    axes.grid(axis=which, color=INK, alpha=0.15, linewidth=0.8)


def _with_count(kind: str, bars: Bars) -> str:
    value = bars.values[kind]
    if value is None or isinstance(value, float | int):
        return short(kind)
    return f"{short(kind)} · {value.n}"


def _shown(value: Value) -> str:
    mean = middle(value)
    return NOTHING if mean is None else decimal(mean)

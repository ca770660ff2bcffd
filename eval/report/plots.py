"""The plots of a report, each as an SVG element (`eval.report.svg`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from eval.metrics.selective import Bin, RiskCoverage
from eval.report.numbers import NOTHING, Value, decimal, middle
from eval.report.svg import INK, inline_svg, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HUES = ("#0072B2", "#D55E00", "#009E73")
"""Blue, vermilion and bluish green of Okabe & Ito 2008, told apart by colour-blind people too;
each has a contrast of 3 : 1 or more with a white page and with a dark one (WCAG 2.2, 1.4.11)."""

_DASHES = ("-", "--", ":")


@dataclass(frozen=True, slots=True)
class Bars:
    """One run's figure for each type of question, with an interval where it has one."""

    name: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Stage:
    """How long one stage of answering takes: percentiles in milliseconds."""

    name: str
    p50: float
    p95: float
    p99: float


def risk_coverage(curves: Mapping[str, RiskCoverage]) -> Markup:
    """How the share of wrong answers falls when only the surest questions are answered.

    The curve of El-Yaniv & Wiener 2010, "On the foundations of noise-free selective
    classification" (`eval.metrics.selective`), by the run's name; at most three.
    """

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        for (name, curve), hue, dashes in zip(curves.items(), HUES, _DASHES, strict=False):
            label = f"{short(name)}, area {decimal(curve.aurc)}"
            axes.plot(curve.coverage, curve.risk, dashes, color=hue, linewidth=2, label=label)
        axes.set(xlabel="share of questions answered", ylabel="share of those wrong", xlim=(0, 1))
        axes.set_ylim(bottom=0)
        _light_grid(axes)
        figure.legend(loc="outside lower left")

    said = (f"{name}: area {decimal(curve.aurc)}" for name, curve in curves.items())
    return inline_svg(draw, "Risk by coverage", f"{'; '.join(said)}.", 2.7 + 0.2 * len(curves))


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
            means = [middle(value) for value in values]
            axes.barh(at, [mean or 0 for mean in means], 0.9 * thick, color=hue,
                      label=short(bars.name))  # fmt: skip
            for y, value, mean in zip(at, values, means, strict=True):
                if value is not None and not isinstance(value, float | int):
                    axes.plot([value.low, value.high], [y, y], color=INK, linewidth=1)
                axes.text(1.02, y, NOTHING if mean is None else decimal(mean),
                          transform=axes.get_yaxis_transform(), verticalalignment="center",
                          fontsize=9)  # fmt: skip
        axes.set_yticks(range(len(kinds)), [_with_count(kind, series[0]) for kind in kinds])
        axes.set(ylim=(len(kinds) - 0.4, -0.6), xlim=(0, _top(series)))
        axes.tick_params(axis="y", length=0)
        _light_grid(axes, "x")
        if len(series) > 1:
            figure.legend(loc="outside lower left")

    said = (
        f"{bars.name}: " + ", ".join(f"{kind} {_said(bars.values.get(kind))}" for kind in kinds)
        for bars in series
    )
    rows = len(kinds) * (0.14 + 0.15 * len(series)) + 0.2 * len(series) * (len(series) > 1)
    return inline_svg(draw, f"{measure} by type", f"{'; '.join(said)}.", 0.75 + rows)


def latency(stages: Sequence[Stage]) -> Markup:
    """How long each stage takes: bars to the median, the 95th and the 99th percentile.

    The axis is logarithmic if one median is more than thirty times another stage's.
    """
    medians = [max(stage.p50, 0.01) for stage in stages]
    logarithmic = max(medians) > 30 * min(medians)

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        rows = range(len(stages))
        for name, thick, hue, faint in (
            ("p99", 0.08, INK, 1),
            ("p95", 0.45, HUES[0], 0.65),
            ("p50", 0.75, HUES[0], 1),
        ):
            ends = [max(getattr(stage, name), 0.01) for stage in stages]
            axes.barh(rows, ends, thick, color=hue, alpha=faint, label=name)
        for row, stage in zip(rows, stages, strict=True):
            axes.text(1.02, row, _ms(stage.p50), transform=axes.get_yaxis_transform(),
                      verticalalignment="center", fontsize=9)  # fmt: skip
        if logarithmic:
            axes.set_xscale("log")
            axes.set_xlim(left=10 ** np.floor(np.log10(min(medians)) - 0.3))
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_yticks(rows, [short(stage.name) for stage in stages])
        axes.set(ylim=(len(stages) - 0.4, -0.6), xlabel="milliseconds; the median at the right")
        axes.tick_params(axis="y", length=0)
        _light_grid(axes, "x")
        figure.legend(loc="outside lower left", ncols=3, reverse=True)

    said = (
        f"{stage.name} {_ms(stage.p50)}, {_ms(stage.p95)}, {_ms(stage.p99)}" for stage in stages
    )
    label = f"Milliseconds at p50, p95, p99: {'; '.join(said)}."
    return inline_svg(draw, "Time by stage", label, 1.2 + 0.28 * len(stages))


def reliability(bins: Sequence[Bin]) -> Markup:
    """How often answers of each confidence are right; on the diagonal, confidence is deserved.

    The diagram of Niculescu-Mizil & Caruana 2005, with the number of answers beneath.
    """

    def draw(figure: "Figure") -> None:
        above, below = figure.subplots(2, sharex=True, height_ratios=(4, 1))
        x = [one.confidence for one in bins]
        above.plot([0, 1], [0, 1], "--", color=INK, linewidth=1, alpha=0.6)
        above.plot(x, [one.right for one in bins], "o-", color=HUES[0], linewidth=2)
        above.set(ylabel="share right", xlim=(0, 1), ylim=(-0.03, 1.03))
        below.bar(x, [one.count for one in bins], 0.04, color=HUES[0])
        below.set(xlabel="confidence", ylabel="answers")
        below.yaxis.get_major_locator().set_params(nbins=2, integer=True)
        _light_grid(above)

    said = (f"{decimal(one.confidence, 2)}: {decimal(one.right, 2)} of {one.count}" for one in bins)
    label = f"Share right at each mean confidence: {'; '.join(said)}."
    return inline_svg(draw, "Reliability", label, 3.4)


def differences(measure: str, values: Sequence[float]) -> Markup:
    """What every question gained or lost between two runs, the greatest gain first."""
    ordered = np.sort(np.asarray(values, dtype=float))[::-1]
    better, worse = int((ordered > 0).sum()), int((ordered < 0).sum())
    counts = f"{better} better, {len(ordered) - better - worse} equal, {worse} worse"

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        _steps(axes, np.maximum(ordered, 0), HUES[0])
        _steps(axes, np.minimum(ordered, 0), HUES[1])
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set(xlabel=f"questions: {counts}", ylabel="after − before")
        _light_grid(axes, "y")

    return inline_svg(draw, f"{measure}, question by question", f"{counts}.", 2.4)


def per_query(measure: str, values: Sequence[float]) -> Markup:
    """A measure of every query, the best first."""
    ordered = np.sort(np.asarray(values, dtype=float))[::-1]
    none, whole = int((ordered == 0).sum()), int((ordered == 1).sum())

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        _steps(axes, ordered, HUES[0])
        axes.set(xlabel=f"queries: {whole} at 1, {none} at 0", ylabel=measure, ylim=(0, 1))
        _light_grid(axes, "y")

    label = f"{len(ordered)} queries: {whole} at 1, {none} at 0."
    return inline_svg(draw, f"{measure}, query by query", label, 2.4)


def _steps(axes: "Axes", values: NDArray[np.float64], hue: str) -> None:
    """A bar a value without a gap, as one shape: there can be thousands."""
    edges = np.arange(len(values) + 1)
    axes.stairs(values, edges, fill=True, color=hue)
    axes.set_xlim(0, max(len(values), 1))


def _light_grid(axes: "Axes", which: Literal["both", "x", "y"] = "both") -> None:
    axes.set_axisbelow(True)
    axes.grid(axis=which, color=INK, alpha=0.15, linewidth=0.8)


def _with_count(kind: str, bars: Bars) -> str:
    value = bars.values[kind]
    if value is None or isinstance(value, float | int):
        return short(kind)
    return f"{short(kind)} · {value.n}"


def _top(series: Sequence[Bars]) -> float:
    """Where the axis ends: at 1 for shares."""
    ends = [
        value if isinstance(value, float | int) else value.high
        for bars in series
        for value in bars.values.values()
        if value is not None
    ]
    return 1 if max(ends, default=0) <= 1 else 1.05 * max(ends)


def _said(value: Value) -> str:
    mean = middle(value)
    return NOTHING if mean is None else decimal(mean)


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.{0 if milliseconds >= 10 else 1 if milliseconds >= 1 else 2}f} ms"

"""The plots of the tab, as SVG that takes the page's colours."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from eval import plots as report_plots
from eval.plots import HUES, INK, Bars, inline_svg, short
from eval.statistics import Interval
from eval.tables import decimal
from ui.web.evaluation.catalogue import Entry
from ui.web.evaluation.runs_table import when, words
from ui.web.render import TEMPLATE_SIGNS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKS = "osD^vP"
_MOST_DATES = 5

# matplotlib's style is the process's, and each question to the page has its own thread.
_drawing = Lock()


def over_time(entries: Sequence[Entry], figure: str) -> str:
    """A figure of runs of the same questions, one after another, each system a line.

    Args:
        entries: Those that have the figure, in any order.
        figure: Its name.
    """
    ordered = sorted(entries, key=lambda entry: (when(entry), entry.name))
    lines: dict[str, list[tuple[int, Interval]]] = defaultdict(list)
    for place, entry in enumerate(ordered):
        if found := entry.figure(figure):
            lines[entry.system].append((place, found))

    def draw(drawn: "Figure") -> None:
        axes = drawn.subplots()
        for number, (system, points) in enumerate(lines.items()):
            hue, mark = HUES[number % len(HUES)], _MARKS[number % len(_MARKS)]
            at, found = zip(*points, strict=True)
            for place, each in points:
                axes.plot([place, place], [each.low, each.high], color=hue, linewidth=1, alpha=0.7)
            axes.plot(at, [each.mean for each in found], "-", marker=mark, color=hue, linewidth=1.6,
                      markersize=5, label=short(system))  # fmt: skip
        step = max(1, -(-len(ordered) // _MOST_DATES))
        shown = range(0, len(ordered), step)
        axes.set_xticks(list(shown), [_when(ordered, place) for place in shown])
        axes.set_xlim(-0.5, len(ordered) - 0.5)
        tops = [each.high for points in lines.values() for _, each in points]
        if max(tops) <= 1:
            axes.set_ylim(0, 1.02)
        axes.set_axisbelow(True)
        axes.grid(axis="y", color=INK, alpha=0.15, linewidth=0.8)
        drawn.legend(loc="outside lower left")

    said = "; ".join(
        f"{system}: " + ", ".join(f"{_when(ordered, p)} {decimal(each.mean)}" for p, each in at)
        for system, at in lines.items()
    )
    with _drawing:
        svg = inline_svg(draw, words(figure), f"{said}.", 2.6 + 0.2 * len(lines))
    return str(svg).translate(TEMPLATE_SIGNS)


def _when(ordered: Sequence[Entry], place: int) -> str:
    """The day of a run; the time, if all are of one day."""
    days = {when(entry)[:10] for entry in ordered}
    told = when(ordered[place])
    return told[:10] if len(days) > 1 else told[-5:]


def by_type(measure: str, series: Mapping[str, Mapping[str, Interval]]) -> str:
    """A figure of each type of question, of one run or of two, by the name of the series.

    Nothing where all questions are of one type.
    """
    if all(len(values) < 2 for values in series.values()):
        return ""
    bars = [Bars(name, dict(values)) for name, values in series.items()]
    with _drawing:
        svg = report_plots.bars_by_type(words(measure), bars)
    return str(svg).translate(TEMPLATE_SIGNS)

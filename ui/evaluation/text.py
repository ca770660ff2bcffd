"""What `abstractqa eval` prints for people."""

from collections.abc import Mapping
from typing import Any

from eval.compare import Comparison
from eval.runs import Recorded
from eval.statistics import Interval
from eval.tables import Cell, difference, figure, p_value, table
from ui.terminal import wrap

_UNSAID = {"dataset", "configuration", "intervals", "environment"}
_FIRST = (
    *("right", "nugget_recall", "citation_precision", "citation_recall", "evidence_recall"),
    *("alce_recall", "alce_precision", "abstained_rightly", "nDCG@10", "R@10", "hit@1"),
)
_WIDTH = 24
_NO_BREAK = "\u00a0"


def metrics_text(metrics: Mapping[str, Any]) -> str:
    """The figures of a `metrics.json`: those with intervals, then a line a section and a type."""
    lines = [f"{'run':<{_WIDTH}}{metrics['run']}"]
    if system := metrics.get("system"):
        lines.append(f"{'measured':<{_WIDTH}}{system} on {metrics['dataset']['name']}")
    intervals = metrics.get("intervals", {})
    known = [(name, intervals[name]) for name in _FIRST if name in intervals]
    if known:
        rows: list[list[Cell]] = [[name, Interval(**found), found["n"]] for name, found in known]
        lines += ["", table(["figure", "mean, 95 % interval", "questions"], rows), ""]
    for name, section in metrics.items():
        if not isinstance(section, dict) or name in _UNSAID:
            continue
        nested = {key: value for key, value in section.items() if isinstance(value, dict)}
        flat = {key: value for key, value in section.items() if key not in nested}
        for label, values in {name: flat, **nested}.items():
            if values:
                shown = (f"{key}{_NO_BREAK}{_plain(value)}" for key, value in values.items())
                lines.append(wrap("  ".join(shown), f"{label:<{_WIDTH}}", " " * _WIDTH))
    return "\n".join(lines)


def comparison_text(compared: Comparison) -> str:
    """Two runs: a table of metrics, then the questions that flipped."""
    rows: list[list[Cell]] = [
        [
            change.metric,
            change.before.mean,
            change.after.mean,
            difference(change.paired.difference),
            p_value(change.p),
            len(change.better),
            len(change.worse),
        ]
        for change in compared.metrics
    ]
    head = ["metric", "before", "after", "difference", "p, corrected", "better", "worse"]
    flips = compared.flips
    lines = [
        f"before: {compared.before.name} ({compared.before.system})",
        f"after:  {compared.after.name} ({compared.after.system})",
        f"{compared.common:,} questions in both",
        *(f"careful: {what} differ between the runs" for what in compared.differs),
        "",
        table(head, rows),
        "",
        f"negative flips, right before and wrong now: {len(flips.negative)} of {flips.questions}",
        *(_asked(compared.before, id_) for id_ in flips.negative),
        f"positive flips, wrong before and right now: {len(flips.positive)} of {flips.questions}",
        *(_asked(compared.after, id_) for id_ in flips.positive),
    ]
    return "\n".join(lines)


def _asked(run: Recorded, id_: str) -> str:
    return f"  {id_} ({run.scores[id_].type}): {run.questions[id_]['question']}"


def _plain(value: object) -> str:
    return figure(value) if value is None or isinstance(value, float) else str(value)

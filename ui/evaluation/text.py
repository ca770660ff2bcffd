"""What `abstractqa eval` prints for people."""

from collections.abc import Mapping
from typing import Any

from eval.compare import Comparison
from eval.runs import Recorded
from eval.statistics import Interval
from eval.tables import Cell, difference, p_value, table

_FIRST = (
    *("right", "nugget_recall", "citation_precision", "citation_recall", "evidence_recall"),
    *("alce_recall", "alce_precision", "abstained_rightly", "nDCG@10", "R@10", "hit@1"),
)


def metrics_text(metrics: Mapping[str, Any]) -> str:
    """The main figures of a `metrics.json`, with their intervals where they have them."""
    title = str(metrics["run"])
    if system := metrics.get("system"):
        title = f"{title}: {system} on {metrics['dataset']['name']}"
    intervals = metrics.get("intervals", {})
    rows: list[list[Cell]] = [
        [name, Interval(**intervals[name]), intervals[name]["n"]]
        for name in _FIRST
        if name in intervals
    ]
    rows += [[name, value, None] for name, value in metrics.get("figures", {}).items()]
    return f"{title}\n\n{table(['figure', 'mean, 95 % interval', 'questions'], rows)}"


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

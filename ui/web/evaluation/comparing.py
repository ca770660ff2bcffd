"""One run against another: what changed, how sure that is, and which questions."""

from collections.abc import Sequence
from typing import Literal

from eval.compare import LOWER_IS_BETTER, NEITHER, Comparison, MetricChange
from eval.statistics import Interval
from eval.tables import difference, p_value
from eval.tables import figure as shown
from ui.web.evaluation.details import types_of
from ui.web.evaluation.plots import by_type
from ui.web.evaluation.runs_table import words
from ui.web.render import escape

Change = Literal["better", "worse", "same"]
CHANGES: tuple[Change, ...] = ("worse", "better", "same")

_SIGNIFICANT = 0.05
_SIGNS: dict[Change, str] = {"better": "▲", "worse": "▼", "same": "="}


def comparison_html(compared: Comparison) -> str:
    """Every metric of two runs, and their types of question side by side."""
    before, after = compared.before, compared.after
    differs = ", ".join(compared.differs)
    careful = (
        f'<p class="aqa-evaluation-careful">Not the same in both runs: {escape(differs)}. So not'
        " every change is the system’s.</p>"
        if differs
        else ""
    )
    rows = "".join(_row(change) for change in compared.metrics)
    flips = compared.flips
    types = by_type(before.primary, {"before": types_of(before), "after": types_of(after)})
    return (
        f'<p class="aqa-evaluation-note">Before: <strong>{escape(before.system)}</strong>'
        f" ({escape(before.name)}). After: <strong>{escape(after.system)}</strong>"
        f" ({escape(after.name)}). {compared.common:,} questions in both."
        f" <b>{len(flips.negative)}</b> were right and went wrong, <b>{len(flips.positive)}</b>"
        f" the other way round.</p>{careful}"
        '<div class="aqa-evaluation-changes"><div>'
        '<div class="aqa-evaluation-scroll" role="region" aria-label="Metrics of both runs"'
        ' tabindex="0"><table class="aqa-evaluation-metrics"><thead><tr><th scope="col">Metric</th>'
        '<th scope="col">Before</th><th scope="col">After</th>'
        '<th scope="col">Difference, 95 % interval</th><th scope="col">p, corrected</th>'
        '<th scope="col">Better</th><th scope="col">Worse</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        '<p class="aqa-evaluation-note">Paired randomization tests over questions; p is corrected'
        f" for {len(compared.metrics)} metrics (Holm). Bold where it is below .05.</p></div>"
        f'<div class="aqa-evaluation-plot">{types}</div></div>'
    )


def _row(change: MetricChange) -> str:
    moved = change.paired.difference
    told = escape(difference(moved))
    if change.p < _SIGNIFICANT:
        sign = direction(change.metric, moved.mean)
        told = f'<strong class="aqa-evaluation-{sign}">{_SIGNS[sign]} {told}</strong>'
    return (
        f'<tr><th scope="row">{escape(words(change.metric))}</th><td>{_mean(change.before)}</td>'
        f"<td>{_mean(change.after)}</td><td>{told}</td><td>{escape(p_value(change.p))}</td>"
        f"<td>{len(change.better)}</td><td>{len(change.worse)}</td></tr>"
    )


def _mean(figure: Interval) -> str:
    return shown(figure.mean)


def direction(metric: str, gained: float) -> Change:
    """Whether a metric that moved by `gained` got better or worse; some are no merit: "same"."""
    if not gained or metric in NEITHER:
        return "same"
    return "better" if (gained > 0) != (metric in LOWER_IS_BETTER) else "worse"


def changed(compared: Comparison, metric: str) -> dict[str, Change]:
    """What became of each question that both runs could measure, by its id."""
    found = next((each for each in compared.metrics if each.metric == metric), None)
    if found is None:
        return {}
    of: dict[str, Change] = dict.fromkeys(found.paired.ties, "same")
    of.update(dict.fromkeys(found.better, "better"))
    of.update(dict.fromkeys(found.worse, "worse"))
    return {id_: of[id_] for id_ in compared.before.scores if id_ in of}


def questions_html(compared: Comparison, metric: str, which: Sequence[Change]) -> str:
    """The questions that became what `which` names, each a button that opens it."""
    of = changed(compared, metric)
    kept = [id_ for id_, change in of.items() if change in which]
    if not kept:
        return '<p class="aqa-evaluation-note">No question is so.</p>'
    before, after = compared.before, compared.after
    rows = "".join(
        f'<li><button type="button" data-question="{escape(id_)}">'
        f'<span class="aqa-evaluation-{of[id_]}">{_SIGNS[of[id_]]}'
        f'<span class="aqa-evaluation-hidden"> {of[id_]}</span></span>'
        f"<span>{escape(str(before.questions[id_]['question']))}"
        f"<small>{escape(before.scores[id_].type)} · {escape(id_)} · {escape(words(metric))} "
        f"{shown(before.scores[id_].values[metric])} → {shown(after.scores[id_].values[metric])}"
        "</small></span></button></li>"
        for id_ in kept
    )
    return f'<ul class="aqa-evaluation-questions">{rows}</ul>'


def counts(compared: Comparison, metric: str) -> dict[Change, int]:
    """How many questions got worse, better, or stayed the same by a metric."""
    of = list(changed(compared, metric).values())
    return {change: of.count(change) for change in CHANGES}

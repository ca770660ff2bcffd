"""The report of one run set against another: what changed, then what was right before."""

from collections.abc import Mapping

from markupsafe import Markup

from eval.compare import LOWER_IS_BETTER, Comparison, MetricChange
from eval.datasets import Question
from eval.metrics.answers import nuggets_found
from eval.recorded import Recorded
from eval.report import plots
from eval.report.answers import answer_html, facts_list
from eval.report.numbers import Cell, Value, difference, p_value
from eval.report.page import page, record, section, table
from eval.report.page import plots as side_by_side
from eval.statistics import bootstrap_mean
from rag.schema import Answer

CHARTED = ("nugget_recall", "citation_precision", "nDCG@10")
"""The metrics whose change is drawn question by question, where the runs have them."""

_SIGNIFICANT = 0.05
_RANKED_FIRST = 5

_FLIP = Markup("""<details open><summary><strong>{}</strong> \
<span class="dim">{}</span><br>{}</summary>
<div class="sides"><div><h3>Before: {}</h3>{}</div><div><h3>After: {}</h3>{}</div></div>
</details>""")


def comparison_report(comparison: Comparison) -> str:
    """The report as HTML: every metric, plots, and each negative flip with both answers."""
    before, after, flips = comparison.before, comparison.after, comparison.flips
    counts = Markup(
        '<p>{} questions in both runs: <strong class="bad">{}</strong> right before and wrong now'
        ' (negative flips), <strong class="good">{}</strong> the other way round.</p>'
    ).format(comparison.common, len(flips.negative), len(flips.positive))
    headers = ["metric", "before", "after", "difference", "p, corrected", "better", "worse"]
    body = [
        Markup('<p class="dim">Before: {}, {}. After: {}, {}.</p>').format(
            before.system, before.name, after.system, after.name
        ),
        counts,
        section("Metrics", table(headers, map(_row, comparison.metrics))),
        side_by_side(_plots(comparison)),
        section("Right before, wrong now", *(_flip(comparison, id_) for id_ in flips.negative)),
        record({"before": before.record, "after": after.record}),
    ]
    return page(f"{before.name} → {after.name}", body)


def _row(change: MetricChange) -> list[Cell]:
    shown = difference(change.paired.difference)
    rose = change.paired.difference.mean > 0
    if change.p < _SIGNIFICANT:
        colour = "bad" if rose == (change.metric in LOWER_IS_BETTER) else "good"
        shown = Markup('<strong class="{}">{}</strong>').format(colour, shown)
    counts = len(change.better), len(change.worse)
    return [change.metric.replace("_", " "), change.before, change.after, shown,
            p_value(change.p), *counts]  # fmt: skip


def _plots(comparison: Comparison) -> list[Markup]:
    before, after = comparison.before, comparison.after
    # The names of runs may be the same; before and after never are.
    types = {
        label: plots.Bars(label, _right_by_type(run))
        for label, run in (("before", before), ("after", after))
    }
    drawn = [plots.bars_by_type("Right answers", list(types.values()))]
    for metric in CHARTED:
        first, second = before.column(metric), after.column(metric)
        gained = [second[id_] - first[id_] for id_ in first if id_ in second]
        if gained:
            drawn.append(plots.differences(metric.replace("_", " "), gained))
    return drawn


def _right_by_type(run: Recorded) -> dict[str, Value]:
    right = run.right()
    kinds = dict.fromkeys(score.type for score in run.scores.values())
    return {
        kind: bootstrap_mean(
            float(right[id_])
            for id_, score in run.scores.items()
            if score.type == kind and id_ in right
        )
        for kind in kinds
    }


def _flip(comparison: Comparison, id_: str) -> Markup:
    before, after = comparison.before, comparison.after
    return _FLIP.format(
        id_, before.scores[id_].type, str(before.questions[id_]["question"]),
        before.system, _came_back(before, id_), after.system, _came_back(after, id_),
    )  # fmt: skip


def _came_back(run: Recorded, id_: str) -> Markup:
    """What a run gave to a question: an answer with its facts, or the papers ranked first."""
    line = run.came_back[id_]
    if run.kind == "retrieval":
        return _ranking(line["found"], run.questions[id_]["relevant"])
    question = Question.model_validate(run.questions[id_])
    answer = Answer.model_validate(line["answer"])
    found = nuggets_found(question.nuggets, answer.text)
    return answer_html(question, answer) + facts_list(question, found)


def _ranking(found: Mapping[str, float], relevant: Mapping[str, int]) -> Markup:
    first = sorted(found, key=lambda paper: -found[paper])[:_RANKED_FIRST]
    items = Markup("").join(
        Markup('<li class="{}">{}</li>').format("good" if relevant.get(paper, 0) else "bad", paper)
        for paper in first
    )
    return Markup("<ol>{}</ol>").format(items)

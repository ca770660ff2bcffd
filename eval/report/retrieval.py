"""The report of a run of searches: its figures, then what went wrong, the worst first."""

from collections.abc import Mapping

from markupsafe import Markup

from eval.datasets import Beir
from eval.metrics.retrieval import MEASURES, Run
from eval.metrics.summary import Section
from eval.report import plots
from eval.report.answers import head
from eval.report.numbers import decimal
from eval.report.page import OPEN, mark, page, record, section, table, tiles
from eval.report.page import plots as side_by_side

WORST = 30
"""Queries that are shown with what was found."""

_RANKED_FIRST = 5
_MEASURE = "nDCG@10"

_QUERY = Markup("""<details{}><summary>{} <strong>{}</strong> \
<span class="dim">{} {}</span><br>{}</summary>
<div class="sides"><div><h3>Ranked first</h3><ol>{}</ol></div>
<div><h3>Relevant</h3><ul>{}</ul></div></div>
</details>""")


def retrieval_report(
    name: str,
    metrics: Mapping[str, object],
    beir: Beir,
    rankings: Run,
    per_query: Mapping[str, Mapping[str, float]],
    intervals: Mapping[str, Section] | None = None,
) -> str:
    """The report as HTML.

    Args:
        name: The benchmark's name.
        metrics: What `metrics.json` holds: what was run on what, and the figures.
        beir: The queries and papers.
        rankings: What was found.
        per_query: Every measure of every query (`eval.metrics.retrieval.query_metrics`).
        intervals: The means with their intervals, as `metrics.json` has them.
    """
    worst_first = sorted(per_query, key=lambda query: per_query[query][_MEASURE])
    worst = [query for query in worst_first[:WORST] if per_query[query][_MEASURE] < 1]
    titles = {paper.id: paper.title for paper in beir.papers}
    every = table(
        ["query", *MEASURES, "text"],
        (
            [query, *(per_query[query][measure] for measure in MEASURES), beir.queries[query]]
            for query in worst_first
        ),
    )
    body = [
        tiles(head(intervals or {}, (*MEASURES, "latency_ms"))),
        side_by_side([plots.per_query(_MEASURE, [v[_MEASURE] for v in per_query.values()])]),
        section(
            "The worst queries", *(_query(q, beir, titles, rankings, per_query[q]) for q in worst)
        ),
        section(
            "Every query",
            Markup("<details><summary>{} queries, the worst first</summary>{}</details>").format(
                len(per_query), every
            ),
        ),
        record({key: value for key, value in metrics.items() if key != "intervals"}),
    ]
    return page(f"Retrieval on {name}", body)


def _query(
    query: str, beir: Beir, titles: Mapping[str, str], rankings: Run, values: Mapping[str, float]
) -> Markup:
    ranking = sorted(rankings.get(query, {}).items(), key=lambda found: -found[1])
    ranks = {paper: rank for rank, (paper, _) in enumerate(ranking, start=1)}
    judged = beir.qrels[query]
    relevant = [paper for paper, relevance in judged.items() if relevance > 0]
    first = Markup("").join(
        Markup("<li>{} {}</li>").format(mark(paper in relevant), titles.get(paper, paper))
        for paper in list(ranks)[:_RANKED_FIRST]
    )
    wanted = Markup("").join(
        Markup('<li>{} <span class="dim">{}</span></li>').format(
            titles.get(paper, paper), f"rank {ranks[paper]}" if paper in ranks else "not found"
        )
        for paper in relevant
    )
    return _QUERY.format(
        Markup() if values[_MEASURE] else OPEN, mark(values[_MEASURE] == 1), query,
        _MEASURE, decimal(values[_MEASURE]), beir.queries[query], first, wanted,
    )  # fmt: skip

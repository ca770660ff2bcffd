"""Write a run as people read it: one HTML file with its plots, from the templates of this package.

Templates also hold the prompts of the judge and of synthesis, and docs/LEADERBOARD.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.benchmarks import Benchmark, Rankings
from eval.figures import Section, as_interval, risk_by_coverage
from eval.markdown import figure, interval
from eval.runs import QuestionScore
from eval.scoring import AnswerScore
from eval.statistics import Interval, bootstrap_mean
from rag.citations import unescape

if TYPE_CHECKING:
    from jinja2 import Environment

HEAD = ("right", "nugget_recall", "citation_precision", "citation_recall", "evidence_recall",
        "abstained_rightly", "nDCG@10", "words", "latency_ms")  # fmt: skip
"""The figures that the report of a run of answers begins with, where the run has them."""
PLOTTED = {"right": "Right answers", "nugget_recall": "Nugget recall"}
"""The figures that are drawn for each type of question."""
TEMPLATES = Path(__file__).parent / "templates"
WORST, RANKED_FIRST = 30, 5
"""Queries that are shown with what was found, and papers shown of each ranking."""
MEASURE = "nDCG@10"


def answers_report(
    metrics: Mapping[str, Any],
    about: Mapping[str, object],
    scores: Sequence[AnswerScore],
    rows: Sequence[QuestionScore],
) -> str:
    """Write the report of a run of answers: its figures, its plots, then every question.

    Args:
        metrics: What `metrics.json` holds.
        about: What was run on what.
        scores: Every answer, at least one; those that are not right are shown open.
        rows: The figures of each.
    """
    head = _head(metrics["intervals"], HEAD)
    return render(
        "answers.html",
        title=f"{about['system']}: {metrics['run']}",
        head=head,
        measured={title: _by_type(rows, name) for name, title in PLOTTED.items() if name in head},
        risk=risk_by_coverage(scores),
        types=(
            ["type", "questions", *head],
            [[kind, each["questions"], *map(each.get, head)] for kind, each in
             metrics["by_type"].items()],
        ),
        right=sum(score.is_right for score in scores),
        scores=scores,
        figures={"mean": _head(metrics["intervals"], metrics["intervals"]), **metrics["answers"]},
        about={"run": metrics["run"], **about},
    )  # fmt: skip


def _by_type(rows: Sequence[QuestionScore], name: str) -> list[tuple[str, Interval | None]]:
    """A figure of each type of question."""
    kinds = dict.fromkeys(row.type for row in rows)
    return [
        (kind, bootstrap_mean(row.values.get(name) for row in rows if row.type == kind))
        for kind in kinds
    ]


def retrieval_report(
    metrics: Mapping[str, Any],
    benchmark: Benchmark,
    rankings: Rankings,
    per_query: Mapping[str, Mapping[str, float]],
) -> str:
    """Write the report of a run of searches: its figures, then what went wrong, the worst first.

    Args:
        metrics: What `metrics.json` holds: what was run on what, and the figures.
        benchmark: The queries and papers.
        rankings: What was found, best first.
        per_query: Every measure of every query (`eval.benchmarks.query_metrics`), at least one.
    """
    worst_first = sorted(per_query, key=lambda query: per_query[query][MEASURE])
    worst = [query for query in worst_first[:WORST] if per_query[query][MEASURE] < 1]
    measures = list(next(iter(per_query.values())))
    return render(
        "retrieval.html",
        title=f"Retrieval on {metrics['dataset']['name']}",
        head=_head(metrics["intervals"], (*measures, "latency_ms")),
        measure=MEASURE,
        values=[each[MEASURE] for each in per_query.values()],
        worst=[_missed(query, per_query[query], benchmark, rankings) for query in worst],
        headers=["query", *measures, "text"],
        rows=[[query, *per_query[query].values(), benchmark.queries[query]]
              for query in worst_first],
        about={key: value for key, value in metrics.items() if key != "intervals"},
    )  # fmt: skip


def _missed(
    query: str, measured: Mapping[str, float], benchmark: Benchmark, rankings: Rankings
) -> dict[str, object]:
    """A query with the papers ranked first, and the relevant ones with their rank, if any."""
    titles = {paper.id: paper.title for paper in benchmark.papers}
    found = list(rankings.get(query, {}))
    relevant = [paper for paper, grade in benchmark.qrels[query].items() if grade > 0]
    ranks = {paper: rank for rank, paper in enumerate(found, start=1)}
    return {
        "id": query,
        "text": benchmark.queries[query],
        "value": measured[MEASURE],
        "first": [(titles.get(p, p), p in relevant) for p in found[:RANKED_FIRST]],
        "relevant": [(titles.get(p, p), ranks.get(p)) for p in relevant],
    }


def _head(stored: Mapping[str, Section], names: Iterable[str]) -> dict[str, Interval]:
    found = {name: as_interval(stored[name]) for name in names if name in stored}
    return {name: value for name, value in found.items() if value}


def render(template: str, **context: object) -> str:
    """Fill one of the templates; HTML is escaped, other files are not."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> "Environment":
    # Imported here: only reports and prompts need it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["zip"] = zip
    environment.filters |= {
        "plain": unescape,
        "ends": lambda value: interval(value, 2 if abs(value.mean) < 10 else 1),
        "figure": figure,
        # Text to be judged cannot end the element that it stands in.
        "inert": lambda text: text.replace("</", "< /"),
        "words": lambda name: str(name).replace("_", " "),
    }
    return environment

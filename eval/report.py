"""Write a run as people read it: one HTML file with its plots, from the templates of this package.

Templates also hold the prompts of the judge and of synthesis, and docs/LEADERBOARD.md.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from eval.figures import Section, as_interval, risk_by_coverage
from eval.formats import Beir
from eval.scoring import MARKER, AnswerScore
from eval.statistics import Interval, bootstrap_mean
from eval.tables import figure, interval
from index.papers import letters
from rag.citations import unescape

if TYPE_CHECKING:
    from jinja2 import Environment

HEAD = ("right", "nugget_recall", "citation_precision", "citation_recall", "evidence_recall",
        "abstained_rightly", "nDCG@10", "words", "latency_ms")  # fmt: skip
"""The figures that the report of a run of answers begins with, where the run has them."""
TEMPLATES = Path(__file__).parent / "templates"
WORST, RANKED_FIRST = 30, 5
"""Queries that are shown with what was found, and papers shown of each ranking."""
MEASURE = "nDCG@10"

Marked = Sequence[tuple[str, bool]]
"""Lines, each with whether it is as it should be."""


def answers_report(
    title: str,
    metrics: Mapping[str, Any],
    scores: Sequence[AnswerScore],
    about: Mapping[str, object],
) -> str:
    """Write the report of a run of answers: its figures, its plots, then every question.

    Args:
        title: The page's heading.
        metrics: What `metrics.json` holds.
        scores: Every answer, at least one; those that are not right are shown open.
        about: What was run on what, and with which versions.
    """
    types: Mapping[str, Section] = metrics["by_type"]
    names = list(next(iter(types.values()), {}))
    return render(
        "answers.html",
        title=title,
        head=_head(metrics["intervals"], HEAD),
        measured=_by_type(scores),
        risk=risk_by_coverage(scores),
        types=(["type", *names], [[kind, *types[kind].values()] for kind in types]),
        right=sum(score.is_right and not score.is_broken for score in scores),
        scores=scores,
        figures=metrics["answers"],
        about=about,
    )


def _by_type(scores: Sequence[AnswerScore]) -> dict[str, list[tuple[str, Interval | None]]]:
    """The two main figures of each type of question; none that no type has."""
    kinds = dict.fromkeys(score.question.type for score in scores)
    of = {kind: [score for score in scores if score.question.type == kind] for kind in kinds}
    right = [(kind, bootstrap_mean(s.rightness for s in of[kind])) for kind in kinds]
    facts = [(kind, bootstrap_mean(s.nugget_recall for s in of[kind])) for kind in kinds]
    drawn = {"Right answers": right, "Nugget recall": facts}
    return {name: rows for name, rows in drawn.items() if any(value for _, value in rows)}


def retrieval_report(
    metrics: Mapping[str, Any],
    beir: Beir,
    rankings: Mapping[str, Mapping[str, float]],
    per_query: Mapping[str, Mapping[str, float]],
) -> str:
    """Write the report of a run of searches: its figures, then what went wrong, the worst first.

    Args:
        metrics: What `metrics.json` holds: what was run on what, and the figures.
        beir: The queries and papers.
        rankings: What was found: query id → paper id → score, best first.
        per_query: Every measure of every query (`eval.retrieval.query_metrics`), at least one.
    """
    worst_first = sorted(per_query, key=lambda query: per_query[query][MEASURE])
    worst = [query for query in worst_first[:WORST] if per_query[query][MEASURE] < 1]
    titles = {paper.id: paper.title for paper in beir.papers}
    measures = list(next(iter(per_query.values())))
    return render(
        "retrieval.html",
        title=f"Retrieval on {metrics['dataset']['name']}",
        head=_head(metrics["intervals"], (*measures, "latency_ms")),
        measure=MEASURE,
        values=[each[MEASURE] for each in per_query.values()],
        worst=[
            {
                "id": query,
                "text": beir.queries[query],
                "value": per_query[query][MEASURE],
                **_ranked(rankings.get(query, {}), beir.qrels[query], titles),
            }
            for query in worst
        ],
        headers=["query", *measures, "text"],
        rows=[[query, *per_query[query].values(), beir.queries[query]] for query in worst_first],
        about={key: value for key, value in metrics.items() if key != "intervals"},
    )


def _ranked(
    found: Mapping[str, float], judged: Mapping[str, int], titles: Mapping[str, str]
) -> dict[str, object]:
    """The papers ranked first, and the relevant ones with their rank, None if not found."""
    ranks = {paper: rank for rank, paper in enumerate(found, start=1)}
    relevant = [paper for paper, grade in judged.items() if grade > 0]
    first = list(found)[:RANKED_FIRST]
    return {
        "first": [(titles.get(paper, paper), paper in relevant) for paper in first],
        "relevant": [(titles.get(paper, paper), ranks.get(paper)) for paper in relevant],
    }


def _head(stored: Mapping[str, Section], names: Sequence[str]) -> dict[str, Interval]:
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
    environment.filters |= {
        "answer_text": _answer_text,
        "ends": lambda value: interval(value, 2 if abs(value.mean) < 10 else 1),
        "figure": figure,
        # Text to be judged cannot end the element that it stands in.
        "inert": lambda text: text.replace("</", "< /"),
        "words": lambda name: str(name).replace("_", " "),
        "facts": lambda score: _marked(
            map(" / ".join, score.question.nuggets), score.nuggets_found
        ),
        "gold_papers": lambda score: _marked(score.question.papers, score.papers_cited),
        "not_gold": _not_gold,
        "evidence": _evidence,
        "broken": lambda score: [(each, False) for each in score.span_errors + score.marker_errors],
    }
    return environment


def _marked(texts: Any, flags: Sequence[bool]) -> Marked:
    return list(zip(texts, flags, strict=True))


def _not_gold(score: AnswerScore) -> Marked:
    cited = zip(score.answer.references, score.references_accepted, strict=True)
    return [(f"[{r.number}] {r.paper.title}", False) for r, accepted in cited if not accepted]


def _evidence(score: AnswerScore) -> Marked:
    cited = zip(score.question.evidence, score.evidence_cited, strict=True)
    return [
        (f"“{each.quote}” ({'not found in an abstract: ' * (is_cited is None)}{each.paper})",
         bool(is_cited))
        for each, is_cited in cited
    ]  # fmt: skip


def _answer_text(score: AnswerScore) -> Markup:
    """An answer's text; markers of gold papers are green, others red."""
    gold = {letters(title) for title in score.question.papers}
    right = {str(r.number) for r in score.answer.references if letters(r.paper.title) in gold}
    plain, pieces, at = unescape(score.answer.text), [], 0
    for match in MARKER.finditer(plain):
        kind = "good" if match[1] in right else "bad"
        pieces += [escape(plain[at : match.start()])]
        pieces += [Markup('<span class="{}">{}</span>').format(kind, match[0])]
        at = match.end()
    return Markup("").join([*pieces, escape(plain[at:])]) or Markup("(no text)")

"""Fill the templates of this package: a run's report, one HTML file with its plots, and prompts."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.datasets import Question
from eval.figures import MAIN, risk_by_coverage
from eval.markdown import figure, interval
from eval.runs import QuestionScore
from eval.scoring import AnswerScore
from eval.statistics import Interval, bootstrap_mean
from rag.citations import unescape

if TYPE_CHECKING:
    from jinja2 import Environment

MEASURE = "nDCG@10"
"""The figure that orders the queries of a benchmark, the worst first."""
TEMPLATES = Path(__file__).parent / "templates"


def run_report(
    metrics: Mapping[str, Any],
    questions: Sequence[Question],
    rows: Sequence[QuestionScore],
    scores: Sequence[AnswerScore],
) -> str:
    """Write a run's report: figures, plots, questions; a benchmark has no `scores` of answers."""
    means = {name: Interval(**each) for name, each in metrics["intervals"].items()}
    head = {name: means[name] for name in MAIN if name in means}
    types = metrics["by_type"]
    values = [row.values.get(MEASURE) or 0 for row in rows]
    worst = sorted(zip(values, questions, rows, strict=True), key=lambda each: each[0])
    made = ("run", "kind", "system", "dataset", "configuration", "answered_by", "environment")
    plotted = {"right": "Right answers", "nugget_recall": "Nugget recall"}
    return render(
        "run.html",
        title=f"{metrics['system']}: {metrics['run']}",
        head=head,
        measured={
            title: [(kind, _mean_of_type(rows, kind, name)) for kind in types]
            for name, title in plotted.items()
            if name in head
        },
        risk=risk_by_coverage(scores),
        measure=MEASURE,
        values=values,
        types=(
            ["type", "questions", *head],
            [[kind, each["questions"], *map(each.get, head)] for kind, each in types.items()],
        ),
        right=sum(score.is_right for score in scores),
        scores=scores,
        queries=(
            ["query", *head, "text"],
            [[q.id, *map(row.values.get, head), q.question] for _, q, row in worst],
        ),
        figures={"mean": means, **metrics.get("answers", {})},
        about={name: metrics[name] for name in made if name in metrics},
    )


def _mean_of_type(rows: Sequence[QuestionScore], kind: str, name: str) -> Interval | None:
    return bootstrap_mean(row.values.get(name) for row in rows if row.type == kind)


def render(template: str, **context: object) -> str:
    """Fill a template; only HTML templates escape their values."""
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
        # Text to be judged cannot close the element around it.
        "inert": lambda text: text.replace("</", "< /"),
        "words": lambda name: str(name).replace("_", " "),
    }
    return environment

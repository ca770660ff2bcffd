"""Write a run as people read it: one HTML file with its plots, from the templates of this package.

Templates also hold the prompts of the judge and of synthesis.
"""

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

PLOTTED = {"right": "Right answers", "nugget_recall": "Nugget recall"}
"""The figures that are drawn for each type of question."""
MEASURE = "nDCG@10"
"""The figure by which the queries of a benchmark are ordered, the worst first."""
ABOUT = ("run", "kind", "system", "dataset", "configuration", "answered_by", "environment")
"""What is said of how a run was made."""
TEMPLATES = Path(__file__).parent / "templates"


def run_report(
    metrics: Mapping[str, Any],
    questions: Sequence[Question],
    rows: Sequence[QuestionScore],
    scores: Sequence[AnswerScore] = (),
) -> str:
    """Write the report of a run: its figures, its plots, then every question.

    `metrics` is what `metrics.json` holds, `rows` are the figures of each question, `scores` every
    answer, none if it only searched; those that are not right are shown open.
    """
    means = {name: Interval(**each) for name, each in metrics["intervals"].items()}
    head = {name: means[name] for name in MAIN if name in means}
    worst = sorted(
        zip(questions, rows, strict=True), key=lambda pair: pair[1].values.get(MEASURE) or 0
    )
    types = [[kind, each["questions"], *map(each.get, head)] for kind, each in
             metrics["by_type"].items()]  # fmt: skip
    return render(
        "run.html",
        title=f"{metrics['system']}: {metrics['run']}",
        head=head,
        measured={title: _by_type(rows, name) for name, title in PLOTTED.items() if name in head},
        risk=risk_by_coverage(scores),
        measure=MEASURE,
        values=[row.values.get(MEASURE) or 0 for row in rows],
        types=(["type", "questions", *head], types),
        right=sum(score.is_right for score in scores),
        scores=scores,
        queries=(
            ["query", *head, "text"],
            [[q.id, *map(row.values.get, head), q.question] for q, row in worst],
        ),
        figures={"mean": means, **metrics.get("answers", {})},
        about={name: metrics[name] for name in ABOUT if name in metrics},
    )


def _by_type(rows: Sequence[QuestionScore], name: str) -> list[tuple[str, Interval | None]]:
    """A figure of each type of question."""
    kinds = dict.fromkeys(row.type for row in rows)
    return [
        (kind, bootstrap_mean(row.values.get(name) for row in rows if row.type == kind))
        for kind in kinds
    ]


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

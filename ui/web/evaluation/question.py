"""One question in two runs: what was expected, what each gave, and what changed."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from eval.compare import Comparison
from eval.datasets import Question
from eval.runs import Recorded
from eval.scoring import nuggets_found
from eval.tables import difference
from eval.tables import figure as shown
from index.errors import InputError
from index.papers import letters
from rag.schema import Answer
from ui.web.arena.cited import cited_html
from ui.web.evaluation.comparing import direction
from ui.web.evaluation.runs_table import words
from ui.web.render import escape

RANKED = 10
"""Papers shown of a ranking."""


def question_html(compared: Comparison, id_: str) -> str:
    """The question `id_` with both answers side by side.

    Raises:
        InputError: not both runs have it.
    """
    before, after = compared.before, compared.after
    if id_ not in before.scores or id_ not in after.scores:
        raise InputError(f"there is no question {id_!r} in both runs")
    asked = before.questions[id_]
    sides = "".join(
        f'<section class="aqa-evaluation-side" aria-label="{label}"><h4>{label}'
        f"<span>{escape(run.system)}</span></h4>{_came_back(run, id_, label.lower())}</section>"
        for label, run in (("Before", before), ("After", after))
    )
    return (
        f'<h3 id="aqa-evaluation-asked" tabindex="-1">{escape(str(asked["question"]))}</h3>'
        f'<p class="aqa-evaluation-note">{escape(before.scores[id_].type)} · {escape(id_)}</p>'
        f"{_history(asked)}{_expected(before, asked)}"
        f'<div class="aqa-evaluation-pair">{sides}</div>{_values(before, after, id_)}'
    )


def _history(asked: Mapping[str, Any]) -> str:
    turns = "".join(
        f"<li>{escape(str(turn['role']))}: {escape(str(turn['content']))}</li>"
        for turn in asked.get("history") or ()
    )
    return f'<ul class="aqa-evaluation-note">{turns}</ul>' if turns else ""


def _expected(run: Recorded, asked: Mapping[str, Any]) -> str:
    if run.kind == "retrieval":
        return ""
    if not asked.get("answerable", True):
        note = f": {asked['note']}" if asked.get("note") else ""
        return f"<p>Expected: no answer, the abstracts do not say{escape(note)}.</p>"
    papers = "; ".join(str(title) for title in asked.get("papers") or ())
    return f"<p>Expected papers: {escape(papers)}</p>" if papers else ""


def _came_back(run: Recorded, id_: str, anchor: str) -> str:
    line, asked = run.came_back[id_], run.questions[id_]
    if run.kind == "retrieval":
        return _ranking(line["found"], asked["relevant"])
    try:
        answer = Answer.model_validate(line["answer"])
        question = Question.model_validate(asked)
    except ValidationError:
        return (
            "<p>Another version stored this answer, so its citations cannot be shown.</p>"
            f"<p>{escape(str(line['answer'].get('text', '')))}</p>"
        )
    found = nuggets_found(question.nuggets, answer.text)
    gold = {letters(title) for title in question.papers}
    cited = {letters(reference.paper.title) for reference in answer.references}
    return (
        cited_html(answer, anchor)
        + _ticked(
            "Facts",
            [(" / ".join(w), ok) for w, ok in zip(question.nuggets, found, strict=True)],
        )
        + _ticked("Papers", [(title, letters(title) in cited) for title in question.papers])
        + _ticked(
            "Cited beside them",
            [
                (reference.paper.display_title, False)
                for reference in answer.references
                if gold and letters(reference.paper.title) not in gold
            ],
        )
    )


def _ranking(found: Mapping[str, float], relevant: Mapping[str, int]) -> str:
    first = sorted(found, key=lambda paper: -found[paper])[:RANKED]
    return _ticked("Ranked first", [(paper, relevant.get(paper, 0) > 0) for paper in first])


def _ticked(heading: str, items: list[tuple[str, bool]]) -> str:
    if not items:
        return ""
    rows = "".join(
        f'<li class="aqa-evaluation-{"better" if good else "worse"}">'
        f'<span aria-hidden="true">{"✓" if good else "✗"}</span>'
        f'<span class="aqa-evaluation-hidden">{"yes: " if good else "no: "}</span>'
        f"<span>{escape(text)}</span></li>"
        for text, good in items
    )
    return f'<h5>{heading}</h5><ul class="aqa-evaluation-ticks">{rows}</ul>'


def _values(before: Recorded, after: Recorded, id_: str) -> str:
    """The values of the question that are not the same."""
    first, second = before.scores[id_].values, after.scores[id_].values
    rows = "".join(
        _value(name, first.get(name), second.get(name))
        for name in dict.fromkeys((*first, *second))
        if first.get(name) != second.get(name)
    )
    if not rows:
        return '<p class="aqa-evaluation-note">Every value is the same.</p>'
    return (
        '<table class="aqa-evaluation-metrics"><caption>What changed</caption><thead><tr>'
        '<th scope="col">Value</th><th scope="col">Before</th><th scope="col">After</th>'
        f'<th scope="col">Change</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _value(name: str, before: float | None, after: float | None) -> str:
    gained = after - before if before is not None and after is not None else None
    kind = direction(name, gained) if gained is not None else "same"
    told = escape(difference(gained))
    return (
        f'<tr><th scope="row">{escape(words(name))}</th><td>{shown(before)}</td>'
        f'<td>{shown(after)}</td><td class="aqa-evaluation-{kind}">{told}</td></tr>'
    )

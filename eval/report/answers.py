"""The report of a run of answers: its figures, its plots, then every question."""

from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup, escape

from eval.datasets import Evidence, Question
from eval.metrics.answers import MARKER, AnswerScore
from eval.metrics.selective import reliability, risk_coverage
from eval.metrics.summary import Section, outcome
from eval.report import plots
from eval.report.numbers import Cell, Value
from eval.report.page import OPEN, mark, marked_list, page, record, section, sections, table, tiles
from eval.report.page import plots as side_by_side
from eval.statistics import Interval, bootstrap_mean
from index.papers import letters
from rag.citations import unescape
from rag.schema import Answer

HEAD = ("right", "nugget_recall", "citation_precision", "citation_recall", "evidence_recall",
        "abstained_rightly", "nDCG@10", "words", "latency_ms")  # fmt: skip
"""The figures a report begins with, where the run has them."""


def answers_report(
    title: str,
    figures: Mapping[str, Section],
    types: Mapping[str, Section],
    scores: Sequence[AnswerScore],
    intervals: Mapping[str, Section] | None = None,
    about: Mapping[str, object] | None = None,
) -> str:
    """The report as HTML.

    Args:
        title: The page's heading.
        figures: The figures of the run, by section (`eval.metrics.summary.answer_summary`).
        types: The figures of each type of question (`by_type`).
        scores: Every answer; those that are not right are shown open.
        intervals: Figures with their intervals (`eval.metrics.intervals.intervals`).
        about: What was run on what, and with which versions.
    """
    right = sum(score.right and not _broken(score) for score in scores)
    legend = Markup(
        '<p class="dim">{} of {} right. <span class="good">✓ as it should be</span>, '
        '<span class="bad">✗ missed or wrong</span>. Questions that went wrong are open.</p>'
    )
    body = [
        tiles(head(intervals or {}, HEAD)),
        side_by_side(_plots(scores, figures)),
        section("By type of question", _types(types)),
        section("Questions", legend.format(right, len(scores)), *map(_question, scores)),
        section("Every figure", sections(figures)),
        record(about) if about else "",
    ]
    return page(title, body)


def head(intervals: Mapping[str, Section], names: Sequence[str]) -> dict[str, Value]:
    """Those of the figures that a report begins with."""
    found = {name: as_interval(intervals[name]) for name in names if name in intervals}
    return {name: value for name, value in found.items() if value}


def as_interval(stored: Section) -> Interval | None:
    """An interval as `metrics.json` has it; None if it is not whole."""
    mean, low, high, n = (stored.get(name) for name in ("mean", "low", "high", "n"))
    if mean is None or low is None or high is None or n is None:
        return None
    return Interval(mean, low, high, int(n))


def _plots(scores: Sequence[AnswerScore], figures: Mapping[str, Section]) -> list[Markup]:
    outcomes = [outcome(score) for score in scores]
    curve, bins = risk_coverage(outcomes), reliability(outcomes)
    drawn = [
        plots.bars_by_type(name, [plots.Bars("this run", values)])
        for name, values in {
            "Right answers": _by_type(scores, lambda score: score.rightness),
            "Nugget recall": _by_type(scores, lambda score: score.nugget_recall),
        }.items()
        if any(value is not None for value in values.values())
    ]
    if curve:
        drawn.append(plots.risk_coverage({"this run": curve}))
    if bins:
        drawn.append(plots.reliability(bins))
    stages = _stages(figures.get("stages_ms", {}))
    return [*drawn, plots.latency(stages)] if stages else drawn


def _by_type(
    scores: Sequence[AnswerScore], value: Callable[[AnswerScore], float | None]
) -> dict[str, Value]:
    kinds = dict.fromkeys(score.question.type for score in scores)
    return {
        kind: bootstrap_mean(value(score) for score in scores if score.question.type == kind)
        for kind in kinds
    }


def _stages(figures: Section) -> list[plots.Stage]:
    """The stages of `<stage>_p50`, `<stage>_p95`, `<stage>_p99`."""
    names = [name.removesuffix("_p50") for name in figures if name.endswith("_p50")]
    return [
        plots.Stage(name, *(figures.get(f"{name}_p{q}") or 0.0 for q in (50, 95, 99)))
        for name in names
    ]


def _types(types: Mapping[str, Section]) -> Markup:
    names = list(next(iter(types.values()), {}))
    rows: list[list[Cell]] = [
        [kind, *(figures[name] for name in names)] for kind, figures in types.items()
    ]
    return table(["type", *names], rows)


_QUESTION = Markup("""<details{}><summary>{} <strong>{}</strong> \
<span class="dim">{}{}, {}, {} words, {:.0f} ms</span><br>{}</summary>
{}
</details>""")


def _question(score: AnswerScore) -> Markup:
    question, answer = score.question, score.answer
    right = score.right and not _broken(score)
    broken = ((error, False) for error in score.span_errors + score.marker_errors)
    parts = [
        _history(question),
        answer_html(question, answer),
        facts_list(question, score.nuggets_found),
        marked_list("Gold papers", zip(question.papers, score.papers_cited, strict=True)),
        marked_list(
            "Cited, but not gold",
            (
                (f"[{reference.number}] {reference.paper.title}", False)
                for reference, gold in zip(
                    answer.references, score.references_accepted, strict=True
                )
                if not gold
            ),
        ),
        marked_list(
            "Evidence",
            (
                (_evidence(evidence, cited), bool(cited))
                for evidence, cited in zip(question.evidence, score.evidence_cited, strict=True)
            ),
        ),
        marked_list("Broken", broken),
        Markup('<p class="dim">{}</p>').format(question.note) if question.note else "",
    ]
    return _QUESTION.format(
        Markup() if right else OPEN,
        mark(right),
        question.id,
        question.type,
        "" if question.answerable else ", not answerable",
        "refused" if score.refused else "answered",
        score.words,
        score.elapsed_ms,
        question.question,
        Markup("\n").join(part for part in parts if part),
    )


def answer_html(question: Question, answer: Answer) -> Markup:
    """An answer's text and why it refused; markers of gold papers are green, others red."""
    gold = {letters(title) for title in question.papers}
    right = {str(r.number) for r in answer.references if letters(r.paper.title) in gold}
    plain = unescape(answer.text)
    pieces, at = [], 0
    for match in MARKER.finditer(plain):
        pieces.append(escape(plain[at : match.start()]))
        kind = "good" if match[1] in right else "bad"
        pieces.append(Markup('<span class="{}">{}</span>').format(kind, match[0]))
        at = match.end()
    pieces.append(escape(plain[at:]))
    text = Markup("").join(pieces) or "(no text)"
    told = answer.reason and answer.reason not in answer.text
    reason = Markup('<p class="dim">{}</p>').format(answer.reason) if told else ""
    return Markup('<p class="answer">{}</p>{}').format(text, reason)


def facts_list(question: Question, found: Sequence[bool]) -> Markup:
    """The facts of a right answer, and which are stated."""
    named = (" / ".join(wordings) for wordings in question.nuggets)
    return marked_list("Facts", zip(named, found, strict=True))


def _history(question: Question) -> Markup:
    turns = Markup("").join(
        Markup("<br>{}: {}").format(turn.role, turn.content) for turn in question.history
    )
    return Markup('<p class="dim">After:{}</p>').format(turns) if turns else turns


def _broken(score: AnswerScore) -> bool:
    return bool(score.span_errors or score.marker_errors)


def _evidence(evidence: Evidence, cited: bool | None) -> str:
    where = evidence.paper if cited is not None else f"not found in an abstract: {evidence.paper}"
    return f"“{evidence.quote}” ({where})"

"""A run of answers as one HTML file that needs nothing else: figures, then every question."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from eval.datasets import Evidence
from eval.metrics.answers import MARKER, AnswerScore
from eval.metrics.summary import Section

_STYLE = """
:root { color-scheme: light dark; --good: #0a6b2d; --bad: #b3261e; --line: #8886; }
@media (prefers-color-scheme: dark) { :root { --good: #7bd88f; --bad: #ff9a90; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .7rem .3rem 0; text-align: right;
  overflow-wrap: normal; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
details { border-bottom: 1px solid var(--line); padding: .5rem 0; }
summary { cursor: pointer; }
.answer { white-space: pre-wrap; border-left: 3px solid var(--line); padding-left: .8rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.dim { opacity: .75; font-size: .9rem; }
ul { margin: .3rem 0; padding-left: 1.3rem; }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def answers_report(
    title: str,
    sections: Mapping[str, Section],
    types: Mapping[str, Section],
    scores: Sequence[AnswerScore],
) -> str:
    """The report as HTML; everything that comes from data is escaped.

    Args:
        title: The page's heading.
        sections: The figures of the run, by section.
        types: The figures of each type of question.
        scores: Every answer; those that missed something are shown open.
    """
    body = [
        "<h2>Figures</h2>",
        _figures(sections),
        "<h2>By type of question</h2>",
        _types(types),
        "<h2>Questions</h2>",
        '<p class="dim"><span class="good">✓ as it should be</span>, '
        '<span class="bad">✗ missed or wrong</span>. Questions with something wrong are open.</p>',
        *map(_question, scores),
    ]
    return _PAGE.format(title=escape(title), style=_STYLE, body="\n".join(body))


def _figures(sections: Mapping[str, Section]) -> str:
    rows: list[str] = []
    for section, values in sections.items():
        rows.append(f'<tr><th colspan="2">{escape(section.replace("_", " "))}</th></tr>')
        rows += (
            f"<tr><td>{escape(name.replace('_', ' '))}</td><td>{_number(value)}</td></tr>"
            for name, value in values.items()
        )
    return _table(rows)


def _types(types: Mapping[str, Section]) -> str:
    names = list(next(iter(types.values()), {}))
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
    rows = (
        f"<tr><td>{escape(kind)}</td>"
        + "".join(f"<td>{_number(figures[name])}</td>" for name in names)
        + "</tr>"
        for kind, figures in types.items()
    )
    return _table([f"<tr><th>type</th>{head}</tr>", *rows])


def _table(rows: Iterable[str]) -> str:
    return f'<div class="scroll" tabindex="0"><table>{"".join(rows)}</table></div>'


def _question(score: AnswerScore) -> str:
    question, answer = score.question, score.answer
    right = _is_right(score)
    state = "refused" if score.refused else "answered"
    wanted = "" if question.answerable else ", not answerable"
    history = "".join(
        f"<br>{escape(turn.role)}: {escape(turn.content)}" for turn in question.history
    )
    parts = [
        f"<details{'' if right else ' open'}><summary>{_mark(right)} "
        f"<strong>{escape(question.id)}</strong> "
        f'<span class="dim">{escape(question.type)}{wanted}, {state}, {score.words} words, '
        f"{score.elapsed_ms:.0f} ms</span><br>{escape(question.question)}</summary>",
        f'<p class="dim">After:{history}</p>' if history else "",
        f'<p class="answer">{_answer_html(score)}</p>',
        f'<p class="dim">{escape(answer.reason)}</p>' if answer.reason else "",
        _list("Gold papers", zip(question.papers, score.papers_cited, strict=True)),
        _list(
            "Cited, but not gold",
            (
                (f"[{reference.number}] {reference.paper.title}", False)
                for reference, gold in zip(answer.references, score.references_gold, strict=True)
                if not gold
            ),
        ),
        _list(
            "Facts",
            (
                (" / ".join(wordings), found)
                for wordings, found in zip(question.nuggets, score.nuggets_found, strict=True)
            ),
        ),
        _list(
            "Evidence",
            (
                (_evidence(evidence, cited), bool(cited))
                for evidence, cited in zip(question.evidence, score.evidence_cited, strict=True)
            ),
        ),
        _list("Broken", ((error, False) for error in score.span_errors + score.marker_errors)),
        f'<p class="dim">{escape(question.note)}</p>' if question.note else "",
        "</details>",
    ]
    return "\n".join(part for part in parts if part)


def _is_right(score: AnswerScore) -> bool:
    if score.refused == score.question.answerable or score.span_errors or score.marker_errors:
        return False
    if not score.question.answerable:
        return True
    return all(score.nuggets_found) and all(score.papers_cited) and all(score.references_gold)


def _answer_html(score: AnswerScore) -> str:
    gold = {
        reference.number: is_gold
        for reference, is_gold in zip(score.answer.references, score.references_gold, strict=True)
    }

    def coloured(match: re.Match[str]) -> str:
        kind = "good" if gold.get(int(match[1])) else "bad"
        return f'<span class="{kind}">{match[0]}</span>'

    text = score.answer.text or "(no text)"
    return MARKER.sub(coloured, escape(text))


def _evidence(evidence: Evidence, cited: bool | None) -> str:
    where = evidence.paper if cited is not None else f"not found in an abstract: {evidence.paper}"
    return f"“{evidence.quote}” ({where})"


def _list(heading: str, items: Iterable[tuple[str, bool]]) -> str:
    rows = "".join(f"<li>{_mark(good)} {escape(text)}</li>" for text, good in items)
    return f'<div><span class="dim">{escape(heading)}</span><ul>{rows}</ul></div>' if rows else ""


def _mark(good: bool) -> str:
    return '<span class="good">✓</span>' if good else '<span class="bad">✗</span>'


def _number(value: float | int | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)

"""Answers and conversations as one HTML file that needs nothing else, and runs nothing."""

import html
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files

from markdown_it import MarkdownIt

from index.text import clean, clean_text
from rag.schema import Answer, AnswerSentence, Citation, Passage, Reference
from ui.archive.models import Conversation, Turn
from ui.export.cited import link
from ui.export.sentences import rewritten, translated
from ui.export.wording import (
    NO_ANSWER,
    byline,
    doubt,
    filters_text,
    one_line,
    provenance,
    unanswered,
)

# Signs of the private use area stand for tags until the Markdown is rendered; those of the text
# itself are taken out first.
_DOUBT, _WHY, _END = "\ue000", "\ue001", "\ue002"
_LINK, _LINKED = "\ue003", "\ue004"
_NO_SIGNS = {ord(sign): "\ufffd" for sign in (_DOUBT, _WHY, _END, _LINK, _LINKED)}
_MARKER = re.compile(r"\\.|\[(\d+)\]", re.DOTALL)
_TAGGED_LINK = re.compile(rf"{_LINK}(\d+){_LINKED}")

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def answer_html(turn: Turn) -> str:
    """One question with its answer and the sources that it cites."""
    return _page(turn.question, _section(turn, 1, "h1"))


def conversation_html(conversation: Conversation) -> str:
    """A conversation, a section a question, each with its sources at its end."""
    sections = [_section(turn, number, "h2") for number, turn in enumerate(conversation.turns, 1)]
    heading = f"<h1>{_shown(conversation.title)}</h1>"
    return _page(conversation.title, "\n".join([heading, *sections]))


def _page(title: str, body: str) -> str:
    style = (files("ui.export") / "page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_shown(title)}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _section(turn: Turn, number: int, heading: str) -> str:
    name = f"question-{number}"
    question = f'<{heading} id="{name}">{_shown(turn.question)}</{heading}>'
    lines = "\n".join([question, *_turn(turn, number)])
    return f'<section aria-labelledby="{name}">\n{lines}\n</section>'


def _turn(turn: Turn, number: int) -> Iterator[str]:
    answer = turn.answer
    if answer and one_line(answer.standalone_question) != one_line(turn.question):
        yield f'<p class="aside">Understood as: {_shown(answer.standalone_question)}</p>'
    if filters := filters_text(turn.filters):
        yield f'<p class="aside">Only papers {_shown(filters)}</p>'
    if answer is None:
        if turn.partial:
            yield _TAGGED_LINK.sub(r"[\1]", _rendered(turn.partial.translate(_NO_SIGNS)))
        yield f'<p class="aside">{_shown(unanswered(turn))}</p>'
        return
    yield from (
        _refusal(answer) if answer.status == "insufficient_evidence" else _answer(answer, number)
    )
    if answer.notice:
        yield f'<p class="aside">{_shown(answer.notice)}</p>'
    if answer.references:
        yield "<h3>Sources</h3>"
        yield from (_source(reference, number) for reference in answer.references)
    yield f'<p class="aside">{_shown(provenance(turn, answer))}</p>'


def _answer(answer: Answer, number: int) -> Iterator[str]:
    """The text: each marker leads to the sentence it stands for, each doubt is told."""
    plain = translated(answer, _NO_SIGNS)
    marked = rewritten(plain, _with_signs)
    targets = _targets(answer.sentences)

    def tag(match: re.Match[str]) -> str:
        reference = int(match[1])
        cited = targets.get(reference, [])
        target = f"source-{number}-{reference}" + (f"-{cited.pop(0)}" if cited else "")
        return f'<a class="cite" href="#{target}">[{reference}]</a>'

    body = _TAGGED_LINK.sub(tag, _rendered(marked or plain.text))
    doubts = iter([told for sentence in answer.sentences if (told := doubt(sentence))])
    body = body.replace(_DOUBT, '<span class="doubtful">').replace(_WHY, "</span>")
    yield re.sub(_END, lambda _: f' <small class="doubt">({_shown(next(doubts))})</small>', body)
    if marked is None and answer.doubts:
        listed = "".join(f"<li>{_shown(line)}</li>" for line in answer.doubts)
        yield f"<p>Not wholly borne out by the abstracts:</p>\n<ul>{listed}</ul>"


def _with_signs(sentence: AnswerSentence, said: str, markers: str) -> str:
    return f"{_DOUBT}{said}{_WHY}{markers}{_END}" if doubt(sentence) else f"{said}{markers}"


def _targets(sentences: Sequence[AnswerSentence]) -> dict[int, list[int]]:
    """Where each marker of a reference leads, in the order of the text: a start in its abstract."""
    starts: dict[int, list[int]] = {}
    for sentence in sentences:
        # A sentence has one marker a reference, whatever number of its sentences it cites.
        first: dict[int, Citation] = {c.reference: c for c in reversed(sentence.citations)}
        for citation in first.values():
            starts.setdefault(citation.reference, []).append(citation.start)
    return starts


def _refusal(answer: Answer) -> Iterator[str]:
    yield f"<p><strong>{NO_ANSWER}</strong> {_shown(answer.reason or '')}</p>"
    if answer.nearest:
        nearest = "".join(f"<li>{_shown(clean_text(near.title))}</li>" for near in answer.nearest)
        yield f"<p>The nearest papers:</p>\n<ul>{nearest}</ul>"


def _source(reference: Reference, number: int) -> str:
    paper, anchor = reference.paper, f"source-{number}-{reference.number}"
    title, address = _shown(paper.display_title), link(paper)
    if address:
        title = f'<a href="{html.escape(address)}" rel="noopener noreferrer">{title}</a>'
    return (
        f'<article id="{anchor}">\n<h4>[{reference.number}] {title}</h4>\n'
        f'<p class="aside">{_shown(byline(paper))}</p>\n'
        f"<p>{_highlighted(paper.abstract, reference.passages, anchor)}</p>\n</article>"
    )


def _highlighted(abstract: str, passages: Sequence[Passage], anchor: str) -> str:
    """The cleaned abstract with what is cited in `<mark>`, its id ending in where it starts."""
    cleaned, at = clean(abstract), 0
    pieces: list[str] = []
    for start, end, name in sorted(
        (*cleaned.clean_span(p.start, p.end), p.start) for p in passages
    ):
        begin = max(start, at)
        if begin < end:
            marked = html.escape(cleaned.text[begin:end])
            pieces += (
                html.escape(cleaned.text[at:begin]),
                f'<mark id="{anchor}-{name}">{marked}</mark>',
            )
            at = end
    return "".join([*pieces, html.escape(cleaned.text[at:])])


def _rendered(text: str) -> str:
    """An answer's Markdown as HTML; a marker becomes a sign around its number."""
    tagged = _MARKER.sub(lambda m: f"{_LINK}{m[1]}{_LINKED}" if m[1] else m[0], text)
    return str(_markdown().render(tagged))


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    """The part of Markdown that answers use; raw HTML, links and images stay text."""
    return MarkdownIt("zero", {"breaks": True}).enable(["emphasis", "list", "newline", "escape"])


def _shown(text: str) -> str:
    return html.escape(one_line(text))

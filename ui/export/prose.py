"""Answers and cited abstracts as HTML: markers lead to the sentence they stand for.

`page` writes one file that needs nothing else, and runs nothing.

Every word of a question, a model or an abstract is escaped; raw HTML, links and images of the text
stay text.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markupsafe import Markup

from index.text import clean, clean_text
from rag.schema import Answer, AnswerSentence, Passage
from ui.archive import Conversation, Turn
from ui.export.answer_text import (
    byline,
    doubt,
    filters_text,
    link,
    one_line,
    provenance,
    rewritten,
    translated,
    unanswered,
    understood_as,
)
from ui.web.markup import TEMPLATE_SIGNS, escape, macros

# Signs of the private use area: they stand where a sentence begins, where its words end, and
# where its markers end. Those of the text itself are taken out first.
_BEGIN, _SPOKEN, _END = "\ue000", "\ue001", "\ue002"
_NO_SIGNS = {ord(sign): "\ufffd" for sign in (_BEGIN, _SPOKEN, _END)}
_MARKER = re.compile(r"\[(\d{1,4})\]")

Marker = Callable[[int, str], str]
"""Makes the HTML of a marker: from its number and where it leads, as `1-37` or `1`."""


def prose_html(
    answer: Answer,
    marker: Marker,
    opening: Callable[[AnswerSentence], str],
    note: Callable[[int], str],
) -> tuple[Markup, bool]:
    """The text of an answer that is no refusal.

    Args:
        answer: The answer.
        marker: Makes each marker; it leads to a mark of `marked_abstract`, or to its reference.
        opening: Makes the beginning of the element around the words of a sentence, a `span`.
        note: Makes what stands behind the sentence of this number, from 0, and its markers.

    Returns:
        The HTML, and whether it has openings and notes: not if the sentences are not found in the
        text one after another.
    """
    plain = translated(answer, _NO_SIGNS)
    fenced = rewritten(plain, lambda _, words, markers: f"{_BEGIN}{words}{_SPOKEN}{markers}{_END}")
    targets = _targets(answer)

    def leading(number: int) -> str:
        return marker(number, next(targets.get(number, iter(())), str(number)))

    body = markdown_html(fenced or plain.text, leading)
    if fenced is None:
        return body, False
    pieces = str(body).replace(_SPOKEN, "</span>").split(_BEGIN)
    html = pieces[0]
    for number, piece in enumerate(pieces[1:]):
        sentence, rest = piece.split(_END)
        html += f"{opening(answer.sentences[number])}{sentence}{note(number)}{rest}"
    return Markup(html), True  # noqa: S704 - escaped above


def _targets(answer: Answer) -> dict[int, Iterator[str]]:
    """Where each marker of a reference leads, in the order of the text."""
    targets: dict[int, list[str]] = {}
    for sentence in answer.sentences:
        # A sentence has one marker a reference, whatever number of its sentences it cites.
        for citation in {c.reference: c for c in reversed(sentence.citations)}.values():
            where = f"{citation.reference}-{citation.start}"
            targets.setdefault(citation.reference, []).append(where)
    return {number: iter(each) for number, each in targets.items()}


def markdown_html(text: str, marker: Callable[[int], str]) -> Markup:
    """The Markdown that answers use as HTML; `marker` makes the HTML of each marker."""
    html = str(_MARKDOWN.render(text, {"marker": marker}))
    return Markup(html.translate(TEMPLATE_SIGNS))  # noqa: S704 - escaped above


def _read_marker(state: StateInline, silent: bool) -> bool:
    """Read one marker; a bracketed number that stands in an abstract is escaped, so no marker."""
    match = _MARKER.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        state.push("html_inline", "", 0).content = state.env["marker"](int(match[1]))
    state.pos = match.end()
    return True


_MARKDOWN = MarkdownIt("zero", {"breaks": True}).enable(["emphasis", "list", "newline", "escape"])
_MARKDOWN.inline.ruler.push("marker", _read_marker)


def marked_abstract(
    abstract: str, passages: Iterable[Passage], anchor: str, shown: Callable[[str], str] = escape
) -> Markup:
    """The cleaned abstract with the characters that came from `passages` in `<mark>`.

    The mark of a passage has the id `<anchor>-<start of the passage>`; `shown` makes the HTML of
    a piece of the text.
    """
    cleaned = clean(abstract)
    spans = sorted((*cleaned.clean_span(p.start, p.end), p.start) for p in passages)
    pieces: list[str] = []
    at = 0
    for start, end, name in spans:
        begin = max(start, at)
        if begin < end:
            mark = f'<mark id="{anchor}-{name}">{shown(cleaned.text[begin:end])}</mark>'
            pieces += shown(cleaned.text[at:begin]), mark
            at = end
    return Markup("".join([*pieces, shown(cleaned.text[at:])]))  # noqa: S704 - escaped above


def page(what: Conversation | Turn) -> str:
    """One question with its answer, or a conversation, each answer with its sources at its end."""
    turns = what.turns if isinstance(what, Conversation) else (what,)
    title = what.title if isinstance(what, Conversation) else what.question
    return f"{_HTML.page(one_line(title), turns, isinstance(what, Conversation))}\n"


def partial_text(text: str) -> Markup:
    """What there is of an answer that was stopped: its markers lead nowhere."""
    return markdown_html(text, lambda cited: f"[{cited}]")


def marked_text(answer: Answer, number: int) -> tuple[Markup, bool]:
    """The text, whose markers lead to their sentences; and whether it tells each doubt."""

    def opening(sentence: AnswerSentence) -> str:
        return '<span class="doubtful">' if doubt(sentence) else "<span>"

    def note(at: int) -> str:
        against = doubt(answer.sentences[at])
        return f' <small class="doubt">({escape(against)})</small>' if against else ""

    def marker(cited: int, target: str) -> str:
        return f'<a class="cite" href="#source-{number}-{target}">[{cited}]</a>'

    return prose_html(answer, marker, opening, note)


_HTML = macros(
    "export/page.html",
    *(byline, filters_text, link, one_line, provenance, unanswered, understood_as),
    *(clean_text, marked_abstract, marked_text, partial_text),
)

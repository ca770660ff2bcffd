"""Answers and cited abstracts as HTML: each marker links to the sentence that it cites.

`page` writes one file that needs no other file, and runs no script.

All text of a question, a model or an abstract is escaped; raw HTML, links and images in it stay
text.
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

# Private-use characters at the beginning of a sentence, at the end of its words, and at the end
# of its markers. Those that the text itself has are replaced first.
_BEGIN, _MIDDLE, _END = "\ue000", "\ue001", "\ue002"
_NO_SIGNS = {ord(sign): "\ufffd" for sign in (_BEGIN, _MIDDLE, _END)}
_MARKER = re.compile(r"\[(\d{1,4})\]")

Marker = Callable[[int, str], str]
"""Makes the HTML of a marker from its number and its target, such as `1-37` or `1`."""


def prose_html(
    answer: Answer,
    marker: Marker,
    opening: Callable[[AnswerSentence], str],
    note: Callable[[int], str],
) -> tuple[Markup, bool]:
    """Return the text of an answer that is no refusal, as HTML.

    Args:
        answer: The answer.
        marker: Makes each marker, a link to a mark of `marked_abstract` or to its reference.
        opening: Makes the opening tag of the `span` around the words of a sentence.
        note: Makes what follows the sentence with this index, from 0, and its markers.

    Returns:
        The HTML, and whether it has openings and notes: False if the sentences do not occur in
        the text one after another.
    """
    plain = translated(answer, _NO_SIGNS)
    tagged = rewritten(plain, lambda _, words, markers: f"{_BEGIN}{words}{_MIDDLE}{markers}{_END}")
    targets = _targets(answer)

    def linked(number: int) -> str:
        return marker(number, next(targets.get(number, iter(())), str(number)))

    body = markdown_html(tagged or plain.text, linked)
    if tagged is None:
        return body, False
    pieces = str(body).replace(_MIDDLE, "</span>").split(_BEGIN)
    html = pieces[0]
    for number, piece in enumerate(pieces[1:]):
        sentence, rest = piece.split(_END)
        html += f"{opening(answer.sentences[number])}{sentence}{note(number)}{rest}"
    return Markup(html), True  # noqa: S704 - escaped above


def _targets(answer: Answer) -> dict[int, Iterator[str]]:
    """Return the targets of the markers of each reference, in the order of the text."""
    targets: dict[int, list[str]] = {}
    for sentence in answer.sentences:
        # A sentence has one marker per reference: it links to the first passage that is cited.
        for citation in {c.reference: c for c in reversed(sentence.citations)}.values():
            where = f"{citation.reference}-{citation.start}"
            targets.setdefault(citation.reference, []).append(where)
    return {number: iter(each) for number, each in targets.items()}


def markdown_html(text: str, marker: Callable[[int], str]) -> Markup:
    """Render the Markdown that answers use as HTML; `marker` makes the HTML of each marker."""
    html = str(_MARKDOWN.render(text, {"marker": marker}))
    return Markup(html.translate(TEMPLATE_SIGNS))  # noqa: S704 - escaped above


def _read_marker(state: StateInline, silent: bool) -> bool:
    """Parse one marker; a bracketed number in an abstract is escaped, so it is not one."""
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
    """Return the cleaned abstract as HTML, with the characters of `passages` in `<mark>`.

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
    """Return a question or a conversation as an HTML page; sources follow each answer."""
    turns = what.turns if isinstance(what, Conversation) else (what,)
    title = what.title if isinstance(what, Conversation) else what.question
    return f"{_HTML.page(one_line(title), turns, isinstance(what, Conversation))}\n"


def partial_text(text: str) -> Markup:
    """Return the text of a stopped answer, whose markers link nowhere."""
    return markdown_html(text, lambda cited: f"[{cited}]")


def marked_text(answer: Answer, number: int) -> tuple[Markup, bool]:
    """Return the text, whose markers link to their sentences, and whether it shows each doubt."""

    def opening(sentence: AnswerSentence) -> str:
        return '<span class="doubtful">' if doubt(sentence) else "<span>"

    def note(at: int) -> str:
        reason = doubt(answer.sentences[at])
        return f' <small class="doubt">({escape(reason)})</small>' if reason else ""

    def marker(cited: int, target: str) -> str:
        return f'<a class="cite" href="#source-{number}-{target}">[{cited}]</a>'

    return prose_html(answer, marker, opening, note)


_HTML = macros(
    "export/page.html",
    *(byline, filters_text, link, one_line, provenance, unanswered, understood_as),
    *(clean_text, marked_abstract, marked_text, partial_text),
)

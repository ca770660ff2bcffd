"""An answer's text as HTML, sentence by sentence: chips for its markers, marks for its doubts.

Every word of a question, a model or an abstract is escaped; raw HTML, links and images of the text
stay text.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import count

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from rag.schema import Answer, AnswerSentence
from ui.export.sentences import rewritten, translated
from ui.web.chat.marks import mark_html
from ui.web.render import TEMPLATE_SIGNS, escape

# Signs of the private use area: they stand where a sentence begins, where its words end, and
# where its markers end. Those of the text itself are taken out first.
_BEGIN, _NUMBERED, _SAID, _END = "\ue000", "\ue001", "\ue002", "\ue003"
_NO_SIGNS = {ord(sign): "\ufffd" for sign in (_BEGIN, _NUMBERED, _SAID, _END)}
_MARKER = re.compile(r"\[(\d{1,4})\]")
_BEGINNING = re.compile(rf"{_BEGIN}(\d+){_NUMBERED}")
_ENDING = re.compile(rf"{_END}(\d+){_NUMBERED}")


def answer_html(answer: Answer, turn: str) -> tuple[str, bool]:
    """The text of an answer with its chips and marks.

    Args:
        answer: An answer that is no refusal.
        turn: The id of its turn, which makes its links unique on the page.

    Returns:
        The HTML, and whether every doubtful sentence is marked in it: a text in which the
        sentences are not found one after another has none.
    """
    fenced = _fenced(answer)
    body = _rendered(fenced or answer.text.translate(_NO_SIGNS), _chips(answer, turn))
    if fenced is None:
        return body, False

    def begin(match: re.Match[str]) -> str:
        sentence = answer.sentences[int(match[1])]
        if sentence.support == "unchecked" and sentence.text.endswith(":"):  # names a group
            return '<span class="aqa-chat-group" role="heading" aria-level="3">'
        return f'<span class="aqa-chat-said aqa-chat-{sentence.support}">'

    def end(match: re.Match[str]) -> str:
        return mark_html(answer, int(match[1]), turn)

    body = _BEGINNING.sub(begin, body).replace(_SAID, "</span>")
    return _ENDING.sub(end, body), True


def partial_html(text: str) -> str:
    """The beginning of a text that is being written."""
    return _rendered(
        text.translate(_NO_SIGNS), lambda number: f'<span class="aqa-chat-cite">[{number}]</span>'
    )


def _fenced(answer: Answer) -> str | None:
    """The text with signs around each sentence, or None if one of them does not stand in it."""
    plain = translated(answer, _NO_SIGNS)
    numbers = count()

    def fence(_: AnswerSentence, said: str, markers: str) -> str:
        number = f"{next(numbers)}{_NUMBERED}"
        return f"{_BEGIN}{number}{said}{_SAID}{markers}{_END}{number}"

    return rewritten(plain, fence)


def _chips(answer: Answer, turn: str) -> Callable[[int], str]:
    """Makes the chip of each marker, which leads to the sentence that it stands for."""
    titles = {r.number: r.paper.display_title for r in answer.references}
    starts: dict[int, list[int]] = {number: [] for number in titles}
    for sentence in answer.sentences:
        # A sentence has one marker a reference, whatever number of its sentences it cites.
        for citation in {c.reference: c for c in reversed(sentence.citations)}.values():
            starts[citation.reference].append(citation.start)

    def chip(number: int) -> str:
        target = f"aqa-source-{turn}-{number}"
        if starts[number]:
            target += f"-{starts[number].pop(0)}"
        name = escape(f"[{number}] {titles[number]}")
        return (
            f'<a class="aqa-chat-cite" href="#{target}" data-turn="{turn}" title="{name}" '
            f'aria-label="{name}">'
            f"[{number}]</a>"
        )

    return chip


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    """The part of Markdown that answers use, and markers."""
    markdown = MarkdownIt("zero", {"breaks": True})
    markdown.inline.ruler.push("marker", _read_marker)
    return markdown.enable(["emphasis", "list", "newline", "escape"])


def _read_marker(state: StateInline, silent: bool) -> bool:
    """Read one marker; a bracketed number that stands in an abstract is escaped, so no marker."""
    match = _MARKER.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        state.push("html_inline", "", 0).content = state.env["marker"](int(match[1]))
    state.pos = match.end()
    return True


def _rendered(text: str, marker: Callable[[int], str]) -> str:
    """Markdown as HTML; `marker` makes the HTML of each marker."""
    return str(_markdown().render(text, {"marker": marker})).translate(TEMPLATE_SIGNS)

"""Chat messages as HTML that is safe to show: every word of a question or abstract is escaped.

A message is one HTML block without line breaks, so that the chat's own Markdown leaves it alone;
the chat's sanitizer keeps its classes, titles and links, and drops ids and ARIA.
"""

import html
import re
from collections.abc import Callable
from functools import lru_cache
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from index.text import clean
from rag.schema import Answer

LONGEST_QUESTION_SHOWN = 4_000
"""Code points of a question that the page repeats."""

ANSWER_CLASS = "aqa-answer"
PROBLEM_CLASS = "aqa-problem"
_TEXT_CLASS = "aqa-text"
_MARKER = re.compile(r"\[(\d+)\]")
# The page's HTML component reads its content as a template: these would be code there.
_TEMPLATE_SIGNS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})
_BREAKING_TAGS = frozenset({"p", "br", "li", "ul", "ol", "div"})


def escape(text: str) -> str:
    """`text` as HTML that shows exactly it, inside an element or a quoted attribute."""
    return html.escape(text).translate(_TEMPLATE_SIGNS)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    """The part of Markdown that answers use, and markers; raw HTML, links and images stay text."""
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
    """An answer's Markdown as HTML on one line; `marker` makes the HTML of each marker."""
    return _one_line(_markdown().render(text, {"marker": marker}).translate(_TEMPLATE_SIGNS))


def _one_line(block: str) -> str:
    return " ".join(block.split())


def question_html(question: str) -> str:
    """A question as a chat message."""
    shown = question.strip()
    if len(shown) > LONGEST_QUESTION_SHOWN:
        shown = shown[:LONGEST_QUESTION_SHOWN] + " …"
    lines = "<br>".join(escape(line) for line in shown.splitlines())
    return f'<div class="{_TEXT_CLASS}">{lines}</div>'


def _linked(answer: Answer, turn: int) -> str:
    """The text of `answer`, each marker linked to the sentence it stands for."""
    titles = {r.number: r.paper.display_title for r in answer.references}
    starts: dict[int, list[int]] = {number: [] for number in titles}
    for sentence in answer.sentences:
        # A sentence has one marker a reference, whatever number of its sentences it cites.
        for citation in {c.reference: c for c in reversed(sentence.citations)}.values():
            starts[citation.reference].append(citation.start)

    def link(number: int) -> str:
        target = f"source-{turn}-{number}"
        if starts[number]:
            target += f"-{starts[number].pop(0)}"
        label = escape(f"Source {number}: {titles[number]}")
        return f'<a class="aqa-cite" href="#{target}" title="{label}">[{number}]</a>'

    return _rendered(answer.text, link)


def partial_html(text: str, doing: str = "Reading the abstracts") -> str:
    """The beginning of an answer that is being written; before the first word, what is done."""
    body = _rendered(text, lambda number: f'<span class="aqa-cite">[{number}]</span>')
    body = body or f'<p class="aqa-waiting">{escape(doing)} …</p>'
    return f'<div class="{ANSWER_CLASS} aqa-partial"><div class="{_TEXT_CLASS}">{body}</div></div>'


def answer_html(answer: Answer, turn: int) -> str:
    """An answer as a chat message; `turn` (from 1) makes its links unique on the page."""
    if answer.status == "answered":
        return (
            f'<div class="{ANSWER_CLASS}"><div class="{_TEXT_CLASS}">'
            f"{_linked(answer, turn)}</div>{_notes(answer)}{_COPY_BUTTON}</div>"
        )
    reason = f"<p>{escape(answer.reason)}</p>" if answer.reason else ""
    nearest = "".join(
        f'<li><a href="#near-{turn}-{i}">{escape(clean(near.title).text)}</a></li>'
        for i, near in enumerate(answer.nearest, start=1)
    )
    if nearest:
        nearest = f"<p>The nearest papers:</p><ul>{nearest}</ul>"
    return (
        f'<div class="{ANSWER_CLASS} aqa-insufficient"><div class="{_TEXT_CLASS}">'
        f"<p><strong>The abstracts do not say.</strong></p>{reason}</div>{nearest}</div>"
    )


def _notes(answer: Answer) -> str:
    """What a reader should know of an answer: what is not borne out, how it came about."""
    doubts = "".join(f"<li>{escape(line)}</li>" for line in answer.doubts)
    listed = f"<p>Not wholly borne out by the abstracts:</p><ul>{doubts}</ul>" if doubts else ""
    notice = f"<p>{escape(answer.notice)}</p>" if answer.notice else ""
    return f'<div class="aqa-notes">{listed}{notice}</div>' if listed or notice else ""


_COPY_BUTTON = (
    '<button type="button" class="aqa-copy" title="Copy the answer with its sources">Copy</button>'
)


def problem_html(message: str) -> str:
    """A mistake the user can mend, as a chat message."""
    shown = _one_line(message)
    return f'<div class="{PROBLEM_CLASS}"><p>{escape(shown[:1].upper() + shown[1:])}</p></div>'


class _Text(HTMLParser):
    """Collects what a message says, without buttons and lists of nearest papers."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "div" and (self.depth or ("class", _TEXT_CLASS) in attrs):
            self.depth += 1
        if self.depth and tag in _BREAKING_TAGS and self.pieces:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self.depth:
            self.depth -= 1

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.pieces.append(data)


def plain_text(message: str) -> str:
    """What a chat message made here says, as plain text; other text comes back as it is."""
    if f'<div class="{_TEXT_CLASS}">' not in message:
        return message
    parser = _Text()
    parser.feed(message)
    parser.close()
    return re.sub(r"\s*\n\s*", "\n", "".join(parser.pieces)).strip()

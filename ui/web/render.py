"""An answer as HTML that is safe to show: every word of a question or abstract is escaped.

A chat message is one HTML block without line breaks, so that the chat's own Markdown leaves it
alone; the chat's sanitizer keeps its classes, titles and links, and drops ids and ARIA. Sources
are cards whose ids, `source-<turn>-<number>`, are what the citations link to.
"""

import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import quote

from markdown_it import MarkdownIt

from index.papers import Paper, Source
from index.text import clean
from rag.schema import Answer, Passage
from ui.dates import day

LONGEST_QUESTION_SHOWN = 4_000
"""Code points of a question that the page repeats."""

ANSWER_CLASS = "aqa-answer"
PROBLEM_CLASS = "aqa-problem"
_TEXT_CLASS = "aqa-text"
_WEB_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_MARKER = re.compile(r"\[(\d+)\]")
# The page's HTML component reads its content as a template: these would be code there.
_TEMPLATE_SIGNS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})
_BREAKING_TAGS = frozenset({"p", "br", "li", "ul", "ol", "div"})


def escape(text: str) -> str:
    """`text` as HTML that shows exactly it, inside an element or a quoted attribute."""
    return html.escape(text).translate(_TEMPLATE_SIGNS)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    """The part of Markdown that answers use; raw HTML, links and images stay text."""
    return MarkdownIt("zero", {"breaks": True}).enable(["emphasis", "list", "newline", "escape"])


def _one_line(block: str) -> str:
    return " ".join(block.split())


def question_html(question: str) -> str:
    """A question as a chat message."""
    shown = question.strip()
    if len(shown) > LONGEST_QUESTION_SHOWN:
        shown = shown[:LONGEST_QUESTION_SHOWN] + " …"
    lines = "<br>".join(escape(line) for line in shown.splitlines())
    return f'<div class="{_TEXT_CLASS}">{lines}</div>'


def _cited(text: str, turn: int, titles: dict[int, str]) -> str:
    """`text` as HTML with each marker of a reference linked to its card."""
    body = _markdown().render(text).translate(_TEMPLATE_SIGNS)

    def link(match: re.Match[str]) -> str:
        title = titles.get(int(match[1]))
        if title is None:
            return match[0]
        label = escape(f"Source {match[1]}: {title}")
        return (
            f'<a class="aqa-cite" href="#source-{turn}-{match[1]}" title="{label}">{match[0]}</a>'
        )

    return _one_line(_MARKER.sub(link, body))


def partial_html(text: str) -> str:
    """The beginning of an answer that is still being written; empty before the first word."""
    body = _one_line(_markdown().render(text).translate(_TEMPLATE_SIGNS))
    body = body or '<p class="aqa-waiting">Reading the abstracts …</p>'
    return f'<div class="{ANSWER_CLASS}"><div class="{_TEXT_CLASS}">{body}</div></div>'


def answer_html(answer: Answer, turn: int) -> str:
    """An answer as a chat message; `turn` (from 1) makes its links unique on the page."""
    titles = {r.number: r.paper.display_title for r in answer.references}
    if answer.status == "answered":
        return (
            f'<div class="{ANSWER_CLASS}"><div class="{_TEXT_CLASS}">'
            f"{_cited(answer.text, turn, titles)}</div>{_COPY_BUTTON}</div>"
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


_COPY_BUTTON = (
    '<button type="button" class="aqa-copy" title="Copy the answer with its sources">Copy</button>'
)


def problem_html(message: str) -> str:
    """A mistake the user can mend, as a chat message."""
    return f'<div class="{PROBLEM_CLASS}"><p>{escape(_one_line(message))}</p></div>'


def marked_abstract(abstract: str, passages: Iterable[Passage]) -> str:
    """The cleaned abstract with the characters that came from `passages` in `<mark>`."""
    cleaned = clean(abstract)
    spans = sorted(cleaned.clean_span(p.start, p.end) for p in passages)
    pieces: list[str] = []
    at = 0
    for start, end in spans:
        begin = max(start, at)
        if begin >= end:
            continue
        pieces += escape(cleaned.text[at:begin]), f"<mark>{escape(cleaned.text[begin:end])}</mark>"
        at = end
    return "".join([*pieces, escape(cleaned.text[at:])])


def _where(sources: Sequence[Source]) -> str:
    """The digests a paper is in, one line each."""
    lines = [
        f"<li>{day(s.date) + ' · ' if s.date else ''}no. {s.position} in {escape(s.name)}</li>"
        for s in sources
    ]
    return f'<ul class="aqa-where">{"".join(lines)}</ul>' if lines else ""


def paper_link(paper: Paper) -> str | None:
    """The web address of a paper: its URL if that is http(s), otherwise its DOI's."""
    if paper.url and _WEB_ADDRESS.fullmatch(paper.url):
        return paper.url
    return f"https://doi.org/{quote(paper.doi)}" if paper.doi else None


def _title(paper: Paper) -> str:
    title, link = escape(paper.display_title), paper_link(paper)
    if link is None:
        return title
    return f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer">{title}</a>'


def _card(anchor: str, number: str, paper: Paper, passages: Sequence[Passage]) -> str:
    quotes = "".join(
        f"<blockquote>{escape(clean(passage.text).text)}</blockquote>" for passage in passages
    )
    return (
        f'<article class="aqa-card" id="{anchor}" tabindex="-1" aria-labelledby="{anchor}-title">'
        f'<h3 id="{anchor}-title"><span class="aqa-number">{number}</span>{_title(paper)}</h3>'
        f"{_where(paper.sources)}{quotes}"
        f"<details><summary>Abstract</summary><p>{marked_abstract(paper.abstract, passages)}</p>"
        "</details></article>"
    )


def section_html(answer: Answer, turn: int, near: Sequence[Paper] = ()) -> str:
    """The cards of one answer: what it cites or, if it cites nothing, the papers in `near`."""
    cards = [
        _card(f"source-{turn}-{r.number}", str(r.number), r.paper, r.passages)
        for r in answer.references
    ]
    if not cards:
        cards = [_card(f"near-{turn}-{i}", "·", paper, ()) for i, paper in enumerate(near, start=1)]
    return "".join(cards)


def panel_html(sections: Sequence[tuple[str, str]]) -> str:
    """The panel beside the chat: (question, cards) of each answer, oldest first."""
    heading = "<h2>Sources</h2>"
    if not sections:
        return (
            f'{heading}<p class="aqa-none">Each sentence of an answer links to the paper it '
            "comes from. The papers appear here, with the sentences marked.</p>"
        )
    newest, *earlier = reversed(sections)
    old = "".join(
        f'<details class="aqa-earlier"><summary>{escape(question)}</summary>{cards}</details>'
        for question, cards in earlier
    )
    return f"{heading}{newest[1]}" + (f"<h2>Earlier</h2>{old}" if old else "")


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

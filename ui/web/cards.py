"""The source cards beside the chat, as HTML in which every word of a paper is escaped.

A card has the id `source-<turn>-<number>`. Each sentence marked in it has that id followed by its
start in the abstract; that is what its citation links to.
"""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from index.papers import Paper, Source
from index.text import clean
from rag.digests import label
from rag.schema import Answer, Passage
from ui.web.render import escape

_WEB_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def marked_abstract(abstract: str, passages: Iterable[Passage], anchor: str) -> str:
    """The cleaned abstract with the characters that came from `passages` in `<mark>`.

    The mark of a passage has the id `<anchor>-<start of the passage>`.
    """
    cleaned = clean(abstract)
    spans = sorted((*cleaned.clean_span(p.start, p.end), p.start) for p in passages)
    pieces: list[str] = []
    at = 0
    for start, end, name in spans:
        begin = max(start, at)
        if begin >= end:
            continue
        marked = escape(cleaned.text[begin:end])
        pieces += escape(cleaned.text[at:begin]), f'<mark id="{anchor}-{name}">{marked}</mark>'
        at = end
    return "".join([*pieces, escape(cleaned.text[at:])])


def _where(sources: Sequence[Source]) -> str:
    """The digests a paper is in, one line each."""
    days = [f"{label('', source.date)} · " if source.date else "" for source in sources]
    lines = [
        f"<li>{day}no. {source.position} in {escape(source.name)}</li>"
        for day, source in zip(days, sources, strict=True)
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


def _card(
    anchor: str, paper: Paper, passages: Sequence[Passage] = (), number: int | None = None
) -> str:
    badge = f'<span class="aqa-number">{number}</span>' if number else ""
    quotes = "".join(
        f"<blockquote>{escape(clean(passage.text).text)}</blockquote>" for passage in passages
    )
    return (
        f'<article class="aqa-card" id="{anchor}" tabindex="-1" aria-labelledby="{anchor}-title">'
        f'<h3 id="{anchor}-title">{badge}{_title(paper)}</h3>{_where(paper.sources)}{quotes}'
        "<details><summary>Abstract</summary>"
        f"<p>{marked_abstract(paper.abstract, passages, anchor)}</p></details>"
        '<button type="button" class="aqa-back">Back to the answer</button></article>'
    )


def section_html(answer: Answer, turn: int, near: Sequence[Paper] = ()) -> str:
    """The cards of one answer: what it cites or, if it cites nothing, the papers in `near`."""
    if answer.references:
        return "".join(
            _card(f"source-{turn}-{r.number}", r.paper, r.passages, r.number)
            for r in answer.references
        )
    nearest = " These papers are the nearest." if near else ""
    cards = [_card(f"near-{turn}-{i}", paper) for i, paper in enumerate(near, start=1)]
    return f'<p class="aqa-none">Nothing is cited.{nearest}</p>{"".join(cards)}'


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

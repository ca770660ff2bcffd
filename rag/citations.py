"""Compose an answer: claims with the spans they cite become text, markers and references."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from index.papers import Paper
from index.text import clean_text
from rag.schema import Answer, AnswerSentence, Citation, Passage, Reference
from rag.support import Verdict, check
from rag.wording import LISTS

if TYPE_CHECKING:
    from index.store import Index
    from rag.evidence import Evidence, PaperEvidence

# What markdown would read as syntax: anywhere, before an entity's name, or opening a line.
_SYNTAX = re.compile(
    r"[\\`*\[\]<]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|^[-+#>=](?=\s|#)|(?<=^\d)[.)](?=\s)"
    r"|(?<=^\d\d)[.)](?=\s)"
)
_ESCAPED = re.compile(r"\\([\\`*\[\]<_&\-+#>=.)])|\*\*")


@dataclass(frozen=True)
class Span:
    """The stretch `[start, end)` of a paper's stored abstract, in code points."""

    paper: Paper
    start: int
    end: int

    @property
    def text(self) -> str:
        """The text of the stretch, as it is stored."""
        return self.paper.abstract[self.start : self.end]


@dataclass(frozen=True)
class Claim:
    """One sentence of an answer in plain text, and the spans that it cites."""

    text: str
    spans: tuple[Span, ...]
    verdict: Verdict | None = None
    """The result of its check; if None, `compose` checks it word for word."""
    heading: str | None = None
    """The heading that a chat model wrote above it, if it is the first sentence under it."""
    papers: tuple[int, ...] = ()
    """The rows of the papers that a chat model cited or named by title, supported or not."""


@dataclass(frozen=True)
class Block:
    """A paragraph of an answer, or a bullet of a list, under an optional title."""

    claims: tuple[Claim, ...]
    title: str | None = None
    bullet: bool = False


@dataclass(frozen=True)
class Outcome:
    """The content of an answer before `compose`: blocks, or the reason for a refusal."""

    blocks: tuple[Block, ...] = ()
    reason: str | None = None
    confidence: float | None = None
    model: str | None = None
    """The chat model that wrote it; None for quotes and for facts of the index."""
    checked_by: str | None = None
    """The checker that decided on the sentences of a chat model."""
    may_write: bool = False
    """Whether a chat model may write the answer instead: the question fits the collection."""
    lacks: str | None = None
    searched: bool = False
    """Whether a refusal is due to what the abstracts say, not to the question or its options."""
    notice: str | None = None
    left_out: str | None = None
    """The part of the notice that says which papers asked about the filters exclude."""
    caution: str | None = None
    """The part of the notice that says that the quotes may not answer."""
    suggestions: tuple[str, ...] = ()
    counted: bool = False
    """Whether it is read off the index, so that no search found its papers."""


def joined(*notices: str | None) -> str | None:
    """Join notices into one text; return None if there is none."""
    return " ".join(filter(None, notices)) or None


@dataclass(frozen=True)
class Composition:
    """The text of an answer, with sentences and references that agree with its markers."""

    text: str
    sentences: tuple[AnswerSentence, ...]
    references: tuple[Reference, ...]


def escape(text: str) -> str:
    """Escape plain text so that markdown shows it unchanged, and "[1]" in it is no marker."""
    return _SYNTAX.sub(lambda sign: "\\" + sign[0], text)


def unescape(text: str) -> str:
    """Turn markdown made by `compose` into plain text: keep markers, remove emphasis."""
    return _ESCAPED.sub(lambda match: match[1] or "", text)


def markers(numbers: Iterable[int]) -> str:
    """Return the markers of references, as they follow a sentence: "[1][3]"."""
    return "".join(f"[{number}]" for number in sorted(set(numbers)))


def compose(blocks: Sequence[Block]) -> Composition:
    """Write blocks as markdown, number the papers by first use, and check every sentence.

    A reference's passages are its cited spans in the order of the abstract.
    """
    claims = [claim for block in blocks for claim in block.claims]
    papers: dict[str, Paper] = {}
    cited: dict[str, set[tuple[int, int]]] = {}
    for span in (span for claim in claims for span in claim.spans):
        papers.setdefault(span.paper.id, span.paper)
        cited.setdefault(span.paper.id, set()).add((span.start, span.end))
    numbers = {paper: number for number, paper in enumerate(papers, 1)}
    references = []
    for number, paper in enumerate(papers.values(), 1):
        spans = [Span(paper, start, end) for start, end in sorted(cited[paper.id])]
        passages = tuple(Passage(start=at.start, end=at.end, text=at.text) for at in spans)
        references.append(Reference(number=number, paper=paper, passages=passages))
    return Composition(
        text=_join([_paragraph(block, numbers) for block in blocks]),
        sentences=tuple(_sentence(claim, numbers) for claim in claims),
        references=tuple(references),
    )


def _paragraph(block: Block, numbers: Mapping[str, int]) -> str:
    """Write a block as markdown; `numbers` has the number of each paper by its id."""
    cited = ((claim.text, [numbers[s.paper.id] for s in claim.spans]) for claim in block.claims)
    body = " ".join(f"{escape(text)} {markers(of)}".rstrip() for text, of in cited)
    if block.title:
        gap = " — " if block.bullet else "\n\n"
        body = f"**{escape(block.title)}**{gap}{body}"
    return f"- {body}" if block.bullet else body


def _sentence(claim: Claim, numbers: Mapping[str, int]) -> AnswerSentence:
    verdict = claim.verdict or check(claim.text, [span.text for span in claim.spans])
    citations = [
        Citation(reference=numbers[span.paper.id], start=span.start, end=span.end)
        for span in claim.spans
    ]
    return AnswerSentence(text=claim.text, citations=tuple(citations), **asdict(verdict))


def as_markdown(answer: Answer) -> str:
    """Write an answer as markdown: its text, then each cited paper with its cited sentences."""
    shown = [answer.text, f"*{escape(answer.notice)}*" if answer.notice else ""]
    for reference in answer.references:
        shown.append(f"**[{reference.number}] {escape(reference.paper.display_title)}**")
        quotes = (clean_text(passage.text) for passage in reference.passages)
        shown.append("\n>\n".join(f"> {escape(quote)}" for quote in quotes))
    return "\n\n".join(filter(None, shown))


def _join(paragraphs: Sequence[str]) -> str:
    """Join paragraphs with a blank line, and the bullets of a list without one."""
    text = paragraphs[0] if paragraphs else ""
    for before, after in pairwise(paragraphs):
        is_list = before.startswith("- ") and after.startswith("- ")
        text += ("\n" if is_list else "\n\n") + after
    return text


def quote(index: "Index", row: int) -> Claim:
    """Return a passage of the index as a claim: its cleaned text, which cites its own span."""
    passage = index.passages[row]
    paper = index.papers[int(index.owner[row])]
    return Claim(passage.text, (Span(paper, passage.start, passage.end),))


def quotes(index: "Index", evidence: "Evidence") -> list[Block]:
    """Quote the evidence: one bullet per paper for a list, otherwise one paragraph per paper.

    The heading of a paragraph is the name that the paper gives itself, or else its title; the
    reference has the whole title. Groups of a list have their own headings.
    """
    listed = evidence.kind in LISTS
    papers = iter(found for found in evidence.papers if found.passages)
    if evidence.groups:
        grouped: list[Block] = []
        for heading, size in evidence.groups:
            quoted = [_quote_paper(index, found, listed=True) for found in islice(papers, size)]
            grouped += [Block((Claim(heading, ()),)), *quoted]
        return grouped
    blocks = [_quote_paper(index, found, listed=listed) for found in papers]
    if evidence.counted and evidence.count is not None:
        count = "1 paper fits" if evidence.count == 1 else f"{evidence.count} papers fit"
        return [Block((Claim(f"{count}:", ()),)), *blocks]
    if listed and evidence.count is not None and evidence.count > len(blocks):
        more = f"{evidence.count} papers fit; these are the first {len(blocks)}."
        blocks.append(Block((Claim(more, ()),)))
    return blocks


def _quote_paper(index: "Index", found: "PaperEvidence", *, listed: bool) -> Block:
    title = index.papers[found.paper].display_title
    if not listed:
        title = index.names.called(found.paper) or title
    return Block(tuple(quote(index, row) for row in found.passages), title, bullet=listed)

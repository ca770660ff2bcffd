"""What a peer found or wrote, as an answer in our schema, so that one measure fits all."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from eval.systems import Found
from index.papers import Paper
from index.passages import Passage, cut, sentence_spans
from rag.citations import Block, Claim, Composition, Span, compose
from rag.conversation import History
from rag.schema import Answer, IndexInfo, Mode, Usage

WORDS = 90
"""About how long an answer made of quotations is: as long as half of our own are at most."""
SOURCES = 5
"""Sources a peer is asked for when it answers: the same for all."""

_MARKERS = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
_AFTER_STOP = re.compile(r"([.!?])((?:\s*\[\d+(?:\s*,\s*\d+)*\])+)")
# LlamaIndex's prompt: "If none of the sources are helpful, you should indicate that."
_UNHELPFUL = re.compile(
    r"\bnone of the\b|\bno (?:\w+ )?(?:information|mention|sources?|answer)\b|\bcannot\b|\bunable\b"
    r"|\b(?:do|does|did|is|are|was|were|could|can)(?: not|n[’']t)\b|^Empty Response$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ChatEndpoint:
    """A chat model behind an OpenAI-compatible endpoint."""

    model: str
    base_url: str
    api_key: str = field(default="none", repr=False)
    context_tokens: int = 4096
    timeout_seconds: float = 120


@dataclass(frozen=True, slots=True)
class Source:
    """A text a peer found: a paper's whole text or some of it, in the form that was indexed."""

    paper: Paper
    score: float
    text: str


Find = Callable[[str, int], list[Source]]
"""The texts nearest to a query, best first, at most so many."""


@dataclass(frozen=True)
class Opened:
    """A peer with the papers indexed."""

    find: Find
    evidence: Find | None = None
    """What it would show for a question, if that is not what it finds."""
    write: Callable[[str], tuple[str, Usage, list[Source]]] | None = None
    """What a chat model writes over the numbered sources, with what it took."""


class Peer:
    """A system of other people's, as one to measure; none here converses."""

    def __init__(
        self, title: str, papers: int, encoder: str, opened: Opened, model: str | None
    ) -> None:
        """Take an opened peer, and the name of the chat model that writes, if one does."""
        self.name = f"{title}, {model}" if model else title
        self._opened = opened
        self._model = model
        self._info = IndexInfo(id=title, papers=papers, encoder=encoder)

    def search(self, query: str, limit: int) -> list[Found]:
        """The papers nearest to a query, best first, each with the score of its best text."""
        best: dict[str, float] = {}
        for source in self._opened.find(query, limit):
            best.setdefault(source.paper.id, source.score)
        return list(best.items())

    def ask(self, question: str, history: History, mode: Mode) -> Answer:  # noqa: ARG002 - the protocol's
        """Show the sources, each sentence citing itself (`quote`), or let the chat model write."""
        started = perf_counter()
        if self._opened.write:
            text, usage, found = self._opened.write(question)
            claims = cited_claims(text, found)
            refuses = not any(claim.spans for claim in claims) and _UNHELPFUL.search(text)
            blocks = () if refuses or not claims else (Block(claims),)
            answer = self._answer(question, compose(blocks), found, text if refuses else None)
            update = {"mode": "generative", "model": self._model, "usage": usage}
            answer = answer.model_copy(update=update)
        else:
            found = (self._opened.evidence or self._opened.find)(question, SOURCES)
            answer = self._answer(question, compose(quote(found)), found)
        total = 1000 * (perf_counter() - started)
        return answer.model_copy(update={"timings_ms": {"total": total}})

    def _answer(
        self,
        question: str,
        composition: Composition,
        found: Sequence[Source],
        reason: str | None = None,
    ) -> Answer:
        """An answer in our schema; it refuses if there is a reason to, or nothing to say."""
        if not composition.sentences:
            reason = reason or "It found no text to show."
        best = max((source.score for source in found), default=-1.0)
        return Answer(
            question=question,
            standalone_question=question,
            status="insufficient_evidence" if reason else "answered",
            reason=reason,
            mode="extractive",
            text=composition.text,
            sentences=composition.sentences,
            references=composition.references,
            # It orders answers, and is no probability.
            confidence=best / (1 + best) if composition.sentences and best >= 0 else None,
            nearest=(),
            usage=Usage(),
            timings_ms={},
            index=self._info,
        )


def sentences(source: Source) -> list[Passage]:
    """The abstract's sentences that stand whole in the source, in the order they have there."""
    whole = [passage for passage in cut(source.paper) if passage.text in source.text]
    return sorted(whole, key=lambda passage: source.text.find(passage.text))


def quote(sources: Iterable[Source], words: int = WORDS) -> tuple[Block, ...]:
    """Quote sources in rank order, one paragraph a source, each sentence citing its own span.

    A paragraph is headed by its paper's title, as ours are: a title states facts too.

    Args:
        sources: Best first. A sentence that was quoted already is not quoted again.
        words: Quoting stops at the end of the sentence that comes nearest to this many words,
            titles counted.

    Returns:
        Blocks for `rag.citations.compose`; none if the sources hold no whole sentence.
    """
    blocks: dict[int, list[Claim]] = {}
    quoted: set[str] = set()
    used = 0
    listed = list(sources)
    for place, source in enumerate(listed):
        for passage in sentences(source):
            length = len(passage.text.split())
            if used and used + length / 2 > words:
                return _blocks(listed, blocks)
            if passage.id not in quoted:
                quoted.add(passage.id)
                used += length + (0 if place in blocks else len(source.paper.display_title.split()))
                span = Span(source.paper, passage.start, passage.end)
                blocks.setdefault(place, []).append(Claim(passage.text, (span,)))
    return _blocks(listed, blocks)


def _blocks(sources: Sequence[Source], blocks: Mapping[int, list[Claim]]) -> tuple[Block, ...]:
    return tuple(
        Block(tuple(claims), sources[place].paper.display_title) for place, claims in blocks.items()
    )


def cited_claims(text: str, sources: Sequence[Source]) -> tuple[Claim, ...]:
    """The sentences of a text with markers like `[1]` or `[1, 2]`, and what each cites.

    Args:
        text: What the chat model wrote.
        sources: Source number n is `sources[n - 1]`, cited whole, since the marker says no more;
            a marker beyond them cites nothing.
    """
    inside = _AFTER_STOP.sub(r"\2\1", text)  # "so. [1] Then" is as good as "so [1]. Then"
    claims = []
    for start, end in sentence_spans(inside):
        sentence = inside[start:end]
        numbers = [int(n) for marker in _MARKERS.findall(sentence) for n in marker.split(",")]
        cited = [sources[n - 1] for n in dict.fromkeys(numbers) if 0 < n <= len(sources)]
        spans = [
            Span(source.paper, min(p.start for p in whole), max(p.end for p in whole))
            for source in cited
            if (whole := sentences(source))
        ]
        if words := _MARKERS.sub("", sentence).strip():
            claims.append(Claim(words, tuple(dict.fromkeys(spans))))
    return tuple(claims)

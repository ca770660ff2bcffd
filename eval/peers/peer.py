"""What the peers have in common: the text they index, and how what they found becomes an answer."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from time import perf_counter

from eval.peers.quoting import WORDS, Source, quote
from eval.systems import Found
from index.errors import InputError
from index.papers import Paper
from rag.citations import Composition, compose
from rag.conversation import History
from rag.schema import Answer, AnswerMode, IndexInfo, Mode, NearPaper, Usage

SOURCES = 5
"""Sources a peer is asked for when it answers: the same for all."""


class Peer(ABC):
    """A system of other people's, over the same papers.

    Every peer indexes `index.passages.paper_text`: title, full stop, abstract, both cleaned. A
    peer that converses is asked with the history; none here does, so it gets the question
    alone.
    """

    name: str

    def __init__(
        self,
        papers: Sequence[Paper],
        encoder_name: str,
        *,
        words: int = WORDS,
        sources: int = SOURCES,
    ) -> None:
        """Know the papers; the subclass indexes them.

        Args:
            papers: At least one.
            encoder_name: What the record of an answer says; "none" for word counts alone.
            words: About how long an answer made of quotations is.
            sources: How many sources it may quote.

        Raises:
            InputError: there are no papers.
        """
        if not papers:
            raise InputError(f"{self.name} has no papers to index; give it at least one")
        self.papers = {paper.id: paper for paper in papers}
        self.words = words
        self.sources = sources
        self._info = IndexInfo(id=self.name, papers=len(papers), encoder=encoder_name)

    @abstractmethod
    def find(self, query: str, limit: int) -> list[Source]:
        """The `limit` texts nearest to a query, best first, as this system ranks them."""

    def evidence(self, question: str) -> list[Source]:
        """What it would show for a question, best first."""
        return self.find(question, self.sources)

    def search(self, query: str, limit: int) -> list[Found]:
        """The papers nearest to a query, best first, each with the score of its best text."""
        best: dict[str, float] = {}
        for source in self.find(query, limit):
            best.setdefault(source.paper.id, source.score)
        return list(best.items())

    def ask(self, question: str, history: History, mode: Mode) -> Answer:  # noqa: ARG002 - the protocol's
        """Show the sources: their sentences in rank order, each citing itself (`quote`)."""
        started = perf_counter()
        found = self.evidence(question)
        retrieved = perf_counter()
        composition = compose(quote(found, self.words))
        timings = {
            "retrieve": 1000 * (retrieved - started),
            "synthesise": 1000 * (perf_counter() - retrieved),
        }
        return self.answer(question, composition, found, timings)

    def answer(
        self,
        question: str,
        composition: Composition,
        found: Sequence[Source],
        timings_ms: dict[str, float],
        *,
        reason: str | None = None,
        mode: AnswerMode = "extractive",
        model: str | None = None,
        usage: Usage | None = None,
    ) -> Answer:
        """An answer in our schema; it refuses if there is a reason to, or nothing to say."""
        if not composition.sentences:
            reason = reason or "It found no text to show."
        if reason:
            composition = compose(())
        cited = {reference.paper.id for reference in composition.references}
        nearest = {source.paper.id: source for source in reversed(found)}
        return Answer(
            question=question,
            standalone_question=question,
            status="insufficient_evidence" if reason else "answered",
            reason=reason,
            mode=mode,
            text=composition.text,
            sentences=composition.sentences,
            references=composition.references,
            confidence=_as_confidence(found) if composition.sentences else None,
            nearest=tuple(
                NearPaper(id=key, title=source.paper.display_title, score=source.score)
                for key, source in reversed(nearest.items())
                if key not in cited
            ),
            usage=usage or Usage(),
            timings_ms={**timings_ms, "total": sum(timings_ms.values())},
            model=model,
            index=self._info,
        )


def _as_confidence(found: Sequence[Source]) -> float | None:
    """The best score s as s / (1 + s), in [0, 1): it orders answers, and is no probability."""
    best = max((source.score for source in found), default=-1.0)
    return best / (1 + best) if best >= 0 else None

"""The way of a question, from its words to a checked answer, as a LlamaIndex query engine."""

import asyncio
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle
from numpy.typing import NDArray

from index.encoder import Encoder
from index.errors import InputError
from index.store import Index
from rag.answering import Answering, Outcome
from rag.citations import compose, escape
from rag.clock import Clock
from rag.confidence import Signs, confidence
from rag.conversation import (
    History,
    Standalone,
    numbered,
    plain,
    read_history,
    standalone,
)
from rag.digests import allowed, list_digests
from rag.evidence import nearest_papers
from rag.names import named_papers
from rag.parts import EVERY_PART, Parts
from rag.request import Request
from rag.retrieval import Ranking, hits, rank
from rag.schema import (
    Answer,
    Delta,
    Event,
    Filters,
    Finished,
    Hit,
    IndexInfo,
    NearPaper,
    Options,
    Progress,
    Reference,
    Retrieved,
    Usage,
)
from rag.scope import Scope, read_scope

if TYPE_CHECKING:
    from rag.writer import Writer

LONGEST_QUESTION = 4_000
"""Code points; a longer text is not a question."""
_PIECE = re.compile(r"\S+\s*|\s+")
_HITS = 10
_NEAREST = 3


def check_question(text: str) -> str:
    """The question without surrounding white space and unprintable characters.

    Raises:
        InputError: nothing is left, or it is longer than `LONGEST_QUESTION`.
    """
    question = plain(text)
    if not question:
        raise InputError("the question is empty: write what you want to know")
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"the question has {len(question):,} characters; at most {LONGEST_QUESTION:,} are read"
        )
    return question


class AbstractQueryEngine(BaseQueryEngine):
    """Answers questions from one index; every sentence cites the sentence it stands on.

    As a LlamaIndex engine its `Response` has the answer's text, the cited passages as source
    nodes, and the whole `Answer` under `metadata["answer"]`; `hire` gives a chat model to write
    it, or None for quotes. `parts` and `estimate` are for measuring: what works, and what turns
    the signs of an answer into its confidence.
    """

    def __init__(
        self,
        index: Index,
        encoder: Encoder,
        parts: Parts = EVERY_PART,
        estimate: Callable[[Signs], float] = confidence,
        hire: "Callable[[], Writer | None] | None" = None,
    ) -> None:
        super().__init__(callback_manager=None)
        self._index = index
        self._encoder = encoder
        self._parts = parts
        self._hire = hire
        self._digests = list_digests(index.papers)
        self._answering = Answering(index, encoder, parts, estimate, self._digests)

    @property
    def info(self) -> IndexInfo:
        """The index that answers."""
        manifest = self._index.manifest
        return IndexInfo(
            id=manifest.generation, papers=len(self._index.papers), encoder=manifest.encoder
        )

    def search(
        self, query: str, limit: int, filters: Filters, writer: "Writer | None" = None
    ) -> tuple[Hit, ...]:
        """The papers nearest to a query, best first."""
        mask = allowed(self._index.papers, filters)
        return hits(self._index, self._rank(check_question(query), mask, writer), limit)

    def _rank(self, query: str, mask: NDArray[np.bool_], writer: "Writer | None") -> Ranking:
        """The papers for a query, with the model's help if it is asked for."""
        hints = writer.expand(query, self._encoder) if writer else None
        ranking = rank(self._index, self._encoder, query, mask, self._parts, hints)
        return writer.reorder(query, ranking, self._index) if writer else ranking

    def request(
        self,
        question: str,
        history: History | None,
        filters: Filters,
        options: Options | None = None,
    ) -> Request:
        """Check what was asked, before anything is done.

        Raises:
            InputError: the question, the history or a filter cannot be used.
        """
        asked, turns = check_question(question), read_history(history)
        mask = allowed(self._index.papers, filters)
        return Request(asked, turns, filters, options or Options(), mask)

    def answer(self, request: Request, writer: "Writer | None" = None) -> Answer:
        """The answer alone; see `run`."""
        for event in self.run(request, writer):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a run ends with its answer")

    def run(self, request: Request, writer: "Writer | None" = None) -> Iterator[Event]:
        """Answer a question, telling what happens on the way; the last event is the answer.

        With a writer a chat model writes it; where that fails, the evidence is quoted instead
        and the answer says so.

        Raises:
            StoppedError: the writer was told to stop.
        """
        clock = Clock()
        if writer and request.turns:
            yield Progress(stage="understand", text="Reading the conversation")
        with clock.step("standalone"):
            alone = self._standalone(request, writer)
            scope, mask = self._scope(alone, request.mask)
        yield Progress(stage="search", text=f"Searching {int(mask.sum()):,} abstracts")
        with clock.step("retrieve"):
            query = replace(alone, asked=scope.text or alone.asked).text
            ranking = self._rank(query, mask, writer)
            found = hits(self._index, ranking, _HITS)
        yield Retrieved(hits=found)
        outcome, told = yield from self._outcome(
            alone, scope, request, ranking, mask, writer, clock
        )
        answer = self._answer(request, alone, outcome, ranking, writer, clock)
        for piece in () if told else _PIECE.findall(answer.text):
            yield Delta(text=piece)
        yield Finished(answer=answer)

    def _outcome(
        self,
        alone: Standalone,
        scope: Scope,
        request: Request,
        ranking: Ranking,
        mask: NDArray[np.bool_],
        writer: "Writer | None",
        clock: Clock,
    ) -> Generator[Event, None, tuple[Outcome, bool]]:
        """What the answer says, and whether its text was told on the way."""
        if outcome := self._answering.read_off(alone, scope, request, mask):
            return outcome, False
        told = False
        said = self._answering.from_evidence(alone, scope, request, ranking, mask, writer, clock)
        with closing(said) as steps:
            while True:
                try:
                    event = next(steps)
                except StopIteration as end:
                    return end.value, told
                told = told or isinstance(event, Delta)
                yield event

    def _answer(
        self,
        request: Request,
        alone: Standalone,
        outcome: Outcome,
        ranking: Ranking,
        writer: "Writer | None",
        clock: Clock,
    ) -> Answer:
        """The outcome with its markers and references, and what is told beside it."""
        with clock.step("cite"):
            composition = compose(outcome.blocks)
        cited = {reference.paper.id for reference in composition.references}
        reason = outcome.reason
        return Answer(
            question=request.asked.encode(errors="replace").decode(),
            standalone_question=alone.text,
            status="insufficient_evidence" if reason else "answered",
            reason=reason,
            lacks=outcome.lacks if reason else None,
            mode="generative" if outcome.model else "extractive",
            notice=outcome.notice,
            plan=outcome.plan,
            text=f"The abstracts do not say. {escape(reason)}" if reason else composition.text,
            sentences=composition.sentences,
            references=(
                composition.references
                if outcome.counted
                else self._found_by(composition.references, ranking)
            ),
            nearest=self._nearest(ranking, cited),
            usage=writer.usage if writer else Usage(),
            timings_ms=clock.done(),
            model=outcome.model,
            confidence=None if reason else outcome.confidence,
            index=self.info,
        )

    def _found_by(
        self, references: tuple[Reference, ...], ranking: Ranking
    ) -> tuple[Reference, ...]:
        """The references, each with what found its paper for the whole question."""
        ids = {reference.paper.id for reference in references}
        rows = {paper.id: row for row, paper in enumerate(self._index.papers) if paper.id in ids}
        return tuple(
            reference.model_copy(update={"found": ranking.found_by(rows[reference.paper.id])})
            for reference in references
        )

    def _standalone(self, request: Request, writer: "Writer | None") -> Standalone:
        """The question with what it takes from earlier turns, by the model or else by rule.

        A fragment that takes the place of a part of the last question ("and on phones?") is put
        there by rule. What the model writes has to name a paper where the rules found one, and
        those that are meant by their number ("the second paper", "[2]").
        """
        by_rule = standalone(request.asked, request.turns, self._index, self._encoder, self._parts)
        if not writer or (by_rule.asked != request.asked and not by_rule.about):
            return by_rule
        condensed = writer.condense(request.asked, request.turns, self._index)
        if not condensed:
            return by_rule
        named = named_papers(condensed, self._index.papers, self._index.lexical)
        meant = numbered(request.asked, request.turns, self._index)
        if by_rule.about and not (named and set(meant) <= set(named)):
            return by_rule
        return Standalone(condensed)

    def _scope(self, alone: Standalone, mask: NDArray[np.bool_]) -> tuple[Scope, NDArray[np.bool_]]:
        scope = Scope(alone.asked, Filters())
        if self._parts.digest_scopes:
            scope = read_scope(alone.asked, self._digests)
        mask = mask & allowed(self._index.papers, scope.filters)
        if scope.without:
            mask = mask & ~allowed(self._index.papers, Filters(digests=scope.without))
        return scope, mask

    def _nearest(self, ranking: Ranking, cited: set[str]) -> tuple[NearPaper, ...]:
        near = nearest_papers(self._index, ranking, len(cited) + _NEAREST)
        return tuple(
            NearPaper(id=paper.id, title=paper.title, score=score)
            for paper, score in near
            if paper.id not in cited
        )[:_NEAREST]

    def _query(self, query_bundle: QueryBundle) -> Response:
        request = self.request(query_bundle.query_str, None, Filters())
        found: tuple[Hit, ...] = ()
        for event in self.run(request, self._hire() if self._hire else None):
            if isinstance(event, Retrieved):
                found = event.hits
            elif isinstance(event, Finished):
                answer = event.answer
        scores = {hit.paper.id: hit.score for hit in found}
        rows = {(p.paper_id, p.start): row for row, p in enumerate(self._index.passages)}
        nodes = [
            NodeWithScore(
                node=self._index.passages[rows[reference.paper.id, at.start]].node(),
                score=scores.get(reference.paper.id, 0.0),
            )
            for reference in answer.references
            for at in reference.passages
        ]
        return Response(answer.text, nodes, {"answer": answer.model_dump(mode="json")})

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        if self._hire is None:  # milliseconds of arithmetic: a thread would cost more than it frees
            return self._query(query_bundle)
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}

"""The way of a question, from its words to a checked answer, as a LlamaIndex query engine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle

from index.encoder import Encoder
from index.errors import InputError
from index.store import Index
from rag.catalogue import asks_where, describe, is_about_digests, write_credits, write_where
from rag.citations import Block, compose, escape
from rag.confidence import COUNTED, Signs, confidence, read_signs
from rag.conversation import History, Standalone, plain, read_history, standalone
from rag.digests import allowed, list_digests, name_all
from rag.evidence import Selector, nearest_papers
from rag.parts import EVERY_PART, Parts
from rag.question import analyse, limited
from rag.retrieval import Ranking, hits, rank
from rag.schema import Answer, Filters, Hit, IndexInfo, Mode, NearPaper, Usage
from rag.scope import Scope, read_scope
from rag.sufficiency import insufficient
from rag.synthesis import extractive

LONGEST_QUESTION = 4_000
"""Code points; a longer text is not a question."""
_HITS = 10
_NEAREST = 3


class Clock:
    """Milliseconds spent in each step."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step under `name`."""
        start = time.perf_counter()
        yield
        self.ms[name] = round((time.perf_counter() - start) * 1000, 3)

    def done(self) -> dict[str, float]:
        """All steps, and the total since the clock was made."""
        return {**self.ms, "total": round((time.perf_counter() - self._start) * 1000, 3)}


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


def check_mode(mode: Mode) -> None:
    """Refuse a mode that this version does not have.

    Raises:
        InputError: the mode is unknown, or needs a chat model.
    """
    if mode == "generative":
        raise InputError(
            "mode 'generative' needs a chat model, which this version does not use:"
            " choose 'extractive' or 'auto'"
        )
    if mode not in {"auto", "extractive"}:
        raise InputError(f"unknown mode {mode!r}: choose 'auto' or 'extractive'")


class AbstractQueryEngine(BaseQueryEngine):
    """Answers questions from one index; every sentence cites the sentence it stands on.

    As a LlamaIndex engine its `Response` has the answer's text, the cited passages as source
    nodes, and the whole `Answer` under `metadata["answer"]`. `parts` and `estimate` are for
    measuring: what works, and what turns the signs of an answer into its confidence.
    """

    def __init__(
        self,
        index: Index,
        encoder: Encoder,
        parts: Parts = EVERY_PART,
        estimate: Callable[[Signs], float] = confidence,
    ) -> None:
        super().__init__(callback_manager=None)
        self._index = index
        self._encoder = encoder
        self._parts = parts
        self._estimate = estimate
        self._digests = list_digests(index.papers)

    @property
    def info(self) -> IndexInfo:
        """The index that answers."""
        manifest = self._index.manifest
        return IndexInfo(
            id=manifest.generation, papers=len(self._index.papers), encoder=manifest.encoder
        )

    def search(self, query: str, limit: int, filters: Filters) -> tuple[Hit, ...]:
        """The papers nearest to a query, best first."""
        mask = allowed(self._index.papers, filters)
        ranking = rank(self._index, self._encoder, check_question(query), mask, self._parts)
        return hits(self._index, ranking, limit)

    def answer(
        self, question: str, history: History | None, filters: Filters
    ) -> tuple[tuple[Hit, ...], Answer]:
        """Answer a question: the papers retrieved, and the answer.

        Raises:
            InputError: the question, the history or a filter cannot be used.
        """
        clock = Clock()
        asked = check_question(question)
        turns = read_history(history)
        mask = allowed(self._index.papers, filters)
        with clock.step("standalone"):
            alone = standalone(asked, turns, self._index, self._encoder, self._parts)
            scope = Scope(alone.asked, Filters())
            if self._parts.digest_scopes:
                scope = read_scope(alone.asked, self._digests)
            mask_of_filters = mask
            mask = mask & allowed(self._index.papers, scope.filters)
            if scope.without:
                mask = mask & ~allowed(self._index.papers, Filters(digests=scope.without))
        with clock.step("retrieve"):
            query = replace(alone, asked=scope.text or alone.asked).text
            ranking = rank(self._index, self._encoder, query, mask, self._parts)
        reason: str | None
        sure: float | None = COUNTED
        if scope.unknown:
            reason, blocks = self._unknown_digest(scope.unknown), []
        elif asked_for := asks_where(alone, self._index, mask_of_filters):
            reason, blocks = None, write_where(alone, asked_for, self._digests, scope)
        elif credited := write_credits(alone, self._index, mask):
            reason, blocks = None, credited
        elif is_about_digests(alone, scope):
            blocks = describe(
                self._index, self._digests, alone.asked, scope, mask, filtered=filters != Filters()
            )
            reason = None
        else:
            reason, blocks, sure = self._from_evidence(alone, scope, ranking, clock)
        with clock.step("cite"):
            composition = compose(blocks)
        cited = {reference.paper.id for reference in composition.references}
        answer = Answer(
            question=question.encode(errors="replace").decode(),
            standalone_question=alone.text,
            status="insufficient_evidence" if reason else "answered",
            reason=reason,
            mode="extractive",
            text=f"The abstracts do not say. {escape(reason)}" if reason else composition.text,
            sentences=composition.sentences,
            references=composition.references,
            nearest=self._nearest(ranking, cited),
            usage=Usage(),
            timings_ms=clock.done(),
            confidence=None if reason else sure,
            index=self.info,
        )
        return hits(self._index, ranking, _HITS), answer

    def _from_evidence(
        self, alone: Standalone, scope: Scope, ranking: Ranking, clock: Clock
    ) -> tuple[str | None, list[Block], float | None]:
        with clock.step("select"):
            question = limited(analyse(alone.asked, scope.text), self._parts)
            about = {paper.id for paper in alone.about}
            rows = [int(row) for row in ranking.rows if self._index.papers[row].id in about]
            evidence = Selector(
                self._index, self._encoder, question, ranking, rows, self._parts
            ).select()
            quoted = [found.paper for found in evidence.papers if found.passages]
            if self._parts.abstention or not quoted:
                reason = insufficient(self._index, question, ranking, evidence)
                if reason:
                    return reason, [], None
            sure = self._estimate(read_signs(self._index, ranking, quoted))
        with clock.step("synthesise"):
            counted = question.counts_papers
            return None, extractive.write(self._index, evidence, counted=counted), sure

    def _unknown_digest(self, named: str) -> str:
        return f"There is no digest of {named}; there is: {name_all(self._digests)}."

    def _nearest(self, ranking: Ranking, cited: set[str]) -> tuple[NearPaper, ...]:
        near = nearest_papers(self._index, ranking, len(cited) + _NEAREST)
        return tuple(
            NearPaper(id=paper.id, title=paper.title, score=score)
            for paper, score in near
            if paper.id not in cited
        )[:_NEAREST]

    def _query(self, query_bundle: QueryBundle) -> Response:
        found, answer = self.answer(query_bundle.query_str, None, Filters())
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
        # Milliseconds of arithmetic: a thread would cost more than it frees.
        return self._query(query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}

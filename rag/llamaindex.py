"""The product as LlamaIndex users know things: a query engine and a retriever."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle

from index.encoder import Encoder
from index.passages import Passage
from index.store import Index
from rag.pipeline import Pipeline
from rag.retrieval import Probe, best_passages, encode_candidates, passage_rows, rank
from rag.schema import Filters, Finished, Hit, Retrieved

if TYPE_CHECKING:
    from rag.synthesis.writer import Writer


class AbstractQueryEngine(BaseQueryEngine):
    """Answers questions from one index; every sentence cites the sentence it stands on.

    A `Response` has the answer's text, the cited passages as source nodes, and the whole `Answer`
    under `metadata["answer"]`; `hire` gives a chat model to write it, or None for quotes.
    """

    def __init__(self, pipeline: Pipeline, hire: "Callable[[], Writer | None]") -> None:
        super().__init__(callback_manager=None)
        self._pipeline = pipeline
        self._hire = hire

    def _query(self, query_bundle: QueryBundle) -> Response:
        pipeline, index = self._pipeline, self._pipeline.index
        request = pipeline.request(query_bundle.query_str, None, Filters())
        found: tuple[Hit, ...] = ()
        for event in pipeline.run(request, self._hire()):
            if isinstance(event, Retrieved):
                found = event.hits
            elif isinstance(event, Finished):
                answer = event.answer
        scores = {hit.paper.id: hit.score for hit in found}
        nodes = [
            NodeWithScore(
                node=passage.node(),
                score=scores.get(reference.paper.id, 0.0),
            )
            for reference in answer.references
            for at in reference.passages
            for passage in _passages(index, reference.paper.id)
            if passage.start == at.start
        ]
        return Response(answer.text, nodes, {"answer": answer.model_dump(mode="json")})

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


def _passages(index: Index, paper_id: str) -> list[Passage]:
    row = index.row_of(paper_id)
    return [] if row is None else [index.passages[at] for at in passage_rows(index, row)]


class HybridRetriever(BaseRetriever):
    """The retrieval of `rag.retrieval` as a LlamaIndex retriever of sentence nodes.

    The nodes are the nearest passages of the first `limit` papers, papers best first; a node's
    score is its paper's score.
    """

    def __init__(self, index: Index, encoder: Encoder, limit: int = 10) -> None:
        super().__init__()
        self._index = index
        self._encoder = encoder
        self._limit = limit

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        probe = Probe.of(query_bundle.query_str, self._index, self._encoder)
        if not self._index.is_covered:
            self._index = encode_candidates(self._index, probe, self._encoder)
        ranking = rank(self._index, probe)
        return [
            NodeWithScore(node=self._index.passages[at].node(), score=float(ranking.scores[paper]))
            for paper in ranking.rows[: self._limit]
            for at in best_passages(self._index, ranking, paper)
        ]

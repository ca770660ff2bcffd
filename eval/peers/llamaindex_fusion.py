"""LlamaIndex's hybrid: vectors and BM25 joined by reciprocal ranks.

https://developers.llamaindex.ai/python/framework/integrations/retrievers/reciprocal_rerank_fusion
"""

from collections.abc import Sequence

from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.retrievers.bm25 import BM25Retriever

from eval.peers.llamaindex_starter import LlamaIndexStarter
from eval.peers.peer import SOURCES
from eval.peers.quoting import WORDS, Source
from index.embedding import SentenceEncoder
from index.papers import Paper


class LlamaIndexFusion(LlamaIndexStarter):
    """`QueryFusionRetriever` over the starter's index and `BM25Retriever`, each asked for `k`.

    One query only: more of them would be written by a chat model.
    """

    name = "LlamaIndex fusion"

    def __init__(
        self,
        papers: Sequence[Paper],
        encoder: SentenceEncoder,
        *,
        words: int = WORDS,
        sources: int = SOURCES,
    ) -> None:
        """Index the papers twice; see `LlamaIndexStarter`."""
        super().__init__(papers, encoder, words=words, sources=sources)
        self._nodes = len(self.index.docstore.docs)
        self._bm25 = BM25Retriever.from_defaults(docstore=self.index.docstore, similarity_top_k=1)

    def find(self, query: str, limit: int) -> list[Source]:
        """The chunks of both rankings by the sum of their reciprocal ranks."""
        self._bm25.similarity_top_k = min(limit, self._nodes)  # it refuses to be asked for more
        fusion = QueryFusionRetriever(
            [self.index.as_retriever(similarity_top_k=limit), self._bm25],
            llm=MockLLM(),  # asked nothing, but without one it looks for a key of OpenAI's
            mode=FUSION_MODES.RECIPROCAL_RANK,
            similarity_top_k=limit,
            num_queries=1,
            use_async=False,
        )
        return self.read(fusion.retrieve(query))

    def evidence(self, question: str) -> list[Source]:
        """The first chunks of the joined ranking."""
        return self.find(question, self.sources)

"""Haystack's hybrid retrieval: a pipeline of BM25, vectors and a joiner.

https://haystack.deepset.ai/tutorials/33_hybrid_retrieval
"""

from collections.abc import Sequence

from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import (
    InMemoryBM25Retriever,
    InMemoryEmbeddingRetriever,
)
from haystack.document_stores.in_memory import InMemoryDocumentStore

from eval.peers.peer import SOURCES, Peer
from eval.peers.quoting import WORDS, Source
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.passages import paper_text


class HaystackHybrid(Peer):
    """Both in-memory retrievers, each asked for `k`, joined by reciprocal ranks."""

    name = "Haystack hybrid"

    def __init__(
        self,
        papers: Sequence[Paper],
        encoder: SentenceEncoder,
        *,
        words: int = WORDS,
        sources: int = SOURCES,
    ) -> None:
        """Index the papers; see `Peer`."""
        super().__init__(papers, encoder.name, words=words, sources=sources)
        self._encoder = encoder
        texts = [paper_text(paper) for paper in papers]
        store = InMemoryDocumentStore(shared=False)
        store.write_documents(
            [
                Document(id=paper.id, content=text, embedding=vector.tolist())
                for paper, text, vector in zip(papers, texts, encoder.encode(texts), strict=True)
            ]
        )
        self._pipeline = Pipeline()
        self._pipeline.add_component("bm25", InMemoryBM25Retriever(store))
        self._pipeline.add_component("vectors", InMemoryEmbeddingRetriever(store))
        joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion")
        self._pipeline.add_component("joiner", joiner)
        self._pipeline.connect("bm25", "joiner")
        self._pipeline.connect("vectors", "joiner")

    def find(self, query: str, limit: int) -> list[Source]:
        """The papers of both rankings by the sum of their reciprocal ranks."""
        vector = self._encoder.encode_query(query).tolist()
        output = self._pipeline.run(
            {
                "bm25": {"query": query, "top_k": limit},
                "vectors": {"query_embedding": vector, "top_k": limit},
                "joiner": {"top_k": limit},
            }
        )
        return [
            Source(self.papers[document.id], document.score, document.content)
            for document in output["joiner"]["documents"]
        ]

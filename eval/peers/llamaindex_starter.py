"""LlamaIndex's starter tutorial: a `VectorStoreIndex` with its default settings.

https://developers.llamaindex.ai/python/framework/getting_started/starter_example_local
"""

from collections.abc import Iterable, Sequence

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.schema import NodeWithScore

from eval.peers.peer import SOURCES, Peer
from eval.peers.quoting import WORDS, Source
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.passages import paper_text


class LlamaIndexStarter(Peer):
    """One document a paper, cut by the default splitter (1,024 tokens), in the default store."""

    name = "LlamaIndex starter"

    def __init__(
        self,
        papers: Sequence[Paper],
        encoder: SentenceEncoder,
        *,
        similarity_cutoff: float | None = None,
        words: int = WORDS,
        sources: int = SOURCES,
    ) -> None:
        """Index the papers.

        Args:
            papers: At least one.
            encoder: As LlamaIndex's embedding model.
            similarity_cutoff: The cosine below which `ask` shows no text, by LlamaIndex's
                `SimilarityPostprocessor`, whose documentation shows 0.7; none by default.
            words: See `Peer`.
            sources: See `Peer`.
        """
        super().__init__(papers, encoder.name, words=words, sources=sources)
        self.similarity_cutoff = similarity_cutoff
        documents = [Document(id_=paper.id, text=paper_text(paper)) for paper in papers]
        self.index = VectorStoreIndex.from_documents(documents, embed_model=encoder)

    def find(self, query: str, limit: int) -> list[Source]:
        """The nearest chunks by cosine."""
        return self.read(self.index.as_retriever(similarity_top_k=limit).retrieve(query))

    def evidence(self, question: str) -> list[Source]:
        """The nearest chunks that are near enough."""
        nodes = self.index.as_retriever(similarity_top_k=self.sources).retrieve(question)
        if self.similarity_cutoff is not None:
            near = SimilarityPostprocessor(similarity_cutoff=self.similarity_cutoff)
            nodes = near.postprocess_nodes(nodes)
        return self.read(nodes)

    def read(self, nodes: Iterable[NodeWithScore]) -> list[Source]:
        """LlamaIndex's nodes as texts of papers."""
        return [
            Source(
                paper=self.papers[node.node.ref_doc_id or ""],
                score=node.score or 0.0,
                text=node.node.get_content(),
            )
            for node in nodes
        ]

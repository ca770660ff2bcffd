"""PaperQA's retrieval without its agent and its chat models: its vector store, searched with MMR.

https://github.com/Future-House/paper-qa (`Docs`, `Text`, `NumpyVectorStore`)
"""

import asyncio
from collections.abc import Sequence

from lmi import EmbeddingModel
from paperqa import Doc, NumpyVectorStore, Text

from eval.peers.peer import SOURCES, Peer
from eval.peers.quoting import WORDS, Source
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.passages import paper_text


class _OurEncoder(EmbeddingModel):  # type: ignore[misc] # untyped there
    """Our encoder as PaperQA's; it embeds queries alone, since papers bring their vectors."""

    encoder: SentenceEncoder

    async def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.encoder.encode_query(text).tolist() for text in texts]


class PaperQA(Peer):
    """`NumpyVectorStore.max_marginal_relevance_search`, called as `Docs.retrieve_texts` calls it.

    An abstract is one text, since PaperQA's chunks are longer (5,000 characters). With its
    default, λ = 1, marginal relevance is relevance alone. Its keyword search and the scores a
    chat model gives each text are parts of its agent, and not here.
    """

    name = "PaperQA retrieval"

    def __init__(
        self,
        papers: Sequence[Paper],
        encoder: SentenceEncoder,
        *,
        mmr_lambda: float = 1.0,
        words: int = WORDS,
        sources: int = SOURCES,
    ) -> None:
        """Index the papers; see `Peer`.

        Args:
            papers: At least one.
            encoder: Embeds papers and queries.
            mmr_lambda: Weight of relevance against likeness to what was chosen before, ≥ 0;
                PaperQA's default is 1, which is relevance alone.
            words: See `Peer`.
            sources: See `Peer`.
        """
        super().__init__(papers, encoder.name, words=words, sources=sources)
        self._model = _OurEncoder(name=encoder.name, ndim=encoder.dimension, encoder=encoder)
        self._store = NumpyVectorStore(mmr_lambda=mmr_lambda)
        texts = [paper_text(paper) for paper in papers]
        chunks = [
            Text(
                text=text,
                name=paper.id,
                doc=Doc(docname=paper.id, dockey=paper.id, citation=paper.display_title),
                embedding=vector.tolist(),
            )
            for paper, text, vector in zip(papers, texts, encoder.encode(texts), strict=True)
        ]
        asyncio.run(self._store.add_texts_and_embeddings(chunks))

    def find(self, query: str, limit: int) -> list[Source]:
        """The papers by marginal relevance, scored by their cosine."""
        texts, scores = asyncio.run(
            self._store.max_marginal_relevance_search(
                query, k=limit, fetch_k=2 * limit, embedding_model=self._model
            )
        )
        return [
            Source(self.papers[text.doc.dockey], float(score), text.text)
            for text, score in zip(texts[:limit], scores[:limit], strict=True)
        ]

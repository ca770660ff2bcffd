"""txtai's hybrid search: vectors and BM25, scores normalised and averaged.

https://neuml.github.io/txtai/embeddings/configuration/general (hybrid),
https://neuml.github.io/txtai/embeddings/configuration/vectors (external)
"""

from collections.abc import Sequence

from txtai.embeddings import Embeddings

from eval.peers.peer import SOURCES, Peer
from eval.peers.quoting import WORDS, Source
from index.embedding import SentenceEncoder
from index.encoder import Vectors
from index.papers import Paper
from index.passages import paper_text


class TxtaiHybrid(Peer):
    """`Embeddings(hybrid=True)`, its vectors from our encoder by an external transform."""

    name = "txtai hybrid"

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

        def transform(texts: Sequence[str]) -> Vectors:
            # A query comes alone; encoded as one it costs what it costs the other peers.
            return (
                encoder.encode_query(texts[0])[None] if len(texts) == 1 else encoder.encode(texts)
            )

        self._embeddings = Embeddings(method="external", transform=transform, hybrid=True)
        self._embeddings.index((paper.id, paper_text(paper), None) for paper in papers)

    def find(self, query: str, limit: int) -> list[Source]:
        """The papers by the mean of cosine and normalised BM25."""
        hits: list[tuple[str, float]] = self._embeddings.search(query, limit)
        papers = [(self.papers[key], score) for key, score in hits]
        return [Source(paper, score, paper_text(paper)) for paper, score in papers]

"""BM25 alone, as the README of bm25s shows it: its tokenizer, English stopwords, PyStemmer.

https://github.com/xhluca/bm25s
"""

from collections.abc import Sequence

import bm25s
import Stemmer

from eval.peers.peer import SOURCES, Peer
from eval.peers.quoting import WORDS, Source
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.passages import paper_text


class Bm25(Peer):
    """`bm25s.BM25` with its defaults: Lucene's variant, k1 = 1.5, b = 0.75."""

    name = "BM25 (bm25s)"

    def __init__(
        self,
        papers: Sequence[Paper],
        encoder: SentenceEncoder,  # noqa: ARG002 - every peer is opened alike
        *,
        words: int = WORDS,
        sources: int = SOURCES,
    ) -> None:
        """Index the papers; see `Peer`."""
        super().__init__(papers, "none", words=words, sources=sources)
        self._texts = [(paper, paper_text(paper)) for paper in papers]
        self._stemmer = Stemmer.Stemmer("english")
        corpus = bm25s.tokenize(
            [text for _, text in self._texts],
            stopwords="en",
            stemmer=self._stemmer,
            show_progress=False,
        )
        self._bm25 = bm25s.BM25()
        self._bm25.index(corpus, show_progress=False)

    def find(self, query: str, limit: int) -> list[Source]:
        """The papers that share a word with the query, by their BM25 score."""
        tokens = bm25s.tokenize(query, stemmer=self._stemmer, show_progress=False)
        rows, scores = self._bm25.retrieve(
            tokens, k=min(limit, len(self._texts)), show_progress=False
        )
        found = [
            (self._texts[row], float(score)) for row, score in zip(rows[0], scores[0], strict=True)
        ]
        return [Source(paper, score, text) for (paper, text), score in found if score > 0]

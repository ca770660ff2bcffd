"""LlamaIndex's own way to shorten what it found to the sentences nearest the question.

https://developers.llamaindex.ai/python/examples/node_postprocessor/optimizerdemo
"""

from collections.abc import Sequence

from llama_index.core import QueryBundle
from llama_index.core.postprocessor import SentenceEmbeddingOptimizer

from eval.peers.llamaindex_starter import LlamaIndexStarter
from eval.peers.peer import SOURCES
from eval.peers.quoting import WORDS, Source
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.passages import sentence_spans


class LlamaIndexExtractive(LlamaIndexStarter):
    """The starter's index with `SentenceEmbeddingOptimizer` after it.

    Sentences are cut as ours are (the optimizer takes any tokenizer), so that what it keeps can
    be found again in the abstract. It puts them in the order of their likeness to the question.
    """

    name = "LlamaIndex extractive"

    def __init__(
        self,
        papers: Sequence[Paper],
        encoder: SentenceEncoder,
        *,
        percentile_cutoff: float = 0.5,
        context: int = 0,
        words: int = WORDS,
        sources: int = SOURCES,
    ) -> None:
        """Index the papers; see `LlamaIndexStarter`.

        Args:
            papers: At least one.
            encoder: Embeds the papers, and each sentence of what was found.
            percentile_cutoff: The share of a text's sentences that is kept, in (0, 1]; the
                documentation's value by default.
            context: Sentences kept on each side of a near one. LlamaIndex's default is 1; none is
                better for it here (nugget recall on the development questions .41, not .38).
            words: See `Peer`.
            sources: See `Peer`.
        """
        super().__init__(papers, encoder, words=words, sources=sources)
        self._optimizer = SentenceEmbeddingOptimizer(
            embed_model=encoder,
            percentile_cutoff=percentile_cutoff,
            tokenizer_fn=_sentences,
            context_before=context,
            context_after=context,
        )

    def evidence(self, question: str) -> list[Source]:
        """The nearest chunks, shortened."""
        query = QueryBundle(question)
        nodes = self.index.as_retriever(similarity_top_k=self.sources).retrieve(query)
        return self.read(self._optimizer.postprocess_nodes(nodes, query_bundle=query))


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]

"""LlamaIndex's `CitationQueryEngine`: numbered sources, and a chat model that cites them.

https://developers.llamaindex.ai/python/examples/query_engine/citation_query_engine
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms import LLM, MockLLM
from llama_index.core.query_engine import CitationQueryEngine

from eval.peers.llamaindex_starter import LlamaIndexStarter
from eval.peers.peer import SOURCES
from eval.peers.quoting import WORDS, Source, sentences
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.passages import sentence_spans
from rag.citations import Block, Claim, Span, compose
from rag.conversation import History
from rag.schema import Answer, Mode, Usage

CHUNK_TOKENS = 512
"""LlamaIndex's default `citation_chunk_size`."""

_MARKERS = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
_AFTER_STOP = re.compile(r"([.!?])((?:\s*\[\d+(?:\s*,\s*\d+)*\])+)")
# LlamaIndex's prompt: "If none of the sources are helpful, you should indicate that."
_UNHELPFUL = re.compile(
    r"\bnone of the\b|\bno (?:\w+ )?(?:information|mention|sources?|answer)\b|\bcannot\b|\bunable\b"
    r"|\b(?:do|does|did|is|are|was|were|could|can)(?: not|n[’']t)\b|^Empty Response$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ChatEndpoint:
    """A chat model behind an OpenAI-compatible endpoint."""

    model: str
    base_url: str
    api_key: str = field(default="none", repr=False)
    context_tokens: int = 4096
    timeout_seconds: float = 120


class LlamaIndexCitation(LlamaIndexStarter):
    """The starter's index under `CitationQueryEngine`; it ranks papers as the starter does."""

    name = "LlamaIndex CitationQueryEngine"

    def __init__(
        self,
        papers: Sequence[Paper],
        encoder: SentenceEncoder,
        *,
        llm: ChatEndpoint | None = None,
        citation_chunk_size: int = CHUNK_TOKENS,
        words: int = WORDS,
        sources: int = SOURCES,
    ) -> None:
        """Index the papers; see `LlamaIndexStarter`.

        Args:
            papers: At least one.
            encoder: As LlamaIndex's embedding model.
            llm: Who writes; without one the answer is the engine's numbered sources, quoted.
            citation_chunk_size: Tokens of a source.
            words: See `Peer`.
            sources: See `Peer`.
        """
        super().__init__(papers, encoder, words=words, sources=sources)
        self.llm = llm
        self._tokens = TokenCountingHandler()
        # Unasked without an endpoint, but the engine looks for a key of OpenAI's if it has none.
        model = _open(llm) if llm else MockLLM(max_tokens=1)
        self._engine = CitationQueryEngine.from_args(
            self.index,
            llm=model,
            citation_chunk_size=citation_chunk_size,
            similarity_top_k=sources,
        )
        model.callback_manager = CallbackManager([self._tokens])  # the engine has set its own

    def evidence(self, question: str) -> list[Source]:
        """The numbered sources."""
        return self.read(self._engine.query(question).source_nodes)

    def ask(self, question: str, history: History, mode: Mode) -> Answer:
        """What the chat model writes, its markers leading to the sources; else the sources.

        Each sentence cites the whole sources that it names, since the engine says no more. It
        refuses if it cites nothing and says that the sources do not help.
        """
        if not self.llm:
            return super().ask(question, history, mode)
        self._tokens.reset_counts()
        started = perf_counter()
        response = self._engine.query(question)
        timings = {"answer": 1000 * (perf_counter() - started)}
        found = self.read(response.source_nodes)
        text = str(response).strip()
        claims = cited_claims(text, found)
        refuses = not any(claim.spans for claim in claims) and _UNHELPFUL.search(text)
        return self.answer(
            question,
            compose((Block(claims),) if claims else ()),
            found,
            timings,
            reason=text if refuses else None,
            mode="generative",
            model=self.llm.model,
            usage=Usage(
                prompt_tokens=self._tokens.prompt_llm_token_count,
                completion_tokens=self._tokens.completion_llm_token_count,
            ),
        )


def cited_claims(text: str, sources: Sequence[Source]) -> tuple[Claim, ...]:
    """The sentences of a text with markers like `[1]` or `[1, 2]`, and what each cites.

    Args:
        text: What the chat model wrote.
        sources: Source number n is `sources[n - 1]`; a marker beyond them cites nothing.
    """
    inside = _AFTER_STOP.sub(r"\2\1", text)  # "so. [1] Then" is as good as "so [1]. Then"
    claims = []
    for start, end in sentence_spans(inside):
        sentence = inside[start:end]
        numbers = [int(n) for marker in _MARKERS.findall(sentence) for n in marker.split(",")]
        spans = [
            span
            for number in dict.fromkeys(numbers)
            if 0 < number <= len(sources) and (span := _whole(sources[number - 1]))
        ]
        if words := _MARKERS.sub("", sentence).strip():
            claims.append(Claim(words, tuple(dict.fromkeys(spans))))
    return tuple(claims)


def _whole(source: Source) -> Span | None:
    """The stretch of the abstract that a source is; none if it is a title alone."""
    inside = sentences(source)
    if not inside:
        return None
    return Span(source.paper, min(p.start for p in inside), max(p.end for p in inside))


def _open(endpoint: ChatEndpoint) -> LLM:
    # Imported here: only a writer needs it.
    from llama_index.llms.openai_like import OpenAILike

    llm: LLM = OpenAILike(
        model=endpoint.model,
        api_base=endpoint.base_url,
        api_key=endpoint.api_key,
        context_window=endpoint.context_tokens,
        is_chat_model=True,
        temperature=0.0,
        max_retries=0,  # it retries in two layers, which multiply
        timeout=endpoint.timeout_seconds,
    )
    return llm

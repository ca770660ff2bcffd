"""The Python query API: open an index, ask, get an answer with checked citations."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

import numpy as np

from index.embedding import SentenceEncoder
from index.errors import InputError
from index.manifest import check_encoder
from index.papers import Paper
from index.store import Index, current
from rag.conversation import History
from rag.digests import Digest, allowed, list_digests
from rag.engine import AbstractQueryEngine, Request
from rag.parts import EVERY_PART, Parts
from rag.retrieval import HybridRetriever
from rag.schema import Answer, Event, Filters, Finished, Hit, Mode, Usage
from rag.settings import Settings, load_settings
from rag.table import ROW_TOKENS, Table, make_table
from rag.writer import Writers

if TYPE_CHECKING:
    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.llms import LLM


class Assistant:
    """Answers questions from the index in a store, and follows it when it is rebuilt.

    An assistant may be used from several threads at once.
    """

    def __init__(
        self,
        store: Path,
        encoder: SentenceEncoder,
        parts: Parts = EVERY_PART,
        settings: Settings | None = None,
    ) -> None:
        """Open the index in `store`; no chat model is asked without `settings`."""
        self._store = store
        self._encoder = encoder
        self._parts = parts
        self._writers = Writers(settings, encoder)
        self._lock = Lock()
        self._index, self._engine = self._load()

    @classmethod
    def open(
        cls,
        store: Path | str | None = None,
        settings: Settings | None = None,
        parts: Parts = EVERY_PART,
    ) -> Self:
        """Open the index in `store`, by default the one that the settings name.

        `parts` can switch parts off, to measure what they are worth.

        Raises:
            InputError: a setting is unknown or out of range.
            StoreError: there is no index there, it is damaged, or of a newer format.
            EncoderError: the encoder is missing, or not the one the index was built with.
        """
        chosen = settings or load_settings()
        encoder = SentenceEncoder.open(chosen.encoder)
        return cls(Path(store or chosen.store), encoder, parts, chosen)

    def _load(self) -> tuple[Index, AbstractQueryEngine]:
        index = Index.open(self._store)
        check_encoder(index.manifest, self._encoder)
        return index, AbstractQueryEngine(
            index, self._encoder, self._parts, hire=lambda: self._writers.writer("auto")
        )

    def _live(self) -> tuple[Index, AbstractQueryEngine]:
        """The live generation, opened anew if another process published one."""
        with self._lock:
            live = current(self._store)
            if live is not None and live != self._index.manifest.generation:
                self._index, self._engine = self._load()
            return self._index, self._engine

    def ask(
        self,
        question: str,
        history: History | None = None,
        filters: Filters | None = None,
        mode: Mode = "auto",
    ) -> Answer:
        """Answer a question from the abstracts.

        Args:
            question: In plain words, at most 4,000 characters.
            history: The conversation so far, oldest first: `{"role": "user" | "assistant",
                "content": str}` or LlamaIndex `ChatMessage`s. An answer's dictionary may have
                `"references"`: ids or titles of the papers it cites, in their order.
            filters: Which papers may answer; all by default.
            mode: "extractive" quotes, "generative" has a chat model write; "auto" is generative
                if a chat model is configured.

        Raises:
            InputError: the question is empty or too long, a digest is unknown, or the mode is, or
                it needs a chat model and none is configured.
        """
        writer = self._writers.writer(mode)
        engine, request = self._request(question, history, filters)
        return engine.answer(request, writer)

    async def aask(
        self,
        question: str,
        history: History | None = None,
        filters: Filters | None = None,
        mode: Mode = "auto",
    ) -> Answer:
        """`ask`, for use under an event loop: it works in a thread.

        Cancelling it closes what a chat model was still sending.
        """
        async for event in self.astream(question, history, filters, mode):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with its answer")

    def stream(
        self,
        question: str,
        history: History | None = None,
        filters: Filters | None = None,
        mode: Mode = "auto",
    ) -> Iterator[Event]:
        """Answer in events: `Progress`, `Retrieved`, `Delta`s of the text, and last `Finished`.

        Closing the iterator closes what a chat model was still sending.

        Raises:
            InputError: as `ask`, at once rather than at the first event.
        """
        writer = self._writers.writer(mode)
        engine, request = self._request(question, history, filters)
        return engine.run(request, writer)

    async def astream(
        self,
        question: str,
        history: History | None = None,
        filters: Filters | None = None,
        mode: Mode = "auto",
    ) -> AsyncIterator[Event]:
        """`stream`, for use under an event loop: it works in a thread.

        Cancelling it, even while a chat model is silent, closes what the model was still sending.

        Raises:
            InputError: as `ask`, at the first event.
        """
        writer = self._writers.writer(mode)
        engine, request = self._request(question, history, filters)
        events = engine.run(request, writer)
        try:
            while event := await asyncio.to_thread(next, events, None):
                yield event
        finally:
            if writer:
                writer.cancel()  # a thread may still wait for the model

    def _request(
        self, question: str, history: History | None, filters: Filters | None
    ) -> tuple[AbstractQueryEngine, Request]:
        """The live engine, and the question checked by it."""
        _, engine = self._live()
        return engine, engine.request(question, history, filters or Filters())

    def check_mode(self, mode: Mode) -> None:
        """Refuse a mode that cannot be had.

        Raises:
            InputError: the mode is unknown, or needs a chat model and none is configured.
        """
        self._writers.writer(mode)

    @property
    def chat_model(self) -> str | None:
        """The name of the chat model that writes answers in mode "auto", if there is one."""
        return self._writers.name

    @property
    def writing(self) -> Mapping[str, object] | None:
        """What shapes the answers that a chat model writes, for a record; None without a model."""
        return self._writers.configuration

    def close(self) -> None:
        """Close the connections to the chat model; generative questions may not follow."""
        self._writers.close()

    def table(
        self,
        question: str,
        columns: Sequence[str] | None = None,
        filters: Filters | None = None,
        limit: int = 8,
        mode: Mode = "auto",
        papers: Sequence[str] = (),
    ) -> Table:
        """Compare papers in a table: a row a paper, every cell a verbatim quote or empty.

        Args:
            question: What the table is about: "GUI agents", "Compare X and Y".
            columns: What is asked of each paper, in free words, at most 12. By default a chat
                model proposes them; without one they are method, data, metric and result.
            filters: Which papers may be found; all by default.
            limit: Rows at most, beside papers that were named.
            mode: "extractive" finds quotes by rule, "generative" has a chat model choose them;
                "auto" is generative if a chat model is configured.
            papers: Titles or ids of the papers to compare, instead of those found.

        Raises:
            InputError: the question, a column, a paper, a filter, the limit or the mode cannot
                be used.
        """
        writer = self._writers.writer(mode)
        return make_table(
            self._live()[0],
            self._encoder,
            question,
            columns,
            papers=papers,
            filters=filters,
            limit=limit,
            parts=self._parts,
            complete=writer.completing(max_tokens=ROW_TOKENS) if writer else None,
            model=writer.name if writer else None,
            spent=(lambda: writer.usage) if writer else Usage,
        )

    def search(self, query: str, limit: int = 10, filters: Filters | None = None) -> list[Hit]:
        """The papers nearest to a query, best first, one hit a paper.

        A chat model helps only if the settings `expansion` or `rerank` say so.

        Raises:
            InputError: the query is empty or too long, `limit` is less than 1, or a digest is
                unknown.
        """
        if limit < 1:
            raise InputError(f"limit must be at least 1, not {limit}")
        writer = self._writers.writer("auto") if self._writers.helps_to_find else None
        return list(self._live()[1].search(query, limit, filters or Filters(), writer))

    def papers(self, filters: Filters | None = None) -> list[Paper]:
        """Every paper in the index that passes the filters, in the order of their ids."""
        index, _ = self._live()
        rows = np.flatnonzero(allowed(index.papers, filters or Filters()))
        return [index.papers[int(row)] for row in rows]

    def digests(self) -> list[Digest]:
        """The digests in the index, oldest first."""
        return list(list_digests(self._live()[0].papers))

    def as_query_engine(self) -> "BaseQueryEngine":
        """The live generation as a LlamaIndex query engine."""
        return self._live()[1]

    def as_llm(self) -> "LLM":
        """The configured chat model as a LlamaIndex `LLM`.

        Raises:
            InputError: no chat model is configured, or it cannot be used.
        """
        from rag.chat.llm import ChatLLM  # LlamaIndex's LLMs are needed here alone

        return ChatLLM(self._writers.model())

    def as_retriever(self, limit: int = 10) -> "BaseRetriever":
        """The live generation as a LlamaIndex retriever of sentence nodes."""
        return HybridRetriever(self._live()[0], self._encoder, limit, self._parts)

"""The Python query API: open an index, ask, get an answer with checked citations."""

import asyncio
import re
from collections.abc import Iterator
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
from rag.engine import AbstractQueryEngine, check_mode
from rag.parts import EVERY_PART, Parts
from rag.retrieval import HybridRetriever
from rag.schema import Answer, Delta, Event, Filters, Finished, Hit, Mode, Retrieved
from rag.settings import Settings, load_settings

if TYPE_CHECKING:
    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.base.base_retriever import BaseRetriever

_PIECE = re.compile(r"\S+\s*|\s+")


class Assistant:
    """Answers questions from the index in a store, and follows it when it is rebuilt.

    An assistant may be used from several threads at once.
    """

    def __init__(self, store: Path, encoder: SentenceEncoder, parts: Parts = EVERY_PART) -> None:
        self._store = store
        self._encoder = encoder
        self._parts = parts
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
        return cls(Path(store or chosen.store), SentenceEncoder.open(chosen.encoder), parts)

    def _load(self) -> tuple[Index, AbstractQueryEngine]:
        index = Index.open(self._store)
        check_encoder(index.manifest, self._encoder)
        return index, AbstractQueryEngine(index, self._encoder, self._parts)

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
                "content": str}` or LlamaIndex `ChatMessage`s.
            filters: Which papers may answer; all by default.
            mode: "extractive" quotes; "auto" is "extractive" as long as no chat model is used.

        Raises:
            InputError: the question is empty or too long, a digest is unknown, or the mode is.
        """
        check_mode(mode)
        return self._live()[1].answer(question, history, filters or Filters())[1]

    async def aask(
        self,
        question: str,
        history: History | None = None,
        filters: Filters | None = None,
        mode: Mode = "auto",
    ) -> Answer:
        """`ask`, for use under an event loop: it works in a thread."""
        return await asyncio.to_thread(self.ask, question, history, filters, mode)

    def stream(
        self,
        question: str,
        history: History | None = None,
        filters: Filters | None = None,
        mode: Mode = "auto",
    ) -> Iterator[Event]:
        """Answer in events: `Retrieved`, then `Delta`s that add up to the text, then `Finished`.

        Raises:
            InputError: as `ask`, at once rather than at the first event.
        """
        check_mode(mode)
        hits, answer = self._live()[1].answer(question, history, filters or Filters())
        return _events(hits, answer)

    def search(self, query: str, limit: int = 10, filters: Filters | None = None) -> list[Hit]:
        """The papers nearest to a query, best first, one hit a paper.

        Raises:
            InputError: the query is empty or too long, `limit` is less than 1, or a digest is
                unknown.
        """
        if limit < 1:
            raise InputError(f"limit must be at least 1, not {limit}")
        return list(self._live()[1].search(query, limit, filters or Filters()))

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

    def as_retriever(self, limit: int = 10) -> "BaseRetriever":
        """The live generation as a LlamaIndex retriever of sentence nodes."""
        return HybridRetriever(self._live()[0], self._encoder, limit, self._parts)


def _events(hits: tuple[Hit, ...], answer: Answer) -> Iterator[Event]:
    yield Retrieved(hits=hits)
    for piece in _PIECE.findall(answer.text):
        yield Delta(text=piece)
    yield Finished(answer=answer)

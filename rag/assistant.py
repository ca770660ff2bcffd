"""The Python query API: open an index, ask, get an answer with checked citations."""

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Self, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from index.collection_map import CollectionMap
from index.embedding import SentenceEncoder
from index.errors import InputError
from index.naming import mend
from index.papers import Paper
from rag.conversation import History
from rag.digests import Digest, allowed, list_digests
from rag.live import LiveIndex, row_of
from rag.llamaindex import AbstractQueryEngine, ChatLLM, HybridRetriever
from rag.pipeline import Pipeline, Recipe, check_question
from rag.query import Request
from rag.retrieval import similar_hits
from rag.schema import (
    Answer,
    Event,
    Filters,
    Finished,
    Hit,
    IndexInfo,
    Mode,
    Options,
    Progress,
)
from rag.settings import Settings, load_settings
from rag.synthesis.writer import Writer, Writers
from rag.tables import Table, TableEvents
from rag.tables.compare import TableMaker

if TYPE_CHECKING:
    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.llms import LLM


T = TypeVar("T")
FiltersLike = Filters | Mapping[str, object] | None
"""Filters, or a dictionary with their fields; None keeps every paper."""

_WAITING: RunVar[CapacityLimiter] = RunVar("the threads of an event loop that answer")


async def _in_thread(work: Callable[[], T]) -> T:
    """What `work` gives, in a thread, of which an event loop has 128 for questions.

    Not one of those that others of the event loop have: they are few, and one that waits for a
    slow model is no use to anybody else.
    """
    try:
        limiter = _WAITING.get()
    except LookupError:
        _WAITING.set(limiter := CapacityLimiter(128))
    return await to_thread.run_sync(work, limiter=limiter, abandon_on_cancel=True)


class Assistant:
    """Answers questions from the index in a store, and follows it when it is rebuilt.

    An assistant may be used from several threads at once.
    """

    def __init__(
        self,
        store: Path,
        encoder: SentenceEncoder,
        settings: Settings | None = None,
        recipe: Recipe | None = None,
    ) -> None:
        """Open the index in `store`; no chat model is asked without `settings`."""
        self._encoder = encoder
        self._writers = Writers(settings, encoder)
        self._live = LiveIndex(store, encoder, recipe, settings.chroma() if settings else None)

    @classmethod
    def open(
        cls,
        store: Path | str | None = None,
        settings: Settings | None = None,
        recipe: Recipe | None = None,
    ) -> Self:
        """Open the index in `store`, by default the one that the settings name.

        A `recipe` has other steps, to measure what they are worth.

        Raises:
            InputError: a setting is unknown or out of range.
            StoreError: there is no index there, it is damaged, or of a newer format.
            EncoderError: the encoder is missing, or not the one the index was built with.
        """
        chosen = settings or load_settings()
        encoder = SentenceEncoder.open(chosen.encoder, chosen.secret_of_encoder)
        return cls(Path(store or chosen.store), encoder, chosen, recipe)

    def ask(
        self,
        question: str,
        history: History | None = None,
        filters: FiltersLike = None,
        mode: Mode = "auto",
        options: Options | None = None,
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
            options: Another model, the number of sources, the strictness: see `Options`.

        Raises:
            InputError: the question is empty or too long, a digest is unknown, or the mode is, or
                it needs a chat model and none is configured, or the endpoint has no such model.
        """
        pipeline, request, writer = self._begin(question, history, filters, mode, options)
        return pipeline.answer(request, writer)

    async def aask(
        self,
        question: str,
        history: History | None = None,
        filters: FiltersLike = None,
        mode: Mode = "auto",
        options: Options | None = None,
    ) -> Answer:
        """`ask`, for use under an event loop: it works in a thread.

        Cancelling it closes what a chat model was still sending.
        """
        async for event in self.astream(question, history, filters, mode, options):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with its answer")

    def stream(
        self,
        question: str,
        history: History | None = None,
        filters: FiltersLike = None,
        mode: Mode = "auto",
        options: Options | None = None,
    ) -> Iterator[Event]:
        """Answer in events: `Progress`, `Retrieved`, `Delta`s of the text, and last `Finished`.

        Closing the iterator closes what a chat model was still sending.

        Raises:
            InputError: as `ask`, at once rather than at the first event.
        """
        pipeline, request, writer = self._begin(question, history, filters, mode, options)
        return pipeline.run(request, writer)

    async def astream(
        self,
        question: str,
        history: History | None = None,
        filters: FiltersLike = None,
        mode: Mode = "auto",
        options: Options | None = None,
    ) -> AsyncIterator[Event]:
        """`stream`, for use under an event loop: it works in a thread.

        Cancelling it, even while a chat model is silent, closes what the model was still sending.

        Raises:
            InputError: as `ask`, at the first event.
        """
        pipeline, request, writer = await _in_thread(
            lambda: self._begin(question, history, filters, mode, options)
        )
        events = pipeline.run(request, writer)
        try:
            while event := await _in_thread(lambda: next(events, None)):
                yield event
        finally:
            if writer:
                writer.cancel()  # a thread may still wait for the model

    def _begin(
        self,
        question: str,
        history: History | None,
        filters: FiltersLike,
        mode: Mode,
        options: Options | None,
    ) -> tuple[Pipeline, Request, Writer | None]:
        """The live pipeline, the question checked by it, and who writes the answer."""
        writer = self._writers.writer(mode, options)
        live = self._live.read()
        request = live.request(question, history, Filters.read(filters), options)
        earlier = [turn.text for turn in request.turns if turn.role == "user"][-1:]
        text = " ".join([*earlier, request.asked])
        return self._live.encoded_for(live, text, request.allowed), request, writer

    def check_mode(self, mode: Mode) -> None:
        """Refuse a mode that cannot be had.

        Raises:
            InputError: the mode is unknown, or needs a chat model and none is configured.
        """
        self._writers.writer(mode)

    @property
    def settings(self) -> Settings | None:
        """The settings by which chat models are asked, if they are."""
        return self._writers.settings

    def use_chat_model(self, settings: Settings) -> None:
        """Ask the chat model that these settings name from the next question on.

        Questions under way keep theirs, as long as a question may take and a minute more.
        """
        former, self._writers = self._writers, Writers(settings, self._encoder)
        seconds = former.settings.chat_deadline_seconds if former.settings else 0
        closing = Timer(seconds + 60, former.close)
        closing.daemon = True
        closing.start()

    @property
    def chat_model(self) -> str | None:
        """The name of the chat model that writes answers in mode "auto", if there is one."""
        return self._writers.name

    def chat_models(self) -> list[str]:
        """The models that `Options.model` may name: the configured one, then the endpoint's others.

        What the endpoint lists is kept for a minute; only the configured one if it lists none in
        two seconds, and an empty list if no chat model is configured.
        """
        return self._writers.names()

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
        filters: FiltersLike = None,
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
        for event in self.stream_table(question, columns, filters, limit, mode, papers):
            if isinstance(event, Table):
                return event
        raise AssertionError("the events of a table end with it")

    def stream_table(
        self,
        question: str,
        columns: Sequence[str] | None = None,
        filters: FiltersLike = None,
        limit: int = 8,
        mode: Mode = "auto",
        papers: Sequence[str] = (),
    ) -> TableEvents:
        """`table` in events: `Progress`es, and last the table.

        Closing the iterator, from any thread, stops what a chat model was asked.

        Raises:
            InputError: as `table`, some of it at the first event.
        """
        writer = self._writers.writer(mode)
        kept = Filters.read(filters)

        def make() -> Generator[Progress, None, Table]:
            live = self._live.read()
            live = self._live.encoded_for(live, question) if question.strip() else live
            maker = TableMaker(live.index, self._encoder, writer)
            making = maker.make(question, columns, papers=papers, filters=kept, limit=limit)
            return (yield from making)

        return TableEvents(make(), writer.cancel if writer else lambda: None)

    def paper(self, paper_id: str) -> Paper:
        """The paper of this id.

        Raises:
            InputError: the index has none.
        """
        index = self._live.read().index
        return index.papers[row_of(index, paper_id)]

    def similar(self, paper_id: str, limit: int = 5) -> list[Hit]:
        """The papers whose abstracts are nearest to one paper's as a whole, best first.

        A hit's score is the cosine of the two abstracts' vectors, its passages are those nearest
        to that paper; the paper itself is left out.

        Raises:
            InputError: the index has no such paper, or `limit` is less than 1.
        """
        if limit < 1:
            raise InputError(f"limit must be at least 1, not {limit}")
        live = self._live.read()
        row = row_of(live.index, paper_id)
        return list(similar_hits(self._live.encoded_around(live, row), row, limit))

    def newest(self, since: date | None = None) -> list[Paper]:
        """The papers that are new, those of the latest digest first.

        Args:
            since: Papers whose earliest dated source is of this day or later. By default those
                that the last change of the index brought; none if it brought no new one, or if
                what was there before it is not kept.
        """
        return self._live.newest(since)

    def collection_map(self) -> CollectionMap | None:
        """Where the papers lie in the plane, and their groups; None in an index without a map."""
        return self._live.read().index.map

    def search(self, query: str, limit: int = 10, filters: FiltersLike = None) -> list[Hit]:
        """The papers nearest to a query, best first, one hit a paper.

        Raises:
            InputError: the query is empty or too long, `limit` is less than 1, or a digest is
                unknown.
        """
        if limit < 1:
            raise InputError(f"limit must be at least 1, not {limit}")
        live = self._live.read()
        mask = allowed(live.index.papers, Filters.read(filters))
        encoded = self._live.encoded_for(live, check_question(query), mask)
        return list(encoded.search(query, limit, mask))

    def mended(self, query: str) -> str:
        """A query as it is searched for: its typing errors mended by the words of the index."""
        index = self._live.read().index
        return mend(query, index.lexical, index.names)[0]

    def papers(self, filters: FiltersLike = None) -> list[Paper]:
        """Every paper in the index that passes the filters, in the order of their ids."""
        papers = self._live.read().index.papers
        mask = allowed(papers, Filters.read(filters))
        return [paper for paper, may in zip(papers, mask, strict=True) if may]

    @property
    def info(self) -> IndexInfo:
        """The live generation: its id, the number of its papers, its encoder."""
        return self._live.read().info

    @property
    def coverage(self) -> float:
        """The share of papers and sentences that are encoded, from 0 to 1.

        What is not is found by its words, and encoded when it is likely to answer.
        """
        return self._live.read().index.coverage

    def digests(self) -> list[Digest]:
        """The digests in the index, oldest first."""
        return list(list_digests(self._live.read().index.papers))

    def as_query_engine(self) -> "BaseQueryEngine":
        """The live generation as a LlamaIndex query engine."""
        return AbstractQueryEngine(self._live.read(), lambda: self._writers.writer("auto"))

    def as_llm(self) -> "LLM":
        """The configured chat model as a LlamaIndex `LLM`.

        Raises:
            InputError: no chat model is configured, or it cannot be used.
        """
        return ChatLLM(self._writers.model())

    def as_retriever(self, limit: int = 10) -> "BaseRetriever":
        """The live generation as a LlamaIndex retriever of sentence nodes."""
        return HybridRetriever(self._live.read().index, self._encoder, limit)

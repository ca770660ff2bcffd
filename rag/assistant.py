"""The Python API: open an index, ask a question, get an answer with checked citations."""

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from threading import Timer
from typing import Self, TypeVar

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

T = TypeVar("T")
FiltersLike = Filters | Mapping[str, object] | None
"""Filters, or a dictionary with their fields; None keeps every paper."""

_QUESTION_THREADS: RunVar[CapacityLimiter] = RunVar("the threads of an event loop that answer")


async def _in_thread(work: Callable[[], T]) -> T:
    """Return the result of `work`, run in one of the 128 threads an event loop has for questions.

    The event loop's shared threads are few, and a question may wait long for a slow model.
    """
    try:
        limiter = _QUESTION_THREADS.get()
    except LookupError:
        _QUESTION_THREADS.set(limiter := CapacityLimiter(128))
    return await to_thread.run_sync(work, limiter=limiter, abandon_on_cancel=True)


class Assistant:
    """Answers questions from the index in a store, and reloads the index when it is rebuilt.

    Several threads may use one assistant at once.
    """

    def __init__(
        self,
        store: Path,
        encoder: SentenceEncoder,
        settings: Settings | None = None,
        recipe: Recipe | None = None,
    ) -> None:
        """Open the index in `store`; without `settings`, no chat model is used."""
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

        A `recipe` replaces steps of an answer, to measure what they contribute.

        Raises:
            InputError: a setting is unknown or out of range.
            StoreError: the store has no index, or one that is damaged or of another format.
            EncoderError: the encoder is missing, or not the one that built the index.
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
            mode: "extractive" quotes, "generative" lets a chat model write; "auto" is generative
                if a chat model is configured.
            options: Another model, the number of sources, the strictness: see `Options`.

        Raises:
            InputError: the question is empty or too long, a digest or the mode is unknown, the
                mode needs a chat model but none is configured, or the endpoint lacks the model.
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
        """Answer a question like `ask`, in a thread, so that an event loop is not blocked.

        Cancelling it closes the stream of the chat model.
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
        """Answer as events: `Progress`, `Retrieved`, `Delta`s of the text, and last `Finished`.

        Closing the iterator closes the stream of the chat model. Raises InputError like `ask`: by
        this call, not by the first event.
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
        """Answer as events like `stream`, in a thread, so that an event loop is not blocked.

        Cancelling it, even while a chat model is silent, closes the stream of the model. Raises
        InputError like `ask`, by the first event.
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
                writer.cancel()  # a thread may still be waiting for the model

    def _begin(
        self,
        question: str,
        history: History | None,
        filters: FiltersLike,
        mode: Mode,
        options: Options | None,
    ) -> tuple[Pipeline, Request, Writer | None]:
        """Return the live pipeline, the checked question, and the writer; None is for quotes."""
        writer = self._writers.writer(mode, options)
        live = self._live.read()
        request = live.request(question, history, Filters.read(filters), options)
        earlier = [turn.text for turn in request.turns if turn.role == "user"][-1:]
        text = " ".join([*earlier, request.asked])
        return self._live.encoded_for(live, text, request.allowed), request, writer

    def check_mode(self, mode: Mode) -> None:
        """Raise InputError if a mode is unknown, or needs a chat model but none is configured."""
        self._writers.writer(mode)

    @property
    def settings(self) -> Settings | None:
        """The settings of the chat model; None if the assistant has none and only quotes."""
        return self._writers.settings

    def use_chat_model(self, settings: Settings) -> None:
        """Use the chat model of these settings from the next question on.

        Questions in progress keep the former model until their deadline and a minute longer.
        """
        former, self._writers = self._writers, Writers(settings, self._encoder)
        seconds = former.settings.chat_deadline_seconds if former.settings else 0
        closing = Timer(seconds + 60, former.close)
        closing.daemon = True
        closing.start()

    @property
    def chat_model(self) -> str | None:
        """The name of the chat model that writes in mode "auto"; None if that mode quotes."""
        return self._writers.name

    def chat_models(self) -> list[str]:
        """Return the models for `Options.model`: the configured one, then others of the endpoint.

        The endpoint's list is cached for a minute. The result is only the configured model if the
        endpoint lists none in two seconds, and empty if no chat model is configured.
        """
        return self._writers.names()

    @property
    def writing(self) -> Mapping[str, object] | None:
        """The configuration of generative answers, to record with a run; None without a model."""
        return self._writers.configuration

    def close(self) -> None:
        """Close the connections to the chat model; generative questions then fail."""
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
        """Compare papers in a table: one paper per row, each cell a verbatim quote or empty.

        Args:
            question: What the table is about: "GUI agents", "Compare X and Y".
            columns: What to find in each paper, in free words, at most 12. By default a chat
                model proposes them; without one they are method, data, metric and result.
            filters: Which papers may be found; all by default.
            limit: Maximum number of rows; it does not apply to `papers`.
            mode: "extractive" finds quotes by rule, "generative" lets a chat model choose them;
                "auto" is generative if a chat model is configured.
            papers: Titles or ids of the papers to compare, instead of those found.

        Raises:
            InputError: the question, a column, a paper, a filter, the limit or the mode is
                invalid.
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
        """Make a table like `table`, as events: `Progress`es, and last the table.

        Closing the iterator, from any thread, cancels the requests to the chat model. Raises
        InputError like `table`, by this call or by the first event.
        """
        writer = self._writers.writer(mode)
        kept = Filters.read(filters)

        def make() -> Generator[Progress, None, Table]:
            live = self._live.read()
            live = self._live.encoded_for(live, question) if question.strip() else live
            maker = TableMaker(live.index, self._encoder, writer)
            return (yield from maker.make(question, columns, papers, kept, limit))

        return TableEvents(make(), writer.cancel if writer else lambda: None)

    def paper(self, paper_id: str) -> Paper:
        """Return the paper with this id; raise InputError if the index has none."""
        index = self._live.read().index
        return index.papers[row_of(index, paper_id)]

    def similar(self, paper_id: str, limit: int = 5) -> list[Hit]:
        """Return the papers whose whole abstracts are nearest to that of a paper, best first.

        A hit's score is the cosine of the vectors of the two abstracts; its passages are the ones
        nearest to the given paper, which itself is left out. Raises InputError if the index has no
        such paper, or `limit` is less than 1.
        """
        if limit < 1:
            raise InputError(f"limit must be at least 1, not {limit}")
        live = self._live.read()
        row = row_of(live.index, paper_id)
        return similar_hits(self._live.encoded_around(live, row), row, limit)

    def newest(self, since: date | None = None) -> list[Paper]:
        """Return the new papers, those of the latest digest first.

        Args:
            since: New are papers whose earliest dated source is of this day or later. By default,
                papers that the last change of the index added; none if it added none, or if the
                previous generation is no longer kept.
        """
        return self._live.newest(since)

    def collection_map(self) -> CollectionMap | None:
        """Return the place of each paper on the map, and its clusters; None without a map."""
        return self._live.read().index.map

    def search(self, query: str, limit: int = 10, filters: FiltersLike = None) -> list[Hit]:
        """Return the papers that rank highest for a query, best first, one hit per paper.

        Raises InputError if the query is empty or too long, `limit` is less than 1, or a filter
        cannot be used.
        """
        if limit < 1:
            raise InputError(f"limit must be at least 1, not {limit}")
        live = self._live.read()
        mask = allowed(live.index.papers, Filters.read(filters))
        encoded = self._live.encoded_for(live, check_question(query), mask)
        return list(encoded.search(query, limit, mask))

    def mended(self, query: str) -> str:
        """Return a query with its typing errors corrected by the words and names of the index."""
        index = self._live.read().index
        return mend(query, index.lexical, index.names)[0]

    def papers(self, filters: FiltersLike = None) -> list[Paper]:
        """Return every paper in the index that passes the filters, in the order of their ids."""
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

        The others are found by their words, and encoded when they are likely to answer.
        """
        return self._live.read().index.coverage

    def digests(self) -> list[Digest]:
        """Return the digests in the index, oldest first."""
        return list(list_digests(self._live.read().index.papers))

    def as_query_engine(self) -> AbstractQueryEngine:
        """Return the live generation as a LlamaIndex query engine."""
        return AbstractQueryEngine(self._live.read(), lambda: self._writers.writer("auto"))

    def as_llm(self) -> ChatLLM:
        """Return the configured chat model as a LlamaIndex `LLM`; raise InputError without one."""
        return ChatLLM(self._writers.model())

    def as_retriever(self, limit: int = 10) -> HybridRetriever:
        """Return the live generation as a LlamaIndex retriever of sentence nodes."""
        return HybridRetriever(self._live.read().index, self._encoder, limit)

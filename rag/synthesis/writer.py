"""A chat model at work on one question: it helps to understand, to find, and writes the answer.

The way of an answer is `Writer.answer`: the papers to read, its parts looked up, whole abstracts,
what the model makes of them, and the quotes if it fails.
"""

import logging
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from threading import Lock
from time import monotonic

import numpy as np

from index import minilm
from index.embedding import SentenceEncoder
from index.errors import AbstractQAError, InputError
from index.store import Index
from rag.chat import (
    Asking,
    ChatError,
    ChatModel,
    Complete,
    Limits,
    StoppedError,
    TooLongError,
    added,
)
from rag.chat.account import Price
from rag.citations import Outcome, joined
from rag.clock import Clock
from rag.conversation import papers_before
from rag.evidence import Evidence, within
from rag.listing import listed
from rag.query import Query, Request
from rag.retrieval import Ranking
from rag.schema import Delta, Event, Mode, Options, Progress, SubQuestion, Usage
from rag.selection import answering
from rag.settings import OPENAI, Settings, Unsupported
from rag.support import AnswerChecker
from rag.support.asking import JudgeChecker, NliChecker
from rag.support.local import LocalChecker
from rag.synthesis.drafting import ONE_EACH, Task, Written, write
from rag.synthesis.grounding import Grounder
from rag.synthesis.helping import condense, find_parts, plan, wants_condensing, wants_plan
from rag.synthesis.many import BATCH, MOST_PAPERS, ManyPapers
from rag.synthesis.sheet import LARGEST, Sheet, lay_out
from rag.wording import Kind

PAPERS = 5
"""Abstracts that a question about one paper is answered from."""
PAPERS_IF_NAMED = 3
"""The same where it names the paper."""
PAPERS_OF_LIST = 10
"""Of a list, and of a question that may be about any of several papers."""
LOCAL, JUDGE = "local", "judge"
_SURE = 0.6
"""Of the probability that the first paper is the one that answers."""
_CONDENSED_TOKENS = 120
_PLAN_TOKENS = 250
_REMEMBERED = 32
"""Other models of the endpoint whose refusals are remembered."""
_LISTING_SECONDS = 2.0
_LIST_SECONDS = 60.0
_NO_ENDPOINT = (
    "set ABSTRACTQA_CHAT_MODEL, and OPENAI_API_KEY or OPENAI_BASE_URL; or choose 'extractive'"
)
_SHAPING = (
    "evidence_tokens", "answer_tokens", "unsupported", "support_checker", "judge_model", "planning",
)  # fmt: skip

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkers:
    """Who checks citations: the local check at once, a slower one at the end if there is one."""

    local: LocalChecker
    nli: AnswerChecker | None


@dataclass(frozen=True, eq=False)
class Material:
    """What was found for a question, and the answer that quotes it."""

    index: Index
    query: Query
    ranking: Ranking
    evidence: Evidence
    quotes: Outcome
    """With a reason in place of blocks where the abstracts are not likely to answer."""


class Writer:
    """What one question asks of a chat model, in one account. No help is None or empty."""

    def __init__(
        self,
        model: ChatModel,
        judge: ChatModel,
        checkers: Checkers,
        settings: Settings,
        options: Options,
    ) -> None:
        """Begin; the settings say how it may help, and how far, the options how this time."""
        self.name = model.name
        self._checkers = checkers
        self._settings = settings
        self._options = options
        limits = Limits(settings.chat_deadline_seconds, settings.chat_first_token_seconds)
        price = Price.parse(settings.chat_price) if settings.chat_price else None
        self._asking = Asking(model, limits, price)
        self._judging = self._asking
        if judge is not model:
            self._judging = Asking(judge, limits)
        self._last = checkers.nli
        if settings.support_checker == JUDGE:
            ask = self._judging.completing(max_tokens=settings.answer_tokens)
            self._last = JudgeChecker(ask, self._judging.model.name)

    @property
    def usage(self) -> Usage:
        """What it took so far; without a price if another model judged: its price is not known."""
        other = self._judging.usage
        if self._judging is self._asking or not other.prompt_tokens:
            return self._asking.usage
        return added(self._asking.usage, other)

    def completing(self, *, max_tokens: int) -> Complete:
        """Asks the model small things in this question's account, from any thread."""
        return self._asking.completing(max_tokens=max_tokens)

    def cancel(self) -> None:
        """Stop the model, from any thread."""
        self._asking.cancel()
        self._judging.cancel()

    def condense(self, request: Request, index: Index) -> str | None:
        """The question, standing alone."""
        if not wants_condensing(request.asked, request.turns):
            return None
        titles = [index.papers[row].display_title for row in papers_before(request.turns, index)]
        complete = self.completing(max_tokens=_CONDENSED_TOKENS)
        return condense(request.asked, request.turns, titles, complete)

    def answer(
        self, found: Material, clock: Clock, look_up: Callable[[str], Evidence | None]
    ) -> Generator[Event, None, Outcome]:
        """What the chat model writes, or the quotes if it fails.

        Args:
            found: What it may write from.
            clock: Times the steps.
            look_up: Finds the evidence for a part of the question.

        Raises:
            StoppedError: the writer was told to stop.
        """
        rows = _papers_of_overview(found)
        is_many = len(rows) > BATCH
        parts: tuple[SubQuestion, ...] = ()
        try:
            with clock.step("write"):
                if is_many:
                    written = yield from self._write_about(found, rows)
                else:
                    parts = yield from self._plan(found.query)
                    rows = rows or _papers(found, find_parts(found.index, parts, look_up))
                    written = yield from self._write(found, rows[: self._options.sources], parts)
        except StoppedError:
            raise
        except ChatError as error:
            yield Progress(stage="quote", text="Quoting the abstracts instead")
            return _quotes(found, f"These are quotes, since no model wrote the answer: {error}.")
        if not written.blocks:
            return self._without_answer(found, written)
        last = None if is_many else self._last
        problem = last.problem if isinstance(last, JudgeChecker) else None
        unjudged = problem and f"Citations were checked by the local check alone: {problem}."
        _, cut = within(found.evidence, self._options.sources)
        return Outcome(
            blocks=written.blocks,
            model=self.name,
            checked_by=last.name if last and not problem else LOCAL,
            notice=joined(cut, unjudged, written.notice, found.query.mends),
            plan=parts,
            confidence=found.quotes.confidence,
        )

    def _plan(self, query: Query) -> Generator[Progress, None, tuple[SubQuestion, ...]]:
        """The parts of a question that are to be looked up apart; none if it has no parts."""
        if not self._settings.planning or not wants_plan(query):
            return ()
        parts = plan(query.probe.text, self.completing(max_tokens=_PLAN_TOKENS))
        if parts:
            shown = " ".join(f"{part.number}. {part.question}" for part in parts)
            yield Progress(stage="plan", text=f"Looking up {len(parts)} parts: {shown}")
        return parts

    def _write(
        self, found: Material, rows: Sequence[int], parts: Sequence[SubQuestion]
    ) -> Generator[Progress | Delta, None, Written]:
        """The answer from as many of these abstracts as the budget holds.

        A sheet that is longer than the model can read is halved, once or twice.
        """
        sheet = lay_out(found.index, rows, self._budget)
        count = len(sheet.papers)
        yield Progress(stage="read", text=f"Reading {count} abstract{'s' * (count != 1)}")
        task = self._task(found.query, parts)
        while True:
            grounder = self._grounder(found, sheet)
            try:
                return (yield from write(task, self._asking, sheet, grounder, self._last))
            except TooLongError:
                if len(sheet.papers) <= 1:
                    raise
            sheet = sheet.halved()

    def _write_about(
        self, found: Material, rows: Sequence[int]
    ) -> Generator[Progress, None, Written]:
        """A text about all these papers."""
        task = self._task(found.query)
        many = ManyPapers(found.index, task, self._asking, partial(self._grounder, found))
        read = rows[: self._options.sources or MOST_PAPERS]
        written = yield from many.write(read, self._budget // 2, self._checkers.local)
        if self._options.sources or len(read) == len(rows):
            return written
        left_out = f"Only {len(read)} of the {len(rows):,} papers were read."
        return replace(written, notice=joined(left_out, written.notice))

    def _grounder(self, found: Material, sheet: Sheet) -> Grounder:
        return Grounder(sheet, found.query.encoder, self._checkers.local)

    def _task(self, query: Query, parts: Sequence[SubQuestion] = ()) -> Task:
        by_strictness: dict[str, Unsupported] = {"strict": "drop", "lenient": "flag"}
        return Task(
            query.standalone,
            query.subject_text,
            query.kind,
            self._settings.answer_tokens,
            by_strictness.get(self._options.strictness, self._settings.unsupported),
            self._options.length,
            strict=self._options.strictness == "strict",
            parts=tuple(part.question for part in parts),
        )

    @property
    def _budget(self) -> int:
        """Tokens of abstracts that go into one request."""
        context = self._settings.chat_context_tokens
        by_default = min(LARGEST, context // 4) if context else LARGEST
        return self._settings.evidence_tokens or by_default

    def _without_answer(self, found: Material, written: Written) -> Outcome:
        """What takes the place of an answer that the model has not given.

        The abstracts do not say only if the quotes would say so too, or the model says so and the
        quotes are unsure.
        """
        quotes = found.quotes
        least = found.query.fitted.thresholds["caution"]
        if written.says_nothing and not quotes.reason and (quotes.confidence or 0.0) < least:
            shown = [found.index.papers[e.paper].display_title for e in found.evidence.papers[:3]]
            titles = ", ".join(f"“{title}”" for title in shown)
            reason = f"The abstracts that come nearest, {titles}, do not answer this."
            return Outcome(reason=reason, model=self.name, lacks=found.query.subject.text)
        why = written.notice or "the model gave no answer"
        if written.says_nothing:
            why = "the model found no answer in the abstracts"
        return _quotes(found, f"These are quotes: {why[:1].lower()}{why[1:].rstrip('.')}.")


def _quotes(found: Material, why: str) -> Outcome:
    """The quotes, with the reason why they stand there."""
    if found.quotes.reason:
        return found.quotes
    return replace(found.quotes, notice=joined(why, found.quotes.notice))


def _papers_of_overview(found: Material) -> Sequence[int]:
    """The rows of all papers that an overview is of, those of one group together; else none."""
    index, query = found.index, found.query
    if query.kind is not Kind.OVERVIEW:
        return ()
    if query.has_subject:
        fitting = [row for row, _ in listed(index, query, found.ranking)]
        return list(dict.fromkeys((*fitting, *(e.paper for e in found.evidence.papers))))
    rows = [int(row) for row in np.flatnonzero(query.allowed)]
    cluster = {row: int(index.clusters[row]) for row in rows}
    sizes = Counter(cluster.values())
    return sorted(rows, key=lambda row: (-sizes[cluster[row]], cluster[row]))


def _papers(found: Material, of_parts: Sequence[Evidence]) -> list[int]:
    """The rows of the papers to read: those of the evidence, then the best of the ranking."""
    own = [each.paper for part in (*of_parts, found.evidence) for each in part.papers]
    most = PAPERS_IF_NAMED if answering(found.query) else PAPERS
    is_list = found.query.kind in ONE_EACH or found.query.kind is Kind.OVERVIEW
    if is_list or found.evidence.share < _SURE:
        most = PAPERS_OF_LIST
    others = [int(row) for row in found.ranking.rows[: most + len(own)]]
    if found.query.kind is Kind.SIMILAR:
        own, others = [*answering(found.query), *own], []
    rows = list(dict.fromkeys((*own, *others)))
    return rows[: max(most, len(dict.fromkeys(own)))]


class Writers:
    """The chat models of the endpoint; each generative question gets a writer of its own."""

    def __init__(self, settings: Settings | None, encoder: SentenceEncoder) -> None:
        """Begin; without settings there is no model."""
        self.settings = settings
        self._encoder = encoder
        self._lock = Lock()
        self._checkers: Checkers | None = None
        self._model: ChatModel | None = None
        self._closed = False
        self._listing = Lock()
        self._listed: tuple[float, list[str]] | None = None
        """When the endpoint was asked for its models, in seconds, and what it listed."""

    @property
    def name(self) -> str | None:
        """The model's name, if mode "auto" asks one."""
        settings = self.settings
        if settings is None or settings.chat_model is None:
            return None
        has_key = settings.openai_api_key is not None
        return settings.chat_model if has_key or settings.openai_base_url != OPENAI else None

    @property
    def configuration(self) -> Mapping[str, object] | None:
        """What shapes written answers: the model and the settings of writing; None without one."""
        if self.settings is None or self.name is None:
            return None
        given = {name: getattr(self.settings, name) for name in _SHAPING}
        return {"model": self.name, **given}

    def writer(self, mode: Mode, options: Options | None = None) -> Writer | None:
        """A writer for one question, or None if it is to be quoted.

        Raises:
            InputError: the mode is unknown, or needs a model and none is configured, or what is
                configured cannot be used, or was closed.
        """
        options = options or Options()
        if mode not in ("auto", "extractive", "generative"):
            raise InputError(f"unknown mode {mode!r}: choose 'auto', 'extractive' or 'generative'")
        if options.model and self.name is None:
            raise InputError(f"the model {options.model!r} cannot be asked: {_NO_ENDPOINT}")
        if mode == "extractive" or (mode == "auto" and self.name is None):
            return None
        settings, model, checkers = self._open()
        if options.model and options.model != settings.chat_model:
            # The price and the context that the settings name are those of the configured one.
            settings = settings.model_copy(update={"chat_price": None, "chat_context_tokens": None})
            model = self._named(options.model)
        other = settings.judge_model if settings.judge_model != model.name else None
        judge = self._named(other) if other else model
        return Writer(model, judge, checkers, settings, options)

    def model(self) -> ChatModel:
        """The model itself.

        Raises:
            InputError: as `writer` in mode "generative".
        """
        return self._open()[1]

    def names(self) -> list[str]:
        """The models that may be asked, the configured one first, then those the endpoint lists.

        The list is kept for a minute. Only the configured one if the endpoint gives none; none
        at all without a usable one.
        """
        if self.name is None:
            return []
        with self._listing:
            if self._listed is None or monotonic() - self._listed[0] > _LIST_SECONDS:
                self._listed = monotonic(), _list(self.model())
            return list(dict.fromkeys((self.name, *self._listed[1])))

    def _open(self) -> tuple[Settings, ChatModel, Checkers]:
        """What the settings name, opened once."""
        settings = self.settings
        if settings is None or not settings.chat_model:
            raise InputError(f"mode 'generative' needs a chat model: {_NO_ENDPOINT}")
        with self._lock:
            if self._closed:
                raise InputError(
                    "the assistant was closed: open another one, or choose 'extractive'"
                )
            if settings.chat_price:
                Price.parse(settings.chat_price)
            self._checkers = self._checkers or _open_checkers(settings, self._encoder)
            if self._model is None:  # last: it starts a thread
                self._model = ChatModel.open(settings)
                self._named = lru_cache(_REMEMBERED)(self._model.named)
            return settings, self._model, self._checkers

    def close(self) -> None:
        """Close the models' connections; a writer that is asked for later is refused."""
        with self._lock:
            self._closed = True
            if self._model:
                self._model.close()


def _open_checkers(settings: Settings, encoder: SentenceEncoder) -> Checkers:
    # The local checker is fitted to the bundled encoder, whichever the index has.
    bundled = encoder if encoder.name == minilm.NAME else SentenceEncoder.open(minilm.NAME)
    local = LocalChecker(bundled)
    if settings.support_checker in (LOCAL, JUDGE):
        return Checkers(local, None)
    nli = NliChecker(settings.support_checker)
    try:
        nli.check("It works.", ["It works."])  # loaded before an answer is paid for
    except InputError as error:
        raise InputError(
            f"{error} (ABSTRACTQA_SUPPORT_CHECKER: local, judge, or such a model)"
        ) from error
    return Checkers(local, nli)


def _list(model: ChatModel) -> list[str]:
    try:
        return model.list_models(_LISTING_SECONDS)
    except AbstractQAError as error:
        logger.info("the endpoint lists no models: %s", error)
        return []

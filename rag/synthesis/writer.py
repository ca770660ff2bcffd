"""A chat model at work on one question: how it helps to understand, to find, and to answer."""

import logging
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from index import minilm
from index.embedding import SentenceEncoder
from index.errors import AbstractQAError, InputError
from index.store import Index
from rag.chat import Asking, ChatModel, Complete, Limits, Price, TooLongError
from rag.conversation import papers_before
from rag.query import Query, Request
from rag.schema import Delta, Mode, Options, Progress, SubQuestion, Usage
from rag.settings import OPENAI, Settings, Unsupported
from rag.support import AnswerChecker
from rag.support.judge import JudgeChecker
from rag.support.local import LocalChecker
from rag.support.nli import NliChecker
from rag.synthesis.condense import condense, wants_condensing
from rag.synthesis.generative import Task, Written, write
from rag.synthesis.grounding import Grounder
from rag.synthesis.many import Subject, write_about_many
from rag.synthesis.planning import plan, wants_plan
from rag.synthesis.sheet import LARGEST, Sheet, lay_out

logger = logging.getLogger(__name__)

_CONDENSED_TOKENS = 120
_PLAN_TOKENS = 250
_LISTING_SECONDS = 2.0
LOCAL, JUDGE = "local", "judge"


@dataclass(frozen=True)
class Opened:
    """A chat model with all that its writers share."""

    model: ChatModel
    price: Price | None
    local: LocalChecker
    nli: AnswerChecker | None
    judge: ChatModel | None
    """The model that judges, if it is another one."""


class Writer:
    """What one question asks of a chat model. Each help is None or empty if the model has none.

    Only `write` and `write_about` raise: an answer that needs the model and does not get it.
    """

    def __init__(self, opened: Opened, settings: Settings, options: Options) -> None:
        """Begin; the settings say how it may help, and how far, the options how this time."""
        self.name = opened.model.name
        self._opened = opened
        self._settings = settings
        self._options = options
        limits = Limits(settings.chat_deadline_seconds, settings.chat_first_token_seconds)
        self._asking = Asking(opened.model, limits, opened.price)
        self._judging = Asking(opened.judge, limits, None) if opened.judge else self._asking
        self._judge: JudgeChecker | None = None
        self._last: AnswerChecker | None = None
        """What has checked its sentences beside the local check."""

    @property
    def checked_by(self) -> str:
        """Who has the last word on its sentences."""
        was_judged = self._last is not None and self.notice is None
        return self._last.name if self._last and was_judged else LOCAL

    @property
    def notice(self) -> str | None:
        """What a reader should know of its checks: whether the judge could be asked."""
        problem = self._judge.problem if self._judge else None
        return problem and f"Citations were checked by the local check alone: {problem}."

    @property
    def usage(self) -> Usage:
        """What it took so far; without a price if another model judged: its price is not known."""
        own, other = self._asking.usage, self._judging.usage
        if other is own or self._judging is self._asking or not other.prompt_tokens:
            return own
        return Usage(
            prompt_tokens=own.prompt_tokens + other.prompt_tokens,
            completion_tokens=own.completion_tokens + other.completion_tokens,
            estimated=own.estimated or other.estimated,
        )

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
        complete = self._asking.completing(max_tokens=_CONDENSED_TOKENS)
        return condense(request.asked, request.turns, titles, complete)

    def plan(self, query: Query) -> tuple[SubQuestion, ...]:
        """The parts of a question that are to be looked up apart; none if it has no parts."""
        if not self._settings.planning or not wants_plan(query):
            return ()
        return plan(query.probe.text, self._asking.completing(max_tokens=_PLAN_TOKENS))

    def lay_out(self, index: Index, rows: Sequence[int]) -> Sheet:
        """The abstracts of these papers, best first, as far as the budget goes."""
        return lay_out(index, rows, self._budget())

    def write(
        self, query: Query, sheet: Sheet, parts: Sequence[SubQuestion] = ()
    ) -> Generator[Progress | Delta, None, Written]:
        """The answer, from these abstracts alone; see `rag.synthesis.generative.write`.

        A sheet that is longer than the model can read is halved, once or twice.
        """
        task = Task(
            query.standalone,
            query.kind,
            self._settings.answer_tokens,
            self._unsupported(),
            self._options.length,
            tuple(part.question for part in parts),
            wholly=self._options.strictness == "strict",
        )
        self._last = self._last_word()
        while True:
            grounder = Grounder(sheet, query.encoder, self._opened.local)
            try:
                return (yield from write(task, self._asking, sheet, grounder, self._last))
            except TooLongError:
                if len(sheet.papers) <= 1:
                    raise
            half = len(sheet.papers) // 2
            sheet = Sheet(sheet.index, sheet.papers[:half], sheet.passages[:half])

    def write_about(
        self, index: Index, query: Query, rows: Sequence[int]
    ) -> Generator[Progress, None, Written]:
        """A text about all these papers; see `rag.synthesis.many`."""
        subject = Subject(
            query.standalone,
            query.subject_text,
            tuple(rows),
            self._settings.answer_tokens,
            self._budget() // 2,
            brief=self._options.length == "short",
            wholly=self._unsupported() == "drop",
        )

        def ground(sheet: Sheet) -> Grounder:
            return Grounder(sheet, query.encoder, self._opened.local)

        return (
            yield from write_about_many(index, subject, self._asking, ground, self._opened.local)
        )

    def _budget(self) -> int:
        """Tokens of abstracts that go into one request."""
        if self._settings.evidence_tokens is not None:
            return self._settings.evidence_tokens
        context = self._settings.chat_context_tokens
        context = context or self._opened.model.context_tokens(_LISTING_SECONDS)
        return min(LARGEST, context // 4) if context else LARGEST

    def _unsupported(self) -> Unsupported:
        by_strictness: dict[str, Unsupported] = {"strict": "drop", "lenient": "flag"}
        return by_strictness.get(self._options.strictness, self._settings.unsupported)

    def _last_word(self) -> AnswerChecker | None:
        """The slower checker that the settings name, if any; the judge asks in this account."""
        if self._settings.support_checker != JUDGE:
            return self._opened.nli
        if self._judge is None:
            ask = self._judging.completing(max_tokens=self._settings.answer_tokens)
            self._judge = JudgeChecker(ask, self._judging.model.name)
        return self._judge


MOST_MODELS = 8
"""Models that are open at once: each has a thread and connections of its own."""
_LIST_SECONDS = 60.0
_NO_ENDPOINT = (
    "set ABSTRACTQA_CHAT_MODEL, and OPENAI_API_KEY or OPENAI_BASE_URL; or choose 'extractive'"
)
_SHAPING = (
    "evidence_tokens",
    "answer_tokens",
    "unsupported",
    "support_checker",
    "judge_model",
    "planning",
)


class Writers:
    """The chat models of the endpoint; each generative question gets a writer of its own.

    A model is opened with its first question, and closed with the rest.
    """

    def __init__(self, settings: Settings | None, encoder: SentenceEncoder) -> None:
        """Begin; without settings there is no model."""
        self.settings = settings
        self._encoder = encoder
        self._lock = Lock()
        self._opened: dict[str, Opened] = {}
        """By the name of the model."""
        self._closed = False
        self._listing = Lock()
        self._listed: tuple[float, dict[str, int | None]] | None = None
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
        settings, opened = self._open(options.model)
        return Writer(opened, settings, options)

    def model(self) -> ChatModel:
        """The model itself.

        Raises:
            InputError: as `writer` in mode "generative".
        """
        return self._open()[1].model

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

    def _open(self, model: str | None = None) -> tuple[Settings, Opened]:
        """The settings, and what they name, opened once; `model` in the configured one's place."""
        settings = self.settings
        if settings is None or not settings.chat_model:
            raise InputError(f"mode 'generative' needs a chat model: {_NO_ENDPOINT}")
        if model and model != settings.chat_model:
            # The price and the context that the settings name are those of the configured one.
            other = {"chat_model": model, "chat_price": None, "chat_context_tokens": None}
            settings = settings.model_copy(update=other)
        name = settings.chat_model or ""
        with self._lock:
            if self._closed:
                raise InputError(
                    "the assistant was closed: open another one, or choose 'extractive'"
                )
            if name not in self._opened:
                if len(self._opened) == MOST_MODELS:
                    raise InputError(f"{name!r} is one model too many: {MOST_MODELS} are in use")
                like = next(iter(self._opened.values()), None)
                self._opened[name] = open_model(settings, self._encoder, like)
            return settings, self._opened[name]

    def close(self) -> None:
        """Close the model's connections; a writer that is asked for later is refused."""
        with self._lock:
            self._closed = True
            opened, self._opened = self._opened, {}
        for each in opened.values():
            each.model.close()
            if each.judge:
                each.judge.close()


def open_model(settings: Settings, encoder: SentenceEncoder, like: Opened | None = None) -> Opened:
    """Open what the settings name; the checkers are those of `like`, another model's, if given.

    Raises:
        InputError: one of them is missing or cannot be used.
    """
    price = Price.parse(settings.chat_price) if settings.chat_price else None
    local, nli = (like.local, like.nli) if like else _checkers(settings, encoder)
    judge = None
    if settings.judge_model and settings.judge_model != settings.chat_model:
        judge = ChatModel.open(settings.model_copy(update={"chat_model": settings.judge_model}))
    model = ChatModel.open(settings)  # last: it starts a thread
    return Opened(model, price, local, nli, judge)


def _checkers(
    settings: Settings, encoder: SentenceEncoder
) -> tuple[LocalChecker, NliChecker | None]:
    # The local checker is fitted to the bundled encoder, whichever the index has.
    bundled = encoder if encoder.name == minilm.NAME else SentenceEncoder.open(minilm.NAME)
    local = LocalChecker(bundled)
    if settings.support_checker in (LOCAL, JUDGE):
        return local, None
    nli = NliChecker(settings.support_checker)
    try:
        nli.check("It works.", ["It works."])  # loaded before an answer is paid for
    except InputError as error:
        raise InputError(
            f"{error} (ABSTRACTQA_SUPPORT_CHECKER: local, judge, or such a model)"
        ) from error
    return local, nli


def _list(model: ChatModel) -> dict[str, int | None]:
    try:
        return model.list_models(_LISTING_SECONDS)
    except AbstractQAError as error:
        logger.info("the endpoint lists no models: %s", error)
        return {}

"""A chat model at work on one question: how it helps to understand, to find, and to answer."""

import logging
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from time import monotonic

from index.embedding import SentenceEncoder
from index.encoder import Encoder
from index.errors import AbstractQAError, InputError
from index.store import Index
from index.text import clean_text
from rag.chat import Asking, ChatError, ChatModel, Complete, Message, StoppedError
from rag.citations import Claim
from rag.condense import condense, wants_condensing
from rag.conversation import Turn, papers_before
from rag.evidence import Evidence
from rag.expansion import Expansion, expand
from rag.expansion_cache import ExpansionCache
from rag.names import asked_names
from rag.opened import Opened, open_model
from rag.planning import plan, plan_by_rule, wants_plan
from rag.question import Question
from rag.rerank import MOST_RERANKED, rerank
from rag.retrieval import Ranking, hits, reordered
from rag.schema import Mode, Options, SubQuestion, Usage
from rag.settings import OPENAI, Settings
from rag.support import Checker
from rag.support.judge import JudgeChecker
from rag.support.local import LocalChecker
from rag.synthesis.generative import Task, Writing, write
from rag.synthesis.grounding import Grounder
from rag.synthesis.sheet import lay_out

logger = logging.getLogger(__name__)

_CONDENSED_TOKENS = 120
_PLAN_TOKENS = 250
_PASSAGE_TOKENS = 120
_ORDER_TOKENS = 60
_VERDICT_TOKENS = 8


class Writer:
    """What one question asks of a chat model. Each help is None or empty if the model has none.

    Only `write` raises: an answer that needs the model and does not get it.
    """

    def __init__(
        self,
        asking: Asking,
        name: str,
        settings: Settings,
        local: LocalChecker,
        count: Callable[[str], int],
        cache: ExpansionCache,
        checker: Checker | None = None,
        *,
        wholly: bool = False,
    ) -> None:
        """Begin.

        Args:
            asking: The account of the question.
            name: The model's.
            settings: How it may help, and how far.
            local: Grounds its sentences.
            count: Counts the tokens of the evidence.
            cache: Keeps the passages that it makes up for a search.
            checker: A slower checker that has the last word; the settings may name the judge.
            wholly: Whether a sentence that is supported only in part fails its check too.
        """
        self.name = name
        self._asking = asking
        self._settings = settings
        self._local = local
        self._count = count
        self._cache = cache
        self._checker = checker
        self._wholly = wholly
        self._unasked: ChatError | None = None

    @property
    def notice(self) -> str | None:
        """What a reader should know of its checks: whether the judge could be asked."""
        if self._unasked is None:
            return None
        return f"Not every citation was checked by the judge, but by rule: {self._unasked}."

    @property
    def usage(self) -> Usage:
        """What it took so far."""
        return self._asking.usage

    def completing(self, *, max_tokens: int) -> Complete:
        """Asks the model small things in this question's account, from any thread."""
        return self._asking.completing(max_tokens=max_tokens)

    def cancel(self) -> None:
        """Stop the model, from any thread."""
        self._asking.cancel()

    def condense(self, question: str, turns: Sequence[Turn], index: Index) -> str | None:
        """The question, standing alone."""
        if not wants_condensing(question, turns):
            return None
        titles = [paper.display_title for paper in papers_before(question, turns, index)]
        complete = self._asking.completing(max_tokens=_CONDENSED_TOKENS)
        return condense(question, turns, titles, complete)

    def expand(self, question: str, encoder: Encoder) -> Expansion | None:
        """What widens the search for a question, if that is switched on."""
        kind = self._settings.expansion
        if kind == "off":
            return None
        complete = self._asking.completing(max_tokens=_PASSAGE_TOKENS)
        passage = expand(question, complete, self._cache)
        return Expansion.of(passage, encoder, words=kind == "query2doc") if passage else None

    def reorder(self, question: str, ranking: Ranking, index: Index) -> Ranking:
        """The first papers in the order that the model gives them, if that is switched on."""
        if not self._settings.rerank or not len(ranking.rows):
            return ranking
        shown = [
            (hit.paper.display_title, clean_text(hit.passages[0].text) if hit.passages else "")
            for hit in hits(index, ranking, MOST_RERANKED)
        ]
        order = rerank(question, shown, self._asking.completing(max_tokens=_ORDER_TOKENS))
        return reordered(ranking, order) if order else ranking

    def plans(self, question: Question) -> bool:
        """Whether a question may have parts that are to be looked up apart."""
        return self._settings.planning and wants_plan(question)

    def plan(self, question: Question, index: Index) -> tuple[SubQuestion, ...]:
        """Those parts; the model is asked only where no rule is sure."""
        named = asked_names(question.text, index.lexical)
        if by_rule := plan_by_rule(question, named):
            return by_rule
        return plan(question, self._asking.completing(max_tokens=_PLAN_TOKENS))

    def write(
        self,
        index: Index,
        asked: str,
        evidence: Evidence,
        parts: Sequence[SubQuestion] = (),
        opening: Claim | None = None,
    ) -> Writing:
        """The answer, from the evidence alone; see `rag.synthesis.generative.write`."""
        sheet = lay_out(index, evidence, self._settings.evidence_tokens, self._count)
        task = Task(
            question=asked,
            kind=evidence.kind,
            sheet=sheet,
            unsupported=self._settings.unsupported,
            max_tokens=self._settings.answer_tokens,
            parts=tuple(part.question for part in parts),
            wholly=self._wholly,
            opening=opening,
        )
        return write(task, self._asking, Grounder(index, sheet, self._local), self._has_last_word())

    def _has_last_word(self) -> Checker | None:
        """The slower checker that the settings name, if any; the judge asks in this account."""
        if self._settings.support_checker != "judge":
            return self._checker
        ask = self._asking.completing(max_tokens=_VERDICT_TOKENS)

        def complete(messages: list[Message]) -> str:
            try:
                return ask(messages)
            except StoppedError:
                raise
            except ChatError as error:
                self._unasked = self._unasked or error
                raise

        return JudgeChecker(complete, self.name)


MOST_MODELS = 8
"""Models that are open at once: each has a thread and connections of its own."""
_LIST_SECONDS = 60.0
_LISTING_SECONDS = 2.0
_NO_ENDPOINT = (
    "set ABSTRACTQA_CHAT_MODEL, and OPENAI_API_KEY or OPENAI_BASE_URL; or choose 'extractive'"
)
_SHAPING = (
    "evidence_tokens",
    "answer_tokens",
    "unsupported",
    "support_checker",
    "planning",
    "expansion",
    "rerank",
)


class Writers:
    """The chat models of the endpoint; each generative question gets a writer of its own.

    A model is opened with its first question, and closed with the rest.
    """

    def __init__(self, settings: Settings | None, encoder: SentenceEncoder) -> None:
        """Begin; without settings there is no model."""
        self._settings = settings
        self._encoder = encoder
        self._lock = Lock()
        self._opened: dict[str, Opened] = {}
        """By the name of the model."""
        self._closed = False
        self._listing = Lock()
        self._listed: tuple[float, tuple[str, ...]] | None = None
        """When the endpoint was asked for its models, in seconds, and what it listed."""

    @property
    def name(self) -> str | None:
        """The model's name, if mode "auto" asks one."""
        settings = self._settings
        if settings is None or settings.chat_model is None:
            return None
        has_key = settings.openai_api_key is not None
        return settings.chat_model if has_key or settings.openai_base_url != OPENAI else None

    @property
    def configuration(self) -> Mapping[str, object] | None:
        """What shapes written answers: the model and the settings of writing; None without one."""
        if self._settings is None or self.name is None:
            return None
        given = {name: getattr(self._settings, name) for name in _SHAPING}
        return {"model": self.name, **given}

    @property
    def helps_to_find(self) -> bool:
        """Whether the model is to help with every search."""
        settings = self._settings
        return settings is not None and (settings.expansion != "off" or settings.rerank)

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
        asking = Asking(
            opened.model,
            deadline_seconds=settings.chat_deadline_seconds,
            first_token_seconds=settings.chat_first_token_seconds,
            price=opened.price,
        )
        if options.strictness != "normal":
            unsupported = "drop" if options.strictness == "strict" else "flag"
            settings = settings.model_copy(update={"unsupported": unsupported})
        name = opened.model.name
        return Writer(
            asking,
            name,
            settings,
            opened.local,
            opened.count,
            opened.cache,
            opened.nli,
            wholly=options.strictness == "strict",
        )

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
                try:
                    found = self.model().list_models(_LISTING_SECONDS)
                except AbstractQAError as error:
                    logger.info("the endpoint lists no models: %s", error)
                    found = []
                self._listed = monotonic(), tuple(found)
            return list(dict.fromkeys((self.name, *self._listed[1])))

    def _open(self, model: str | None = None) -> tuple[Settings, Opened]:
        """The settings, and what they name, opened once; `model` in the configured one's place."""
        settings = self._settings
        if settings is None or not settings.chat_model:
            raise InputError(f"mode 'generative' needs a chat model: {_NO_ENDPOINT}")
        if model and model != settings.chat_model:
            # The price and the tokenizer that the settings name are those of the configured one.
            other = {"chat_model": model, "chat_price": None, "chat_tokenizer": None}
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

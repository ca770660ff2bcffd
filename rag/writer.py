"""A chat model at work on one question: how it helps to understand, to find, and to answer."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from index.embedding import SentenceEncoder
from index.encoder import Encoder
from index.errors import InputError
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
from rag.schema import Mode, SubQuestion, Usage
from rag.settings import OPENAI, Settings
from rag.support import Checker
from rag.support.judge import JudgeChecker
from rag.support.local import LocalChecker
from rag.synthesis.generative import Task, Writing, write
from rag.synthesis.grounding import Grounder
from rag.synthesis.sheet import lay_out

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
        """
        self.name = name
        self._asking = asking
        self._settings = settings
        self._local = local
        self._count = count
        self._cache = cache
        self._checker = checker
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
    """The configured chat model, from which each generative question gets a writer of its own.

    The model is opened with the first one.
    """

    def __init__(self, settings: Settings | None, encoder: SentenceEncoder) -> None:
        """Begin; without settings there is no model."""
        self._settings = settings
        self._encoder = encoder
        self._lock = Lock()
        self._opened: Opened | None = None
        self._closed = False

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

    def writer(self, mode: Mode) -> Writer | None:
        """A writer for one question, or None if it is to be quoted.

        Raises:
            InputError: the mode is unknown, or needs a model and none is configured, or what is
                configured cannot be used, or was closed.
        """
        if mode not in ("auto", "extractive", "generative"):
            raise InputError(f"unknown mode {mode!r}: choose 'auto', 'extractive' or 'generative'")
        if mode == "extractive" or (mode == "auto" and self.name is None):
            return None
        settings, opened = self._open()
        asking = Asking(
            opened.model,
            deadline_seconds=settings.chat_deadline_seconds,
            first_token_seconds=settings.chat_first_token_seconds,
            price=opened.price,
        )
        name = opened.model.name
        return Writer(asking, name, settings, opened.local, opened.count, opened.cache, opened.nli)

    def model(self) -> ChatModel:
        """The model itself.

        Raises:
            InputError: as `writer` in mode "generative".
        """
        return self._open()[1].model

    def _open(self) -> tuple[Settings, Opened]:
        """The settings, and what they name, opened once."""
        settings = self._settings
        if settings is None or not settings.chat_model:
            raise InputError(
                "mode 'generative' needs a chat model: set ABSTRACTQA_CHAT_MODEL, and"
                " OPENAI_API_KEY or OPENAI_BASE_URL; or choose 'extractive'"
            )
        with self._lock:
            if self._closed:
                raise InputError(
                    "the assistant was closed: open another one, or choose 'extractive'"
                )
            self._opened = self._opened or open_model(settings, self._encoder)
            return settings, self._opened

    def close(self) -> None:
        """Close the model's connections; a writer that is asked for later is refused."""
        with self._lock:
            self._closed = True
            opened, self._opened = self._opened, None
        if opened:
            opened.model.close()

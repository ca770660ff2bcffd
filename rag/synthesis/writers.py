"""The chat models of an endpoint, opened once; each question gets a writer of its own."""

import logging
from collections.abc import Mapping
from functools import lru_cache
from threading import Lock
from time import monotonic

from index import minilm
from index.embedding import SentenceEncoder
from index.errors import AbstractQAError, InputError
from rag.chat import ChatModel
from rag.schema import Mode, Options
from rag.settings import OPENAI, Settings
from rag.support.asking import NliChecker
from rag.support.local import LocalChecker
from rag.synthesis.writer import JUDGE, LOCAL, Checkers, Writer

_NO_ENDPOINT = (
    "set ABSTRACTQA_CHAT_MODEL, and OPENAI_API_KEY or OPENAI_BASE_URL; or choose 'extractive'"
)
_SHAPING = (
    "evidence_tokens", "answer_tokens", "unsupported", "support_checker", "judge_model", "planning",
)  # fmt: skip

logger = logging.getLogger(__name__)


class Writers:
    """Opens what the settings name when it is first needed, and closes it."""

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
            if self._listed is None or monotonic() - self._listed[0] > 60:
                self._listed = monotonic(), self._list()
            return list(dict.fromkeys((self.name, *self._listed[1])))

    def _list(self) -> list[str]:
        model = self.model()
        try:
            return model.list_models(seconds=2)
        except AbstractQAError as error:
            logger.info("the endpoint lists no models: %s", error)
            return []

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
            self._checkers = self._checkers or _open_checkers(settings, self._encoder)
            if self._model is None:  # last: it starts a thread
                self._model = ChatModel.open(settings)
                # Each with what it refuses of requests.
                self._named = lru_cache(32)(self._model.named)
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

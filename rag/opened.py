"""What a configured chat model is opened with: its tokenizer, its price, the checkers."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from index import minilm
from index.embedding import SentenceEncoder
from index.errors import InputError
from rag.chat import ChatModel
from rag.chat.prices import Price, price_of
from rag.chat.tokens import counter
from rag.expansion_cache import ExpansionCache
from rag.settings import Settings
from rag.support import Checker
from rag.support.local import LocalChecker
from rag.support.nli import NliChecker


@dataclass(frozen=True)
class Opened:
    """A chat model with all that its writers share."""

    model: ChatModel
    price: Price | None
    count: Callable[[str], int]
    local: LocalChecker
    cache: ExpansionCache
    nli: Checker | None


def open_model(settings: Settings, encoder: SentenceEncoder, like: Opened | None = None) -> Opened:
    """Open what the settings name; the checkers are those of `like`, another model's, if given.

    Raises:
        InputError: one of them is missing or cannot be used.
    """
    price = price_of(settings.chat_model or "", settings.chat_price)
    count = counter(settings.chat_model or "", settings.chat_tokenizer)
    local, nli = (like.local, like.nli) if like else _checkers(settings, encoder)
    cache = ExpansionCache(f"{settings.chat_model} {urlsplit(settings.openai_base_url).netloc}")
    return Opened(
        model=ChatModel.open(settings),  # last: it starts a thread
        price=price,
        count=count,
        local=local,
        cache=cache,
        nli=nli,
    )


def _checkers(
    settings: Settings, encoder: SentenceEncoder
) -> tuple[LocalChecker, NliChecker | None]:
    nli = None if settings.support_checker in ("local", "judge") else _nli(settings)
    # The local checker is fitted to the bundled encoder, whichever the index has.
    bundled = encoder if encoder.name == minilm.NAME else SentenceEncoder.open(minilm.NAME)
    return LocalChecker(bundled), nli


def _nli(settings: Settings) -> NliChecker:
    """The NLI model that is to check citations, loaded: before an answer is paid for.

    Raises:
        InputError: it cannot be loaded, or is none.
    """
    checker = NliChecker(settings.support_checker)
    try:
        checker.check("It works.", ["It works."])
    except InputError as error:
        raise InputError(
            f"{error} (ABSTRACTQA_SUPPORT_CHECKER: local, judge, or such a model)"
        ) from error
    return checker

"""Everything that is asked of a chat model for one question: one deadline, one account."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self

from index.errors import InputError
from rag.chat.model import ChatModel
from rag.chat.reply import Complete, Limits, Message, StoppedError, added
from rag.chat.stream import Stream
from rag.schema import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, of prompts and of completions (thoughts among them)."""

    prompt: float
    completion: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "IN/OUT", as in "0.15/0.60".

        Raises:
            InputError: it is not that.
        """
        try:
            prompt, completion = (float(part) for part in text.split("/"))
        except ValueError:
            prompt = completion = math.nan
        if not (0 <= prompt < math.inf and 0 <= completion < math.inf):
            raise InputError(
                f"price {text[:40]!r} is not like 0.15/0.60: dollars per million tokens of"
                " prompts / of completions (ABSTRACTQA_CHAT_PRICE)"
            )
        return cls(prompt, completion)

    def of(self, prompt_tokens: int, completion_tokens: int = 0) -> float:
        """What these tokens cost, in US dollars."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1_000_000


class Asking:
    """What one question asks of a chat model, from any number of threads.

    All its calls share one deadline, which begins with the first of them. Once the endpoint failed
    (ChatError, and no ReplyError) it is not asked again: each later call raises that error at once.
    """

    def __init__(self, model: ChatModel, limits: Limits, price: Price | None = None) -> None:
        """Begin; `limits` are what all calls may take together, and the first word of each."""
        self.model = model
        self._limits = limits
        self._ends: float | None = None
        self._price = price
        self._lock = threading.Lock()
        self._streams: list[Stream] = []
        self._stopped = False

    @property
    def usage(self) -> Usage:
        """The tokens until now, those of failed calls too, and what they cost if that is known."""
        with self._lock:
            spent = added(*(stream.usage for stream in self._streams))
        if self._price is None:
            return spent
        cost = self._price.of(spent.prompt_tokens, spent.completion_tokens)
        return spent.model_copy(update={"cost_usd": cost})

    def stream(self, messages: Sequence[Message], *, max_tokens: int, **options: Any) -> Stream:
        """Ask for a reply that is read while it is written; iterating raises ReplyError, too.

        Raises:
            StoppedError: `cancel` was called.
            ChatError: the endpoint cannot be asked any more.
        """
        with self._lock:
            if self._stopped:
                raise StoppedError("the question was given up")
            for stream in self._streams:
                stream.raise_failure()
            if self._ends is None:
                self._ends = monotonic() + self._limits.whole
            left = self._ends - monotonic()
            limits = Limits(left, self._limits.first_word, of_question=self._limits.whole)
            stream = self.model.stream(messages, max_tokens=max_tokens, limits=limits, **options)
            self._streams.append(stream)
            return stream

    def complete(self, messages: Sequence[Message], *, max_tokens: int, **options: Any) -> str:
        """A whole reply; raises as `stream`, and ReplyError."""
        with self.stream(messages, max_tokens=max_tokens, **options) as stream:
            return stream.reply.text

    def priced(self, tokens: int) -> str:
        """What so many tokens of prompts cost, for a message; empty if no price is known."""
        return f", about ${self._price.of(tokens):.3f}" if self._price else ""

    def completing(self, *, max_tokens: int, temperature: float = 0) -> Complete:
        """The same as a function of the messages alone."""

        def complete(messages: list[Message]) -> str:
            return self.complete(messages, max_tokens=max_tokens, temperature=temperature)

        return complete

    def cancel(self) -> None:
        """Close what is under way, in every thread; later calls raise StoppedError at once."""
        with self._lock:
            self._stopped = True
            streams = tuple(self._streams)
        for stream in streams:
            stream.close()

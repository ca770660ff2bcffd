"""Everything that is asked of a chat model for one question: one deadline, one account."""

import math
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self

from index.errors import InputError
from rag.chat.call import Stream
from rag.chat.errors import ChatError, ReplyError, StoppedError
from rag.chat.model import ChatModel
from rag.chat.reply import Complete, Limits, Message, Spent
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

    def of(self, spent: Spent) -> float:
        """What these tokens cost, in US dollars."""
        prompts, completions = spent.prompt_tokens, spent.completion_tokens
        return (prompts * self.prompt + completions * self.completion) / 1_000_000


class Asking:
    """What one question asks of a chat model, from any number of threads.

    All its calls share one deadline, which begins with the first of them. Once the endpoint failed
    (ChatError, and no ReplyError) it is not asked again: each later call raises that error at once.
    """

    def __init__(self, model: ChatModel, limits: Limits, price: Price | None = None) -> None:
        """Begin.

        Args:
            model: The one that is asked.
            limits: What all calls may take together, and the first word of each.
            price: Of its tokens, if known.
        """
        self.model = model
        self._limits = limits
        self._ends: float | None = None
        self._price = price
        self._lock = threading.Lock()
        self._problem: ChatError | None = None
        self._under_way: set[Stream] = set()
        self._spent = Spent()

    @property
    def usage(self) -> Usage:
        """The tokens until now, those of failed calls too, and what they cost if that is known."""
        with self._lock:
            spent = sum((stream.spent for stream in self._under_way), self._spent)
        return Usage(
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            cost_usd=self._price.of(spent) if self._price else None,
            estimated=spent.estimated,
        )

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, **options: Any
    ) -> Generator[str, None, bool]:
        """A reply as far as it has come, each time there is more of it.

        The arguments are those of `ChatModel.stream`; the request is sent when the first item is
        asked for. Closing the generator gives the reply up.

        Returns:
            Whether the limit of tokens cut the reply off.

        Raises:
            ReplyError: this request got nothing usable.
            StoppedError: `cancel` was called.
            ChatError: the endpoint cannot be asked any more.
        """
        with self._lock:
            if self._ends is None:
                self._ends = monotonic() + self._limits.whole
            if self._problem is None and monotonic() >= self._ends:
                self._problem = self._too_late()
            if self._problem is not None:
                # A copy: an error that many threads raise collects all their tracebacks.
                raise type(self._problem)(*self._problem.args)
            left = Limits(self._ends - monotonic(), self._limits.first_word)
            stream = self.model.stream(messages, max_tokens=max_tokens, limits=left, **options)
            self._under_way.add(stream)
        problem, cut = None, False
        try:
            yield from stream
            cut = stream.reply.cut
        except ReplyError:
            raise
        except ChatError as error:
            problem = error
        finally:
            stream.close()
            with self._lock:
                self._under_way.discard(stream)
                self._spent += stream.spent
        if problem is not None:
            raise self._failed(problem)
        return cut

    def complete(self, messages: Sequence[Message], *, max_tokens: int, **options: Any) -> str:
        """A whole reply; raises as `stream`."""
        texts = [*self.stream(messages, max_tokens=max_tokens, **options)]
        return texts[-1]

    def priced(self, tokens: int) -> str:
        """What so many tokens of prompts cost, for a message; empty if no price is known."""
        if self._price is None:
            return ""
        return f", about ${self._price.of(Spent(tokens)):.3f}"

    def completing(self, *, max_tokens: int, temperature: float = 0) -> Complete:
        """The same as a function of the messages alone."""

        def complete(messages: list[Message]) -> str:
            return self.complete(messages, max_tokens=max_tokens, temperature=temperature)

        return complete

    def cancel(self) -> None:
        """Close what is under way, in every thread; later calls raise StoppedError at once."""
        with self._lock:
            self._problem = StoppedError("the question was given up")
            streams = tuple(self._under_way)
        for stream in streams:
            stream.close()

    def _failed(self, problem: ChatError) -> ChatError:
        """The error to raise; the first one stays."""
        with self._lock:
            if self._problem is None:
                late = self._ends is not None and monotonic() >= self._ends
                self._problem = self._too_late() if late else problem
            return type(self._problem)(*self._problem.args)

    def _too_late(self) -> ChatError:
        return ChatError(
            f"chat model {self.model.name!r} has not done within the {self._limits.whole:g}"
            " seconds of a question (ABSTRACTQA_CHAT_DEADLINE_SECONDS)"
        )

"""Everything that is asked of a chat model for one question: one deadline, one account."""

import threading
from collections.abc import Generator, Sequence
from time import monotonic

from rag.chat.errors import ChatError, ReplyError, StoppedError
from rag.chat.model import ChatModel
from rag.chat.prices import Price
from rag.chat.reply import Complete, Message, Spent
from rag.chat.stream import Stream
from rag.schema import Usage


class Asking:
    """What one question asks of a chat model, from any number of threads.

    All its calls share one deadline, which begins with the first of them. Once the endpoint failed
    (ChatError, and no ReplyError) it is not asked again: each later call raises that error at once.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        deadline_seconds: float,
        first_token_seconds: float | None = None,
        price: Price | None = None,
    ) -> None:
        """Begin.

        Args:
            model: The one that is asked.
            deadline_seconds: What all calls may take together.
            first_token_seconds: What the first word of each reply may take.
            price: Of its tokens, if known.
        """
        self._model = model
        self._deadline_seconds = deadline_seconds
        self._ends: float | None = None
        self._first_token_seconds = first_token_seconds
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
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        whole: bool = False,
    ) -> Generator[str, None, bool]:
        """The pieces of a reply; the request is sent when the first one is asked for.

        The arguments are those of `ChatModel.stream`. Closing the generator gives the reply up.

        Returns:
            Whether the limit of tokens cut the reply off.

        Raises:
            ReplyError: this request got nothing usable.
            StoppedError: `cancel` was called.
            ChatError: the endpoint cannot be asked any more.
        """
        with self._lock:
            if self._ends is None:
                self._ends = monotonic() + self._deadline_seconds
            if self._problem is None and monotonic() >= self._ends:
                self._problem = self._too_late()
            if self._problem is not None:
                # A copy: an error that many threads raise collects all their tracebacks.
                raise type(self._problem)(*self._problem.args)
            stream = self._model.stream(
                messages,
                max_tokens=max_tokens,
                temperature=temperature,
                stop=stop,
                seed=seed,
                first_token_seconds=self._first_token_seconds,
                deadline_seconds=self._ends - monotonic(),
                whole=whole,
            )
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

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
    ) -> str:
        """A whole reply. It is streamed all the same: only so is a dead endpoint noticed early.

        Raises:
            ReplyError: this request got nothing usable.
            StoppedError: `cancel` was called.
            ChatError: the endpoint cannot be asked any more.
        """
        pieces = self.stream(
            messages,
            max_tokens=max_tokens,
            temperature=temperature,
            stop=stop,
            seed=seed,
            whole=True,
        )
        return "".join(pieces)

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
            f"chat model {self._model.name!r} has not done within the {self._deadline_seconds:g}"
            " seconds of a question (ABSTRACTQA_CHAT_DEADLINE_SECONDS)"
        )

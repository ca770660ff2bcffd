"""A chat model, everything that is asked of it for one question, and endpoints that are tried."""

import asyncio
import os
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from index.errors import InputError
from rag.chat.reply import ChatError, Endpoint, Message, Reply, StoppedError
from rag.chat.stream import RETRIES, Stream
from rag.schema import Usage
from rag.settings import OPENAI, Settings

# The client takes most of a second to import, and most questions need no model.
if TYPE_CHECKING:
    from openai import AsyncOpenAI

T = TypeVar("T")


def is_address(text: str) -> bool:
    """Whether an endpoint can have this address: http or https, and no name or password in it."""
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    is_bare = text.split() == [text] and not any(sign in text for sign in "@?#")
    return has_host and is_bare and parts.scheme in ("http", "https")


class ChatModel:
    """A chat model. Calls may come from any thread; close it, or use it in a `with` block.

    Its requests run on an event loop of its own, in a thread of its own: only so does a deadline
    hold for a reply that comes byte by byte, and can a call be given up at any moment.
    """

    def __init__(self, client: "AsyncOpenAI", name: str, deadline_seconds: float) -> None:
        self.client = client
        self.deadline_seconds = deadline_seconds
        self._name(name)
        self._opening = threading.Lock()
        self._closed = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="chat model", daemon=True
        )
        self._thread.start()

    def _name(self, name: str) -> None:
        self.name = name
        where = f"chat model {name!r} at {self.client.base_url.netloc.decode()}"
        self.endpoint = Endpoint(where, self.client.api_key)
        self.refused: set[str] = set()
        """Options that the model has refused, and "system" for that role."""
        self.streams_thoughts: bool | None = None
        """Whether its template opens thoughts itself; None before its first reply is whole."""
        self.misjudged = 0
        """How often in a row it got control questions wrong: twice, and it judges no more."""

    def named(self, name: str) -> Self:
        """Another model of the same endpoint, over the same connections."""
        other = copy(self)
        other._name(name)
        return other

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The configured model; nothing is sent yet.

        Raises:
            InputError: no model, key or usable address is configured.
        """
        address = settings.openai_base_url
        key = settings.openai_api_key.get_secret_value().strip() if settings.openai_api_key else ""
        if settings.chat_model is None or (address == OPENAI and not key):
            missing = "OPENAI_API_KEY" if settings.chat_model else "ABSTRACTQA_CHAT_MODEL"
            raise InputError(
                f"{missing} is not set; a chat model needs ABSTRACTQA_CHAT_MODEL, OPENAI_API_KEY"
                " and OPENAI_BASE_URL (OpenAI's if empty; one's own endpoint may need no key)"
            )
        # A client that stumbles over either would repeat it in its messages.
        if not key.isascii() or not key.isprintable() or " " in key:
            raise InputError("the chat model's key has characters that no key has: copy it again")
        if not is_address(address):
            raise InputError(
                "the chat model's address must be like http://127.0.0.1:8123/v1, with no key in it"
            )
        from httpx import Timeout
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        key = key or "no-key"
        client = AsyncOpenAI(
            api_key=key,
            base_url=address,
            max_retries=RETRIES,
            timeout=Timeout(None, connect=3.0),
            default_headers=_headers(address, key),
            # What is asked, and the key, go to the address that was given and to no other.
            http_client=DefaultAsyncHttpxClient(follow_redirects=False),
        )
        return cls(client, settings.chat_model, settings.chat_deadline_seconds)

    def complete(self, messages: Sequence[Message], **options: Any) -> Reply:
        """Ask for one whole reply; the arguments are those of `stream`.

        Raises:
            ReplyError: the reply is a refusal, empty, too long or no chat completion, or the
                messages are too long.
            ChatError: there is no reply, or none within the deadline.
        """
        with self.stream(messages, **options) as stream:
            return stream.reply

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        seconds: float | None = None,
        **options: Any,
    ) -> Stream:
        """Ask for a reply that is read while it is written; returns at once.

        A server that knows no streams may answer as a whole. What a model refuses of the options
        of the request (temperature, 0 if left out, stop, seed, response_format, tools) is left out
        from then on. Without `seconds` the model's own deadline counts.

        Raises:
            StoppedError: the model was closed.
        """
        given = {"max_tokens": max_tokens, "temperature": 0, **options}
        given = {name: value for name, value in given.items() if value is not None}
        return Stream(self, messages, given, seconds or self.deadline_seconds)

    def list_models(self, seconds: float) -> list[str]:
        """The names of the endpoint's models, sorted; none if it does not list them in time."""
        with suppress(CancelledError, StoppedError):
            return self.run(self._list(seconds)).result()
        return []

    async def _list(self, seconds: float) -> list[str]:
        import openai

        try:
            async with asyncio.timeout(seconds):
                page = await self.client.with_options(max_retries=0).models.list()
            names = {each.id for each in page.data}
        except (openai.OpenAIError, TimeoutError, ValueError, TypeError, AttributeError):
            return []  # what the client says of it may hold the key
        return sorted(name for name in names if isinstance(name, str) and name.isprintable())

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin work on the event loop; raises StoppedError once the model was closed."""
        with self._opening:
            if not self._closed.is_set():
                return asyncio.run_coroutine_threadsafe(work, self._loop)
        work.close()
        raise StoppedError(f"{self.endpoint.where} is closed")

    def close(self) -> None:
        """Give up what is under way and close the connections; calls that follow are refused.

        So are those of the models that share its connections.
        """
        with self._opening:
            if self._closed.is_set():
                return
            self._closed.set()
        asyncio.run_coroutine_threadsafe(self._give_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _give_up(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _headers(address: str, key: str) -> dict[str, Any]:
    """What keeps the headers that the environment has for another address out of requests."""
    from openai import Omit

    if address in {OPENAI, os.environ.get("OPENAI_BASE_URL")}:
        return {}
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
    custom = (line.partition(":")[0].strip() for line in lines)
    names = ("OpenAI-Organization", "OpenAI-Project", *custom)
    return {**dict.fromkeys(names, Omit()), "Authorization": f"Bearer {key}"}


class Asking:
    """What one question asks of a chat model, from any number of threads.

    All its calls share one deadline, which begins with the first of them. Once the endpoint failed
    (ChatError, and no ReplyError) it is not asked again: each later call raises that error at once.
    """

    def __init__(self, model: ChatModel, seconds: float, price: str | None = None) -> None:
        """Begin; `price` is dollars per million tokens of prompts and completions: "0.15/0.60"."""
        self.model = model
        self._seconds = seconds
        self._ends: float | None = None
        self._price = [float(part) / 1_000_000 for part in price.split("/")] if price else None
        self._lock = threading.Lock()
        self._streams: list[Stream] = []
        self._stopped = False

    @property
    def usage(self) -> Usage:
        """The tokens until now, those of failed calls too, and what they cost if that is known."""
        with self._lock:
            spent = sum((stream.usage for stream in self._streams), Usage())
        cost = self._cost(spent.prompt_tokens, spent.completion_tokens)
        return spent.model_copy(update={"cost_usd": cost})

    def _cost(self, prompt_tokens: int, completion_tokens: int = 0) -> float | None:
        if self._price is None:
            return None
        return prompt_tokens * self._price[0] + completion_tokens * self._price[1]

    def priced(self, tokens: int) -> str:
        """What so many tokens of prompts cost, for a message; empty if no price is known."""
        cost = self._cost(tokens)
        return "" if cost is None else f", about ${cost:.3f}"

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
            self._ends = self._ends or monotonic() + self._seconds
            left = max(0.001, self._ends - monotonic())
            stream = self.model.stream(messages, max_tokens=max_tokens, seconds=left, **options)
            self._streams.append(stream)
            return stream

    def complete(self, messages: Sequence[Message], *, max_tokens: int) -> str:
        """A whole reply; raises as `stream`, and ReplyError."""
        with self.stream(messages, max_tokens=max_tokens) as stream:
            return stream.reply.text

    def cancel(self) -> None:
        """Close what is under way, in every thread; later calls raise StoppedError at once."""
        with self._lock:
            self._stopped = True
            streams = tuple(self._streams)
        for stream in streams:
            stream.close()


@dataclass(frozen=True)
class Tried:
    """What trying an endpoint came to."""

    works: bool
    told: str
    """One line, without the key."""
    models: tuple[str, ...] = ()
    """Those it lists, sorted."""
    model: str = ""
    """The one that was asked."""


def try_endpoint(settings: Settings) -> Tried:
    """Ask the chat model that the settings name for one word.

    Without a name the endpoint is only asked for its models; if it has one alone, that is tried.

    Raises:
        InputError: the address or the key cannot be used.
    """
    named = settings.model_copy(update={"chat_model": settings.chat_model or "any"})
    with ChatModel.open(named) as endpoint:
        models = tuple(endpoint.list_models(seconds=3))
        name = settings.chat_model or (models[0] if len(models) == 1 else None)
        if not name:
            why = "choose one of its models" if models else "no model is named, and it lists none"
            return Tried(False, f"{settings.openai_base_url}: {why}.", models)
        try:
            reply = endpoint.named(name).complete(
                [{"role": "user", "content": "Reply with one word: ready."}],
                max_tokens=500,  # thoughts come before the word
                seconds=30,
            )
        except ChatError as error:
            return Tried(False, f"Does not work: {error}.", models, name)
    return Tried(True, f"Works: {name} answered in {reply.seconds:.1f} s.", models, name)

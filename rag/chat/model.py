"""A chat model, its streamed calls, the account of one question's, and a trial of an endpoint."""

import asyncio
import json
import logging
import os
import re
import threading
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, suppress
from copy import copy
from dataclasses import dataclass
from queue import SimpleQueue
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from index.errors import InputError
from rag.chat.reply import (
    CUT_OFF,
    BrokenOffError,
    ChatError,
    Endpoint,
    Incoming,
    Message,
    Reply,
    ReplyError,
    StoppedError,
    answer_in,
    message_of,
    tokens_of,
    without_thoughts,
)
from rag.schema import Usage
from rag.settings import OPENAI, Settings

# The client takes most of a second to import, and most questions need no model.
if TYPE_CHECKING:
    import httpx
    from openai import APIStatusError, AsyncOpenAI

T = TypeVar("T")
logger = logging.getLogger(__name__)

RETRIES = 2
"""How often the client sends a request again after 408, 409, 429, 5xx or a lost connection."""
_REST_SECONDS = {True: 1.0, False: 10.0}
"""The wait for more after a reply's end (True), or its finish reason, which may come early."""
# Parts of a request that can be left out, or put in another way.
_OPTIONAL = (
    "max_tokens", "stream_options", "response_format", "temperature", "seed", "stop", "tools",
    "stream", "system",
)  # fmt: skip


class Stream(Iterator[str], AbstractContextManager["Stream"]):
    """Yields the reply so far each time that more of it arrives; `next` blocks until then.

    Each item begins with the one before, unless that turns out to be a thought of a model's first
    reply. Iterating raises ReplyError if the reply is a refusal, empty or no chat completion,
    ChatError if none came in time, and StoppedError after `close`.
    """

    def __init__(
        self, model: "ChatModel", messages: list[Message], options: dict[str, Any], seconds: float
    ) -> None:
        """Send the request without the options that the model refused in earlier requests."""
        self._model, self._endpoint = model, model.endpoint
        self._messages, self._options, self._seconds = messages, options, seconds
        self._received: tuple[Incoming, ...] = ()  # one a request
        self._shown, self._refused = "", set(model.refused)
        self._inbox: SimpleQueue[str | None] = SimpleQueue()
        self._future: Future[Reply] = model.run(self._read_reply())
        self._future.add_done_callback(lambda _: self._inbox.put(None))

    def __next__(self) -> str:
        if not self._future.cancelled():
            text = self._inbox.get()
            if text is not None and not self._future.cancelled():
                return text
            self._inbox.put(None)  # so that a further `next` does not block
        _ = self.reply
        raise StopIteration

    @property
    def reply(self) -> Reply:
        """The complete reply; waits for it, and raises the errors of iterating."""
        with suppress(CancelledError):
            return self._future.result()
        raise StoppedError(f"{self._endpoint.where} was stopped")

    @property
    def failure(self) -> ChatError | None:
        """The error of this call if it means that the endpoint failed, not only the reply."""
        finished = self._future.done() and not self._future.cancelled()
        problem = self._future.exception() if finished else None
        if not isinstance(problem, ChatError) or isinstance(problem, ReplyError):
            return None
        # A copy: an error raised in many threads would collect all their tracebacks.
        return type(problem)(*problem.args)

    @property
    def usage(self) -> Usage:
        """The tokens of all requests of this call so far, failed ones included."""
        prompt = sum(tokens_of(message["content"]) for message in self._messages)
        prompt += tokens_of(json.dumps(self._options["tools"])) if "tools" in self._options else 0
        return sum((each.usage(prompt) for each in self._received if each.begun), Usage())

    def close(self) -> None:
        """Cancel the rest of the reply; may be called from any thread, at any time, repeatedly."""
        self._future.cancel()

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _read_reply(self) -> Reply:
        started = perf_counter()
        try:
            async with asyncio.timeout(self._seconds):
                text = await self._ask()
        except TimeoutError:
            why = "gave no complete reply in time (ABSTRACTQA_CHAT_DEADLINE_SECONDS)"
            raise ChatError(f"{self._endpoint.where} {why}") from None
        last = self._received[-1]
        calls = tuple(call for _, call in sorted(last.calls.items()))
        return Reply(text, perf_counter() - started, last.cut, calls)

    async def _ask(self) -> str:
        """Return the text of the reply; ask again without refused options, or if it broke off."""
        import httpx
        import openai

        retries = RETRIES
        problem: ChatError
        while True:
            # Raised outside of `except`, so that the client's error is not its context.
            try:
                return await self._request(retries)
            except openai.APIStatusError as error:
                if self._drop_refused(error):
                    continue
                problem = self._endpoint.refused(error)
            except (openai.APIConnectionError, httpx.TransportError) as error:
                problem = BrokenOffError(f"{self._endpoint.where} {CUT_OFF}")
                if isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout):
                    why = "cannot be reached: check its address, and that it is running"
                    problem = ChatError(f"{self._endpoint.where} {why}")
            except httpx.DecodingError:
                problem = self._endpoint.not_chat()
            except BrokenOffError as error:
                problem = error
            if not isinstance(problem, BrokenOffError) or self._shown or retries == 0:
                raise problem
            logger.info("%s; asking again", problem)
            retries = 0

    async def _request(self, retries: int) -> str:
        create = self._model.client.with_options(max_retries=retries).chat.completions
        body = self._body()
        incoming = Incoming(self._endpoint, "tools" in body)
        async with create.with_streaming_response.create(**body) as response:
            self._received += (incoming,)
            await self._receive(response.http_response, incoming)
        text = incoming.answer()
        if new := self._refused - self._model.refused:
            logger.warning("%s does not accept %s", self._endpoint.where, ", ".join(sorted(new)))
            self._model.refused |= new
        self._model.streams_thoughts = without_thoughts(incoming.content)[1]
        self._show(text)
        return text

    async def _receive(self, response: "httpx.Response", incoming: Incoming) -> None:
        kind = response.headers.get("content-type", "").lower()
        now = asyncio.get_running_loop().time
        length = -1
        try:
            async with asyncio.timeout(None) as silence:
                async for _ in incoming.read(response.aiter_bytes(), kind):
                    # Not while it still is in a thought that this model begins with.
                    if not self._model.streams_thoughts or without_thoughts(incoming.content)[1]:
                        self._show(answer_in(incoming.content, whole=False))
                    if (incoming.done or incoming.finish) and len(incoming.content) > length:
                        # Read on to the end: else the connection cannot be used again.
                        silence.reschedule(now() + _REST_SECONDS[incoming.done])
                        length = len(incoming.content)
        except TimeoutError:
            if not silence.expired():
                raise

    def _show(self, text: str) -> None:
        if text != self._shown:
            self._shown = text
            self._inbox.put(text)

    def _body(self) -> dict[str, Any]:
        body = {"stream": True, "stream_options": {"include_usage": True}, **self._options}
        if "max_tokens" in self._refused:
            body["max_completion_tokens"] = body["max_tokens"]
        if "stream" in self._refused:
            del body["stream_options"]
        messages = self._messages
        if "system" in self._refused:
            rules = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
            rest = [m for m in messages if m["role"] != "system"]
            begins = rest[:1] and rest[0]["role"] == "user"
            text = f"{rules}\n\n{rest.pop(0)['content']}" if begins else rules
            messages = [{"role": "user", "content": text}, *rest]
        body = {name: value for name, value in body.items() if name not in self._refused}
        return {"model": self._model.name, "messages": messages, **body}

    def _drop_refused(self, error: "APIStatusError") -> bool:
        """Mark what the server refused, else all that is optional; return whether to ask again."""
        why = f"{error.param} {message_of(error)} {error.body}".lower()
        body = self._body()
        if error.status_code in (400, 422, 500) and "tools" in body and "tool" in why:
            self._refused.add("tools")  # the server was started without support for tool calls
            return True
        if error.status_code not in (400, 422) or "context" in why:
            return False
        roles = {message["role"] for message in body["messages"]}
        sent = [name for name in _OPTIONAL if name in body or name in roles]
        named = [name for name in sent if re.search(rf"\b{name}\b", why)]
        self._refused.update(named[:1] or sent)
        return bool(sent)


def is_address(text: str) -> bool:
    """Return whether this can be an endpoint's address: http or https, without credentials."""
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    is_bare = text.split() == [text] and not any(sign in text for sign in "@?#")
    return has_host and is_bare and parts.scheme in ("http", "https")


class ChatModel(AbstractContextManager["ChatModel"]):
    """A chat model for calls from any thread; close it, or use it in a `with` block.

    Its requests run on an event loop in a thread of its own: only so does a deadline hold for a
    reply that arrives byte by byte, and can a call be cancelled at any moment.
    """

    def __init__(self, client: "AsyncOpenAI", name: str, deadline_seconds: float) -> None:
        self.client, self.deadline_seconds = client, deadline_seconds
        self._set_name(name)
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._loop = asyncio.new_event_loop()
        run = self._loop.run_forever
        self._thread = threading.Thread(target=run, name="chat model", daemon=True)
        self._thread.start()

    def _set_name(self, name: str) -> None:
        self.name = name
        where = f"chat model {name!r} at {self.client.base_url.netloc.decode()}"
        self.endpoint = Endpoint(where, self.client.api_key)
        self.refused: set[str] = set()
        """The request options that the model has refused; "system" means that role."""
        self.streams_thoughts: bool | None = None
        """Whether its replies begin inside a thought; None before the first complete reply."""
        self.misjudged = 0
        """How often in a row it got control questions wrong; after two it is no longer a judge."""

    def named(self, name: str) -> Self:
        """Return another model of the same endpoint that shares the connections."""
        other = copy(self)
        other._set_name(name)
        return other

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the configured model; sends nothing, but raises InputError if it is unusable."""
        address = settings.openai_base_url
        key = settings.openai_api_key.get_secret_value().strip() if settings.openai_api_key else ""
        if settings.chat_model is None or (address == OPENAI and not key):
            missing = "OPENAI_API_KEY" if settings.chat_model else "ABSTRACTQA_CHAT_MODEL"
            raise InputError(
                f"{missing} is not set; a chat model needs ABSTRACTQA_CHAT_MODEL, OPENAI_API_KEY"
                " and OPENAI_BASE_URL (OpenAI's if empty; your own endpoint may need no key)"
            )
        # The client's error about a bad key or address would repeat it.
        if not key.isascii() or not key.isprintable() or " " in key:
            raise InputError(
                "the chat model's key contains characters that a key cannot have: copy it again"
            )
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
            # Questions and the key go only to the configured address.
            http_client=DefaultAsyncHttpxClient(follow_redirects=False),
        )
        return cls(client, settings.chat_model, settings.chat_deadline_seconds)

    def complete(self, messages: Sequence[Message], **options: Any) -> Reply:
        """Ask for one complete reply, with the arguments of `stream` and the errors of `Stream`."""
        with self.stream(messages, **options) as stream:
            return stream.reply

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, seconds: float = 0, **options: Any
    ) -> Stream:
        """Ask for a reply and stream it; returns at once.

        Options that the model refuses (temperature, which is 0 by default, stop, seed,
        response_format, tools) are left out from then on; those that are None are not sent.
        Without `seconds` the model's deadline holds. Raises StoppedError if the model was closed.
        """
        given = {"max_tokens": max_tokens, "temperature": 0, **options}
        given = {name: value for name, value in given.items() if value is not None}
        return Stream(self, [*messages], given, seconds or self.deadline_seconds)

    def list_models(self, seconds: float) -> list[str]:
        """Return the names of the endpoint's models, sorted; none if it lists none in time."""
        import openai

        async def ask() -> list[str]:
            async with asyncio.timeout(seconds):
                page = await self.client.with_options(max_retries=0).models.list()
            names = {each.id for each in page.data}
            return sorted(name for name in names if isinstance(name, str) and name.isprintable())

        stopped = (CancelledError, StoppedError, TimeoutError)
        # Not reported: the client's error may contain the key.
        with suppress(*stopped, openai.OpenAIError, ValueError, TypeError, AttributeError):
            return self.run(ask()).result()
        return []

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the event loop; raises StoppedError if the model is closed."""
        with self._lock:
            if not self._closed.is_set():
                return asyncio.run_coroutine_threadsafe(work, self._loop)
        work.close()
        raise StoppedError(f"{self.endpoint.where} is closed")

    def close(self) -> None:
        """Close the model and those that share its connections; calls raise StoppedError."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancel_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.client.close()

    def __exit__(self, *error: object) -> None:
        self.close()


def _headers(address: str, key: str) -> dict[str, Any]:
    """Return headers that drop those which the environment sets for another address."""
    from openai import Omit

    if address in {OPENAI, os.environ.get("OPENAI_BASE_URL")}:
        return {}
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
    custom = (line.partition(":")[0].strip() for line in lines)
    names = ("OpenAI-Organization", "OpenAI-Project", *custom)
    return {**dict.fromkeys(names, Omit()), "Authorization": f"Bearer {key}"}


class Asking:
    """The calls to a chat model for one question, from any number of threads.

    They share one deadline, which begins with the first. Once the endpoint failed (a ChatError
    that is not a ReplyError), each later call raises that error at once.
    """

    def __init__(self, model: ChatModel, seconds: float, price: str | None = None) -> None:
        """Set deadline and price; "0.15/0.60" is dollars per million prompt/completion tokens."""
        self.model = model
        self._seconds, self._stopped = seconds, False
        self._deadline: float | None = None
        self._price = [float(part) / 1_000_000 for part in price.split("/")] if price else None
        self._lock = threading.Lock()
        self._streams: list[Stream] = []

    @property
    def usage(self) -> Usage:
        """The tokens used so far, those of failed calls included, and their cost if known."""
        with self._lock:
            spent = sum((stream.usage for stream in self._streams), Usage())
        if self._price is None:
            return spent
        cost = spent.prompt_tokens * self._price[0] + spent.completion_tokens * self._price[1]
        return spent.model_copy(update={"cost_usd": cost})

    @property
    def failure(self) -> ChatError | None:
        """How the endpoint failed; None if it did not."""
        return next(filter(None, (stream.failure for stream in self._streams)), None)

    def priced(self, tokens: int) -> str:
        """Return the cost of so many prompt tokens as text for a message; "" without a price."""
        return f", about ${tokens * self._price[0]:.3f}" if self._price else ""

    def stream(self, messages: Sequence[Message], *, max_tokens: int, **options: Any) -> Stream:
        """Ask for a reply and stream it; raises StoppedError, or how the endpoint failed before."""
        with self._lock:
            if self._stopped:
                raise StoppedError("the question was cancelled")
            if failure := self.failure:
                raise failure
            self._deadline = self._deadline or monotonic() + self._seconds
            left = max(0.001, self._deadline - monotonic())
            stream = self.model.stream(messages, max_tokens=max_tokens, seconds=left, **options)
            self._streams.append(stream)
            return stream

    def complete(self, messages: Sequence[Message], *, max_tokens: int) -> str:
        """Return a complete reply; raises the errors of `stream` and of `Stream`."""
        with self.stream(messages, max_tokens=max_tokens) as stream:
            return stream.reply.text

    def cancel(self) -> None:
        """Cancel the running calls of all threads; later calls raise StoppedError at once."""
        with self._lock:
            self._stopped = True
            for stream in self._streams:
                stream.close()


@dataclass(frozen=True)
class Tried:
    """The result of trying an endpoint: in words (`told`, one line), and the models it lists."""

    works: bool
    told: str
    models: tuple[str, ...] = ()
    model: str = ""


def try_endpoint(settings: Settings) -> Tried:
    """Ask the chat model that the settings name, or else the only one there is, for one word.

    Raises InputError if the address or the key cannot be used.
    """
    named = settings.model_copy(update={"chat_model": settings.chat_model or "any"})
    with ChatModel.open(named) as endpoint:
        models = tuple(endpoint.list_models(seconds=3))
        name = settings.chat_model or (models[0] if len(models) == 1 else None)
        if not name:
            why = "choose one of its models" if models else "name a model, since it lists none"
            return Tried(False, f"{settings.openai_base_url}: {why}.", models)
        messages: list[Message] = [{"role": "user", "content": "Reply with one word: ready."}]
        try:  # the model may think before the word
            reply = endpoint.named(name).complete(messages, max_tokens=500, seconds=30)
        except ChatError as error:
            return Tried(False, f"Does not work: {error}.", models, name)
    return Tried(True, f"Works: {name} answered in {reply.seconds:.1f} s.", models, name)

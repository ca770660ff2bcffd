"""The client: what a chat model is asked, and the thread in which its requests run."""

import asyncio
import os
import re
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from index.errors import InputError
from rag.chat.call import RETRIES, Call, Stream
from rag.chat.errors import ChatError, Endpoint, StoppedError
from rag.chat.reply import Limits, Message, Reply
from rag.settings import OPENAI, Settings

# The client takes most of a second to import, and most questions need no model.
if TYPE_CHECKING:
    from httpx import Request
    from openai import AsyncOpenAI

_CONNECT_SECONDS = 3.0
_ADDRESS = re.compile(r"https?://([^\s/@?#:]+|\[[\da-fA-F:]+\])(:\d{1,5})?(/[^\s@?#]*)?")


def is_address(text: str) -> bool:
    """Whether an endpoint can have this address: http or https, and no name or password in it."""
    return _ADDRESS.fullmatch(text) is not None


def _of_elsewhere(address: str) -> frozenset[str]:
    """The headers that the client takes from the environment and that are for another address."""
    if address in {OPENAI, os.environ.get("OPENAI_BASE_URL")}:
        return frozenset()
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
    custom = (line.partition(":")[0].strip() for line in lines)
    return frozenset({"OpenAI-Organization", "OpenAI-Project", *filter(None, custom)})


def _without(names: frozenset[str], key: str) -> "Callable[[Request], Awaitable[None]]":
    """What takes headers out of each request, and leaves it the key that it was given."""

    async def take_out(request: "Request") -> None:
        for name in names:
            request.headers.pop(name, None)
        if names:
            request.headers["Authorization"] = f"Bearer {key}"

    return take_out


class ChatModel:
    """A chat model. Calls may come from any thread; close it, or use it in a `with` block.

    Its requests run on an event loop of its own, in a thread of its own: only so does a deadline
    hold for a reply that comes byte by byte, and can a call be given up at any moment.
    """

    def __init__(self, client: "AsyncOpenAI", name: str, deadline_seconds: float) -> None:
        self.name = name
        self.deadline_seconds = deadline_seconds
        where = f"chat model {name!r} at {client.base_url.netloc.decode()}"
        self.endpoint = Endpoint(where, client.api_key)
        self.client = client
        self.refused: set[str] = set()
        """Options that the model has refused, and "system" for that role."""
        self.streams_thoughts: bool | None = None
        """Whether its template opens thoughts itself; None before its first reply is whole."""
        self._context: int | None = None
        self._opening = threading.Lock()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="chat model", daemon=True
        )
        self._thread.start()

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
            raise InputError("OPENAI_API_KEY has characters that no key has: copy it again")
        if not is_address(address):
            raise InputError("OPENAI_BASE_URL must be like http://127.0.0.1:8123/v1, with no key")
        from httpx import Timeout
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        client = AsyncOpenAI(
            api_key=key or "no-key",
            base_url=address,
            max_retries=RETRIES,
            timeout=Timeout(None, connect=_CONNECT_SECONDS),
            # What is asked, and the key, go to the address that was given and to no other.
            http_client=DefaultAsyncHttpxClient(
                follow_redirects=False,
                event_hooks={"request": [_without(_of_elsewhere(address), key or "no-key")]},
            ),
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
        limits: Limits | None = None,
        **options: Any,
    ) -> Stream:
        """Ask for a reply that is read while it is written; returns at once.

        A server that knows no streams may answer as a whole. What a model refuses of the options
        is left out from then on.

        Args:
            messages: The conversation.
            max_tokens: Of the reply.
            limits: How long it may take; the model's own deadline if None.
            options: Of the request: temperature (0 if left out), stop, seed, response_format,
                tools.

        Raises:
            StoppedError: the model was closed.
        """
        given = {"max_tokens": max_tokens, "temperature": 0, **options}
        call = Call(
            self,
            list(messages),
            {name: value for name, value in given.items() if value is not None},
            limits or Limits(self.deadline_seconds),
        )
        with self._opening:
            self._check_open()
            return Stream(call, self._loop)

    def context_tokens(self, seconds: float) -> int | None:
        """The tokens that it can read, if the endpoint tells within so many seconds; asked once."""
        if self._context is None:
            try:
                self._context = self.list_models(seconds).get(self.name) or 0
            except ChatError:
                self._context = 0
        return self._context or None

    def list_models(self, seconds: float) -> dict[str, int | None]:
        """The names of the endpoint's models, sorted, and the tokens of their contexts if told.

        Raises:
            StoppedError: the model was closed.
            ChatError: the endpoint gave no list in so many seconds.
        """
        with self._opening:
            self._check_open()
            listing = asyncio.run_coroutine_threadsafe(self._list(seconds), self._loop)
        with suppress(CancelledError):
            return listing.result()
        raise StoppedError(f"{self.endpoint.where} is closed")

    async def _list(self, seconds: float) -> dict[str, int | None]:
        import openai

        try:
            async with asyncio.timeout(seconds):
                page = await self.client.with_options(max_retries=0).models.list()
            listed = {each.id: _context(each.model_extra or {}) for each in page.data}
        except (openai.OpenAIError, TimeoutError, ValueError, TypeError, AttributeError):
            # What the client says of it may hold the key.
            raise ChatError(f"{self.endpoint.where} gave no list of its models") from None
        named = {n: c for n, c in listed.items() if isinstance(n, str) and n.isprintable() and n}
        return dict(sorted(named.items()))

    def close(self) -> None:
        """Give up what is under way and close the connections; calls that follow are refused."""
        with self._opening:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(self._give_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoppedError(f"{self.endpoint.where} is closed")

    async def _give_up(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.client.close()


def _context(listed: Mapping[str, Any]) -> int | None:
    """The tokens of a model's context, under the names that servers have for it."""
    meta = listed.get("meta") if isinstance(listed.get("meta"), dict) else {}
    names = ("max_model_len", "context_length", "context_window", "max_context_length", "n_ctx")
    found = [source.get(name) for source in (listed, meta or {}) for name in names]
    return next((size for size in found if isinstance(size, int) and size > 0), None)

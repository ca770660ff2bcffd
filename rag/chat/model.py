"""The client: one retry layer, one deadline, and no reply that is too long to hold."""

import asyncio
import logging
import re
import threading
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

from index.errors import InputError
from rag.chat.errors import (
    ChatError,
    ReplyError,
    broken_off,
    refused,
    seconds_to_wait,
    unreachable,
)
from rag.chat.reply import Message, Reply, read_reply
from rag.settings import OPENAI, Settings

# The client takes most of a second to import, and most questions need no model.
if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

REQUESTS = 3
"""Requests sent at most for one call; the client's own retries are off."""
MAX_REPLY_BYTES = 4 * 2**20
_CONNECT_SECONDS = 3.0
_ADDRESS = re.compile(r"https?://([^\s/@?#:]+|\[[\da-fA-F:]+\])(:\d{1,5})?(/[^\s@?#]*)?")
_INSTEAD = {
    "max_tokens": "max_completion_tokens",
    "temperature": None,
    "stop": None,
    "seed": None,
}
"""What to send instead of an option that a model refuses, as OpenAI's reasoning models do."""

logger = logging.getLogger(__name__)


class ChatModel:
    """A chat model. Calls may come from any thread; close it, or use it in a `with` block.

    Its requests run on an event loop of its own, in a thread of its own: only so does a deadline
    hold for a reply that comes byte by byte, and can a call be given up at any moment.
    """

    def __init__(self, client: "AsyncOpenAI", name: str, deadline_seconds: float) -> None:
        self.name = name
        self.deadline_seconds = deadline_seconds
        self._client = client
        self._where = f"chat model {name!r} at {client.base_url.netloc.decode()}"
        self._replaced: dict[str, str | None] = {}
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
        if not _ADDRESS.fullmatch(address):
            raise InputError("OPENAI_BASE_URL must be like http://127.0.0.1:8123/v1, with no key")

        from httpx import Timeout
        from openai import AsyncOpenAI

        client = AsyncOpenAI(
            api_key=key or "no-key",
            base_url=address,
            max_retries=0,
            timeout=Timeout(settings.chat_deadline_seconds, connect=_CONNECT_SECONDS),
        )
        return cls(client, settings.chat_model, settings.chat_deadline_seconds)

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """Ask for one whole reply.

        At most `REQUESTS` requests are sent. After one that may succeed later (429, 5xx, no
        connection) the next waits as long as Retry-After says; a wait beyond the deadline is an
        error at once. `temperature`, `stop` and `seed` are left out for a model that refuses them.

        Raises:
            ReplyError: the reply is a refusal, empty or too long, or the messages are.
            ChatError: there is no reply, or none within the deadline.
        """
        asked = list(messages)
        options = {
            "messages": asked,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stop": list(stop) if stop else None,
            "seed": seed,
        }
        given = {name: value for name, value in options.items() if value is not None}
        started = perf_counter()
        future = asyncio.run_coroutine_threadsafe(self._ask(given), self._loop)
        try:
            body = future.result()
        finally:
            future.cancel()  # that of an interrupted caller; one that is done stays as it is
        return read_reply(body, asked, perf_counter() - started, self._where)

    def close(self) -> None:
        """Give up what is under way and close the connections; no call may follow."""
        asyncio.run_coroutine_threadsafe(self._give_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _give_up(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.close()

    async def _ask(self, options: dict[str, Any]) -> bytes:
        """The body of a reply, from as many requests as it takes."""
        try:
            async with asyncio.timeout(self.deadline_seconds) as deadline:
                return await self._ask_until(deadline.when() or 0, options)
        except TimeoutError:
            raise ChatError(
                f"{self._where} gave no whole reply within {self.deadline_seconds:g} seconds"
                " (ABSTRACTQA_CHAT_DEADLINE_SECONDS)"
            ) from None

    async def _ask_until(self, deadline: float, options: dict[str, Any]) -> bytes:
        """The same; `deadline` is a time of the loop's clock, in seconds."""
        import httpx
        import openai

        request = 1
        while True:
            try:
                return await self._request(options)
            except openai.APIStatusError as error:
                wait = 0.0 if self._replaces(error) else seconds_to_wait(error, request)
                problem = refused(self._where, error, self._client.api_key)
            except (openai.APIConnectionError, httpx.TransportError) as error:
                wait = seconds_to_wait(error, request)
                never = isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
                problem = unreachable(self._where) if never else broken_off(self._where)
            # Not raised while the client's own error is handled: what that one shows is not ours.
            if wait is None or request == REQUESTS or self._loop.time() + wait >= deadline:
                raise problem
            logger.info("%s; asking again in %.1f s", problem, wait)
            await asyncio.sleep(wait)
            request += 1

    async def _request(self, options: dict[str, Any]) -> bytes:
        """Send one request and read its reply, but no more than `MAX_REPLY_BYTES` of it."""
        sent = {
            taken: value
            for name, value in options.items()
            if (taken := self._replaced.get(name, name)) is not None
        }
        create = self._client.chat.completions.with_streaming_response.create
        async with create(model=self.name, **sent) as response:
            kind = response.headers.get("content-type", "").partition(";")[0]
            if kind and not kind.endswith("json"):
                raise ChatError(
                    f"{self._where} answers with {kind[:40]}, not JSON: "
                    "check OPENAI_BASE_URL (most end in /v1)"
                )
            body = bytearray()
            async for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_REPLY_BYTES:
                    raise ReplyError(
                        f"{self._where} sent a reply of more than {MAX_REPLY_BYTES >> 20} MB"
                    )
            return bytes(body)

    def _replaces(self, error: "APIStatusError") -> bool:
        """Whether another request can do without the option that this one was refused for."""
        unsupported = error.code in ("unsupported_parameter", "unsupported_value")
        if not unsupported or error.param not in _INSTEAD:
            return False
        instead = self._replaced[error.param] = _INSTEAD[error.param]
        logger.warning("%s takes no %s; %s", self._where, error.param, instead or "left out")
        return True

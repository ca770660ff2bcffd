"""The client: what a chat model is asked, and the thread in which its requests run."""

import asyncio
import re
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

from index.errors import InputError
from rag.chat.call import Call
from rag.chat.errors import StoppedError
from rag.chat.reply import Message, Reply
from rag.chat.sending import Sender, open_client
from rag.chat.stream import Inbox, Stream
from rag.settings import OPENAI, Settings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_ADDRESS = re.compile(r"https?://([^\s/@?#:]+|\[[\da-fA-F:]+\])(:\d{1,5})?(/[^\s@?#]*)?")


class ChatModel:
    """A chat model. Calls may come from any thread; close it, or use it in a `with` block.

    Its requests run on an event loop of its own, in a thread of its own: only so does a deadline
    hold for a reply that comes byte by byte, and can a call be given up at any moment.
    """

    def __init__(self, client: "AsyncOpenAI", name: str, deadline_seconds: float) -> None:
        self.name = name
        self.deadline_seconds = deadline_seconds
        self._sender = Sender(client, name)
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
        if not _ADDRESS.fullmatch(address):
            raise InputError("OPENAI_BASE_URL must be like http://127.0.0.1:8123/v1, with no key")

        client = open_client(address, key or "no-key")
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
            ReplyError: the reply is a refusal, empty, too long or no chat completion, or the
                messages are too long.
            ChatError: there is no reply, or none within the deadline.
        """
        options = _options(max_tokens, temperature, stop, seed)
        with self._open(messages, options, None, self.deadline_seconds, whole=True) as stream:
            return stream.reply

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        first_token_seconds: float | None = None,
        deadline_seconds: float | None = None,
        whole: bool = False,
    ) -> Stream:
        """Ask for a reply that is read while it is written; returns at once.

        What `complete` says of requests holds here too, until the first piece of text is given:
        then nothing is sent again. A server that knows no streams may answer as a whole.

        Args:
            messages: The conversation.
            max_tokens: Of the reply.
            temperature: Of the sampling.
            stop: Texts that end the reply.
            seed: Of the sampling.
            first_token_seconds: How long the first word may take, of a thought or of the answer.
            deadline_seconds: How long all of it may take; the model's own deadline if None.
            whole: Give the text as one piece once it is whole; so it can be asked for again when
                the connection is lost in the middle of it.

        Raises:
            ReplyError: when iterating: the reply is a refusal, empty, too long or no chat
                completion, or the messages are too long.
            StoppedError: when iterating: the stream was closed, or is asked of a closed model.
            ChatError: when iterating: there is no reply, or not all of it, or not in time.
        """
        options = _options(max_tokens, temperature, stop, seed)
        options |= {"stream": True, "stream_options": {"include_usage": True}}
        deadline = self.deadline_seconds if deadline_seconds is None else deadline_seconds
        return self._open(messages, options, first_token_seconds, deadline, whole=whole)

    def list_models(self, seconds: float) -> list[str]:
        """The names of the models that the endpoint has, sorted; at most `seconds` are waited.

        Raises:
            StoppedError: the model was closed.
            ChatError: the endpoint gave no list.
        """
        with self._opening:
            if self._closed:
                raise StoppedError(f"{self._sender.endpoint.where} is closed")
            listing = asyncio.run_coroutine_threadsafe(
                self._sender.list_models(seconds), self._loop
            )
        try:
            return listing.result()
        except CancelledError:
            raise StoppedError(f"{self._sender.endpoint.where} is closed") from None

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

    def _open(
        self,
        messages: Sequence[Message],
        options: dict[str, object],
        first_token_seconds: float | None,
        deadline_seconds: float,
        *,
        whole: bool,
    ) -> Stream:
        asked = list(messages)
        inbox: Inbox = SimpleQueue()
        call = Call(self._sender, asked, inbox.put, whole=whole)
        with self._opening:
            if self._closed:
                raise StoppedError(f"{call.where} is closed")
            running = call.run(
                {"messages": asked, **options}, deadline_seconds, first_token_seconds
            )
            return Stream(call, asyncio.run_coroutine_threadsafe(running, self._loop), inbox)

    async def _give_up(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._sender.close()


def _options(
    max_tokens: int, temperature: float, stop: Sequence[str] | None, seed: int | None
) -> dict[str, object]:
    options = {
        "max_tokens": max_tokens,
        "temperature": temperature,
        "stop": list(stop) if stop else None,
        "seed": seed,
    }
    return {name: value for name, value in options.items() if value is not None}

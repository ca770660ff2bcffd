"""One streamed call of a chat model, run on the event loop and read from any other thread."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, suppress
from queue import SimpleQueue
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rag.chat.reply import (
    CUT_OFF,
    BrokenOffError,
    ChatError,
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

# The client takes most of a second to import, and most questions need no model.
if TYPE_CHECKING:
    import httpx
    from openai import APIStatusError

    from rag.chat.model import ChatModel

logger = logging.getLogger(__name__)

RETRIES = 2
"""How often the client sends a request again after 408, 409, 429, 5xx or a lost connection."""
_REST_SECONDS = {True: 1.0, False: 10.0}
"""How long to wait for more after the end of a reply (True), or after its finish reason (False),
which some endpoints send early."""
_OPTIONAL = (
    "max_tokens", "stream_options", "response_format", "temperature", "seed", "stop", "tools",
    "stream", "system",
)  # fmt: skip
"""Parts of a request that can be left out, or put in another way."""


class Stream(Iterator[str], AbstractContextManager["Stream"]):
    """Yields the reply so far each time that more of it arrives; `next` blocks until then.

    Each item begins with the one before, unless that turned out to be a thought, as is possible in
    the first reply of a model. Iterating raises ReplyError if the reply is a refusal, empty or no
    chat completion, ChatError if none came in time, and StoppedError after `close`.
    """

    def __init__(
        self, model: "ChatModel", messages: list[Message], options: dict[str, Any], seconds: float
    ) -> None:
        """Send the request without the options that the model refused in earlier requests."""
        self._model = model
        self._endpoint = model.endpoint
        self._messages = messages
        self._options = options
        self._seconds = seconds
        self._received: tuple[Incoming, ...] = ()  # one a request
        self._shown = ""
        self._refused = set(model.refused)
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

    def raise_failure(self) -> None:
        """Raise the error of this call if it means that the endpoint failed, not only the reply."""
        if self._future.done() and not self._future.cancelled():
            problem = self._future.exception()
            if isinstance(problem, ChatError) and not isinstance(problem, ReplyError):
                # A copy: an error raised in many threads would collect all their tracebacks.
                raise type(problem)(*problem.args)

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
        return Reply(text, self.usage, perf_counter() - started, last.cut, calls)

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
        if text != self._shown:
            self._inbox.put(text)
        return text

    async def _receive(self, response: "httpx.Response", incoming: Incoming) -> None:
        kind = response.headers.get("content-type", "").lower()
        loop = asyncio.get_running_loop()
        length = -1
        try:
            async with asyncio.timeout(None) as silence:
                async for _ in incoming.read(response.aiter_bytes(), kind):
                    self._show(incoming)
                    if (incoming.done or incoming.finish) and len(incoming.content) > length:
                        # Read on to the end: else the connection cannot be used again.
                        silence.reschedule(loop.time() + _REST_SECONDS[incoming.done])
                        length = len(incoming.content)
        except TimeoutError:
            if not silence.expired():
                raise

    def _show(self, incoming: Incoming) -> None:
        """Pass on the reply so far, unless it still is in a thought that this model begins with."""
        if self._model.streams_thoughts and not without_thoughts(incoming.content)[1]:
            return
        text = answer_in(incoming.content, whole=False)
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

"""One call of a chat model, on the event loop: asks, reads the reply, and passes its text on."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from time import perf_counter
from typing import TYPE_CHECKING

from rag.chat.events import DONE, EventTooLongError, events
from rag.chat.pieces import read_chunk, read_completion
from rag.chat.reading import MAX_REPLY_BYTES, Reading
from rag.chat.reply import Message, Reply, Spent
from rag.chat.sending import Sender

if TYPE_CHECKING:
    import httpx

_REST_SECONDS = 1.0
"""How long is waited for what follows the text: the count of tokens, and the end of the body,
without which the connection cannot be used again."""
_WORD_SETTING = "ABSTRACTQA_CHAT_FIRST_TOKEN_SECONDS"
_REPLY_SETTING = "ABSTRACTQA_CHAT_DEADLINE_SECONDS"


class Call:
    """What a stream reads comes from here; only `where` and `spent` are for other threads.

    A `whole` reply is one piece: as nobody has read any of it before, a connection that is lost
    in the middle can be tried again.
    """

    def __init__(
        self, sender: Sender, asked: Sequence[Message], put: Callable[[str], None], *, whole: bool
    ) -> None:
        """Prepare it; every piece of text goes to `put`, which must not wait."""
        self.where = sender.endpoint.where
        self._endpoint = sender.endpoint
        self._sender = sender
        self._asked = asked
        self._put = put
        self._whole = whole
        self._given = False
        self._readings: tuple[Reading, ...] = ()  # one a request

    @property
    def spent(self) -> Spent:
        """The tokens of all requests until now; may be read from any thread."""
        return sum((reading.spent for reading in self._readings), Spent())

    async def run(
        self,
        options: Mapping[str, object],
        deadline_seconds: float,
        first_token_seconds: float | None,
    ) -> Reply:
        """Ask, and read the reply to its end.

        Raises:
            ReplyError: the reply is none.
            ChatError: there is no reply, or none in time.
        """
        started = perf_counter()
        first = asyncio.timeout(first_token_seconds)
        try:
            async with asyncio.timeout(deadline_seconds) as total, first:

                def begun() -> None:
                    if not first.expired():
                        first.reschedule(None)

                def until() -> float:
                    return min(time for time in (total.when(), first.when()) if time is not None)

                async def receive(response: "httpx.Response") -> str:
                    return await self._receive(response, begun)

                text = await self._sender.send(
                    options, receive, until=until, repeatable=lambda: not self._given
                )
        except TimeoutError:
            text = ""
        if not text:
            raise (
                self._endpoint.too_slow("first word", first_token_seconds or 0, _WORD_SETTING)
                if first.expired()
                else self._endpoint.too_slow("whole reply", deadline_seconds, _REPLY_SETTING)
            )
        if self._whole:
            self._put(text)
        took = self.spent
        return Reply(
            text=text,
            prompt_tokens=took.prompt_tokens,
            completion_tokens=took.completion_tokens,
            estimated=took.estimated,
            seconds=perf_counter() - started,
            cut=self._readings[-1].cut,
        )

    async def _receive(self, response: "httpx.Response", begun: Callable[[], None]) -> str:
        """Read one reply that has begun; `begun` is called when it has said something."""
        reading = Reading(self._endpoint, self._asked, self._give)
        self._readings += (reading,)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind.endswith("json"):
            completion = read_completion(await self._body(response))
            if completion is None:
                raise self._endpoint.not_chat()
            reading.take(completion)
        elif kind in ("text/event-stream", ""):
            await self._pieces(response, reading, begun)
        else:
            raise self._endpoint.wrong_type(kind)
        return reading.end()

    async def _body(self, response: "httpx.Response") -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_REPLY_BYTES:
                raise self._endpoint.too_long(MAX_REPLY_BYTES >> 20)
        return bytes(body)

    async def _pieces(
        self, response: "httpx.Response", reading: Reading, begun: Callable[[], None]
    ) -> None:
        from httpx import TransportError

        whole = too_long = False
        try:
            async with (
                asyncio.timeout(None) as rest,
                aclosing(events(response.aiter_bytes(), MAX_REPLY_BYTES)) as coming,
            ):
                async for data in coming:
                    if data.strip() != DONE:
                        self._take(data, reading)
                    if reading.written:
                        begun()
                    if not whole and (data.strip() == DONE or reading.finish is not None):
                        whole = True
                        rest.reschedule(asyncio.get_running_loop().time() + _REST_SECONDS)
        except EventTooLongError:
            too_long = True
        except (TimeoutError, TransportError):
            if not whole:
                raise
        if too_long:
            raise self._endpoint.too_long(MAX_REPLY_BYTES >> 20)
        if not whole:
            raise self._endpoint.broken_off()

    def _take(self, data: bytes, reading: Reading) -> None:
        chunk = read_chunk(data)
        if chunk is None:
            raise self._endpoint.not_chat()
        reading.take(chunk)

    def _give(self, text: str) -> None:
        if not self._whole:
            self._given = True
            self._put(text)

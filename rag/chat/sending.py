"""One retry layer: a request to the endpoint, sent again where that may help."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from rag.chat.errors import BrokenOffError, Endpoint, seconds_to_wait
from rag.chat.listing import list_models
from rag.chat.redaction import keep_out_of_logs

# The client takes most of a second to import, and most questions need no model.
if TYPE_CHECKING:
    import httpx
    from openai import APIStatusError, AsyncOpenAI

REQUESTS = 3
"""Requests sent at most for one call; the client's own retries are off."""
MAX_ERROR_BYTES = 2**16
"""What is read of a reply with an error status."""
_CONNECT_SECONDS = 3.0
_INSTEAD = {
    "max_tokens": "max_completion_tokens",
    "temperature": None,
    "stop": None,
    "seed": None,
    "stream_options": None,
}
"""What to send instead of an option that a model refuses, as OpenAI's reasoning models do."""

Received = TypeVar("Received")
Receive = Callable[["httpx.Response"], Awaitable[Received]]
"""Reads a reply that has begun; raises BrokenOffError where another request may do better."""

logger = logging.getLogger(__name__)


def open_client(address: str, key: str) -> "AsyncOpenAI":
    """A client without retries or deadlines of its own: those of `Sender` and its callers hold."""
    from httpx import Timeout
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    return AsyncOpenAI(
        api_key=key,
        base_url=address,
        max_retries=0,
        timeout=Timeout(None, connect=_CONNECT_SECONDS),
        http_client=DefaultAsyncHttpxClient(event_hooks={"response": [_shorten_error]}),
    )


class Sender:
    """Sends requests to one endpoint, on one event loop, and learns what it does not take."""

    def __init__(self, client: "AsyncOpenAI", model: str) -> None:
        self.endpoint = Endpoint(
            f"chat model {model!r} at {client.base_url.netloc.decode()}", client.api_key
        )
        self._client = client
        self._log_again = keep_out_of_logs(client.api_key)
        self._model = model
        self._replaced: dict[str, str | None] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        self._log_again()

    async def list_models(self, seconds: float) -> list[str]:
        """The names of the endpoint's models; see `rag.chat.listing`."""
        return await list_models(self._client, self.endpoint, seconds)

    async def send(
        self,
        options: Mapping[str, object],
        receive: Receive[Received],
        *,
        until: Callable[[], float],
        repeatable: Callable[[], bool] = lambda: True,
    ) -> Received:
        """What `receive` makes of the reply to at most `REQUESTS` requests.

        Args:
            options: Of the request, beside the model; one that the model refuses is left out.
            receive: Called with each reply that has begun, status and headers read.
            until: The time of the loop's clock, in seconds, when the caller gives the call up;
                no wait goes beyond it.
            repeatable: Whether the request may be sent again, asked after a failure.

        Raises:
            ReplyError: the request cannot be answered, or what `receive` says of the reply.
            ChatError: there is no reply, and no further request would help.
        """
        import httpx
        import openai

        request = 1
        while True:
            try:
                return await self._request(options, receive)
            except openai.APIStatusError as error:
                wait = 0.0 if self._replaces(error, options) else seconds_to_wait(error, request)
                problem = self.endpoint.refused(error)
            except (openai.APIConnectionError, httpx.TransportError) as error:
                wait = seconds_to_wait(error, request)
                never = isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
                problem = self.endpoint.unreachable() if never else self.endpoint.broken_off()
            except httpx.DecodingError:
                wait, problem = None, self.endpoint.not_chat()
            except BrokenOffError as error:
                wait, problem = seconds_to_wait(error, request), error
            # Not raised while the client's own error is handled: what that one shows is not ours.
            if (
                wait is None
                or request == REQUESTS
                or asyncio.get_running_loop().time() + wait >= until()
                or not repeatable()
            ):
                raise problem
            logger.info("%s; asking again in %.1f s", problem, wait)
            await asyncio.sleep(wait)
            request += 1

    async def _request(self, options: Mapping[str, object], receive: Receive[Received]) -> Received:
        sent: dict[str, Any] = {
            taken: value
            for name, value in options.items()
            if (taken := self._replaced.get(name, name)) is not None
        }
        create = self._client.chat.completions.with_streaming_response.create
        async with create(model=self._model, **sent) as response:
            return await receive(response.http_response)

    def _replaces(self, error: "APIStatusError", options: Mapping[str, object]) -> bool:
        """Whether another request can do without the option that this one was refused for."""
        refused = error.param if error.code in _UNSUPPORTED else None
        # Servers that know no such option do not agree on how to say so.
        if error.status_code in (400, 422) and "stream_options" in str(error.body):
            refused = "stream_options"
        if refused not in _INSTEAD or refused not in options:
            return False
        instead = self._replaced[refused] = _INSTEAD[refused]
        logger.warning("%s takes no %s; %s", self.endpoint.where, refused, instead or "left out")
        return True


_UNSUPPORTED = ("unsupported_parameter", "unsupported_value")


async def _shorten_error(response: "httpx.Response") -> None:
    """Leave all but the beginning of an error's body unread: the client would read it whole."""
    import httpx

    class Beginning(httpx.AsyncByteStream):
        def __init__(self, whole: httpx.AsyncByteStream) -> None:
            self._whole = whole

        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = MAX_ERROR_BYTES
            async for chunk in self._whole:
                yield chunk[:left]
                left -= len(chunk)
                if left <= 0:
                    return

        async def aclose(self) -> None:
            await self._whole.aclose()

    if response.is_error and isinstance(response.stream, httpx.AsyncByteStream):
        response.stream = Beginning(response.stream)

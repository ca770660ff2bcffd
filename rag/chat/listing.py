"""Which models an endpoint has, as it lists them itself (GET /models)."""

import asyncio
import json
from typing import TYPE_CHECKING

from rag.chat.errors import Endpoint

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MAX_LIST_BYTES = 2**20
_LONGEST_NAME = 200


async def list_models(client: "AsyncOpenAI", endpoint: Endpoint, seconds: float) -> list[str]:
    """The names of the models, sorted; the endpoint is asked once, for at most so many seconds.

    Raises:
        ChatError: there is no such list, or not in time.
    """
    import httpx
    import openai

    problem = endpoint.no_list()
    body = b""
    try:
        async with (
            asyncio.timeout(seconds),
            client.models.with_streaming_response.list() as response,
        ):
            async for chunk in response.http_response.aiter_bytes():
                body += chunk
                if len(body) > MAX_LIST_BYTES:
                    raise problem
        names = {each["id"] for each in json.loads(body)["data"]}
    except (openai.OpenAIError, httpx.HTTPError, TimeoutError, ValueError, LookupError, TypeError):
        raise problem from None  # what the client says of it may hold the key
    return sorted(
        name
        for name in names
        if isinstance(name, str) and name.isprintable() and 0 < len(name) <= _LONGEST_NAME
    )

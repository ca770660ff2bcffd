"""The public endpoints as ordinary addresses: /api/ask, /api/search, /api/papers, /api/table.

Each takes its arguments as a JSON object and returns JSON; /api/ask also sends events, to whoever
accepts `text/event-stream`. /api/openapi.json describes them.
"""

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import iterate_in_threadpool

from index.errors import AbstractQAError, InputError
from rag.schema import Finished, Progress
from ui.web.api import FAILED, Endpoint, Programs, one_line, what_is_wrong
from ui.web.events import AT_ONCE

EVENTS = "text/event-stream"

_log = logging.getLogger(__name__)


def add_routes(app: FastAPI, programs: Programs) -> None:
    """Add the endpoints to an application, with one line for each mistake."""
    limiter = anyio.CapacityLimiter(AT_ONCE)
    for endpoint in programs.endpoints():
        streamed = Endpoint(programs.ask_events) if endpoint.name == "ask" else None
        app.post(
            f"/api/{endpoint.name}",
            name=endpoint.name,
            description=endpoint.description,
            response_model=None,
            responses={200: {"content": {"application/json": {"schema": endpoint.output_schema}}}},
        )(_handler(endpoint, streamed, limiter))
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(AbstractQAError)(_failed)


def _handler(
    endpoint: Endpoint, streamed: Endpoint | None, limiter: anyio.CapacityLimiter
) -> Callable[..., Any]:
    async def handle(arguments: BaseModel, request: Request) -> Response:
        given = arguments.model_dump(exclude_none=True)
        if streamed and EVENTS in request.headers.get("accept", ""):
            events = await anyio.to_thread.run_sync(streamed.run, given, limiter=limiter)
            return StreamingResponse(_in_turn(events, limiter), media_type=EVENTS)
        found = await anyio.to_thread.run_sync(endpoint, given, limiter=limiter)
        return JSONResponse(found)

    # FastAPI reads the model, and all that it says of a request, from here.
    handle.__annotations__["arguments"] = endpoint.arguments
    return handle


async def _in_turn(events: Iterator[Any], limiter: anyio.CapacityLimiter) -> AsyncIterator[str]:
    """Events as text, as one of those that are answered at once."""
    async with limiter:
        async for text in iterate_in_threadpool(_as_sent(events)):
            yield text


def _as_sent(events: Iterator[Any]) -> Iterator[str]:
    """Events as text: `progress` and `delta` while the answer is made, then `answer`."""
    try:
        for event in events:
            if isinstance(event, Finished):
                yield _event("answer", event.answer.model_dump(mode="json"))
            elif isinstance(event, Progress):
                yield _event("progress", {"text": event.text})
            elif hasattr(event, "text"):
                yield _event("delta", {"text": event.text})
    except InputError as error:
        yield _event("error", {"detail": one_line(error)})
    except Exception:  # noqa: BLE001 - the stream has begun: nobody else can tell
        _log.exception("a stream of an answer failed")
        yield _event("error", {"detail": FAILED})


def _event(kind: str, data: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _invalid(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    errors = [{**each, "loc": each["loc"][1:]} for each in found]  # the first step is "body"
    return JSONResponse({"detail": what_is_wrong(errors)}, 422)


async def _failed(_: Request, error: Exception) -> Response:
    return JSONResponse({"detail": one_line(error)}, 422 if isinstance(error, InputError) else 500)

"""The four endpoints for programs: over HTTP, for `gradio_client`, and as MCP tools.

Each is a method of `Programs` with a model of its arguments; clients show the docstrings of both as
documentation. /api/ask, /api/search, /api/papers and /api/table take the arguments as a JSON object
and return JSON; /api/ask streams events to clients that accept `text/event-stream`.
/api/openapi.json describes the endpoints.
"""

import functools
import inspect
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Any, Required, get_type_hints

import anyio
import gradio as gr
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from gradio.events import api
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from typing_extensions import TypedDict

from index.errors import AbstractQAError, InputError
from index.papers import Paper
from rag import Answer, Event, Filters, Finished, Hit, Options, Progress
from rag.schema import MOST_SOURCES, Mode, Strictness
from rag.tables import Table
from ui.export import export
from ui.export.answer_text import one_line
from ui.terminal import parse_filters
from ui.web.corpus.paper_catalogue import newest
from ui.web.site import AT_ONCE, LIMITED, Site

FAILED = "something went wrong; the details are in the terminal that runs AbstractQA"

ENDPOINTS = ("ask", "search", "papers", "table")
MCP_PATH = "/mcp"  # the path of the MCP server, below the page's address

_log = logging.getLogger(__name__)

_Text = Annotated[str, Field(max_length=20_000)]
_Name = Annotated[str, Field(max_length=500)]
_Items = Field(max_length=100)
_Question = Annotated[_Text, Field(description="In plain words, at most 4,000 characters.")]
_Mode = Annotated[
    Mode,
    Field(
        description="extractive quotes sentences, generative has the chat model write, auto is"
        " generative if a chat model is configured."
    ),
]
_Digests = Annotated[
    list[_Name] | None,
    _Items,
    Field(description="Only papers of these digests, by file name or date; none means all."),
]
_Since = Annotated[_Name | None, Field(description="Only papers since this day, as 2025-03-14.")]
_Until = Annotated[_Name | None, Field(description="Only papers up to this day, inclusive.")]
_Title = Annotated[_Name | None, Field(description="Only papers whose title has this text.")]
_Papers = Annotated[
    list[_Name] | None, _Items, Field(description="Ids of the only papers that may answer.")
]


class Message(TypedDict, total=False):
    """One message of a conversation; other fields are ignored."""

    __pydantic_config__ = ConfigDict(extra="ignore")  # type: ignore[misc]
    role: Required[_Name]
    content: Required[_Text]
    references: Annotated[list[_Name], _Items] | None


class Arguments(BaseModel, extra="forbid", strict=True):
    """The arguments of an endpoint; null means that an argument is left out."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}

    def filters(self, papers: Sequence[str] | None = None) -> Filters:
        """Build the filters from the fields that every endpoint has, and from ids of papers."""
        given = {name: value or None for name, value in self} | {"papers": papers}
        return parse_filters(given, "since", "until")


class AskArguments(Arguments):
    """A question, its earlier messages, and how to answer it."""

    question: _Question
    history: Annotated[
        list[Message] | None,
        _Items,
        Field(
            description="Earlier messages, oldest first, each with a role (user or assistant) and a"
            " content; an answer's may have references: ids or titles of the papers it cites, in"
            " order."
        ),
    ] = None
    digests: _Digests = None
    since: _Since = None
    until: _Until = None
    title: _Title = None
    mode: _Mode = "auto"
    model: Annotated[_Name | None, Field(description="A chat model of the endpoint.")] = None
    sources: Annotated[
        int | None, Field(ge=1, le=MOST_SOURCES, description="Papers that may be cited, at most.")
    ] = None
    strictness: Annotated[
        Strictness, Field(description="How strongly the evidence must support a sentence.")
    ] = "normal"
    papers: _Papers = None


class SearchArguments(Arguments):
    """A query, and filters for the papers."""

    query: Annotated[_Text, Field(description="What the papers should be about.")]
    limit: Annotated[int, Field(ge=1, le=100, description="Papers at most.")] = 10
    digests: _Digests = None
    since: _Since = None
    until: _Until = None
    title: _Title = None
    papers: _Papers = None


class PapersArguments(Arguments):
    """Filters for the papers, and the part of the list to return."""

    digests: _Digests = None
    since: _Since = None
    until: _Until = None
    title: _Title = None
    limit: Annotated[int, Field(ge=0, le=100, description="Papers at most.")] = 20
    offset: Annotated[int, Field(ge=0, description="How many of the first to skip.")] = 0


class TableArguments(Arguments):
    """What to compare, and which papers."""

    question: _Question
    columns: Annotated[
        list[_Name] | None, _Items, Field(description="What to compare, in free words, up to 12.")
    ] = None
    papers: Annotated[
        list[_Name] | None,
        _Items,
        Field(description="Titles or ids of the papers to compare, instead of those found."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=20, description="Rows at most.")] = 8
    mode: _Mode = "auto"
    digests: _Digests = None
    since: _Since = None
    until: _Until = None
    title: _Title = None


class PaperList(BaseModel):
    """A part of the papers that pass the filters, the newest first."""

    papers: tuple[Paper, ...]
    total: int = Field(description="How many pass the filters.")


class Programs:
    """The endpoints of a site as methods, each with a model of its arguments."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.assistant = site.assistant
        self.limiter = anyio.CapacityLimiter(AT_ONCE)
        self.endpoints = {name: Endpoint(getattr(self, name)) for name in ENDPOINTS}

    async def run(self, endpoint: Callable[[Any], Any], given: Any) -> Any:
        """Call an endpoint in a thread; at most `AT_ONCE` run at the same time."""
        return await anyio.to_thread.run_sync(endpoint, given, limiter=self.limiter)

    def ask(self, given: AskArguments) -> Answer:
        """Answer a question from the indexed paper abstracts.

        Every sentence of the answer cites the sentence of an abstract that supports it. If the
        abstracts do not answer the question, the status is insufficient_evidence, with the reason
        and the nearest papers.
        """
        return self.assistant.ask(given.question, **self._ask_options(given))

    def ask_events(self, given: AskArguments) -> Iterator[Event]:
        """Stream `ask` as events: progress, pieces of the text, and finally the answer."""
        return self.assistant.stream(given.question, **self._ask_options(given))

    def _ask_options(self, given: AskArguments) -> dict[str, Any]:
        models = (None, self.assistant.chat_model)
        if given.model not in models and given.model not in self.assistant.chat_models():
            raise InputError(f"there is no chat model {given.model!r} at the endpoint")
        return {
            "history": [{"references": (), **each} for each in given.history or ()],
            "filters": given.filters(given.papers),
            "mode": given.mode,
            "options": Options(**given.model_dump(include={"model", "sources", "strictness"})),
        }

    def search(self, given: SearchArguments) -> list[Hit]:
        """Find the papers nearest to a query, best first, each with its best matching passages."""
        return self.assistant.search(given.query, given.limit, given.filters(given.papers))

    def papers(self, given: PapersArguments) -> PaperList:
        """List the indexed papers with their abstracts, the newest first."""
        passing = self.assistant.papers(given.filters())
        passing.sort(key=lambda paper: paper.display_title.casefold())
        passing.sort(key=lambda paper: newest(paper).date or date.min, reverse=True)
        shown = passing[given.offset : given.offset + given.limit]
        return PaperList(papers=tuple(shown), total=len(passing))

    def table(self, given: TableArguments) -> Table:
        """Compare papers in a table with one row per paper.

        Every cell is a verbatim quote from the paper's abstract, or empty if it states nothing.
        """
        return self.assistant.table(
            given.question,
            given.columns or None,
            papers=given.papers or (),
            filters=given.filters(),
            limit=given.limit,
            mode=given.mode,
        )


class Endpoint:
    """One method of `Programs`, called with arguments from the network."""

    def __init__(self, method: Callable[[Any], Any]) -> None:
        self.name: str = method.__name__
        self.description: str = " ".join((method.__doc__ or "").split())
        types_of = get_type_hints(method)
        self.arguments: type[Arguments] = types_of["given"]
        self.returned: Any = types_of["return"]
        self._method = method

    @functools.cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """The adapter of the return type: it makes JSON, and the JSON schema."""
        return TypeAdapter(self.returned)

    def run(self, arguments: Mapping[str, Any] | Arguments) -> Any:
        """Validate the arguments, call the method and return its result.

        Raises `InputError` for wrong input; any other error is logged, and hidden in a `FAILED`.
        """
        try:
            return self._method(self.arguments.model_validate(arguments))
        except ValidationError as error:
            raise InputError(what_is_wrong(error.errors(include_input=False))) from error
        except InputError:
            raise
        except Exception as error:
            is_known = isinstance(error, AbstractQAError)
            _log.error("a call of %s failed: %s", self.name, error, exc_info=not is_known)
            raise AbstractQAError(FAILED) from error

    def __call__(self, arguments: Mapping[str, Any] | Arguments) -> Any:
        """Return the result of `run` as JSON; raise what `run` raises."""
        return self.adapter.dump_python(self.run(arguments), mode="json")

    def as_function(self) -> Callable[..., Any]:
        """Return a function with these arguments, whose errors Gradio shows to the caller."""
        named = inspect.signature(self.arguments).parameters.values()
        signature = inspect.Signature(
            [each.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD) for each in named],
            return_annotation=list[Any] if self.name == "search" else dict[str, Any],
        )

        def call(*values: Any, **more: Any) -> Any:
            try:
                return self(signature.bind_partial(*values, **more).arguments)
            except AbstractQAError as error:
                raise gr.Error(one_line(str(error)), print_exception=False) from error

        call.__name__, call.__doc__ = self.name, self.description
        call.__signature__ = signature  # type: ignore[attr-defined]
        call.__annotations__ = {each.name: each.annotation for each in named}
        return call


def add_endpoints(site: Site) -> None:
    """Add the endpoints to the page being built; nothing else of the page is public."""
    for name, endpoint in Programs(site).endpoints.items():
        described = endpoint.description
        api(endpoint.as_function(), api_name=name, api_description=described, **LIMITED)


def add_routes(app: FastAPI, programs: Programs) -> None:
    """Add the endpoints to an application; each error is answered with one line."""
    for name, endpoint in programs.endpoints.items():
        app.post(
            f"/api/{name}",
            name=name,
            description=endpoint.description,
            response_model=endpoint.returned,  # only for the schema: the response is sent as it is
        )(_handler(endpoint, programs))

    def shared(secret: str) -> Response:
        """Answer with a read-only page that a visitor shares; it contains no script."""
        found = programs.site.archive.shared(secret)
        if found is None:
            message = "There is nothing here: the link was withdrawn or mistyped."
            return PlainTextResponse(message, 404)
        headers = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
        return HTMLResponse(export(found, "html").text, headers=headers)

    if programs.site.settings.share_links:
        app.get("/shared/{secret}", include_in_schema=False)(shared)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(AbstractQAError)(_failed)


def _handler(endpoint: Endpoint, programs: Programs) -> Callable[..., Any]:
    media = "text/event-stream"
    streamed = Endpoint(programs.ask_events) if endpoint.name == "ask" else None

    async def handle(arguments: Arguments, request: Request) -> Response:
        if streamed and media in request.headers.get("accept", ""):
            events = await programs.run(streamed.run, arguments)
            return StreamingResponse(_limited(events, programs.limiter), media_type=media)
        return JSONResponse(await programs.run(endpoint, arguments))

    # FastAPI takes the model of the request from here.
    handle.__annotations__["arguments"] = endpoint.arguments
    return handle


async def _limited(events: Iterator[Any], limiter: anyio.CapacityLimiter) -> AsyncIterator[str]:
    """Stream events as text; the stream counts as one of the questions answered at once."""
    try:
        async with limiter:
            async for event in iterate_in_threadpool(events):
                if isinstance(event, Finished):
                    yield _event("answer", event.answer.model_dump(mode="json"))
                elif hasattr(event, "text"):
                    kind = "progress" if isinstance(event, Progress) else "delta"
                    yield _event(kind, {"text": event.text})
    except InputError as error:
        yield _event("error", {"detail": one_line(str(error))})
    except Exception:  # noqa: BLE001 - after the start only the stream can report it
        _log.exception("a stream of an answer failed")
        yield _event("error", {"detail": FAILED})


def _event(kind: str, data: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _invalid(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    errors = [{**each, "loc": each["loc"][1:]} for each in found]  # without the leading "body"
    return JSONResponse({"detail": what_is_wrong(errors)}, 422)


async def _failed(_: Request, error: Exception) -> Response:
    status = 422 if isinstance(error, InputError) else 500
    return JSONResponse({"detail": one_line(str(error))}, status)


def what_is_wrong(errors: Sequence[Mapping[str, Any]]) -> str:
    """Describe the first validation error in one line, without the input."""
    first = errors[0]
    where = ".".join(str(step) for step in first["loc"] if "[" not in str(step))
    message = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
    return f"{where}: {message}" if where else message


_INSTRUCTIONS = (
    "Answers from an index of paper abstracts. Every claim of an answer is tied to the sentence of"
    " an abstract that it rests on: keep the citations when you pass an answer on. If the status is"
    " insufficient_evidence, the abstracts do not say; do not fill the gap from elsewhere."
)


class McpTools:
    """The endpoints of a site as tools of the Model Context Protocol, over streamable HTTP.

    This uses the protocol's own library, not Gradio's wrapper around it: that returns results as
    the Python text of a dictionary, has no login, and serves more than these tools.
    """

    _manager: StreamableHTTPSessionManager  # bound to one event loop, that of `lifespan`

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._server: Server[Any] = Server("AbstractQA", instructions=_INSTRUCTIONS)
        self._server.list_tools()(self._list)  # type: ignore[no-untyped-call]
        # The endpoint validates, in one line.
        self._server.call_tool(validate_input=False)(self._call)
        self.routes = [Route(path, self, methods=None) for path in (MCP_PATH, f"{MCP_PATH}/")]

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Run the session manager while the server runs."""
        self._manager = StreamableHTTPSessionManager(
            self._server, stateless=True, json_response=True
        )
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._manager.handle_request(scope, receive, send)

    async def _list(self) -> list[types.Tool]:
        return [_tool(endpoint) for endpoint in self._programs.endpoints.values()]

    async def _call(self, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        endpoints = self._programs.endpoints
        try:
            if name not in endpoints:
                raise InputError(f"there is no tool {name!r}; use one of {', '.join(endpoints)}")
            found = await self._programs.run(endpoints[name], arguments)
        except AbstractQAError as error:
            message = types.TextContent(type="text", text=one_line(str(error)))
            return types.CallToolResult(content=[message], isError=True)
        found = found if isinstance(found, dict) else {"result": found}
        content = types.TextContent(type="text", text=json.dumps(found, ensure_ascii=False))
        return types.CallToolResult(content=[content], structuredContent=found)


def _tool(endpoint: Endpoint) -> types.Tool:
    schema = endpoint.adapter.json_schema(mode="serialization")
    if schema.get("type") == "array":  # a structured result must be an object
        rest = {"$defs": schema.pop("$defs", {}), "required": ["result"]}
        schema = {"type": "object", "properties": {"result": schema}, **rest}
    return types.Tool(
        name=endpoint.name,
        description=endpoint.description,
        inputSchema=endpoint.arguments.model_json_schema(),
        outputSchema=schema,
        annotations=types.ToolAnnotations(readOnlyHint=True, openWorldHint=False),
    )

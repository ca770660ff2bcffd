"""The public endpoints as tools of a Model Context Protocol server, over streamable HTTP.

Made with the protocol's own library, not with Gradio's wrapper around it: that one gives results as
Python's text for a dictionary, knows no login, and serves more than these tools.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from index.errors import AbstractQAError, InputError
from ui.web.api import Endpoint, Programs, one_line
from ui.web.site import Site

PATH = "/mcp"
"""Where the server is, below the page's address."""

_INSTRUCTIONS = (
    "Answers from an index of paper abstracts. Every claim of an answer is tied to the sentence of"
    " an abstract that it rests on: keep the citations when you pass an answer on. If the status is"
    " insufficient_evidence, the abstracts do not say; do not fill the gap from elsewhere."
)


class McpTools:
    """The tools of a site, to be served with its page.

    Args:
        site: What answers.
    """

    AT_ONCE = 4
    """Calls answered at the same time, beside those of the page."""
    WAITING = 16
    """Calls that may wait; beyond that a call is told that all are busy."""

    # Both belong to one event loop, that of `lifespan`.
    _manager: StreamableHTTPSessionManager
    _limiter: anyio.CapacityLimiter

    def __init__(self, site: Site) -> None:
        self._endpoints = {endpoint.name: endpoint for endpoint in Programs(site).endpoints()}
        server: Server[Any] = Server("AbstractQA", instructions=_INSTRUCTIONS)
        server.list_tools()(self._list)  # type: ignore[no-untyped-call]
        server.call_tool(validate_input=False)(self._call)  # told by the endpoint, in one line
        self._server = server
        self.routes = [Route(path, self, methods=None) for path in (PATH, f"{PATH}/")]

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Serve from here on."""
        self._manager = StreamableHTTPSessionManager(
            self._server, stateless=True, json_response=True
        )
        self._limiter = anyio.CapacityLimiter(self.AT_ONCE)
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._manager.handle_request(scope, receive, send)

    async def _list(self) -> list[types.Tool]:
        return [_tool(endpoint) for endpoint in self._endpoints.values()]

    async def _call(self, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        try:
            found = await self._result(name, arguments)
        except AbstractQAError as error:
            told = types.TextContent(type="text", text=one_line(error))
            return types.CallToolResult(content=[told], isError=True)
        content = types.TextContent(type="text", text=json.dumps(found, ensure_ascii=False))
        return types.CallToolResult(content=[content], structuredContent=found)

    async def _result(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            raise InputError(f"there is no tool {name!r}; there are {', '.join(self._endpoints)}")
        if self._limiter.statistics().tasks_waiting >= self.WAITING:
            raise AbstractQAError("busy, try again: too many questions are waiting")
        found = await anyio.to_thread.run_sync(endpoint, arguments, limiter=self._limiter)
        return _as_object(found)


def _tool(endpoint: Endpoint) -> types.Tool:
    schema = endpoint.output_schema
    if schema.get("type") == "array":
        definitions = schema.pop("$defs", {})
        schema = {
            "type": "object",
            "properties": {"result": schema},
            "required": ["result"],
            "$defs": definitions,
        }
    return types.Tool(
        name=endpoint.name,
        description=endpoint.description,
        inputSchema=endpoint.arguments.model_json_schema(),
        outputSchema=schema,
        annotations=types.ToolAnnotations(readOnlyHint=True, openWorldHint=False),
    )


def _as_object(found: Any) -> dict[str, Any]:
    """What MCP takes as a structured result: a list stands under "result"."""
    return found if isinstance(found, dict) else {"result": found}

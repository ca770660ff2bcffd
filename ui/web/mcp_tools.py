"""Serve the public endpoints as tools of the Model Context Protocol, over streamable HTTP.

This uses the protocol's own library, not Gradio's wrapper around it: that returns results as the
Python text of a dictionary, has no login, and serves more than these tools.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from index.errors import AbstractQAError, InputError
from ui.export.answer_text import one_line
from ui.web.api import Endpoint, Programs

PATH = "/mcp"
"""The path of the server, below the page's address."""

_INSTRUCTIONS = (
    "Answers from an index of paper abstracts. Every claim of an answer is tied to the sentence of"
    " an abstract that it rests on: keep the citations when you pass an answer on. If the status is"
    " insufficient_evidence, the abstracts do not say; do not fill the gap from elsewhere."
)


class McpTools:
    """The endpoints of a site as MCP tools, served with its page."""

    _manager: StreamableHTTPSessionManager  # bound to one event loop, that of `lifespan`

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        server: Server[Any] = Server("AbstractQA", instructions=_INSTRUCTIONS)
        server.list_tools()(self._list)  # type: ignore[no-untyped-call]
        server.call_tool(validate_input=False)(self._call)  # the endpoint validates, in one line
        self._server = server
        self.routes = [Route(path, self, methods=None) for path in (PATH, f"{PATH}/")]

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

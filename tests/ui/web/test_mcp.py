"""The public endpoints as MCP tools, used by the protocol's own client."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import browsing
import httpx
import pytest
from browsing import in_a_loop
from jsonschema import Draft202012Validator
from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import Tool

from ui.web.api import ARGUMENTS, ENDPOINTS
from ui.web.mcp_tools import PATH
from ui.web.site import Site

T = TypeVar("T")


@pytest.fixture(scope="module")
def served(site: Site) -> Iterator[str]:
    """Where a page with its tools is served."""
    with browsing.served(site, mcp=True) as address:
        yield address


def session(address: str, use: Callable[[ClientSession], Awaitable[T]]) -> T:
    """Open a session, use it, close it."""

    async def run() -> T:
        async with (
            streamable_http_client(address + PATH) as (reading, writing, _),
            ClientSession(reading, writing) as opened,
        ):
            await opened.initialize()
            return await use(opened)

    return in_a_loop(run())


def test_a_client_finds_these_four_tools_and_nothing_else(served: str) -> None:
    async def look(opened: ClientSession) -> list[Tool]:
        for ask in (opened.list_prompts, opened.list_resources, opened.list_resource_templates):
            with pytest.raises(McpError, match="Method not found"):
                await ask()
        return (await opened.list_tools()).tools

    tools = session(served, look)
    assert [tool.name for tool in tools] == list(ENDPOINTS)
    for tool in tools:
        assert len(tool.description or "") > 40
        assert tuple(tool.inputSchema["properties"]) == tuple(ARGUMENTS[tool.name].model_fields)
        assert all("description" in each for each in tool.inputSchema["properties"].values())
        for schema in (tool.inputSchema, tool.outputSchema):
            Draft202012Validator.check_schema(schema)
        assert tool.annotations.readOnlyHint is True
    for path in ("mcp/sse", "gradio_api/mcp/", "gradio_api/mcp/sse", "gradio_api/mcp/schema"):
        assert httpx.get(f"{served}/{path}").status_code == 404


def test_every_tool_answers_by_its_schema_and_with_the_same_as_text(served: str) -> None:
    # The client checks the structured result against the tool's schema once it has the list.
    async def use(opened: ClientSession) -> None:
        await opened.list_tools()
        for tool, arguments in {
            "ask": {"question": "How many tasks has OSWorld?"},
            "search": {"query": "web agents", "limit": 2},
            "papers": {"title": "agent"},
            "table": {"question": "GUI agents", "columns": ["method"]},
        }.items():
            result = await opened.call_tool(tool, arguments)
            assert (result.isError, bool(result.structuredContent)) == (False, True)
            (text,) = result.content
            assert json.loads(text.text) == result.structuredContent

    session(served, use)


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("ask", {}, "question: field required"),
        ("ask", {"question": "a", "digests": ["none such"]}, "unknown digest 'none such'"),
        ("papers", {"bogus": 1}, "bogus: extra inputs are not permitted"),
        ("lambda", {}, "there is no tool 'lambda'; use one of ask, search, papers, table"),
    ],
)
def test_mistakes_are_told(served: str, tool: str, arguments: dict[str, Any], told: str) -> None:
    result = session(served, lambda opened: opened.call_tool(tool, arguments))
    assert result.isError is True
    (text,) = result.content
    assert told in text.text
    assert "\n" not in text.text

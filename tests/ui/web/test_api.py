"""The four public endpoints as programs call them, MCP tools too; read-only pages to share."""

import json
import re
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from browsing import QUESTION, in_a_loop, served, site_of
from gradio_client import Client
from gradio_client.exceptions import AppError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import Tool

from index.errors import AbstractQAError
from index.papers import Paper
from rag import Assistant
from rag.schema import Answer, Hit
from rag.tables import Table
from ui.archive import Turn
from ui.web.accounts import Accounts, add
from ui.web.api import ENDPOINTS, MCP_PATH, Endpoint, Programs
from ui.web.limits import LIMITS
from ui.web.site import Site

T = TypeVar("T")
ME = "cookie me"
TOO_LARGE = {"fn_index": 0, "data": ["x" * LIMITS.call, *[None] * 10]}
PARAMETERS = {
    name: tuple(Endpoint(getattr(Programs, name)).arguments.model_fields) for name in ENDPOINTS
}


def posted(address: str, path: str, body: object) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    return httpx.post(f"{address}{path}", content=content, headers=headers, timeout=20)


def call(address: str, name: str, **arguments: object) -> Any:
    return posted(address, f"/api/{name}", arguments).raise_for_status().json()


@pytest.fixture(scope="module")
def endpoints(site: Site) -> dict[str, Endpoint]:
    return Programs(site).endpoints


def test_the_public_list_is_these_four_endpoints_and_gradio_client_calls_them(address: str) -> None:
    client = Client(address, verbose=False, analytics_enabled=False)
    api = client.view_api(return_format="dict", print_info=False)
    assert api["unnamed_endpoints"] == {}
    listed = {
        name.removeprefix("/"): tuple(each["parameter_name"] for each in endpoint["parameters"])
        for name, endpoint in api["named_endpoints"].items()
    }
    assert listed == PARAMETERS
    assert all(endpoint["description"] for endpoint in api["named_endpoints"].values())
    found = client.predict(QUESTION, sources=1, api_name="/ask")
    assert "369" in Answer.model_validate(found).text
    with pytest.raises(AppError, match="at most 4,000"):
        client.predict("x" * 5_000, api_name="/ask")
    client.close()


def test_the_documentation_lists_each_endpoint_with_its_arguments_and_its_python_runs(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `/(\w+)` \| (.*?) \|", text, re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", given)) for name, given in rows} == PARAMETERS
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    quiet = f'"{address}", verbose=False, analytics_enabled=False'
    exec(code.replace('"http://127.0.0.1:7860"', quiet), names)
    assert "369" in capsys.readouterr().out
    assert len(names["hits"]) == 3
    assert names["page"]["total"] == len(names["page"]["papers"]) > 0
    assert names["table"]["columns"] == ["method", "result"]
    names["client"].close()


def test_arguments_bind(address: str, site: Site) -> None:
    found = call(address, "ask", question=QUESTION, sources=1)
    answer = Answer.model_validate(found)
    assert any("369" in passage.text for r in answer.references for passage in r.passages)
    assert len(answer.references) == 1
    found = call(address, "search", query="benchmarks", limit=5, title="WORLD")
    titles = [Hit.model_validate(hit).paper.title.lower() for hit in found]
    assert titles
    assert all("world" in title for title in titles)
    paper = next(p for p in site.assistant.papers() if p.title.startswith("OSWorld"))
    found = call(address, "table", question="agents", columns=["result"], papers=[paper.id])
    (row,) = Table.model_validate(found).rows
    assert row.paper.id == paper.id
    assert row.cells[0].text is not None
    # A follow-up resolves against the history, and what its answers cite.
    cited = call(address, "ask", question="Which benchmarks are there?")["references"]
    ids = [reference["paper"]["id"] for reference in cited]
    history = [
        {"role": "user", "content": "Which are there?"},
        {"role": "assistant", "content": "Two.", "references": ids[:2]},
    ]
    found = call(address, "ask", question="What does the second paper do?", history=history)
    assert found["references"][0]["paper"]["id"] == ids[1]


def test_papers_come_newest_first_in_pages(address: str, site: Site) -> None:
    pages = [call(address, "papers", limit=20, offset=at) for at in (0, 20, 40, 60)]
    papers = [Paper.model_validate(paper) for page in pages for paper in page["papers"]]
    assert {page["total"] for page in pages} == {len(site.assistant.papers())}
    assert {paper.id for paper in papers} == {paper.id for paper in site.assistant.papers()}
    days = [max(source.date for source in paper.sources if source.date) for paper in papers]
    assert days == sorted(days, reverse=True)
    assert len(papers) == len({paper.id for paper in papers})


def test_an_answer_comes_as_events_to_whoever_accepts_them(address: str) -> None:
    sent = {"question": QUESTION}
    headers = {"Accept": "text/event-stream"}
    told = httpx.post(f"{address}/api/ask", json=sent, headers=headers, timeout=20).text
    events = re.findall(r"^event: (.*)\ndata: (.*)$", told, re.MULTILINE)
    assert events[0][0] == "progress"
    kind, data = events[-1]
    assert kind == "answer"
    assert "369" in Answer.model_validate_json(data).text


def test_the_addresses_are_described(address: str) -> None:
    described = httpx.get(f"{address}/api/openapi.json").json()
    assert set(described["paths"]) == {f"/api/{name}" for name in ENDPOINTS}
    sent = described["components"]["schemas"]["AskArguments"]
    assert tuple(sent["properties"]) == PARAMETERS["ask"]
    assert sent["required"] == ["question"]
    for reference in re.findall(r'"\$ref": "#([^"]*)"', json.dumps(described)):
        found = described
        for step in reference.strip("/").split("/"):
            found = found[step]


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("/api/ask", {}, 422, "question: field required"),
        ("/api/ask", {"question": ""}, 422, "the question is empty"),
        ("/api/ask", {"question": "a", "bogus": 1}, 422, "bogus: extra inputs are not permitted"),
        ("/api/ask", {"question": "a", "digests": ["none"]}, 422, "unknown digest"),
        ("/api/ask", {"question": "a", "sources": 21}, 422, "sources: input should be less"),
        ("/api/ask", {"question": "x" * LIMITS.call}, 413, "the request is too large"),
        ("/api/ask", b'{"question": ["\\ud800"]}', 422, "question: input should be"),
        ("/api/ask", b"{", 422, "json"),
        ("/api/ask", b"[" * 30_000 + b"]" * 30_000, 400, "parsing the body"),
        ("/api/search", {"query": "a", "limit": "3"}, 422, "limit: input should be a valid"),
        ("/gradio_api/queue/join", {"fn_index": 9_999, "data": []}, 422, "no such event"),
        ("/gradio_api/queue/join", {"fn_index": 0, "data": [1]}, 422, "no such event"),
        ("/gradio_api/queue/join", TOO_LARGE, 413, "the request is too large"),
        ("/api/ask", {"question": "a", "mode": "generative"}, 422, "needs a chat model"),
        ("/api/ask", {"question": "a", "model": "dear"}, 422, "there is no chat model 'dear'"),
        ("/api/ask", {"question": "a", "history": [{"role": "user"}]}, 422, "history.0.content"),
        ("/api/search", {"query": "a", "since": "yesterday"}, 422, "since 'yesterday' is not"),
        ("/api/papers", {"since": "2025-03-02", "until": "2025-03-01"}, 422, "is after until"),
        ("/api/table", {"question": "a", "columns": ["b", "B"]}, 422, "is repeated"),
        ("/api/table", {"question": "a", "papers": ["no such paper"]}, 422, "no such paper"),
    ],
)
def test_a_mistake_is_told(address: str, path: str, body: object, status: int, told: str) -> None:
    reply = posted(address, path, body)
    assert reply.status_code == status
    line = reply.json()["detail"]
    assert told in line.lower() if told == "json" else told in line
    assert "\n" not in line
    assert len(line) < 500


def test_an_event_of_the_browser_alone_is_none_for_the_server(address: str) -> None:
    events = httpx.get(f"{address}/config", timeout=5).json()["dependencies"]
    browser = [each for each in events if not each["backend_fn"]]
    assert browser
    for event in browser:
        sent = {"fn_index": event["id"], "data": [None] * len(event["inputs"])}
        for path in ("queue/join", "run/predict"):
            reply = posted(address, f"/gradio_api/{path}", sent)
            assert (reply.status_code, "no such event" in reply.text) == (422, True)


def test_files_are_taken_only_where_papers_may_be_added(address: str, site: Site) -> None:
    with served(replace(site, may_change=False)) as closed:
        for where, code in ((address, 200), (closed, 403)):
            sent = httpx.post(f"{where}/gradio_api/upload", files={"files": ("f.txt", b"x")})
            assert sent.status_code == code


def test_files_that_are_too_large_or_of_unknown_length_are_refused_at_once(address: str) -> None:
    url = f"{address}/gradio_api/upload"
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), 5) as sent:
        size = LIMITS.upload + 1
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n"
        sent.sendall(f"{head}\r\n".encode())
        assert b" 413 " in sent.recv(100)
    assert httpx.post(url, content=iter([b"x"]), timeout=5).status_code == 411


def test_no_handler_of_the_page_fetches_an_address_in_the_place_of_a_file(address: str) -> None:
    file = {"path": "http://127.0.0.1:9/secret", "meta": {"_type": "gradio.FileData"}}
    sent = json.dumps({"data": [[file]], "fn_index": 0, "session_hash": "s"})
    disguised = sent.replace("FileData", "FileDat\\u0061")  # however it is spelled
    for path in ("/gradio_api/queue/join", "/gradio_api/run/predict"):
        replies = [posted(address, path, body.encode()) for body in (sent, disguised)]
        replies.append(httpx.post(f"{address}{path}", content=disguised))
        for reply in replies:
            assert (reply.status_code, "must be uploaded" in reply.text) == (422, True)


_LONG = st.integers(19_990, 30_000).map(lambda size: "x" * size)
_TEXTS = st.text(max_size=30) | st.sampled_from(["Mar 14", "2025-03-14", "auto"]) | _LONG
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_anything_may_be_sent(data: st.DataObject, endpoints: dict[str, Endpoint]) -> None:
    name = data.draw(st.sampled_from(ENDPOINTS))
    names = st.sampled_from([*PARAMETERS[name], "bogus"])
    arguments = data.draw(st.dictionaries(names, _JSON, max_size=5))
    told = ""
    try:
        json.dumps(endpoints[name](arguments), allow_nan=False).encode()
    except AbstractQAError as error:
        told = str(error)
    assert len(told) < 1_000
    assert len(told.splitlines()) <= 1
    assert "something went wrong" not in told


# The same as MCP tools


@pytest.fixture(scope="module")
def tools(site: Site) -> Iterator[str]:
    """Where a page with its tools is served."""
    with served(site, mcp=True) as address:
        yield address


def session(address: str, use: Callable[[ClientSession], Awaitable[T]]) -> T:
    async def run() -> T:
        async with (
            streamable_http_client(address + MCP_PATH) as (reading, writing, _),
            ClientSession(reading, writing) as opened,
        ):
            await opened.initialize()
            return await use(opened)

    return in_a_loop(run())


def test_a_client_finds_these_four_tools_and_nothing_else(tools: str) -> None:
    async def look(opened: ClientSession) -> list[Tool]:
        for ask in (opened.list_prompts, opened.list_resources, opened.list_resource_templates):
            with pytest.raises(McpError, match="Method not found"):
                await ask()
        return (await opened.list_tools()).tools

    found = session(tools, look)
    assert [tool.name for tool in found] == list(ENDPOINTS)
    for tool in found:
        assert len(tool.description or "") > 40
        assert tuple(tool.inputSchema["properties"]) == PARAMETERS[tool.name]
        assert all("description" in each for each in tool.inputSchema["properties"].values())
        for schema in (tool.inputSchema, tool.outputSchema):
            Draft202012Validator.check_schema(schema)
        assert tool.annotations.readOnlyHint is True
    for path in ("mcp/sse", "gradio_api/mcp/", "gradio_api/mcp/sse", "gradio_api/mcp/schema"):
        assert httpx.get(f"{tools}/{path}").status_code == 404


def test_every_tool_answers_by_its_schema_and_with_the_same_as_text(tools: str) -> None:
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

    session(tools, use)


def test_a_tool_tells_mistakes(tools: str) -> None:
    for tool, arguments, told in (
        ("ask", {"question": "a", "digests": ["none such"]}, "unknown digest 'none such'"),
        ("papers", {"bogus": 1}, "bogus: extra inputs are not permitted"),
        ("lambda", {}, "there is no tool 'lambda'; use one of ask, search, papers, table"),
    ):
        result = session(tools, partial(ClientSession.call_tool, name=tool, arguments=arguments))
        (text,) = result.content
        assert (result.isError, text.text) == (True, text.text.replace("\n", ""))
        assert told in text.text


# Pages to share


@pytest.mark.parametrize("may_share", [True, False])
def test_who_has_the_link_reads_the_answer_without_a_login_until_it_is_withdrawn(
    sample_assistant: Assistant, tmp_path: Path, may_share: bool
) -> None:
    add(tmp_path / "people", "ada", "a long password")
    open_to_all = site_of(sample_assistant, tmp_path, share_links=may_share)
    site = replace(open_to_all, accounts=Accounts(tmp_path / "people"))
    archive = site.archive
    id_ = archive.begin(ME, QUESTION).id
    turn = Turn(question=QUESTION, answer=sample_assistant.ask(QUESTION, mode="extractive"))
    archive.put(ME, id_, turn)
    secret = archive.share(ME, id_, turn.id, is_alone=False)
    with served(site) as address, httpx.Client(base_url=address) as client:
        assert client.get("/api/papers").status_code == 401
        if not may_share:
            assert client.get(f"/shared/{secret}").status_code in (401, 404)
            return
        shown = client.get(f"/shared/{secret}")
        assert shown.status_code == 200
        assert "369 tasks" in shown.text
        assert "<script" not in shown.text
        assert "default-src 'none'" in shown.text
        assert shown.headers["referrer-policy"] == "no-referrer"
        assert shown.headers["cache-control"] == "no-store"
        from_elsewhere = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        assert client.get(f"/shared/{secret}", headers=from_elsewhere).status_code == 200
        for other in (f"{secret}x", "unknown", id_):
            assert client.get(f"/shared/{other}").status_code == 404
        archive.unshare(ME, id_)
        assert client.get(f"/shared/{secret}").status_code == 404

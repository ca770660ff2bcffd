"""The four public endpoints, as programs call them: by gradio_client and over bare HTTP."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import AbstractQAError
from index.papers import Paper
from rag.schema import Answer, Hit
from rag.tables.table import Table
from ui.web.api import ENDPOINTS, Endpoint, Programs, parameters
from ui.web.calls import LARGEST_BODY
from ui.web.site import Site

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "api.md"


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    calling = Client(address, verbose=False, analytics_enabled=False)
    yield calling
    calling.close()


@pytest.fixture(scope="module")
def endpoints(site: Site) -> dict[str, Endpoint]:
    return {endpoint.name: endpoint for endpoint in Programs(site).endpoints()}


def called(address: str, path: str, body: object) -> tuple[str, Any]:
    """Call an endpoint over bare HTTP: "complete" with its result, or what the mistake is."""
    base = f"{address}/gradio_api/call"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    begun = httpx.post(f"{base}/{path}", content=content, headers=headers, timeout=20)
    if begun.status_code != 200:
        return str(begun.status_code), begun.json()["detail"]
    told = httpx.get(
        f"{base}/{path.removeprefix('v2/')}/{begun.json()['event_id']}", timeout=20
    ).text
    kind, data = re.findall(r"^(?:event|data): (.*)$", told, re.MULTILINE)[-2:]
    return kind, json.loads(data)


def test_the_public_list_is_these_four_endpoints(client: Client) -> None:
    api = client.view_api(return_format="dict", print_info=False)
    assert api["unnamed_endpoints"] == {}
    listed = {
        name: [(p["parameter_name"], p["parameter_default"]) for p in endpoint["parameters"]]
        for name, endpoint in api["named_endpoints"].items()
    }
    none: list[tuple[str, object]] = [
        (name, None) for name in ("digests", "since", "until", "title")
    ]
    assert listed == {
        "/ask": [
            ("question", None),
            ("history", None),
            *none,
            ("mode", "auto"),
            ("model", None),
            ("sources", None),
            ("strictness", "normal"),
        ],
        "/search": [("query", None), ("limit", 10), *none],
        "/papers": [*none, ("limit", 20), ("offset", 0)],
        "/table": [
            ("question", None),
            ("columns", None),
            ("papers", None),
            ("limit", 8),
            ("mode", "auto"),
            *none,
        ],
    }
    assert all(endpoint["description"] for endpoint in api["named_endpoints"].values())


def test_the_documentation_lists_each_endpoint_with_its_arguments() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `/(\w+)` \| (.*?) \|", text, re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", given)) for name, given in rows} == parameters()


def test_the_documented_python_runs(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    quiet = f'"{address}", verbose=False, analytics_enabled=False'
    exec(code.replace('"http://127.0.0.1:7860"', quiet), names)
    assert "369" in capsys.readouterr().out
    assert len(names["hits"]) == 3
    assert names["page"]["total"] == len(names["page"]["papers"]) > 0
    assert names["table"]["columns"] == ["method", "result"]
    names["client"].close()


def test_ask_returns_an_answer(client: Client) -> None:
    found = client.predict("How many tasks does OSWorld have?", sources=1, api_name="/ask")
    answer = Answer.model_validate(found)
    assert any("369" in passage.text for r in answer.references for passage in r.passages)
    assert len(answer.references) == 1


def test_search_returns_hits_that_pass_the_filters(client: Client) -> None:
    found = client.predict("benchmarks", limit=5, title="WORLD", api_name="/search")
    hits = [Hit.model_validate(hit) for hit in found]
    assert hits
    assert all("world" in hit.paper.title.lower() for hit in hits)


def test_papers_come_newest_first_in_pages(client: Client, site: Site) -> None:
    pages = [client.predict(limit=20, offset=at, api_name="/papers") for at in (0, 20, 40, 60)]
    papers = [Paper.model_validate(paper) for page in pages for paper in page["papers"]]
    assert {page["total"] for page in pages} == {len(site.assistant.papers())}
    assert {paper.id for paper in papers} == {paper.id for paper in site.assistant.papers()}
    days = [max(source.date for source in paper.sources if source.date) for paper in papers]
    assert days == sorted(days, reverse=True)
    assert len(papers) == len({paper.id for paper in papers})


def test_table_returns_quotes_of_the_named_papers(client: Client, site: Site) -> None:
    paper = next(p for p in site.assistant.papers() if p.title.startswith("OSWorld"))
    found = client.predict("agents", ["result"], [paper.id], api_name="/table")
    (row,) = Table.model_validate(found).rows
    assert row.paper.id == paper.id
    assert row.cells[0].text is not None


@pytest.mark.parametrize(
    ("endpoint", "arguments", "told"),
    [
        ("ask", {"question": ""}, "the question is empty"),
        ("ask", {"question": "x" * 5_000}, "at most 4,000"),
        ("ask", {"question": "x" * 30_000}, "at most 20000 characters"),
        ("ask", {"question": "a", "digests": ["no such digest"]}, "unknown digest"),
        ("ask", {"question": "a", "mode": "generative"}, "needs a chat model"),
        ("ask", {"question": "a", "model": "dear"}, "there is no chat model 'dear'"),
        ("ask", {"question": "a", "history": [{"role": "user"}]}, "history.0.content"),
        ("ask", {"question": "a", "sources": 21}, "sources: input should be less"),
        ("search", {"query": "a", "since": "yesterday"}, "since 'yesterday' is not a date"),
        ("search", {"query": "a", "limit": "3"}, "limit: input should be a valid integer"),
        ("papers", {"since": "2025-03-02", "until": "2025-03-01"}, "is after until"),
        ("papers", {"offset": -1}, "offset: input should be greater"),
        ("table", {"question": "a", "columns": ["b", "B"]}, "is there twice"),
        ("table", {"question": "a", "papers": ["no such paper"]}, "no such paper"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    client: Client, endpoint: str, arguments: dict[str, Any], told: str
) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(**arguments, api_name=f"/{endpoint}")
    (line,) = str(caught.value).splitlines()
    assert told in line
    assert len(line) < 500


def test_a_call_may_leave_arguments_out(address: str) -> None:
    for path, body in (
        ("ask", {"data": ["What is OSWorld?"]}),
        ("v2/ask", {"question": "What is OSWorld?"}),
        ("ask", {"data": ["What is OSWorld?", None, None, None, None, None, None]}),
    ):
        kind, found = called(address, path, body)
        assert kind == "complete", found
        assert Answer.model_validate(found[0]).status == "answered"


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("ask", {"data": []}, "question: missing required argument"),
        ("ask", {"data": ["a"] * 11}, "/ask has 10 arguments, not 11"),
        ("ask", {"data": "a"}, 'needs "data"'),
        ("ask", [], "not a JSON object"),
        ("ask", b"{", "not JSON"),
        ("ask", b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON"),
        ("v2/ask", {"question": "a", "bogus": 1}, "/ask has no argument 'bogus'; it has question"),
        ("v2/respond", {}, "there is no endpoint /respond; there are /ask, /search"),
        ("ask", {"data": ["x" * LARGEST_BODY]}, "the request is too large"),
        (
            "ask",
            {"data": [{"path": "https://example.org/", "meta": {"_type": "gradio.FileData"}}]},
            "a file can only be uploaded",
        ),
        ("ask", b'{"data": ["\\ud800"]}', "question: input should be a valid string"),
    ],
)
def test_over_bare_http_a_mistake_is_told_in_one_line(
    address: str, path: str, body: object, told: str
) -> None:
    kind, found = called(address, path, body)
    line = found["error"] if kind == "error" else found
    assert told in line
    assert "\n" not in line


def test_no_handler_of_the_page_fetches_an_address_in_the_place_of_a_file(address: str) -> None:
    file = {"path": "http://127.0.0.1:9/secret", "meta": {"_type": "gradio.FileData"}}
    sent = json.dumps({"data": [[file]], "fn_index": 0, "session_hash": "s"})
    for path in ("queue/join", "run/predict"):
        # However it is spelled.
        disguised = sent.replace("FileData", "FileDat\\u0061")
        for body in (sent, disguised):
            headers = {"Content-Type": "application/json"}
            reply = httpx.post(f"{address}/gradio_api/{path}", content=body, headers=headers)
            assert (reply.status_code, "only be uploaded" in reply.text) == (422, True)
        reply = httpx.post(f"{address}/gradio_api/{path}", content=disguised)
        assert (reply.status_code, "only be uploaded" in reply.text) == (422, True)


_LONG = st.integers(19_990, 30_000).map(lambda size: "x" * size)
_TEXTS = st.text(max_size=30) | st.sampled_from(["Mar 14", "2025-03-14", "auto"]) | _LONG
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_comes_gives_a_result_or_one_line(
    data: st.DataObject, endpoints: dict[str, Endpoint]
) -> None:
    name = data.draw(st.sampled_from(ENDPOINTS))
    names = st.sampled_from([*parameters()[name], "bogus"])
    arguments = data.draw(st.dictionaries(names, _JSON, max_size=5))
    told = ""
    try:
        json.dumps(endpoints[name](arguments), allow_nan=False).encode()
    except AbstractQAError as error:
        told = str(error)
    assert len(told) < 1_000
    assert len(told.splitlines()) <= 1
    assert "something went wrong" not in told

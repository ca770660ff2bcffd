"""The page over HTTP, as programs see it: its public endpoint, its headers, its limits."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from index.errors import InputError
from rag import Assistant
from rag.schema import Answer
from ui.web.app import build
from ui.web.chat import Chat, conversation, message_text
from ui.web.page import examples
from ui.web.render import answer_html, problem_html, question_html
from ui.web.server import launch


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    with_client = Client(address, verbose=False, analytics_enabled=False)
    yield with_client
    with_client.close()


def test_only_ask_is_public(client: Client) -> None:
    api = client.view_api(return_format="dict", print_info=False)
    assert list(api["named_endpoints"]) == ["/ask"]
    assert api["unnamed_endpoints"] == {}
    names = [p["parameter_name"] for p in api["named_endpoints"]["/ask"]["parameters"]]
    assert names == ["question", "history", "digests"]


def test_ask_returns_the_answer_of_the_schema(client: Client) -> None:
    found = client.predict("How many tasks does OSWorld have?", api_name="/ask")
    answer = Answer.model_validate(found)
    assert answer.status == "answered"
    assert any("369" in passage.text for r in answer.references for passage in r.passages)


@pytest.mark.parametrize("parts", [False, True])
def test_a_follow_up_resolves_against_the_history(client: Client, parts: bool) -> None:
    said = ["What is OSWorld?", "OSWorld is a benchmark of 369 computer tasks. [1]"]
    history: list[dict[str, Any]] = [
        {"role": role, "content": [{"type": "text", "text": text}] if parts else text}
        for role, text in zip(("user", "assistant"), said, strict=True)
    ]
    found = client.predict("How well do people do on it?", history, [], api_name="/ask")
    answer = Answer.model_validate(found)
    assert answer.references[0].paper.title.startswith("OSWorld")


def test_a_digest_limits_what_may_answer(client: Client, sample_assistant: Assistant) -> None:
    name = sample_assistant.digests()[0].name
    found = client.predict("Which papers are about agents?", [], [name], api_name="/ask")
    for reference in Answer.model_validate(found).references:
        assert name in {source.name for source in reference.paper.sources}


@pytest.mark.parametrize(
    ("question", "digests"),
    [("", []), ("x" * 100_000, []), ("What is OSWorld?", ["no such digest"])],
)
def test_a_mistake_is_told_in_one_line(client: Client, question: str, digests: list[str]) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(question, [], digests, api_name="/ask")
    assert "Traceback" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_every_response_holds_the_page_to_this_server(address: str) -> None:
    for path in ("/", "/config", "/theme.css", "/no-such-page"):
        try:
            response = urlopen(address + path)
        except HTTPError as error:
            response = error
        with response:
            policy = response.headers["Content-Security-Policy"]
        assert "connect-src 'self'" in policy
        assert "img-src 'self' data: blob:" in policy


def test_nothing_on_the_page_is_loaded_from_elsewhere(address: str) -> None:
    config = json.load(urlopen(address + "/config"))
    assert config["analytics_enabled"] is False
    assert not any("//" in sheet for sheet in config["stylesheets"])


def test_monitoring_is_off(address: str) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(address + "/monitoring")
    caught.value.close()


def test_files_are_not_taken(address: str) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\n'
    body += b"x\r\n--b--\r\n"
    upload = Request(
        address + "/gradio_api/upload", body, {"Content-Type": "multipart/form-data; boundary=b"}
    )
    with pytest.raises(HTTPError) as caught:
        urlopen(upload)
    assert caught.value.code == 403
    caught.value.close()


def test_a_taken_port_is_one_clear_line(sample_assistant: Assistant) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} on 127.0.0.1: .* give another --port"):
            launch(build(sample_assistant), "127.0.0.1", port)


def test_the_page_streams_messages_and_then_sources(sample_assistant: Assistant) -> None:
    updates = list(Chat(sample_assistant).respond("How many tasks does OSWorld have?", [], [], []))
    box, messages, *_ = updates[0]
    assert box == ""
    assert message_text(messages[0]["content"]) == question_html(
        "How many tasks does OSWorld have?"
    )
    _, messages, panel, sections = updates[-1]
    assert 'href="#source-1-1-' in messages[-1]["content"]
    assert 'id="source-1-1"' in panel
    assert [section.turn for section in sections] == [1]


def test_an_answer_that_is_there_at_once_is_drawn_once(
    sample_assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.web.chat.SECONDS_BETWEEN_UPDATES", 60)
    updates = list(Chat(sample_assistant).respond("How many tasks does OSWorld have?", [], [], []))
    assert len(updates) == 2


def test_a_mistake_becomes_a_message_and_the_question_stays(sample_assistant: Assistant) -> None:
    question = "x" * 100_000
    box, messages, *_ = list(Chat(sample_assistant).respond(question, [], [], []))[-1]
    assert box == question
    assert "4,000" in messages[-1]["content"]
    assert "Traceback" not in messages[-1]["content"]


def test_a_blank_question_does_nothing(sample_assistant: Assistant) -> None:
    (update,) = Chat(sample_assistant).respond("  \n", [], [], [])
    assert all(isinstance(value, dict) and value["__type__"] == "update" for value in update)


def test_the_history_is_plain_text_without_failed_turns(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask("How many tasks does OSWorld have?")
    messages = [
        {"role": "user", "content": [{"type": "text", "text": question_html("a <b> & c?")}]},
        {"role": "assistant", "content": problem_html("the question is too long")},
        {"role": "user", "content": question_html("How many tasks does OSWorld have?")},
        {"role": "assistant", "content": [{"type": "text", "text": answer_html(answer, 2)}]},
        {"role": "user", "content": "typed by a program"},
    ]
    told = conversation(messages)
    assert [turn["role"] for turn in told] == ["user", "assistant", "user"]
    assert told[0]["content"] == "How many tasks does OSWorld have?"
    assert "[1]" in told[1]["content"]
    assert "<" not in told[1]["content"]
    assert told[2]["content"] == "typed by a program"


def test_the_second_paper_is_the_one_with_that_number_on_the_page(
    sample_assistant: Assistant,
) -> None:
    chat = Chat(sample_assistant)
    _, messages, _, sections = list(
        chat.respond("Which papers are about model merging?", [], [], [])
    )[-1]
    # What an answer says need not name the papers it cites.
    messages[-1]["content"] = "There are several. [1] [2] [3]"
    titles = {paper.id: paper.display_title for paper in sample_assistant.papers()}
    for number, asked in enumerate(("the first paper", "paper 2", "the 3rd one")):
        *_, later = list(chat.respond(f"What does {asked} do?", messages, [], sections))[-1]
        cited = later[-1].references
        assert [titles[one] for one in cited] == [titles[sections[0].references[number]]]


def test_a_program_may_say_what_an_answer_cited(client: Client) -> None:
    history: list[dict[str, Any]] = [
        {"role": "user", "content": "Which benchmarks are there?"},
        {"role": "assistant", "content": "Several."},
    ]
    found = client.predict("Which benchmarks are there?", [], [], api_name="/ask")
    ids = [reference["paper"]["id"] for reference in found["references"]]
    history[1]["references"] = ids[:2]
    found = client.predict("What does the second paper do?", history, [], api_name="/ask")
    assert found["references"][0]["paper"]["id"] == ids[1]


def test_every_example_can_be_answered(sample_assistant: Assistant) -> None:
    questions = examples(sample_assistant.papers())
    assert len(questions) == 4
    for question in questions:
        assert sample_assistant.ask(question).status == "answered", question


def test_an_index_of_other_papers_gets_examples_of_its_own(sample_assistant: Assistant) -> None:
    paper = sample_assistant.papers()[0].model_copy(update={"title": "KiteNet: Flying Far"})
    assert examples([paper]) == ["What is KiteNet?"]
    assert examples([paper.model_copy(update={"title": "On kites"})]) == []

"""The chat client: what it sends, how it opens and ends, its account, trying an endpoint."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chat_server import ChatServer, Scripted, fails, says, slowly, streams
from llama_index.core.llms import ChatMessage
from test_endpoints import ASKED, KEY

from index.errors import InputError
from rag.chat import Asking, ChatError, ChatModel, ReplyError, StoppedError, Tried, try_endpoint
from rag.llamaindex import ChatLLM
from rag.schema import Usage
from rag.settings import OPENAI, Settings


def test_the_request_is_of_openais_protocol(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [says("Plants.")]
    options: dict[str, Any] = {"max_tokens": 5, "temperature": 0.5, "stop": ["\n"], "seed": 4}
    model.complete(ASKED, **options)
    (request,) = chat_server.received
    assert request.path == "/v1/chat/completions"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    streamed = {"stream": True, "stream_options": {"include_usage": True}}
    assert request.body == {"model": "m", "messages": ASKED, **options, **streamed}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"chat_model": None}, "ABSTRACTQA_CHAT_MODEL is not set"),
        ({"openai_api_key": None, "openai_base_url": OPENAI}, "OPENAI_API_KEY is not set"),
        ({"openai_api_key": f"{KEY} b"}, "model's key"),
        ({"openai_api_key": f"{KEY}\nb"}, "model's key"),
        ({"openai_api_key": f"“{KEY}”"}, "model's key"),
        ({"openai_base_url": "127.0.0.1:8123"}, "address must be like"),
        ({"openai_base_url": f"http://me:{KEY}@host/v1"}, "address must be like"),
        ({"openai_base_url": f"https://host/v1?key={KEY}"}, "address must be like"),
        ({"openai_base_url": "ftp://h"}, "address must be like"),
    ],
)
def test_what_cannot_be_used_is_named_without_the_key(
    given: dict[str, object], words: str, configured: Callable[..., Settings]
) -> None:
    with pytest.raises(InputError, match=words) as error:
        ChatModel.open(configured(**given))
    assert KEY not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_closed_model_gives_up_its_calls(
    configured: Callable[..., Settings], chat_server: ChatServer
) -> None:
    chat_server.script = [slowly(says("Plants."))]
    model = ChatModel.open(configured())
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(model.complete, ASKED, max_tokens=5)
        while not chat_server.received:
            time.sleep(0.01)
        model.close()
        assert isinstance(call.exception(timeout=10), StoppedError)
    assert chat_server.hung_up.wait(10)
    with pytest.raises(StoppedError, match="is closed"):
        model.complete(ASKED, max_tokens=5)
    model.close()


def test_a_program_that_forgets_to_close_a_model_ends_quietly(chat_server: ChatServer) -> None:
    chat_server.script = [says("Plants.")]
    program = (
        "from rag.chat import ChatModel\n"
        "from rag.settings import Settings\n"
        f"settings = Settings(openai_base_url={chat_server.base_url!r}, chat_model='m')\n"
        "model = ChatModel.open(settings)\n"
        "print(model.complete([{'role': 'user', 'content': 'Mosses?'}], max_tokens=5).text)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert (ended.stdout, ended.stderr) == ("Plants.\n", "")


def test_tokens_add_up_are_priced_or_estimated(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [says("A.", usage=(1_000, 20)), streams("B", ".", usage=(500, 5))]
    asking = Asking(model, 9, "1/2")
    assert asking.complete(ASKED, max_tokens=5) == "A."
    assert [*asking.stream(ASKED, max_tokens=5)][-1] == "B."
    assert (asking.usage.prompt_tokens, asking.usage.completion_tokens) == (1_500, 25)
    assert asking.usage.cost_usd == pytest.approx(0.00155)
    assert asking.priced(2_000_000) == ", about $2.000"
    assert not asking.usage.estimated
    chat_server.script = [says("Plants, small.", usage=None)]
    asking = Asking(model, 9)
    asking.complete(ASKED, max_tokens=5)
    assert asking.usage == Usage(prompt_tokens=7, completion_tokens=4, estimated=True)


def test_an_endpoint_that_failed_is_left_alone(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [says(""), fails(401), says("A.")]
    asking = Asking(model, 9)
    with pytest.raises(ReplyError):
        asking.complete(ASKED, max_tokens=5)
    for _ in range(2):
        with pytest.raises(ChatError, match="refuses the key"):
            asking.complete(ASKED, max_tokens=5)
    assert len(chat_server.received) == 2


def test_all_calls_share_one_deadline(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = lambda _: Scripted(says("A.").chunks, delay_seconds=0.3)
    asking = Asking(model, 0.5)
    asking.complete(ASKED, max_tokens=5)
    with pytest.raises(ChatError, match="no complete reply in time"):
        asking.complete(ASKED, max_tokens=5)


def test_an_endpoint_is_tried_by_a_word(
    chat_server: ChatServer, configured: Callable[..., Settings]
) -> None:
    chat_server.models = ["alone"]
    chat_server.script = [says("ready")]
    tried = try_endpoint(configured(chat_model=None))
    assert (tried.works, tried.models, tried.model) == (True, ("alone",), "alone")
    assert tried.told.startswith("Works: alone answered in ")
    chat_server.models = ["one", "two"]
    choose = f"{chat_server.base_url}: choose one of its models."
    assert try_endpoint(configured(chat_model=None)) == Tried(False, choose, ("one", "two"))
    chat_server.models = []
    assert "lists none" in try_endpoint(configured(chat_model=None)).told
    (asked,) = chat_server.received
    assert len(asked.text) < 100
    chat_server.script = [fails(401, f"no such key {KEY}")]
    refused = try_endpoint(configured())
    assert not refused.works
    assert refused.told.startswith("Does not work: chat model 'm' at 127.0.0.1:")
    assert "refuses the key (HTTP 401): check the chat model's key" in refused.told
    assert all(hidden not in refused.told for hidden in ("\n", KEY))


def test_what_the_environment_has_for_another_address_goes_to_that_one_alone(
    chat_server: ChatServer, configured: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: hidden-1")
    monkeypatch.setenv("OPENAI_ORG_ID", "hidden-2")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "hidden-3")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    chat_server.script = [says("ready")]
    settings = configured()
    assert try_endpoint(settings).works
    assert "hidden" not in str(chat_server.received[-1].headers)
    monkeypatch.setenv("OPENAI_BASE_URL", settings.openai_base_url)
    chat_server.script = [says("ready")]
    assert try_endpoint(settings).works
    assert "hidden-2" in str(chat_server.received[-1].headers)


def test_llamaindex_can_ask_the_chat_model(model: ChatModel, chat_server: ChatServer) -> None:
    llm = ChatLLM(model, max_tokens=9)
    messages = [ChatMessage(role="system", content="Be brief."), ChatMessage(content="Hi")]
    pieces = [streams(*said, pause_seconds=0.05) for said in (("He", "llo"), ("By", "e"))]
    chat_server.script = [says("Hello."), says("Bye."), *pieces]
    assert llm.chat(messages).message.content == "Hello."
    assert llm.complete("Go").text == "Bye."
    found = list(llm.stream_chat(messages))
    assert [each.delta for each in found] == ["He", "llo"]
    assert found[-1].message.content == "Hello"
    assert [each.text for each in llm.stream_complete("Go")] == ["By", "Bye"]
    first, second, *_ = (request.body for request in chat_server.received)
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    assert first["max_tokens"] == 9
    assert second["messages"] == [{"role": "user", "content": "Go"}]
    assert llm.metadata.model_name == model.name

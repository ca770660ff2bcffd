"""The chat client in order: what it sends, what it makes of a reply, how it opens and ends."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from chat_server import ChatServer, says, slowly
from test_endpoints import ASKED, KEY

from index.errors import InputError
from rag.chat import ChatModel, StoppedError
from rag.settings import Settings

Configured = Callable[..., Settings]


def test_the_request_is_that_of_openais_chat_protocol(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [says("Plants.")]
    model.complete(ASKED, max_tokens=5, temperature=0.5, stop=["\n"], seed=4)
    (request,) = chat_server.received
    assert request.path == "/v1/chat/completions"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "m",
        "messages": ASKED,
        "max_tokens": 5,
        "temperature": 0.5,
        "stop": ["\n"],
        "seed": 4,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_calls_from_many_threads_get_their_own_replies(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = lambda request: says(request.text[::-1])

    def ask(number: int) -> str:
        return model.complete([{"role": "user", "content": f"n{number}"}], max_tokens=5).text

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(40))) == [f"n{number}"[::-1] for number in range(40)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"chat_model": None}, "ABSTRACTQA_CHAT_MODEL is not set"),
        (
            {"openai_api_key": None, "openai_base_url": "https://api.openai.com/v1"},
            "OPENAI_API_KEY is not set",
        ),
        ({"openai_api_key": f"{KEY} b"}, "model's key"),
        ({"openai_api_key": f"{KEY}\nb"}, "model's key"),
        ({"openai_api_key": f"“{KEY}”"}, "model's key"),
        ({"openai_base_url": "127.0.0.1:8123"}, "address must be like"),
        ({"openai_base_url": f"http://me:{KEY}@host/v1"}, "address must be like"),
        ({"openai_base_url": f"https://host/v1?key={KEY}"}, "address must be like"),
        ({"openai_base_url": "ftp://h"}, "address must be like"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line_without_the_key(
    given: dict[str, object], words: str, configured: Configured
) -> None:
    with pytest.raises(InputError, match=words) as error:
        ChatModel.open(configured(**given))
    assert KEY not in str(error.value)
    assert "\n" not in str(error.value)


def test_ones_own_endpoint_needs_no_key(configured: Configured, chat_server: ChatServer) -> None:
    chat_server.script = [says("Plants.")]
    with ChatModel.open(configured(openai_api_key=None)) as model:
        assert model.complete(ASKED, max_tokens=5).text == "Plants."


def test_a_model_that_is_closed_leaves_no_thread_and_gives_up_what_is_under_way(
    configured: Configured, chat_server: ChatServer
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


def test_importing_the_client_imports_no_openai() -> None:
    program = "import rag.chat, sys; assert not {'openai', 'httpx'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)

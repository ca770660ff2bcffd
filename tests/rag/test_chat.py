"""The chat client against a real HTTP server, in order and out of it."""

import logging
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import repeat

import pytest
from chat_server import (
    ChatServer,
    Received,
    Scripted,
    cut_off,
    fails,
    huge,
    says,
    slowly,
    streams,
)

from index.errors import InputError
from rag.chat import ChatError, ChatModel, Message, ReplyError
from rag.settings import Settings

KEY = "sk-very-secret-0123456789"
ASKED: list[Message] = [
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": "What are mosses?"},
]

Configured = Callable[..., Settings]


@pytest.fixture
def configured(chat_server: ChatServer) -> Configured:
    """Settings that point at the scripted server; what a test gives wins."""

    def settings(**more: object) -> Settings:
        given = {
            "openai_api_key": KEY,
            "openai_base_url": chat_server.base_url,
            "chat_model": "m",
            "chat_deadline_seconds": 20,
        }
        return Settings(**{**given, **more})  # type: ignore[arg-type]

    return settings


@pytest.fixture
def model(configured: Configured) -> Iterator[ChatModel]:
    with ChatModel.open(configured()) as opened:
        yield opened


@pytest.fixture
def hurried(configured: Configured) -> Iterator[ChatModel]:
    """A model whose replies may take half a second."""
    with ChatModel.open(configured(chat_deadline_seconds=0.5)) as opened:
        yield opened


def problem(model: ChatModel, kind: type[ChatError] = ChatError) -> str:
    with pytest.raises(ChatError) as raised:
        model.complete(ASKED, max_tokens=5)
    message = str(raised.value)
    assert type(raised.value) is kind
    assert "\n" not in message
    assert KEY not in "".join(traceback.format_exception(raised.value))
    return message


def test_a_reply_has_its_text_and_the_tokens_the_endpoint_counted(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [says("Plants.", usage=(11, 2))]
    reply = model.complete(ASKED, max_tokens=5)
    assert reply.text == "Plants."
    assert (reply.prompt_tokens, reply.completion_tokens, reply.estimated) == (11, 2, False)
    assert 0 < reply.seconds < 10


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
    }


def test_what_is_not_given_is_not_sent(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [says("Plants.")]
    model.complete(ASKED, max_tokens=5)
    assert chat_server.received[0].body.keys() == {"model", "messages", "max_tokens", "temperature"}
    assert chat_server.received[0].body["temperature"] == 0


def test_tokens_the_endpoint_does_not_count_are_estimated_and_marked(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [says("Plants, small.", usage=None)]
    reply = model.complete(ASKED, max_tokens=5)
    assert (reply.prompt_tokens, reply.completion_tokens, reply.estimated) == (7, 4, True)


def test_calls_from_many_threads_get_their_own_replies(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = lambda request: says(request.text[::-1])

    def ask(number: int) -> str:
        return model.complete([{"role": "user", "content": f"n{number}"}], max_tokens=5).text

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(40))) == [f"n{number}"[::-1] for number in range(40)]


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        (401, {}, "refuses the key (HTTP 401): check OPENAI_API_KEY"),
        (403, {}, "refuses the key (HTTP 403)"),
        (404, {}, "unknown there (HTTP 404): check ABSTRACTQA_CHAT_MODEL and OPENAI_BASE_URL"),
        (400, {"message": "no such role"}, "rejects the request (HTTP 400): no such role"),
        (429, {"code": "insufficient_quota"}, "quota of OPENAI_API_KEY is used up (HTTP 429)"),
    ],
)
def test_what_asking_again_cannot_mend_is_asked_once(
    status: int, more: dict[str, str], words: str, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(fails(status, **more))
    assert words in problem(model)
    assert len(chat_server.received) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (fails(429, "slow down", retry_after="0"), "takes no more requests for now (HTTP 429)"),
        (fails(500, "oh", retry_after="0"), "failed (HTTP 500): oh"),
        (fails(503, "up soon", retry_after="0"), "failed (HTTP 503): up soon"),
    ],
)
def test_what_may_pass_is_asked_three_times_and_no_more(
    reply: Scripted, words: str, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(reply)
    assert words in problem(model)
    assert len(chat_server.received) == 3


def test_a_reply_after_failures_is_a_reply(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [fails(500, retry_after="0"), cut_off(says("Plants.")), says("Plants.")]
    assert model.complete(ASKED, max_tokens=5).text == "Plants."


def test_retry_after_is_waited_for(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [fails(429, retry_after="1.2"), says("Plants.")]
    assert 1.2 <= model.complete(ASKED, max_tokens=5).seconds < 4


def test_retry_after_may_be_a_date(model: ChatModel, chat_server: ChatServer) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    chat_server.script = [fails(503, retry_after=until), says("Plants.")]
    assert model.complete(ASKED, max_tokens=5).seconds > 0.7


def test_a_wait_beyond_the_deadline_is_an_error_at_once(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [fails(429, "slow down", retry_after="60")]
    started = time.perf_counter()
    assert "slow down" in problem(model)
    assert time.perf_counter() - started < 2


def test_a_server_that_is_not_there_is_reported_within_two_seconds(configured: Configured) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with ChatModel.open(configured(openai_base_url=address)) as model:
        started = time.perf_counter()
        assert "cannot be reached: check OPENAI_BASE_URL" in problem(model)
        assert time.perf_counter() - started < 2


def test_a_reply_that_is_cut_off_is_an_error_after_three_requests(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(cut_off(says("Plants. " * 100)))
    assert "broke the connection off" in problem(model)
    assert len(chat_server.received) == 3


def test_the_deadline_holds_for_a_reply_that_comes_byte_by_byte(
    hurried: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [slowly(says("Plants."), pause_seconds=0.1)]
    started = time.perf_counter()
    assert "no whole reply within 0.5 seconds" in problem(hurried)
    assert time.perf_counter() - started < 1.5
    assert chat_server.hung_up.wait(2)
    assert len(chat_server.received) == 1


def test_the_deadline_holds_for_a_server_that_says_nothing(
    hurried: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [Scripted([b"{"], pause_seconds=3)]
    started = time.perf_counter()
    assert "no whole reply within 0.5 seconds" in problem(hurried)
    assert time.perf_counter() - started < 1.5


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (says(""), "empty reply (finish reason: stop)"),
        (says(None), "empty reply"),
        (says(" \n", finish="length"), "empty reply (finish reason: length)"),
        (says(None, refusal="I cannot\nhelp."), "refused to answer: I cannot help."),
        (says("", finish="content_filter"), "refused to answer: its content filter stopped it"),
        (fails(400, "no", code="content_filter"), "refused to answer: its content filter"),
        (
            fails(400, "4096 tokens at most", code="context_length_exceeded"),
            "longer than its context (HTTP 400): 4096 tokens at most",
        ),
        (huge(50), "reply of more than 4 MB"),
    ],
)
def test_a_reply_without_an_answer_in_it_is_asked_for_once(
    reply: Scripted, words: str, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(reply)
    assert words in problem(model, ReplyError)
    assert len(chat_server.received) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Scripted([b'{"choices": [']), "not of OpenAI's chat protocol"),
        (Scripted([b"[" * 100_000]), "not of OpenAI's chat protocol"),
        (Scripted([b'{"choices": []}']), "not of OpenAI's chat protocol"),
        (Scripted([b"\xff\xfe"]), "not of OpenAI's chat protocol"),
        (
            Scripted([b"<html>Welcome</html>"], content_type="text/html; charset=utf-8"),
            "answers with text/html, not JSON: check OPENAI_BASE_URL",
        ),
        (streams("Plants."), "answers with text/event-stream, not JSON"),
    ],
)
def test_an_endpoint_that_speaks_something_else_is_reported(
    reply: Scripted, words: str, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [reply]
    assert words in problem(model)


def test_a_huge_reply_is_left_where_it_is(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [huge(200)]
    problem(model, ReplyError)
    assert chat_server.hung_up.wait(2)


def test_options_that_a_model_does_not_take_are_left_out_from_then_on(
    model: ChatModel, chat_server: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    def reasoning_model(request: Received) -> Scripted:
        for name in ("max_tokens", "temperature"):
            if name in request.body:
                return fails(400, f"no {name}", param=name, code="unsupported_parameter")
        return says("Plants.")

    chat_server.script = reasoning_model
    assert model.complete(ASKED, max_tokens=5).text == "Plants."
    assert len(chat_server.received) == 3
    model.complete(ASKED, max_tokens=5)
    assert len(chat_server.received) == 4
    assert chat_server.received[-1].body == {
        "model": "m",
        "messages": ASKED,
        "max_completion_tokens": 5,
    }
    assert "takes no temperature" in caplog.text


def test_the_key_is_in_no_log_and_no_error_even_if_the_endpoint_repeats_it(
    model: ChatModel, chat_server: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    chat_server.script = [
        fails(500, f"{KEY} failed", retry_after="0"),
        fails(503, f"{KEY} failed", retry_after="0"),
        fails(400, f"Bearer {KEY} is odd"),
        fails(401, f"wrong key {KEY}"),
        says("Plants."),
    ]
    assert "Bearer … is odd" in problem(model)
    assert KEY not in problem(model)
    model.complete(ASKED, max_tokens=5)
    assert len(chat_server.received) == 5
    assert caplog.text
    assert KEY not in caplog.text
    assert KEY not in repr(model) + str(vars(model))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"chat_model": None}, "ABSTRACTQA_CHAT_MODEL is not set"),
        (
            {"openai_api_key": None, "openai_base_url": "https://api.openai.com/v1"},
            "OPENAI_API_KEY is not set",
        ),
    ],
)
def test_without_a_model_the_error_names_the_three_settings(
    given: dict[str, object], words: str, configured: Configured
) -> None:
    with pytest.raises(InputError) as error:
        ChatModel.open(configured(**given))
    message = str(error.value)
    assert message.startswith(words)
    for name in ("ABSTRACTQA_CHAT_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        assert name in message
    assert "\n" not in message


def test_ones_own_endpoint_needs_no_key(configured: Configured, chat_server: ChatServer) -> None:
    chat_server.script = [says("Plants.")]
    with ChatModel.open(configured(openai_api_key=None)) as model:
        assert model.complete(ASKED, max_tokens=5).text == "Plants."


@pytest.mark.parametrize("key", ["sk-a b", "sk-a\nb", "“sk-a”"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_repeated(
    key: str, configured: Configured
) -> None:
    with pytest.raises(InputError, match="OPENAI_API_KEY") as error:
        ChatModel.open(configured(openai_api_key=key))
    assert key not in str(error.value)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8123", f"http://me:{KEY}@host/v1", f"https://host/v1?key={KEY}", "ftp://h"],
)
def test_an_address_that_is_none_or_holds_a_key_is_refused_without_being_repeated(
    address: str, configured: Configured
) -> None:
    with pytest.raises(InputError, match="OPENAI_BASE_URL must be like") as error:
        ChatModel.open(configured(openai_base_url=address))
    assert KEY not in str(error.value)


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
        assert isinstance(call.exception(timeout=2), BaseException)
    assert chat_server.hung_up.wait(3)


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

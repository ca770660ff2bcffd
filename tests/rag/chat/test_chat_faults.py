"""All that can go wrong at an endpoint, for a whole reply and for one that is streamed."""

import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import repeat

import pytest
from chat_calls import ASKED, Ask, both_ways, completed, problem, streamed, within
from chat_server import (
    EVENTS,
    ChatServer,
    Scripted,
    cut_off,
    delta,
    fails,
    huge,
    huge_event,
    many_events,
    says,
    sends,
    slowly,
    streams,
)

from rag.chat import ChatModel


@both_ways
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
    ask: Ask,
    status: int,
    more: dict[str, str],
    words: str,
    model: ChatModel,
    chat_server: ChatServer,
) -> None:
    chat_server.script = repeat(fails(status, **more))
    assert words in problem(ask, model)
    assert len(chat_server.received) == 1


@both_ways
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (fails(429, "slow down", retry_after="0"), "takes no more requests for now (HTTP 429)"),
        (fails(500, "oh", retry_after="0"), "failed (HTTP 500): oh"),
        (fails(503, "up soon", retry_after="0"), "failed (HTTP 503): up soon"),
        (cut_off(says("Plants. " * 100)), "broke the connection off"),
        (Scripted([], content_type=EVENTS, reset=True), "broke the connection off"),
    ],
)
def test_what_may_pass_is_asked_three_times_and_no_more(
    ask: Ask, reply: Scripted, words: str, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(reply)
    assert words in problem(ask, model)
    assert len(chat_server.received) == 3


@both_ways
def test_a_reply_after_failures_is_a_reply(
    ask: Ask, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [fails(500, retry_after="0"), cut_off(says("Plants.")), says("Plants.")]
    assert ask(model) == "Plants."


@both_ways
def test_retry_after_is_waited_for(ask: Ask, model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [fails(429, retry_after="1.2"), says("Plants.")]
    started = time.perf_counter()
    ask(model)
    assert 1.2 <= time.perf_counter() - started < 4


def test_retry_after_may_be_a_date(model: ChatModel, chat_server: ChatServer) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    chat_server.script = [fails(503, retry_after=until), says("Plants.")]
    assert model.complete(ASKED, max_tokens=5).seconds > 0.7


@pytest.mark.parametrize("odd", ["nan", "-5", "soon", "1e999"])
def test_a_retry_after_that_says_nothing_is_not_waited_for(
    odd: str, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [fails(503, retry_after=odd), says("Plants.")]
    with within(2):
        completed(model)


@both_ways
def test_a_wait_beyond_the_deadline_is_an_error_at_once(
    ask: Ask, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [fails(429, "slow down", retry_after="60")]
    with within(2):
        assert "slow down" in problem(ask, model)
    assert len(chat_server.received) == 1


@both_ways
def test_a_server_that_is_not_there_is_reported_within_two_seconds(
    ask: Ask, absent: ChatModel
) -> None:
    with within(2):
        assert "cannot be reached: check OPENAI_BASE_URL" in problem(ask, absent)


@both_ways
@pytest.mark.parametrize(
    "reply",
    [
        slowly(says("Plants."), pause_seconds=0.1),
        slowly(streams("Plants."), pause_seconds=0.1),
        Scripted([b"{"], pause_seconds=30),
        Scripted([b"{"], delay_seconds=30),
    ],
    ids=["byte by byte", "streamed byte by byte", "nothing", "no status"],
)
def test_the_deadline_holds_however_slowly_a_reply_comes(
    ask: Ask, reply: Scripted, hurried: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [reply]
    with within(1.5):
        assert "no whole reply within 0.5 seconds" in problem(ask, hurried)
    assert chat_server.hung_up.wait(1)
    assert len(chat_server.received) == 1


@both_ways
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (says(""), "empty reply (finish reason: stop)"),
        (says(None), "empty reply"),
        (says(" \n", finish="length"), "empty reply (finish reason: length)"),
        (streams(finish="length"), "empty reply (finish reason: length)"),
        (streams(" ", "\n"), "empty reply (finish reason: stop)"),
        (sends("[DONE]"), "empty reply (finish reason: none)"),
        (says("<think>Mosses are…", finish="length"), "empty reply (finish reason: length)"),
        (streams("<thi", "nk>Mosses", " are…", finish="length"), "empty reply"),
        (says(None, refusal="I cannot\nhelp."), "refused to answer: I cannot help."),
        (
            sends(delta(refusal="I cannot"), delta(refusal="\nhelp."), delta("stop")),
            "refused to answer: I cannot help.",
        ),
        (says("", finish="content_filter"), "refused to answer: its content filter stopped it"),
        (streams("Mo", finish="content_filter"), "refused to answer: its content filter stopped"),
        (fails(400, "no", code="content_filter"), "refused to answer: its content filter"),
        (
            fails(400, "4096 tokens at most", code="context_length_exceeded"),
            "longer than its context (HTTP 400): 4096 tokens at most",
        ),
        (huge(50), "reply of more than 4 MB"),
        (huge_event(50), "reply of more than 4 MB"),
        (many_events(50), "reply of more than 4 MB"),
        (Scripted([b'{"choices": [']), "not of OpenAI's chat protocol"),
        (Scripted([b"[" * 100_000]), "not of OpenAI's chat protocol"),
        (Scripted([b'{"choices": []}']), "not of OpenAI's chat protocol"),
        (Scripted([b"\xff\xfe"]), "not of OpenAI's chat protocol"),
        (sends('{"choices": ['), "not of OpenAI's chat protocol"),
        (sends('{"hello": 1}'), "not of OpenAI's chat protocol"),
        (sends("hello"), "not of OpenAI's chat protocol"),
        (Scripted([b"data: \xff\xfe\n\n"], content_type=EVENTS), "not of OpenAI's chat protocol"),
        (Scripted([b"no gzip"], headers={"Content-Encoding": "gzip"}), "not of OpenAI's chat"),
    ],
)
def test_a_reply_without_an_answer_in_it_is_asked_for_once(
    ask: Ask, reply: Scripted, words: str, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(reply)
    assert words in problem(ask, model, of_reply=True)
    assert len(chat_server.received) == 1


@both_ways
def test_a_web_page_instead_of_a_reply_is_reported(
    ask: Ask, model: ChatModel, chat_server: ChatServer
) -> None:
    page = Scripted([b"<html>Welcome</html>"], content_type="text/html; charset=utf-8")
    chat_server.script = [page]
    assert "answers with text/html, not JSON: check OPENAI_BASE_URL" in problem(ask, model)


@pytest.mark.parametrize(
    ("ask", "reply"),
    [
        (completed, huge(200)),
        (streamed, huge(200)),
        (streamed, huge_event(200)),
        (streamed, many_events(200)),
        (completed, Scripted(huge(200).chunks, status=400)),
    ],
)
def test_a_huge_reply_is_left_where_it_is(
    ask: Ask, reply: Scripted, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [says("Plants."), reply]
    ask(model)
    tracemalloc.start()
    try:
        problem(ask, model, of_reply=reply.status == 200)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The server's own megabytes are in it, as it runs in the same process.
    assert most < 40 * 2**20
    assert chat_server.hung_up.wait(2)

"""Everything one question asks of a chat model: one deadline, one account, one end."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import pytest
from chat_calls import ASKED, everything_of, within
from chat_server import EVENTS, ChatServer, Scripted, cut_off, fails, says, streams

from rag.chat import Asking, ChatError, ChatModel, Price, ReplyError, StoppedError
from rag.schema import Usage

PRICE = Price(prompt=100, completion=1000)
SLOW = streams(*"Plants." * 100, pause_seconds=0.05)


def asking(model: ChatModel, deadline_seconds: float = 20, **more: object) -> Asking:
    return Asking(model, deadline_seconds=deadline_seconds, **more)  # type: ignore[arg-type]


def wait_until(true: Callable[[], object]) -> None:
    until = time.monotonic() + 5
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_whole_and_streamed_replies_go_on_one_account(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [streams("Pla", "nts.", usage=(10, 2)), says("Small.", usage=(20, 3))]
    asked = asking(model, price=PRICE)
    assert asked.usage == Usage(cost_usd=0)
    assert list(asked.stream(ASKED, max_tokens=5)) == ["Pla", "nts."]
    assert asked.completing(max_tokens=7)(ASKED) == "Small."
    assert chat_server.received[1].body["max_tokens"] == 7
    assert asked.usage == Usage(prompt_tokens=30, completion_tokens=5, cost_usd=0.008)


def test_without_a_price_the_cost_is_not_known(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [says("Plants.")]
    asked = asking(model)
    asked.complete(ASKED, max_tokens=5)
    assert asked.usage.cost_usd is None


def test_one_estimate_marks_the_whole_account(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [streams("Plants.", usage=None), says("Plants.")]
    asked = asking(model)
    for _ in range(2):
        asked.complete(ASKED, max_tokens=5)
    assert asked.usage.estimated


@pytest.mark.parametrize(
    ("reply", "usage"),
    [
        (says("", usage=(10, 2)), Usage(prompt_tokens=10, completion_tokens=2, cost_usd=0.003)),
        (
            streams("No", finish="content_filter", usage=(10, 1)),
            Usage(prompt_tokens=10, completion_tokens=1, cost_usd=0.002),
        ),
        (fails(400, "too long", code="context_length_exceeded"), Usage(cost_usd=0)),
    ],
)
def test_a_request_without_a_usable_reply_is_paid_for_and_another_may_be_sent(
    reply: Scripted, usage: Usage, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [reply, says("Plants.")]
    asked = asking(model, price=PRICE)
    with pytest.raises(ReplyError):
        asked.complete(ASKED, max_tokens=5)
    assert asked.usage == usage
    assert asked.complete(ASKED, max_tokens=5) == "Plants."


def test_a_reply_that_broke_off_is_paid_for(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [cut_off(streams("Plants", ", ", "small.", "Green."))]
    asked = asking(model, price=PRICE)
    with pytest.raises(ChatError):
        list(asked.stream(ASKED, max_tokens=5))
    assert asked.usage.estimated
    assert asked.usage.completion_tokens > 0
    assert asked.usage.cost_usd


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (fails(401), "refuses the key"),
        (fails(429, code="insufficient_quota"), "quota"),
        (fails(429, retry_after="60"), "takes no more requests"),
        (fails(500, retry_after="0"), "failed (HTTP 500)"),
        (Scripted([b"<html>"], content_type="text/html"), "text/html"),
    ],
)
def test_an_endpoint_that_failed_is_not_asked_again(
    reply: Scripted, words: str, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(reply)
    asked = asking(model)
    with pytest.raises(ChatError) as first:
        asked.complete(ASKED, max_tokens=5)
    assert words in str(first.value)
    requests = len(chat_server.received)
    for again in (lambda: asked.complete(ASKED, max_tokens=5), lambda: _read(asked)):
        with within(0.1), pytest.raises(ChatError) as later:
            again()
        assert type(later.value) is type(first.value)
        assert str(later.value) == str(first.value)
        assert later.value is not first.value
        assert "During handling" not in everything_of(later.value)
    assert len(chat_server.received) == requests


def _read(asked: Asking) -> str:
    return "".join(asked.stream(ASKED, max_tokens=5))


def test_an_endpoint_that_is_not_there_is_known_within_less_than_two_seconds(
    absent: ChatModel,
) -> None:
    asked = asking(absent)
    with within(1.7), pytest.raises(ChatError, match="cannot be reached"):
        asked.complete(ASKED, max_tokens=5)


def test_all_calls_share_one_deadline(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [streams(*"Plants.", pause_seconds=0.08), SLOW]
    asked = asking(model, 2)
    with within(3):
        assert asked.complete(ASKED, max_tokens=5) == "Plants."
        for _ in range(2):
            with pytest.raises(ChatError) as error:
                asked.complete(ASKED, max_tokens=5)
            assert "not done within the 2 seconds of a question" in str(error.value)
    assert len(chat_server.received) == 2
    assert chat_server.hung_up.wait(1)


def test_a_question_whose_time_is_over_sends_nothing(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = lambda _: says("Plants.")
    asked = asking(model, 0.5)
    asked.complete(ASKED, max_tokens=5)
    time.sleep(0.6)
    with pytest.raises(ChatError, match="not done within"):
        asked.complete(ASKED, max_tokens=5)
    assert len(chat_server.received) == 1


def test_the_time_before_the_first_request_is_not_the_models(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [says("Plants.")]
    asked = asking(model, 0.5)
    time.sleep(0.6)
    assert asked.complete(ASKED, max_tokens=5) == "Plants."


def test_a_whole_reply_needs_its_first_word_in_time_too(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [Scripted([b"{"], delay_seconds=30)]
    asked = asking(model, first_token_seconds=0.3)
    with within(1.3), pytest.raises(ChatError, match="no first word"):
        asked.complete(ASKED, max_tokens=5)


@pytest.mark.parametrize(
    "reply", [SLOW, Scripted(SLOW.chunks, content_type=EVENTS, delay_seconds=30)]
)
def test_cancelling_ends_what_is_under_way_and_all_that_follows(
    reply: Scripted, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(reply)
    asked = asking(model)
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(asked.complete, ASKED, max_tokens=5) for _ in range(2)]
        calls.append(pool.submit(_read, asked))
        wait_until(lambda: len(chat_server.received) == 3)
        time.sleep(0.2)
        with within(1):
            asked.cancel()
            assert all(isinstance(call.exception(timeout=1), StoppedError) for call in calls)
            assert chat_server.hung_up.wait(1)
    with within(0.1), pytest.raises(StoppedError):
        asked.complete(ASKED, max_tokens=5)
    assert len(chat_server.received) == 3
    asked.cancel()


def test_what_was_written_before_it_was_cancelled_is_paid_for(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [SLOW]
    asked = asking(model, price=PRICE)
    pieces = asked.stream(ASKED, max_tokens=5)
    for _ in range(5):
        next(pieces)
    under_way = asked.usage
    assert under_way.estimated
    assert under_way.completion_tokens >= 2
    asked.cancel()
    with pytest.raises(StoppedError):
        list(pieces)
    assert asked.usage.completion_tokens >= under_way.completion_tokens


@pytest.mark.parametrize("end", [lambda pieces: pieces.close(), lambda pieces: None])
def test_a_reply_that_is_no_longer_read_is_given_up_and_others_go_on(
    end: Callable[[object], None], model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [SLOW, says("Plants.")]
    asked = asking(model)
    pieces = asked.stream(ASKED, max_tokens=5)
    next(pieces)
    end(pieces)
    del pieces
    assert chat_server.hung_up.wait(1)
    assert asked.complete(ASKED, max_tokens=5) == "Plants."


def test_many_threads_lose_no_token(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = lambda request: streams(*request.text, usage=(2, 1))
    asked = asking(model)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(asked.complete, ASKED, max_tokens=5) for _ in range(60)]
        watch = threading.Event()
        while not all(call.done() for call in calls):
            assert asked.usage.completion_tokens <= 2000
            watch.wait(0.01)
    assert {call.result() for call in calls} == {"Be short.\nWhat are mosses?"}
    assert asked.usage == Usage(prompt_tokens=120, completion_tokens=60)

"""A reply that is read while it is written: its pieces, its end, and giving it up."""

import dataclasses
import gc
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import pytest
from chat_calls import ASKED, problem, streamed, within
from chat_server import (
    EVENTS,
    ChatServer,
    Received,
    Scripted,
    cut_off,
    delta,
    fails,
    says,
    sends,
    streams,
)

from rag.chat import ChatError, ChatModel, ReplyError, StoppedError

BROKEN = Scripted(
    streams("Plants", finish=None, usage=None, done=False).chunks, content_type=EVENTS, reset=True
)


def wait_until(true: Callable[[], object]) -> None:
    until = time.monotonic() + 5
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_pieces_come_as_they_are_written_and_end_in_the_reply(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [streams("Plants", ", ", "small.", usage=(11, 4), pause_seconds=0.3)]
    with model.stream(ASKED, max_tokens=5) as stream:
        came = [(piece, time.perf_counter()) for piece in stream]
        reply = stream.reply
    assert [piece for piece, _ in came] == ["Plants", ", ", "small."]
    assert came[2][1] - came[0][1] > 0.4
    assert reply.text == "Plants, small."
    assert (reply.prompt_tokens, reply.completion_tokens, reply.estimated) == (11, 4, False)
    assert reply.seconds > 1.2
    assert not chat_server.hung_up.is_set()


def test_the_request_asks_for_a_stream_and_its_tokens(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [streams("Plants.")]
    with model.stream(ASKED, max_tokens=5, temperature=0.5, stop=["\n"], seed=4) as stream:
        assert stream.reply.text == "Plants."
    assert chat_server.received[0].body == {
        "model": "m",
        "messages": ASKED,
        "max_tokens": 5,
        "temperature": 0.5,
        "stop": ["\n"],
        "seed": 4,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    "refusal",
    [
        fails(400, "Unrecognized request argument supplied: stream_options"),
        fails(422, "Extra inputs are not permitted: ('body', 'stream_options')"),
        fails(400, "no", code="unsupported_parameter", param="stream_options"),
    ],
)
def test_a_server_that_does_not_count_streamed_tokens_is_asked_without_and_estimated(
    refusal: Scripted, model: ChatModel, chat_server: ChatServer
) -> None:
    def old_server(request: Received) -> Scripted:
        refuses = "stream_options" in request.body
        return refusal if refuses else streams("Plants, ", "small.", usage=None)

    chat_server.script = old_server
    for requests in (2, 3):
        with model.stream(ASKED, max_tokens=5) as stream:
            reply = stream.reply
        assert (reply.prompt_tokens, reply.completion_tokens, reply.estimated) == (7, 4, True)
        assert len(chat_server.received) == requests


def test_a_server_that_knows_no_streams_gives_one_piece(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [says("<think>Hm.</think>Plants, small.")]
    with model.stream(ASKED, max_tokens=5) as stream:
        assert list(stream) == ["Plants, small."]


def test_what_servers_send_around_the_text_is_no_piece(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [
        sends(
            {"choices": [], "prompt_filter_results": []},
            delta(role="assistant", content=""),
            delta(reasoning_content="Mosses, hm."),
            delta(reasoning="What are they?"),
            delta(content=None),
            delta(content="Plants"),
            delta(content=""),
            delta(content="."),
            {"choices": [{"delta": None, "finish_reason": "stop"}], "usage": None},
            "[DONE]",
        )
    ]
    with model.stream(ASKED, max_tokens=5) as stream:
        assert list(stream) == ["Plants", "."]


@pytest.mark.parametrize(
    "reply",
    [
        streams("Plants.", done=False),
        streams("Plants.", finish=None),
        Scripted([*streams("Plants.", done=False).chunks], content_type=EVENTS, reset=True),
        Scripted([*streams("Plants.").chunks, b""], content_type=EVENTS),
    ],
    ids=["no last event", "no reason to end", "reset behind the end", "ordinary"],
)
def test_a_reply_ends_with_its_reason_or_with_the_last_event(
    reply: Scripted, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [reply]
    assert streamed(model) == "Plants."
    assert len(chat_server.received) == 1


def test_a_server_that_keeps_silent_behind_the_end_is_not_waited_for(
    model: ChatModel, chat_server: ChatServer
) -> None:
    def hangs() -> Iterator[bytes]:
        yield b"".join(streams("Plants.", usage=None, done=False).chunks)
        go_on.wait(30)

    go_on = threading.Event()
    chat_server.script = [Scripted(hangs(), content_type=EVENTS)]
    with within(3):
        assert streamed(model) == "Plants."
    go_on.set()


@pytest.mark.parametrize(
    "reply",
    [
        BROKEN,
        streams("Plants", finish=None, usage=None, done=False),
        sends(delta(content="Plants"), '{"error": {"message": "the GPU\\nis gone", "code": 500}}'),
        sends(delta(content="Plants"), '{"error": "the GPU is gone"}'),
    ],
    ids=["reset", "closed", "failed", "failed in a word"],
)
def test_a_reply_that_ends_in_the_middle_is_an_error_and_not_asked_for_again(
    reply: Scripted, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(reply)
    pieces = []
    with model.stream(ASKED, max_tokens=5) as stream:

        def read(_: ChatModel) -> str:
            pieces.extend(stream)
            return ""

        message = problem(read, model)
        with pytest.raises(ChatError):
            _ = stream.reply
        assert stream.spent.completion_tokens > 0
        assert stream.spent.estimated
    assert "broke the connection off" in message or "its reply: the GPU is gone" in message
    assert "".join(pieces).startswith("Plants")
    assert len(chat_server.received) == 1


def test_a_reply_that_is_wanted_whole_is_asked_for_again_and_given_once(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [BROKEN, streams("Plants", ", ", "small.", usage=(11, 4))]
    with model.stream(ASKED, max_tokens=5, whole=True) as stream:
        assert list(stream) == ["Plants, small."]
        assert stream.reply.prompt_tokens > 11  # the broken one was read too
        assert stream.reply.estimated


def test_asking_again_for_a_whole_reply_is_not_bound_by_the_first_word_that_came(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [
        dataclasses.replace(BROKEN, pause_seconds=0.1),
        Scripted(streams("Plants.").chunks, content_type=EVENTS, delay_seconds=0.5),
    ]
    with model.stream(ASKED, max_tokens=5, whole=True, first_token_seconds=0.3) as stream:
        assert stream.reply.text == "Plants."


@pytest.mark.parametrize("waits", [{"delay_seconds": 30}, {"pause_seconds": 30}])
def test_a_first_word_that_does_not_come_is_an_error(
    waits: dict[str, float], model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [Scripted(streams("Plants.").chunks, content_type=EVENTS, **waits)]  # type: ignore[arg-type]

    def read(model: ChatModel) -> str:
        with model.stream(ASKED, max_tokens=5, first_token_seconds=0.5) as stream:
            return "".join(stream)

    with within(1.5):
        assert "no first word within 0.5 seconds" in problem(read, model)
    assert chat_server.hung_up.wait(1)


@pytest.mark.parametrize("first", [delta(content="Plants"), delta(reasoning_content="Hm")])
def test_once_there_is_a_word_or_a_thought_only_the_deadline_holds(
    first: dict[str, object], model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [sends(first, delta(content="."), delta("stop"), pause_seconds=0.35)]
    with model.stream(ASKED, max_tokens=5, first_token_seconds=0.6) as stream:
        assert stream.reply.text.endswith(".")


def test_a_role_alone_is_no_first_word(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [sends(*[delta(role="assistant")] * 20, pause_seconds=0.1)]
    with (
        model.stream(ASKED, max_tokens=5, first_token_seconds=0.6) as stream,
        pytest.raises(ChatError, match="no first word"),
    ):
        next(stream)


def test_a_stream_has_its_own_deadline(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [streams(*"Plants.", pause_seconds=0.2)]
    with (
        within(1.5),
        model.stream(ASKED, max_tokens=5, deadline_seconds=0.5) as stream,
        pytest.raises(ChatError, match=r"no whole reply within 0\.5 seconds"),
    ):
        list(stream)
    assert chat_server.hung_up.wait(1)


@pytest.mark.parametrize(
    "reply",
    [
        streams("Plants.", pause_seconds=30),
        Scripted(streams("Plants.").chunks, content_type=EVENTS, delay_seconds=30),
        streams(*"Plants." * 100, pause_seconds=0.05),
    ],
    ids=["before the first word", "before the status", "in the middle"],
)
def test_closing_from_another_thread_ends_the_wait_and_the_connection_within_a_second(
    reply: Scripted, model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [reply]
    with ThreadPoolExecutor(1) as pool:
        stream = model.stream(ASKED, max_tokens=5)
        reading = pool.submit(list, stream)
        wait_until(lambda: chat_server.received)
        time.sleep(0.3)
        with within(1):
            stream.close()
            assert isinstance(reading.exception(timeout=1), StoppedError)
            assert chat_server.hung_up.wait(1)
    stream.close()
    with pytest.raises(StoppedError):
        next(stream)
    with pytest.raises(StoppedError):
        _ = stream.reply


def test_closing_at_once_or_behind_the_end_is_fine(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(streams("Plants."))
    model.stream(ASKED, max_tokens=5).close()
    with model.stream(ASKED, max_tokens=5) as stream:
        list(stream)
    assert stream.reply.text == "Plants."
    assert list(stream) == []


def test_a_stream_that_is_forgotten_closes_its_connection(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [streams(*"Plants." * 100, pause_seconds=0.05)]
    stream = model.stream(ASKED, max_tokens=5)
    next(stream)
    del stream
    gc.collect()
    assert chat_server.hung_up.wait(1)


def test_a_closed_model_ends_its_streams(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [streams("Plants.", pause_seconds=30)]
    stream = model.stream(ASKED, max_tokens=5)
    threading.Timer(0.3, model.close).start()
    with within(2), pytest.raises(StoppedError):
        next(stream)
    assert chat_server.hung_up.wait(1)


def test_the_next_request_uses_the_same_connection(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = repeat(streams("Plants."))
    for _ in range(3):
        streamed(model)
    assert len({request.port for request in chat_server.received}) == 1


def test_streams_from_many_threads_get_their_own_pieces(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = lambda request: streams(*request.text)

    def ask(number: int) -> list[str]:
        with model.stream([{"role": "user", "content": f"n{number}"}], max_tokens=5) as stream:
            return list(stream)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(40))) == [list(f"n{number}") for number in range(40)]


def test_text_before_a_refusal_is_not_the_end(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [streams("Plants", finish="content_filter")]
    with model.stream(ASKED, max_tokens=5) as stream:
        assert next(stream) == "Plants"
        with pytest.raises(ReplyError, match="content filter"):
            next(stream)
        assert (stream.spent.prompt_tokens, stream.spent.estimated) == (7, False)


def test_half_a_stream_that_was_cut_off_is_broken_off(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [cut_off(streams("Plants", ", ", "small"))]
    assert "broke the connection off" in problem(streamed, model)

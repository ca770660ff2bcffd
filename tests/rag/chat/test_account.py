"""What one question asks of a chat model: one deadline, one account, one failure."""

import threading

import pytest
from chat_server import ChatServer, Scripted, fails, says, streams
from test_endpoints import ASKED

from rag.chat import Asking, ChatError, ChatModel, Limits, ReplyError, StoppedError


def test_tokens_of_all_calls_add_up_and_are_priced(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [says("A.", usage=(1_000, 20)), streams("B", ".", usage=(500, 5))]
    asking = Asking(model, Limits(9), "1/2")
    assert asking.complete(ASKED, max_tokens=5) == "A."
    assert [*asking.stream(ASKED, max_tokens=5)][-1] == "B."
    assert (asking.usage.prompt_tokens, asking.usage.completion_tokens) == (1_500, 25)
    assert asking.usage.cost_usd == pytest.approx(0.00155)
    assert asking.priced(2_000_000) == ", about $2.000"
    assert not asking.usage.estimated


def test_tokens_that_nobody_counts_are_estimated(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = [says("Plants, small.", usage=None)]
    asking = Asking(model, Limits(9))
    asking.complete(ASKED, max_tokens=5)
    assert asking.usage.model_dump() == {
        "prompt_tokens": 7,
        "completion_tokens": 4,
        "cost_usd": None,
        "estimated": True,
    }


def test_an_endpoint_that_failed_is_not_asked_again_but_after_a_request_that_failed_alone(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [says(""), fails(401), says("A.")]
    asking = Asking(model, Limits(9))
    with pytest.raises(ReplyError):
        asking.complete(ASKED, max_tokens=5)
    for _ in range(2):
        with pytest.raises(ChatError, match="refuses the key"):
            asking.complete(ASKED, max_tokens=5)
    assert len(chat_server.received) == 2


def test_all_calls_share_one_deadline(model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = lambda _: Scripted(says("A.").chunks, delay_seconds=0.3)
    asking = Asking(model, Limits(0.5))
    asking.complete(ASKED, max_tokens=5)
    with pytest.raises(ChatError, match="no whole reply in time"):
        asking.complete(ASKED, max_tokens=5)


def test_cancelling_closes_what_is_under_way_in_another_thread(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [streams("A", "B", pause_seconds=30)]
    asking = Asking(model, Limits(60))
    timer = threading.Timer(0.2, asking.cancel)
    timer.start()
    with pytest.raises(StoppedError):
        asking.complete(ASKED, max_tokens=5)
    with pytest.raises(StoppedError):
        asking.complete(ASKED, max_tokens=5)
    assert chat_server.hung_up.wait(5)
    timer.join()

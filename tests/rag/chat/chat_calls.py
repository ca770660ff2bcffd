"""What the tests of the chat client ask, and the two ways to ask it."""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from rag.chat import ChatError, ChatModel, Message, ReplyError

KEY = "sk-very-secret-0123456789"
ASKED: list[Message] = [
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": "What are mosses?"},
]

Ask = Callable[[ChatModel], str]


def completed(model: ChatModel) -> str:
    return model.complete(ASKED, max_tokens=5).text


def streamed(model: ChatModel) -> str:
    with model.stream(ASKED, max_tokens=5) as pieces:
        return "".join(pieces)


both_ways = pytest.mark.parametrize("ask", [completed, streamed])


def problem(ask: Ask, model: ChatModel, *, of_reply: bool = False) -> str:
    """The one line of the error that asking ends in; `of_reply`: whether another may succeed."""
    with pytest.raises(ChatError) as raised:
        ask(model)
    assert isinstance(raised.value, ReplyError) is of_reply
    message = str(raised.value)
    assert "\n" not in message
    assert KEY not in everything_of(raised.value)
    return message


def everything_of(error: BaseException) -> str:
    """What any log of the error could show: its traceback and every error that it hangs on."""
    shown, seen = ["".join(traceback.format_exception(error))], [error]
    for one in seen:
        linked = (one.__cause__, one.__context__)
        seen += [other for other in linked if other is not None and other not in seen]
        shown.append(f"{one!r} {one.args} {vars(one)}")
    return "\n".join(shown)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails if the block takes longer."""
    started = time.perf_counter()
    yield
    assert time.perf_counter() - started < seconds

"""The key is in no error, log or repr, whatever the endpoint does, even if it repeats the key."""

import dataclasses
import logging
from itertools import repeat

import pytest
from chat_calls import ASKED, KEY, Ask, both_ways, completed, everything_of, streamed
from chat_server import (
    EVENTS,
    ChatServer,
    Scripted,
    cut_off,
    delta,
    fails,
    huge,
    says,
    sends,
    slowly,
    streams,
)

from rag.chat import Asking, ChatError, ChatModel


def asked(model: ChatModel) -> str:
    return Asking(model, deadline_seconds=0.5).complete(ASKED, max_tokens=5)


FAULTS = {
    "key refused": fails(401, f"wrong key {KEY}"),
    "forbidden": fails(403, f"Bearer {KEY} may not"),
    "not found": fails(404, f"nothing for {KEY}"),
    "bad request": fails(400, f"Bearer {KEY} is odd", code=KEY, param=KEY),
    "bad request without JSON": Scripted([f"Bearer {KEY} is odd".encode()], status=400),
    "bad request, cut inside the key": fails(400, "x" * 190 + KEY),
    "quota": fails(429, f"{KEY} has nothing left", code="insufficient_quota"),
    "too many": fails(429, f"{KEY} asks too much", retry_after="60"),
    "wait of a key": fails(429, "slow down", retry_after=KEY),
    "failing": fails(500, f"{KEY} failed", retry_after="0"),
    "too long": fails(400, f"context of {KEY}", code="context_length_exceeded"),
    "refused": says(None, refusal=f"I will not, {KEY}."),
    "refused in a stream": sends(delta(refusal=f"No, {KEY}."), "[DONE]"),
    "empty": says("", finish=KEY),
    "no chat": Scripted([f'{{"key": "{KEY}"}}'.encode()]),
    "broken JSON": Scripted([f'{{"key": "{KEY}'.encode()]),
    "broken event": sends(f'{{"key": "{KEY}'),
    "failure event": sends(f'{{"error": "{KEY} failed"}}'),
    "failure after a word": sends(delta(content="Mosses"), f'{{"error": "{KEY} failed"}}'),
    "wrong type": Scripted([KEY.encode()], content_type=f"text/{KEY}"),
    "cut off": cut_off(says(KEY * 20)),
    "cut off in a stream": cut_off(streams(KEY, KEY, KEY)),
    "huge": huge(5),
    "slow": slowly(says(KEY), pause_seconds=0.1),
    "silent": Scripted([KEY.encode()], content_type=EVENTS, pause_seconds=30),
}


@pytest.mark.parametrize("ask", [completed, streamed, asked])
@pytest.mark.parametrize("fault", FAULTS)
def test_the_key_is_nowhere(
    ask: Ask,
    fault: str,
    hurried: ChatModel,
    chat_server: ChatServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    reply = dataclasses.replace(
        FAULTS[fault], headers={**FAULTS[fault].headers, "X-Your-Key": KEY, "Set-Cookie": KEY}
    )
    chat_server.script = repeat(reply)
    with pytest.raises(ChatError) as raised:
        ask(hurried)
    assert KEY not in everything_of(raised.value)
    assert chat_server.received[0].headers["Authorization"] == f"Bearer {KEY}"
    # Deeper than an error: what a log of all levels holds, as it would be written.
    assert caplog.records
    assert KEY not in caplog.text
    assert not any(KEY in repr(record.args) for record in caplog.records)


@both_ways
def test_the_key_is_in_no_repr(ask: Ask, model: ChatModel, chat_server: ChatServer) -> None:
    chat_server.script = repeat(says("Plants."))
    ask(model)
    stream = model.stream(ASKED, max_tokens=5)
    asking = Asking(model, deadline_seconds=5)
    for shown in (model, stream, asking, model._sender, model._sender.endpoint):
        assert KEY not in repr(shown)
        assert KEY not in repr(getattr(shown, "__dict__", ""))
    stream.close()

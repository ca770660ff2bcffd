"""Endpoints as they are: replies that users of such clients have reported, and faults."""

import base64
import json
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Scripted, cut_off, delta, fails, huge, says, sends, streams

from rag.chat import ChatError, ChatModel, Message
from rag.chat.reply import answer_in

ASKED: list[Message] = [
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": "What are mosses?"},
]
EVENTS = "text/event-stream"
OPTIONS: dict[str, Any] = {"max_tokens": 9, "seed": 1, "stop": ["\n\n"]}
KEY = "sk-very-secret-0123456789"
SAID = "OSWorld has 369 tasks [1.1]."


def scripted(reply: dict[str, Any]) -> Scripted:
    """A reply of a case; a number is a pause in seconds, which the server sleeps."""

    def chunks() -> Iterator[bytes]:
        for chunk in reply["chunks"]:
            if isinstance(chunk, int | float):
                time.sleep(chunk)
            elif isinstance(chunk, dict):
                yield base64.b64decode(chunk["base64"])
            else:
                yield chunk.encode(errors="surrogatepass")

    return Scripted(chunks(), status=reply["status"], content_type=reply["content_type"])


def problem(model: ChatModel) -> ChatError:
    """What asking ends in: one line, and the key nowhere in what a log of it could show."""
    with pytest.raises(ChatError) as raised:
        model.complete(ASKED, **OPTIONS)
    error = raised.value
    assert "\n" not in str(error)
    shown, linked = "".join(traceback.format_exception(error)), error.__cause__
    assert KEY not in shown + repr(error) + repr(linked)
    return error


def test_reported_replies_are_read(chat_server: ChatServer, model: ChatModel, shared: Path) -> None:
    lines = (shared / "cases" / "endpoints.jsonl").read_text().splitlines()
    for case in map(json.loads, lines):
        name = case["name"]
        model.refused.clear()
        model.streams_thoughts = None
        chat_server.script = [scripted(reply) for reply in case["replies"]]
        if case["text"] is None:
            chat_server.script *= 4  # an endpoint that goes on like this
            assert problem(model), name
            continue
        with model.stream(ASKED, **OPTIONS) as stream:
            texts = list(stream)
        assert stream.reply.text == texts[-1] == case["text"], name
        if "o-series" in name or "LiteLLM" in name:
            assert chat_server.received[-1].body["max_completion_tokens"] == 9


def test_a_vague_endpoint_is_asked_for_the_least(chat_server: ChatServer, model: ChatModel) -> None:
    def bare(request: Any) -> Scripted:
        asks = {*request.body} == {"model", "messages", "max_completion_tokens"}
        is_user = [m["role"] for m in request.body["messages"]] == ["user"]
        return says("Plants.") if asks and is_user else fails(400, "Bad request")

    chat_server.script = bare
    assert model.complete(ASKED, **OPTIONS).text == "Plants."
    assert "Be short." in chat_server.received[-1].text
    count = len(chat_server.received)
    assert model.complete(ASKED, **OPTIONS).text == "Plants."
    assert len(chat_server.received) == count + 1


THOUGHTS = [
    "\u200b <thinking>\nhm [1.1].\n</thinking>\n\n{}",
    "<thought>hm</thought><think>more</think>{}",
    "hm, [2.1] it is.\n</think>\n{}",
    "◁think▷hm◁/think▷{}",
    "[THINK]hm[/THINK]{}",
    "<reasoning>a</reasoning> {}",
    "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{}",
    "{}</s>",
    "{}<|im_end|>",
]


@pytest.mark.parametrize("form", THOUGHTS)
def test_thoughts_are_never_an_answer(form: str, chat_server: ChatServer, model: ChatModel) -> None:
    whole = form.format(SAID)
    chat_server.script = [streams(*whole)] * 2
    assert model.complete(ASKED, **OPTIONS).text.strip() == SAID
    with model.stream(ASKED, **OPTIONS) as stream:  # what it is like is known now
        for said in stream:
            assert SAID.startswith(said.strip())
    assert said.strip() == SAID


def whole(body: dict[str, Any]) -> Scripted:
    return Scripted([json.dumps(body).encode()])


NO_CHAT = "does not follow OpenAI's chat protocol"
ELSEWHERE = {"Location": "http://127.0.0.2:9/v1/x"}
FAULTS = {
    "wrong key": (fails(401, f"wrong key {KEY}"), "refuses the key"),
    "unknown": (fails(404, f"nothing for {KEY}"), "check the chat model's name"),
    "cut key": (fails(418, "x" * 190 + KEY), "rejects the request"),
    "quota": (fails(429, KEY, code="insufficient_quota"), "used up"),
    "too many": (fails(429, f"{KEY} asks too much", retry_after="0"), "no more requests"),
    "failing": (fails(500, f"{KEY} failed", retry_after="0"), "failed (HTTP 500)"),
    "refusal": (says(None, refusal=f"I will not, {KEY}."), "refused to answer"),
    "refusal in pieces": (sends(delta(refusal=f"No, {KEY}."), "[DONE]"), "refused to answer"),
    "filter": (says("A", finish="content_filter"), "content filter"),
    "empty": (says("", finish=KEY), "empty reply"),
    "a thought alone": (streams("<think>hm", finish="length"), "raise ABSTRACTQA_ANSWER_TOKENS"),
    "no chat": (Scripted([f'{{"key": "{KEY}"}}'.encode()]), "empty reply"),
    "broken": (Scripted([f'{{"key": "{KEY}'.encode()]), NO_CHAT),
    "broken event": (sends(f'{{"key": "{KEY}'), NO_CHAT),
    "odd choices": (whole({"choices": 5}), "empty reply"),
    "odd choice": (whole({"choices": [7, None]}), "empty reply"),
    "odd message": (whole({"choices": [{"message": "x"}]}), NO_CHAT),
    "odd content": (whole({"choices": [{"message": {"content": 3}}], "usage": 5}), "empty reply"),
    "page": (Scripted([b"<html>"], content_type="text/html"), "most end in /v1"),
    "cut off": (cut_off(says(KEY * 20)), "closed the connection"),
    "cut stream": (cut_off(streams(KEY, KEY, KEY)), "closed the connection"),
    "huge": (huge(), "more than 4 MB"),
    "huge event": (huge(EVENTS), "more than 4 MB"),
    "redirect": (Scripted([b""], status=307, headers=ELSEWHERE), "redirects to another address"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_without_key(name: str, chat_server: ChatServer, model: ChatModel) -> None:
    fault, words = FAULTS[name]
    chat_server.script = lambda _: fault
    assert words in str(problem(model))
    assert len(chat_server.received) <= 4


def test_a_reply_is_asked_for_again_until_shown(chat_server: ChatServer, model: ChatModel) -> None:
    chat_server.script = [Scripted([], content_type=EVENTS, reset=True), streams("Plants.")]
    assert model.complete(ASKED, **OPTIONS).text == "Plants."
    begun = sends(delta(content="Mosses are small plants. "), '{"error": "overloaded"}')
    chat_server.script = [begun, streams("Plants.")]
    with model.stream(ASKED, **OPTIONS) as stream, pytest.raises(ChatError, match="overloaded"):
        list(stream)
    assert len(chat_server.received) == 3


def test_thoughts_are_read_in_time_linear_in_their_length() -> None:
    assert answer_in("word " * 4_000) == "word " * 4_000
    for text in ("<think>" + "word " * 100_000, "<think>" * 100_000):
        assert answer_in(text) == ""

"""One reply as it comes in: server-sent events or a whole body, whatever they are announced as."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from rag.chat.errors import Endpoint, ReplyError

MOST_BYTES = 4 * 2**20
"""Of a reply, thoughts included."""
_NAMES = r"think|thinking|thoughts?|reasoning|reflection|analysis|scratchpad"
_CLOSED = re.compile(
    rf"<(?P<tag>{_NAMES})>.*?</(?P=tag)>|◁think▷.*?◁/think▷|\[THINK\].*?\[/THINK\]"
    r"|<\|channel\|>(?!final).*?(?=<\|channel\|>|$)",
    re.DOTALL | re.IGNORECASE,
)
_CLOSING = re.compile(rf"</(?:{_NAMES})>|◁/think▷|\[/THINK\]", re.IGNORECASE)
_OPENED = re.compile(rf"(?:<(?:{_NAMES})>|◁think▷|\[THINK\]).*", re.DOTALL | re.IGNORECASE)
_TEMPLATE = re.compile(
    r"<\|start\|>(?:assistant)?|<\|channel\|>final|<\|\w+\|>|</?s>|<(?:start|end)_of_turn>|<eos>"
)
_BEGUN = re.compile(r"(?:<[|/]?[\w|]{0,20}|◁\S{0,7}|\[/?[A-Z]{0,5})$")
_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"


@dataclass(slots=True)
class Reading:
    """Puts the pieces of one reply together."""

    endpoint: Endpoint
    said: str = ""
    """All of its content so far, thoughts too."""
    begun: bool = False
    """Whether a piece of a reply came, if only of a thought."""
    done: bool = False
    finish: str | None = None
    thought: int = 0
    """Characters of thoughts that came apart from the content."""
    refusal: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    """The model that answers, as the endpoint calls it."""

    @property
    def cut(self) -> bool:
        """Whether its limit of tokens ended it."""
        return self.finish in ("length", "max_tokens")

    def counted(self, what: str) -> int | None:
        """The tokens of "prompt" or "completion" as the endpoint counts them, where it does."""
        try:
            return max(0, int(float(self.usage[f"{what}_tokens"])))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    def take(self, data: str | bytes) -> None:
        """Add one event, or a whole body.

        Raises:
            ReplyError: it is none of the protocol, or too much to hold.
            BrokenOffError: the endpoint reports a failure in it.
        """
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            raise self.endpoint.not_chat() from None
        if not isinstance(chunk, dict):
            raise self.endpoint.not_chat()
        if error := chunk.get("error"):
            why = error.get("message") or error.get("code") if isinstance(error, dict) else error
            raise self.endpoint.broken_off(why or "no reason given")
        if isinstance(chunk.get("usage"), dict):
            self.usage = chunk["usage"] or self.usage
        if isinstance(chunk.get("model"), str):
            self.model = self.endpoint.clean(chunk["model"])
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and not choice.get("index"):
                self._add(choice)

    def _add(self, choice: dict[str, Any]) -> None:
        piece = choice.get("delta") or choice.get("message") or {}
        if not isinstance(piece, dict):
            raise self.endpoint.not_chat()
        text = _text(piece.get("content"))
        if not text.isascii() and text.encode(errors="replace").decode() != text:
            raise self.endpoint.not_chat()  # half a character
        self.begun = True
        self.said += text
        self.refusal += _text(piece.get("refusal"))
        for name in ("reasoning_content", "reasoning", "thinking"):
            self.thought += len(str(piece.get(name) or ""))
        if len(self.said) + self.thought > MOST_BYTES:
            raise ReplyError(f"{self.endpoint.where} sent more than {MOST_BYTES >> 20} MB")
        if choice.get("finish_reason") not in (None, "", "null"):
            self.finish = str(choice["finish_reason"])

    def answer(self) -> str:
        """The whole text without thoughts.

        Raises:
            ReplyError: it is a refusal, or empty.
        """
        if self.refusal or self.finish == "content_filter":
            raise self.endpoint.declined(self.refusal or "its content filter stopped it")
        text = answer_in(self.said)
        if text.strip():
            return text
        why = f"{self.endpoint.where} gave an empty reply (finish reason: {self.finish or 'none'})"
        if self.cut and (self.said or self.thought):
            why += ": all its tokens went into thoughts, so raise ABSTRACTQA_ANSWER_TOKENS"
        raise ReplyError(self.endpoint.clean(why))


def _text(content: object) -> str:
    """The text of a content, which may be a list of parts; parts that are thoughts are left out."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        return "".join(_text(p.get("text")) for p in parts if p.get("type", "text") == "text")
    return content if isinstance(content, str) else ""


def answer_in(text: str, *, whole: bool = True) -> str:
    """What a model said, without what it thought aloud and without the signs of its template.

    A thought that a template opened has no beginning: what stands before the end of a thought is
    one. Of a text that is not whole, what may be the beginning of a sign is left out.
    """
    text = _CLOSED.sub("", text.lstrip(_UNSEEN))
    text = _OPENED.sub("", text[_end_of_thought(text) :])
    if not whole:
        text = _BEGUN.sub("", text)
    return _TEMPLATE.sub("", text).lstrip()


def has_end_of_thought(text: str) -> bool:
    """Whether a thought ends in a text that did not begin there, as some templates have it."""
    return _end_of_thought(_CLOSED.sub("", text)) > 0


def _end_of_thought(text: str) -> int:
    """Where the last end of a thought ends; 0 without one."""
    return max((match.end() for match in _CLOSING.finditer(text)), default=0)


async def read(chunks: AsyncIterator[bytes], kind: str, reading: Reading) -> AsyncIterator[None]:
    """Take a body in; yields whenever there is more of it.

    Args:
        chunks: The body, cut anywhere.
        kind: The content type that is announced. Only of a whole body it has to be true: event
            streams come under any name.
        reading: Takes it.

    Raises:
        ReplyError: as `Reading.take`, or it is neither events nor JSON.
        BrokenOffError: it ended before its end.
    """
    unread, events, held = b"", False, 0
    async for chunk in chunks:
        held += len(chunk)
        if held > 8 * MOST_BYTES or len(unread) > MOST_BYTES:
            raise ReplyError(f"{reading.endpoint.where} sent more than {MOST_BYTES >> 20} MB")
        unread += chunk
        if not events and unread.lstrip()[:1] in (b"{", b"[", b"<"):
            continue  # a whole body
        *lines, unread = unread.split(b"\n")
        for line in lines:
            events = events or line.startswith((b"data:", b":", b"event:", b"id:", b"retry:"))
            _take_line(line, reading)
        yield
    if events:
        _take_line(unread, reading)
        if not (reading.done or reading.finish):
            raise reading.endpoint.broken_off()
    elif "json" in kind or not kind:
        reading.take(unread)
        reading.done = True
    else:
        raise reading.endpoint.not_chat(kind)
    yield


def _take_line(line: bytes, reading: Reading) -> None:
    name, _, data = line.strip().partition(b":")
    data = data.strip()
    if name != b"data" or not data:
        return
    if data == b"[DONE]":
        reading.done = True
    else:
        reading.take(data)

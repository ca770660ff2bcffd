"""The messages to a chat model, the parser of its replies in all their forms, and the errors."""

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

from index.errors import AbstractQAError
from rag.schema import Usage

if TYPE_CHECKING:
    import openai


class ChatError(AbstractQAError):
    """The chat model could not be asked: its key, address, network, limits or deadline."""


class ReplyError(ChatError):
    """The endpoint works, but this request got no usable reply; another request may get one."""


class TooLongError(ReplyError):
    """The request is longer than the model's context."""


class BrokenOffError(ChatError):
    """The reply broke off before its end; asking again may help."""


class StoppedError(AbstractQAError):
    """The caller cancelled the call; not a ChatError, since nothing is wrong with the endpoint."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Makes an endpoint's errors; they name no variable for its key, name or address."""

    where: str
    """Its model and host."""
    key: str = field(repr=False)

    def clean(self, text: object) -> str:
        """Make text from the endpoint fit for a message: one line, 200 code points, no key."""
        # Remove the key before cutting the text, so that no part of the key stays.
        return " ".join(str(text or "").replace(self.key, "…").split())[:200]

    def not_chat(self, kind: str = "") -> ReplyError:
        """Return the error for a body that is no chat completion; `kind` is its content type."""
        if kind and "json" not in kind and "event-stream" not in kind:
            return ReplyError(
                f"{self.where} answers with {self.clean(kind)[:40]}, not JSON:"
                " check its address (most end in /v1)"
            )
        return ReplyError(f"{self.where} sent a reply that does not follow OpenAI's chat protocol")

    def declined(self, why: str) -> ReplyError:
        """Return the error for a refusal by the model, or by a filter before or behind it."""
        return ReplyError(f"{self.where} refused to answer: {self.clean(why)}")

    def refused(self, error: "openai.APIStatusError") -> ChatError:
        """Return the error for an error status of the endpoint."""
        code, text = error.status_code, self.clean(message_of(error))
        if code in (400, 413) and "context" in f"{error.code} {error.type} {text}":
            return TooLongError(f"{self.where}: the request is longer than its context: {text}")
        if code == 400 and error.code == "content_filter":
            return self.declined("its content filter stopped the request")
        # The endpoint's text about a key or a quota may contain a part of the key: not repeated.
        to = self.clean(error.response.headers.get("location"))
        known = {
            307: ("redirects to another address", f"give {to} as the chat model's address"),
            401: ("refuses the key", "check the chat model's key"),
            404: ("is unknown there", "check the chat model's name and address"),
            429: ("accepts no more requests for now", text),
            500: ("failed", text),
        }
        group = 307 if code < 400 else 401 if code == 403 else min(code, 500)
        what, why = known.get(group, ("rejects the request", text))
        if code == 429 and error.code == "insufficient_quota":
            what, why = "has used up the quota of its key", ""
        return ChatError(f"{self.where} {what} (HTTP {code})" + (why and f": {why}"))


def message_of(error: "openai.APIStatusError") -> str:
    """Return the message of an error reply, whichever field it is in; "" if there is none."""
    body: Any = error.body
    while isinstance(body, dict):
        body = body.get("message") or body.get("error") or body.get("detail")
    return body if isinstance(body, str) else ""


CUT_OFF = "closed the connection before the reply was complete"
MOST_BYTES = 4 * 2**20
"""The largest reply that is read, thoughts included."""
_THOUGHT = re.compile(
    r"(?i)(?:<|◁|\[(?=/?THINK\]))(?P<end>/)?"
    r"(?:think|thinking|thoughts?|reasoning|reflection|analysis|scratchpad)[>▷\]]"
    r"|<\|channel\|>(?P<final>final)?"
)
"""A mark at which a thought begins or ends."""
_TEMPLATE = re.compile(
    r"<\|start\|>(?:assistant)?|<\|channel\|>final|<\|\w+\|>|</?s>|<(?:start|end)_of_turn>|<eos>"
)
_BEGUN = re.compile(r"(?:<[|/]?[\w|]{0,20}|◁\S{0,7}|\[/?[A-Z]{0,5})$")
_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"


class Message(TypedDict):
    """One turn of the conversation that the model reads."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: NotRequired[Sequence[Mapping[str, Any]]]
    tool_call_id: NotRequired[str]


Complete = Callable[[list[Message]], str]
"""A function from a conversation to the model's reply, which is all that most callers need."""
_NUMBERED = re.compile(
    r"^\W*(?:(?:part|claim)\s*)?(\d{1,3})(?:\s*[.):–-]\s*|\s+(?=(?:yes|no)\b))(.+)$", re.I | re.M
)


def numbered_lines(reply: str) -> list[tuple[int, str]]:
    """Return the lines of a reply that begin with a number ("1. …", "Claim 2: …"), in order."""
    return [(int(number), line.strip()) for number, line in _NUMBERED.findall(reply)]


def tokens_of(text: str) -> int:
    """Estimate the number of tokens in English: a quarter of its characters, rounded up."""
    return -(-len(text) // 4)


@dataclass(frozen=True, slots=True)
class Call:
    """A model's request to call a tool; its arguments are JSON, as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A chat model's reply without its thoughts."""

    text: str
    """Empty only if the reply calls tools."""
    seconds: float
    """Wall-clock time of all attempts."""
    cut: bool = False
    """Whether the token limit cut the reply off."""
    calls: tuple[Call, ...] = ()


@dataclass(slots=True)
class Incoming:
    """Assembles the chunks of one reply."""

    endpoint: Endpoint
    offers_tools: bool = False
    """Whether the request had tools; otherwise tool calls are ignored."""
    content: str = ""
    """With the thoughts that are written in it."""
    begun: bool = False
    """Whether any chunk of a reply arrived, even if only of a thought."""
    done: bool = False
    finish: str | None = None
    thought: int = 0
    """Characters of thoughts that arrived in fields other than the content."""
    refusal: str = ""
    calls: dict[int, Call] = field(default_factory=dict)
    """The tool calls by their position."""
    counts: dict[str, Any] = field(default_factory=dict)

    @property
    def cut(self) -> bool:
        """Whether the token limit cut the reply off."""
        return self.finish in ("length", "max_tokens")

    def usage(self, prompt_guess: int) -> Usage:
        """Return the tokens so far: the endpoint's counts, else estimates (`prompt_guess`)."""
        prompt, written = self._counted("prompt_tokens"), self._counted("completion_tokens")
        written_guess = tokens_of(self.content) + self.thought // 4
        written_guess += sum(tokens_of(call.arguments) for call in self.calls.values())
        return Usage(
            prompt_tokens=prompt_guess if prompt is None else prompt,
            completion_tokens=written_guess if written is None else written,
            estimated=prompt is None or written is None,
        )

    def _counted(self, name: str) -> int | None:
        try:
            return max(0, int(float(self.counts[name])))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    def take(self, data: str | bytes) -> None:
        """Add one event, or a whole body; raises the ReplyError or BrokenOffError it reports."""
        chunk = None
        with suppress(ValueError, RecursionError):
            chunk = json.loads(data)
        if not isinstance(chunk, dict):
            raise self.endpoint.not_chat()
        if error := chunk.get("error"):
            why = error.get("message") or error.get("code") if isinstance(error, dict) else error
            how = self.endpoint.clean(why or "no reason given")
            raise BrokenOffError(f"{self.endpoint.where} failed in the middle of its reply: {how}")
        if isinstance(chunk.get("usage"), dict):
            self.counts = chunk["usage"] or self.counts
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and not choice.get("index"):
                self._add(choice)

    def _add(self, choice: dict[str, Any]) -> None:
        piece = choice.get("delta") or choice.get("message") or {}
        if not isinstance(piece, dict):
            raise self.endpoint.not_chat()
        self.content += self._checked(_text(piece.get("content")))
        self.begun = True
        self.refusal += _text(piece.get("refusal"))
        if self.offers_tools:
            self._add_calls(piece.get("tool_calls"))
        for name in ("reasoning_content", "reasoning", "thinking"):
            self.thought += len(str(piece.get(name) or ""))
        called = sum(len(call.arguments) for call in self.calls.values())
        self._limit(len(self.content) + self.thought + called)
        if choice.get("finish_reason") not in (None, "", "null"):
            self.finish = str(choice["finish_reason"])

    def _checked(self, text: str) -> str:
        if any("\ud800" <= sign <= "\udfff" for sign in text):
            raise self.endpoint.not_chat()  # a lone surrogate is half a character
        return text

    def _add_calls(self, pieces: object) -> None:
        """Add pieces of tool calls; if they have no index, a new id begins a new call."""
        for piece in pieces if isinstance(pieces, list) else ():
            function = piece.get("function") if isinstance(piece, dict) else None
            if not isinstance(function, dict):
                raise self.endpoint.not_chat()
            place, id_ = piece.get("index"), str(piece.get("id") or "")
            if not isinstance(place, int):
                last = max(self.calls, default=0)
                begins = self.calls and id_ not in ("", self.calls[last].id)
                place = last + 1 if begins else last
            call = self.calls.get(place, Call(id_ or f"call_{place}", "", ""))
            arguments = function.get("arguments") or ""
            arguments = arguments if isinstance(arguments, str) else json.dumps(arguments)
            name = call.name or str(function.get("name") or "")
            self.calls[place] = Call(call.id, name, call.arguments + self._checked(arguments))

    def _limit(self, size: int) -> None:
        if size > MOST_BYTES:
            raise ReplyError(f"{self.endpoint.where} sent more than {MOST_BYTES >> 20} MB")

    def answer(self) -> str:
        """Return the whole text without thoughts; raises ReplyError if it is a refusal or empty."""
        if self.refusal or self.finish == "content_filter":
            raise self.endpoint.declined(self.refusal or "its content filter stopped it")
        text = answer_in(self.content)
        if text.strip() or self.calls:
            return text
        why = f"{self.endpoint.where} gave an empty reply (finish reason: {self.finish or 'none'})"
        if self.cut and (self.content or self.thought):
            why += ": all its tokens went into thinking, so raise ABSTRACTQA_ANSWER_TOKENS"
        raise ReplyError(self.endpoint.clean(why))

    async def read(self, chunks: AsyncIterator[bytes], kind: str) -> AsyncIterator[None]:
        """Read a body from chunks that are cut anywhere; yields whenever more of it was added.

        The content type `kind` counts only for a body without events: those come with any type.
        Raises as `take`, and if the body is neither events nor JSON, or breaks off.
        """
        unread, events = b"", False
        async for chunk in chunks:
            unread += chunk
            self._limit(len(unread))
            if not events and unread.lstrip()[:1] in (b"{", b"[", b"<"):
                continue  # a whole body
            *lines, unread = unread.split(b"\n")
            for line in lines:
                events = events or line.startswith((b"data:", b":", b"event:", b"id:", b"retry:"))
                self._take_line(line)
            yield
        if events:
            self._take_line(unread)
            if not (self.done or self.finish):
                raise BrokenOffError(f"{self.endpoint.where} {CUT_OFF}")
        elif "json" in kind or not kind:
            self.take(unread)
        else:
            raise self.endpoint.not_chat(kind)
        self.done = True
        yield

    def _take_line(self, line: bytes) -> None:
        name, _, data = line.partition(b":")
        data = data.strip() if name.strip() == b"data" else b""
        if data == b"[DONE]":
            self.done = True
        elif data:
            self.take(data)


def _text(content: object) -> str:
    """Return the text of a content, which may be a list of parts; skips parts that are no text."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        return "".join(_text(p.get("text")) for p in parts if p.get("type", "text") == "text")
    return content if isinstance(content, str) else ""


def answer_in(text: str, *, whole: bool = True) -> str:
    """Remove thoughts and template marks from a reply, and an end that may still become one."""
    text = without_thoughts(text.lstrip(_UNSEEN))[0]
    return _TEMPLATE.sub("", text if whole else _BEGUN.sub("", text)).lstrip()


def without_thoughts(text: str) -> tuple[str, bool]:
    """Remove thoughts from a text, and return whether one ends in it that the template began."""
    kept, at, thinks, begun_before = "", 0, False, False
    for mark in _THOUGHT.finditer(text):
        kept += "" if thinks else text[at : mark.start()]
        at = mark.end()
        if mark["end"] and not thinks:
            kept, begun_before = "", True
        thinks = not mark["end"] and not mark["final"]
    return kept + ("" if thinks else text[at:]), begun_before

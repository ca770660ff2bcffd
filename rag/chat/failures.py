"""What can go wrong between us and a chat model, each in one line that never holds the key."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from index.errors import AbstractQAError

if TYPE_CHECKING:
    import openai


class ChatError(AbstractQAError):
    """The chat model could not be asked: key, address, network, limits, time."""


class ReplyError(ChatError):
    """The endpoint works, but this request got nothing usable; another one may."""


class TooLongError(ReplyError):
    """The request is longer than the model's context."""


class BrokenOffError(ChatError):
    """The reply did not come to its end; asking again may help."""


class StoppedError(ChatError):
    """The caller gave the call up; nothing is wrong with the endpoint."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is asked, as messages name it, and what none of them may repeat.

    Messages speak of the chat model's key, name and address, not of the variables of the
    environment: the endpoint may have been entered on the page.
    """

    where: str
    """The model and its host, as messages begin."""
    key: str = field(repr=False)

    def clean(self, text: object) -> str:
        """What the endpoint sent, fit for a message: one line, short, without the key."""
        # Before it is cut: half a key is one too.
        return " ".join(str(text or "").replace(self.key, "…").split())[:200]

    def unreachable(self) -> ChatError:
        """No connection came about."""
        return ChatError(f"{self.where} cannot be reached: check its address, and that it runs")

    def broken_off(self, why: object = None) -> BrokenOffError:
        """The connection was lost, or the endpoint failed, before the reply was whole."""
        how = f"failed in the middle of its reply: {self.clean(why)}"
        if why is None:
            how = "broke the connection off before the reply was whole"
        return BrokenOffError(f"{self.where} {how}")

    def not_chat(self, kind: str = "") -> ReplyError:
        """What came is no chat completion, nor a part of one."""
        if kind and "json" not in kind and "event-stream" not in kind:
            return ReplyError(
                f"{self.where} answers with {self.clean(kind)[:40]}, not JSON:"
                " check its address (most end in /v1)"
            )
        return ReplyError(f"{self.where} sent a reply that is not of OpenAI's chat protocol")

    def declined(self, why: str) -> ReplyError:
        """The model, or a filter before or behind it, does not want to answer."""
        return ReplyError(f"{self.where} refused to answer: {self.clean(why)}")

    def refused(self, error: "openai.APIStatusError") -> ChatError:
        """The endpoint answered with an error status."""
        code, text = error.status_code, self.clean(message_of(error))
        if code in (400, 413) and "context" in f"{error.code} {error.type} {text}":
            return TooLongError(
                f"{self.where}: the request is longer than its context (HTTP {code}): {text}"
            )
        if code == 400 and error.code == "content_filter":
            return self.declined("its content filter stopped the request")
        # What is said of a key or a quota may hold a part of the key.
        if code in (401, 403):
            why = "refuses the key ({}): check the chat model's key"
        elif 300 <= code < 400:
            to = self.clean(error.response.headers.get("location"))
            why = f"sends to another address ({{}}): give {to} as the chat model's address"
        elif code == 404:
            why = "is unknown there ({}): check the chat model's name and address"
        elif code == 429 and error.code == "insufficient_quota":
            why = "has used up the quota of its key ({})"
        else:
            verb = "takes no more requests for now" if code == 429 else "rejects the request"
            why = f"{'failed' if code >= 500 else verb} ({{}})" + (text and f": {text}")
        return ChatError(f"{self.where} " + why.replace("{}", f"HTTP {code}", 1))


def message_of(error: "openai.APIStatusError") -> str:
    """What an error reply says, wherever it says it."""
    body: Any = error.body
    while isinstance(body, dict):
        body = body.get("message") or body.get("error") or body.get("detail")
    return body if isinstance(body, str) else ""

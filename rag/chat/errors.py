"""What can go wrong between us and a chat model, each in one line that never holds the key."""

import email.utils
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from index.errors import AbstractQAError

if TYPE_CHECKING:
    import openai

_BACKOFF_SECONDS = 0.4
"""Wait before the second request; the next one waits twice as long."""


class ChatError(AbstractQAError):
    """The chat model could not be asked: key, address, network, limits, time."""


class ReplyError(ChatError):
    """The endpoint works, but this request got nothing usable; another one may."""


class BrokenOffError(ChatError):
    """The reply began, or was about to, and did not come to its end; asking again may help."""


class StoppedError(ChatError):
    """The caller gave the call up; nothing is wrong with the endpoint."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is asked, as messages name it, and what none of them may repeat."""

    where: str
    """The model and its host, as messages begin."""
    key: str = field(repr=False)

    def says(self, text: str) -> str:
        """What the endpoint said, fit for a message: one line, short, without the key."""
        # Before it is cut: half a key is one too.
        return " ".join(text.replace(self.key, "…").split())[:200]

    def unreachable(self) -> ChatError:
        """No connection came about."""
        return ChatError(f"{self.where} cannot be reached: check OPENAI_BASE_URL, and that it runs")

    def broken_off(self) -> BrokenOffError:
        """The connection was lost before the reply was whole."""
        return BrokenOffError(f"{self.where} broke the connection off before the reply was whole")

    def failed(self, said: str) -> BrokenOffError:
        """The endpoint reports in the middle of a reply that it cannot go on."""
        return BrokenOffError(f"{self.where} failed in the middle of its reply: {self.says(said)}")

    def too_slow(self, what: str, seconds: float, setting: str) -> ChatError:
        """`what` (a whole reply, a first word) did not come within so many seconds."""
        return ChatError(f"{self.where} gave no {what} within {seconds:.3g} seconds ({setting})")

    def not_chat(self) -> ReplyError:
        """What came is no chat completion, nor a part of one."""
        return ReplyError(f"{self.where} sent a reply that is not of OpenAI's chat protocol")

    def wrong_type(self, kind: str) -> ChatError:
        """A reply of another content type, as a web page at a wrong address has."""
        return ChatError(
            f"{self.where} answers with {self.says(kind)[:40]}, not JSON: "
            "check OPENAI_BASE_URL (most end in /v1)"
        )

    def no_list(self) -> ChatError:
        """The endpoint does not say which models it has."""
        return ChatError(f"{self.where} gave no list of its models")

    def too_long(self, megabytes: int) -> ReplyError:
        """A reply that was left where it is."""
        return ReplyError(f"{self.where} sent a reply of more than {megabytes} MB")

    def declined(self, why: str) -> ReplyError:
        """The model, or a filter before or behind it, does not want to answer."""
        return ReplyError(f"{self.where} refused to answer: {self.says(why)}")

    def empty(self, finish: str | None) -> ReplyError:
        """A reply without text."""
        reason = self.says(finish or "none")
        return ReplyError(f"{self.where} gave an empty reply (finish reason: {reason})")

    def refused(self, error: "openai.APIStatusError") -> ChatError:
        """The endpoint answered with an error status."""
        status = f"HTTP {error.status_code}"
        said = self.says(_message(error))
        said = f": {said}" if said else ""
        match error.status_code:
            case 401 | 403:
                # What is said here may hold a part of the key.
                return ChatError(f"{self.where} refuses the key ({status}): check OPENAI_API_KEY")
            case 404:
                return ChatError(
                    f"{self.where} is unknown there ({status}): "
                    "check ABSTRACTQA_CHAT_MODEL and OPENAI_BASE_URL"
                )
            case 429 if _used_up(error):
                return ChatError(f"{self.where}: the quota of OPENAI_API_KEY is used up ({status})")
            case 429:
                return ChatError(f"{self.where} takes no more requests for now ({status}){said}")
            case 400 | 413 if "context" in f"{error.code} {error.type} {said}":
                return ReplyError(
                    f"{self.where}: the request is longer than its context ({status}){said}"
                )
            case 400 if error.code == "content_filter":
                return self.declined("its content filter stopped the request")
            case code if code >= 500:
                return ChatError(f"{self.where} failed ({status}){said}")
        return ChatError(f"{self.where} rejects the request ({status}){said}")


def seconds_to_wait(error: Exception, request: int) -> float | None:
    """Seconds to wait before asking again; None if that would not help.

    Args:
        error: What the client raised: a status, or a connection that failed.
        request: How many requests there have been, from 1.
    """
    import openai

    backoff: float = _BACKOFF_SECONDS * 2 ** (request - 1)  # mypy takes a power for an Any
    if not isinstance(error, openai.APIStatusError):
        return backoff
    if error.status_code not in (408, 409, 429) and error.status_code < 500:
        return None
    if _used_up(error):
        return None
    asked = _retry_after(error.response.headers.get("retry-after", ""))
    return backoff if asked is None else max(0.0, asked)


def _used_up(error: "openai.APIStatusError") -> bool:
    """Whether nothing is left to spend: a 429 that waiting does not help."""
    return error.code == "insufficient_quota"


def _retry_after(header: str) -> float | None:
    """The seconds a Retry-After header asks for: a number, or a date (RFC 9110, 10.2.3)."""
    try:
        seconds = float(header)
        return seconds if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        until = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _message(error: "openai.APIStatusError") -> str:
    body = error.body
    said = body.get("message") if isinstance(body, dict) else body
    return " ".join(said.split()) if isinstance(said, str) else ""

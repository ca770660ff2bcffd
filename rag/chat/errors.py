"""What can go wrong between us and a chat model, each in one line that never holds the key."""

import email.utils
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from index.errors import AbstractQAError

if TYPE_CHECKING:
    import openai

_BACKOFF_SECONDS = 0.5
"""Wait before the second request; the next one waits twice as long."""


class ChatError(AbstractQAError):
    """The chat model could not be asked: key, address, network, limits, time."""


class ReplyError(ChatError):
    """The endpoint works, but this request got nothing usable; another one may."""


def unreachable(where: str) -> ChatError:
    """No connection came about."""
    return ChatError(f"{where} cannot be reached: check OPENAI_BASE_URL, and that it runs")


def broken_off(where: str) -> ChatError:
    """The connection was lost before the reply was whole."""
    return ChatError(f"{where} broke the connection off before the reply was whole")


def refused(where: str, error: "openai.APIStatusError", key: str) -> ChatError:
    """The endpoint answered with an error status.

    Args:
        where: The model and its host, as messages begin.
        error: What the client raised.
        key: Taken out of what the endpoint says, which may repeat it.
    """
    status = f"HTTP {error.status_code}"
    said = _message(error).replace(key, "…")
    said = f": {said[:200]}" if said else ""
    match error.status_code:
        case 401 | 403:
            # What is said here may hold a part of the key.
            return ChatError(f"{where} refuses the key ({status}): check OPENAI_API_KEY")
        case 404:
            return ChatError(
                f"{where} is unknown there ({status}): "
                "check ABSTRACTQA_CHAT_MODEL and OPENAI_BASE_URL"
            )
        case 429 if _used_up(error):
            return ChatError(f"{where}: the quota of OPENAI_API_KEY is used up ({status})")
        case 429:
            return ChatError(f"{where} takes no more requests for now ({status}){said}")
        case 400 | 413 if "context" in f"{error.code} {error.type} {said}":
            return ReplyError(f"{where}: the request is longer than its context ({status}){said}")
        case 400 if error.code == "content_filter":
            return ReplyError(f"{where} refused to answer: its content filter stopped the request")
        case code if code >= 500:
            return ChatError(f"{where} failed ({status}){said}")
    return ChatError(f"{where} rejects the request ({status}){said}")


def seconds_to_wait(error: Exception, request: int) -> float | None:
    """Seconds to wait before asking again; None if that would not help.

    Args:
        error: What the client raised: a status, or a connection that failed.
        request: How many requests there have been, from 1.
    """
    import openai

    backoff: float = _BACKOFF_SECONDS * 2 ** (request - 1)
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
        return float(header)
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

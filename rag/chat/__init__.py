"""A chat model behind any OpenAI-compatible endpoint: messages in, checked replies out."""

from rag.chat.account import Asking, Price
from rag.chat.failures import (
    ChatError,
    RefusedError,
    ReplyError,
    StoppedError,
    TooLongError,
    UnreachableError,
)
from rag.chat.model import ChatModel, is_address
from rag.chat.reply import Complete, Limits, Message, Reply, added, tokens_of
from rag.chat.stream import Stream
from rag.chat.trying import LOCAL_SERVERS, LocalServer, Tried, local_servers, try_endpoint

__all__ = [
    "LOCAL_SERVERS",
    "Asking",
    "ChatError",
    "ChatModel",
    "Complete",
    "Limits",
    "LocalServer",
    "Message",
    "Price",
    "RefusedError",
    "Reply",
    "ReplyError",
    "StoppedError",
    "Stream",
    "TooLongError",
    "Tried",
    "UnreachableError",
    "added",
    "is_address",
    "local_servers",
    "tokens_of",
    "try_endpoint",
]

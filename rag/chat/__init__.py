"""A chat model behind any OpenAI-compatible endpoint: messages in, checked replies out."""

from rag.chat.account import Asking, Price
from rag.chat.model import ChatModel, is_address
from rag.chat.reply import (
    ChatError,
    Complete,
    Limits,
    Message,
    ReplyError,
    StoppedError,
    TooLongError,
    added,
    numbered_lines,
    tokens_of,
)
from rag.chat.trying import LocalServer, Tried, local_servers, try_endpoint

__all__ = [
    "Asking", "ChatError", "ChatModel", "Complete", "Limits", "LocalServer", "Message", "Price",
    "ReplyError", "StoppedError", "TooLongError", "Tried", "added", "is_address", "local_servers",
    "numbered_lines",
    "tokens_of", "try_endpoint",
]  # fmt: skip

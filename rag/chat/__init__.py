"""A chat model behind any OpenAI-compatible endpoint: messages in, checked replies out."""

from rag.chat.model import (
    Asking,
    ChatModel,
    LocalServer,
    Tried,
    is_address,
    local_servers,
    try_endpoint,
)
from rag.chat.reply import (
    ChatError,
    Complete,
    Message,
    ReplyError,
    StoppedError,
    TooLongError,
    numbered_lines,
    tokens_of,
)

__all__ = [
    "Asking", "ChatError", "ChatModel", "Complete", "LocalServer", "Message",
    "ReplyError", "StoppedError", "TooLongError", "Tried", "is_address", "local_servers",
    "numbered_lines", "tokens_of", "try_endpoint",
]  # fmt: skip

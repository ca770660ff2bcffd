"""A chat model behind any OpenAI-compatible endpoint: messages in, checked replies out."""

from rag.chat.model import Asking, ChatModel, Tried, is_address, try_endpoint
from rag.chat.reply import (
    Call,
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
    "Asking", "Call", "ChatError", "ChatModel", "Complete", "Message",
    "ReplyError", "StoppedError", "TooLongError", "Tried", "is_address",
    "numbered_lines", "tokens_of", "try_endpoint",
]  # fmt: skip

"""A chat model behind any OpenAI-compatible endpoint: messages in, checked replies out."""

from rag.chat.asking import Asking
from rag.chat.errors import ChatError, ReplyError, StoppedError
from rag.chat.model import ChatModel
from rag.chat.prices import Price, price_of
from rag.chat.reply import Complete, Message, Reply
from rag.chat.stream import Stream

__all__ = [
    "Asking",
    "ChatError",
    "ChatModel",
    "Complete",
    "Message",
    "Price",
    "Reply",
    "ReplyError",
    "StoppedError",
    "Stream",
    "price_of",
]

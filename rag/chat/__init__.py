"""A chat model behind any OpenAI-compatible endpoint: messages in, checked replies out."""

from rag.chat.account import Asking, Price
from rag.chat.call import Stream
from rag.chat.errors import ChatError, ReplyError, StoppedError, TooLongError
from rag.chat.model import ChatModel
from rag.chat.reply import Complete, Limits, Message, Reply, tokens_of

__all__ = [
    "Asking",
    "ChatError",
    "ChatModel",
    "Complete",
    "Limits",
    "Message",
    "Price",
    "Reply",
    "ReplyError",
    "StoppedError",
    "Stream",
    "TooLongError",
    "tokens_of",
]

"""A chat model behind any OpenAI-compatible endpoint: messages in, one checked reply out."""

from rag.chat.errors import ChatError, ReplyError
from rag.chat.model import ChatModel
from rag.chat.reply import Complete, Message, Reply

__all__ = ["ChatError", "ChatModel", "Complete", "Message", "Reply", "ReplyError"]

"""The chat model as a LlamaIndex `LLM`, so that its chat engines and evaluators can ask it too."""

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.generic_utils import (
    chat_to_completion_decorator,
    stream_chat_to_completion_decorator,
)
from llama_index.core.llms import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    CustomLLM,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from pydantic import PrivateAttr

from rag.chat.model import ChatModel
from rag.chat.reply import Message


class ChatLLM(CustomLLM):
    """A chat model that LlamaIndex can use; errors are those of `ChatModel`."""

    max_tokens: int = 512
    temperature: float = 0
    context_window: int = 8192
    _model: ChatModel = PrivateAttr()

    def __init__(self, model: ChatModel, **options: Any) -> None:
        super().__init__(**options)
        self._model = model

    @classmethod
    def class_name(cls) -> str:
        """The name LlamaIndex serialises the class under."""
        return "AbstractQAChatLLM"

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex plans its prompts by."""
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.max_tokens,
            is_chat_model=True,
            model_name=self._model.name,
        )

    @property
    def _options(self) -> dict[str, Any]:
        return {"max_tokens": self.max_tokens, "temperature": self.temperature}

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """One whole reply to a conversation."""
        reply = self._model.complete([*map(_read, messages)], **self._options)
        return _response(reply.text)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """A reply in pieces."""

        def pieces() -> ChatResponseGen:
            before = ""
            with self._model.stream([*map(_read, messages)], **self._options) as stream:
                for text in stream:
                    yield _response(text, text.removeprefix(before))
                    before = text

        return pieces()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """One whole reply to a prompt."""
        return chat_to_completion_decorator(self.chat)(prompt)

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """A reply to a prompt in pieces."""
        return stream_chat_to_completion_decorator(self.stream_chat)(prompt)


def _response(text: str, delta: str | None = None) -> ChatResponse:
    message = ChatMessage(role=MessageRole.ASSISTANT, content=text)
    return ChatResponse(message=message, delta=delta)


def _read(message: ChatMessage) -> Message:
    known = {"system", "assistant"}
    role: Any = message.role.value if message.role.value in known else "user"
    return {"role": role, "content": message.content or ""}

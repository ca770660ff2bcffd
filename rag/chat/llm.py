"""The chat model as a LlamaIndex `LLM`, so that its chat engines and evaluators can ask it too."""

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.custom import CustomLLM
from pydantic import PrivateAttr

from rag.chat.model import ChatModel
from rag.chat.reply import Message

_CONTEXT_TOKENS = 8192
"""What LlamaIndex may count on where the endpoint does not say."""


class ChatLLM(CustomLLM):
    """A chat model that LlamaIndex can use; errors are those of `ChatModel`."""

    max_tokens: int = 512
    temperature: float = 0
    context_window: int = _CONTEXT_TOKENS
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

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """One whole reply to a conversation."""
        reply = self._model.complete(
            _read(messages), max_tokens=self.max_tokens, temperature=self.temperature
        )
        return ChatResponse(message=_said(reply.text))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """A reply in pieces."""

        def pieces() -> ChatResponseGen:
            text = ""
            with self._model.stream(
                _read(messages), max_tokens=self.max_tokens, temperature=self.temperature
            ) as stream:
                for said in stream:
                    piece, text = said.removeprefix(text), said
                    yield ChatResponse(message=_said(text), delta=piece)

        return pieces()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """One whole reply to a prompt."""
        message = self.chat([ChatMessage(role=MessageRole.USER, content=prompt)]).message
        return CompletionResponse(text=message.content or "")

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """A reply to a prompt in pieces."""

        def pieces() -> CompletionResponseGen:
            for response in self.stream_chat([ChatMessage(role=MessageRole.USER, content=prompt)]):
                yield CompletionResponse(text=response.message.content or "", delta=response.delta)

        return pieces()


def _said(text: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.ASSISTANT, content=text)


def _read(messages: Sequence[ChatMessage]) -> list[Message]:
    roles: dict[object, Any] = {MessageRole.SYSTEM: "system", MessageRole.ASSISTANT: "assistant"}
    return [
        {"role": roles.get(message.role, "user"), "content": message.content or ""}
        for message in messages
    ]

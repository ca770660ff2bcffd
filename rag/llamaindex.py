"""LlamaIndex adapters: a query engine, a retriever and a chat model."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.generic_utils import (
    chat_to_completion_decorator,
    stream_chat_to_completion_decorator,
)
from llama_index.core.base.response.schema import Response
from llama_index.core.llms import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    CustomLLM,
    LLMMetadata,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle
from pydantic import PrivateAttr

from index.encoder import Encoder
from index.store import Index
from rag.chat import ChatModel, Message
from rag.pipeline import Pipeline
from rag.retrieval import Probe, best_passages, encode_candidates, passage_rows, rank
from rag.schema import Filters, Finished, Hit, Retrieved

if TYPE_CHECKING:
    from rag.synthesis.writer import Writer


class AbstractQueryEngine(BaseQueryEngine):
    """Answers questions from one index; every sentence cites the sentence that supports it.

    A `Response` has the answer's text, the cited passages as source nodes, and the whole `Answer`
    under `metadata["answer"]`. `hire` returns a writer for one question, or None for quotes.
    """

    def __init__(self, pipeline: Pipeline, hire: "Callable[[], Writer | None]") -> None:
        super().__init__(callback_manager=None)
        self._pipeline = pipeline
        self._hire = hire

    def _query(self, query_bundle: QueryBundle) -> Response:
        pipeline, index = self._pipeline, self._pipeline.index
        request = pipeline.request(query_bundle.query_str, None, Filters())
        found: tuple[Hit, ...] = ()
        for event in pipeline.run(request, self._hire()):
            if isinstance(event, Retrieved):
                found = event.hits
            elif isinstance(event, Finished):
                answer = event.answer
        scores = {hit.paper.id: hit.score for hit in found}
        nodes = []
        for reference in answer.references:
            row, starts = index.row_of(reference.paper.id), {at.start for at in reference.passages}
            rows = () if row is None else passage_rows(index, row)
            cited = (index.passages[at] for at in rows if index.passages[at].start in starts)
            score = scores.get(reference.paper.id, 0.0)
            nodes += [NodeWithScore(node=passage.node(), score=score) for passage in cited]
        return Response(answer.text, nodes, {"answer": answer.model_dump(mode="json")})

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


class HybridRetriever(BaseRetriever):
    """The retrieval of `rag.retrieval` as a LlamaIndex retriever of sentence nodes.

    The nodes are the nearest passages of the first `limit` papers, papers best first; a node's
    score is its paper's score.
    """

    def __init__(self, index: Index, encoder: Encoder, limit: int = 10) -> None:
        super().__init__()
        self._index = index
        self._encoder = encoder
        self._limit = limit

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        probe = Probe.of(query_bundle.query_str, self._index, self._encoder)
        if not self._index.is_covered:
            self._index = encode_candidates(self._index, probe, self._encoder)
        ranking = rank(self._index, probe)
        return [
            NodeWithScore(node=self._index.passages[at].node(), score=float(ranking.scores[paper]))
            for paper in ranking.rows[: self._limit]
            for at in best_passages(self._index, ranking, paper)
        ]


class ChatLLM(CustomLLM):
    """The chat model as a LlamaIndex `LLM`; errors are those of `ChatModel`."""

    max_tokens: int = 512
    temperature: float = 0
    context_window: int = 8192
    _model: ChatModel = PrivateAttr()

    def __init__(self, model: ChatModel, **options: Any) -> None:
        super().__init__(**options)
        self._model = model

    @property
    def metadata(self) -> LLMMetadata:
        """The limits and the name of the model, by which LlamaIndex plans its prompts."""
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
        """Return one whole reply to a conversation."""
        reply = self._model.complete([*map(_read, messages)], **self._options)
        return ChatResponse(message=ChatMessage(role="assistant", content=reply.text))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Stream the reply to a conversation in pieces."""

        def pieces() -> ChatResponseGen:
            previous = ""
            # Until its first reply is complete, a model may turn out to stream its thoughts.
            is_known = self._model.streams_thoughts is not None
            with self._model.stream([*map(_read, messages)], **self._options) as stream:
                for text in stream if is_known else [stream.reply.text]:
                    message = ChatMessage(role="assistant", content=text)
                    yield ChatResponse(message=message, delta=text.removeprefix(previous))
                    previous = text

        return pieces()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Return one whole reply to a prompt."""
        return chat_to_completion_decorator(self.chat)(prompt)

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Stream the reply to a prompt in pieces."""
        return stream_chat_to_completion_decorator(self.stream_chat)(prompt)


def _read(message: ChatMessage) -> Message:
    known = {"system", "assistant"}
    role: Any = message.role.value if message.role.value in known else "user"
    return {"role": role, "content": message.content or ""}

"""The chat model under LlamaIndex."""

from chat_server import ChatServer, says, streams
from llama_index.core.llms import ChatMessage

from rag.chat import ChatModel
from rag.llamaindex import ChatLLM

ASKED = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="Hi")]


def test_llamaindex_can_ask_the_chat_model_whole_and_in_pieces(
    model: ChatModel, chat_server: ChatServer
) -> None:
    llm = ChatLLM(model, max_tokens=9)
    pieces = [streams(*said, pause_seconds=0.05) for said in (("He", "llo"), ("By", "e"))]
    chat_server.script = [says("Hello."), says("Bye."), *pieces]
    assert llm.chat(ASKED).message.content == "Hello."
    assert llm.complete("Go").text == "Bye."
    found = list(llm.stream_chat(ASKED))
    assert [each.delta for each in found] == ["He", "llo"]
    assert found[-1].message.content == "Hello"
    assert [each.text for each in llm.stream_complete("Go")] == ["By", "Bye"]
    first, second, *_ = (request.body for request in chat_server.received)
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    assert first["max_tokens"] == 9
    assert second["messages"] == [{"role": "user", "content": "Go"}]
    assert llm.metadata.model_name == model.name


def test_what_a_model_thinks_aloud_is_in_no_piece(
    model: ChatModel, chat_server: ChatServer
) -> None:
    chat_server.script = [streams("hm, ", "a greeting", "</think>", "Hel", "lo")] * 2
    for _ in range(2):  # what the model is like is known after one reply
        said = "".join(each.delta or "" for each in ChatLLM(model).stream_chat(ASKED))
        assert said == "Hello"

import pytest
from chat_server import ChatServer, fails, says

from rag.chat import ChatError, ChatModel, Message, ReplyError
from rag.settings import Settings
from rag.support import UNCHECKED, Checker
from rag.support.judge import JudgeChecker


@pytest.mark.parametrize(
    ("reply", "support", "score"),
    [
        ("yes", "supported", 1.0),
        ("**Yes**, they do.", "supported", 1.0),
        ("Partly.", "partly", 0.5),
        ("partially, since", "partly", 0.5),
        ("No. Yes would be wrong.", "unsupported", 0.0),
        ("<think>No, or yes?</think>\nyes", "supported", 1.0),
        ("Perhaps yes", "unchecked", None),
        ("42", "unchecked", None),
    ],
)
def test_a_judge_must_begin_with_its_verdict(reply: str, support: str, score: float | None) -> None:
    checker: Checker = JudgeChecker(lambda messages: reply, "m")
    found = checker.check("Bogs are wet.", ["Bogs are wet."])
    assert (found.support, found.score) == (support, score)
    assert (found.reason is None) is (support == "supported")


@pytest.mark.parametrize("error", [ChatError("it is down"), ReplyError("it said nothing")])
def test_a_judge_that_fails_leaves_the_sentence_unchecked_and_says_why(error: ChatError) -> None:
    def fail(messages: list[Message]) -> str:
        raise error

    found = JudgeChecker(fail, "m").check("Bogs are wet.", ["Bogs are wet."])
    assert (found.support, found.score) == ("unchecked", None)
    assert str(error) in (found.reason or "")


def test_over_http_one_request_a_sentence_and_none_without_a_citation(
    chat_server: ChatServer,
) -> None:
    settings = Settings(chat_model="m", openai_base_url=chat_server.base_url)
    chat_server.script = [says("yes"), fails(400)]
    with ChatModel.open(settings) as model:
        judge = JudgeChecker(lambda asked: model.complete(asked, max_tokens=8).text, "m")
        assert judge.check("Bogs are wet.", []) == UNCHECKED
        assert judge.check("</claim> Bogs.", ["Bogs {are} wet.", "</passages>"]).score == 1.0
        assert judge.check("Bogs are wet.", ["Bogs are wet."]).support == "unchecked"
    first, _ = chat_server.received
    assert "Bogs {are} wet." in first.text
    assert (first.text.count("</claim>"), first.text.count("</passages>")) == (1, 1)

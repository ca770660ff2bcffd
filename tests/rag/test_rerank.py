import pytest

from rag.chat import Message, ReplyError
from rag.rerank import MOST_RERANKED, rerank

PAPERS = [(f"Title {n}", f"Sentence {n}.") for n in range(1, 5)]


@pytest.mark.parametrize(
    ("reply", "order"),
    [
        ("[2] > [1] > [4] > [3]", [1, 0, 3, 2]),
        ("The order is: [3] > [2].", [2, 1, 0, 3]),
        ("4, 2, 1", [3, 1, 0, 2]),
        ("[4, 2, 1]", [3, 1, 0, 2]),
        ("1. [3] Title 3\n2. [1] Title 1", [2, 0, 1, 3]),
        ("[2] > [2] > [9] > [0] > [1]", [1, 0, 2, 3]),
    ],
)
def test_every_paper_is_placed_once_and_those_left_out_follow_in_their_order(
    reply: str, order: list[int]
) -> None:
    assert rerank("why?", PAPERS, lambda messages: reply) == order


@pytest.mark.parametrize("reply", ["none", "Title 3 is best: 2 of 4 say so", "[3]", "[7] > [9]"])
def test_a_reply_that_orders_nothing_is_not_used(reply: str) -> None:
    assert rerank("why?", PAPERS, lambda messages: reply) is None


def test_a_model_that_fails_leaves_the_order_to_the_caller() -> None:
    def fail(messages: list[Message]) -> str:
        raise ReplyError("it said nothing")

    assert rerank("why?", PAPERS, fail) is None
    assert rerank("why?", PAPERS[:1], fail) == [0]
    assert rerank("why?", [], fail) == []


def test_only_the_first_papers_are_shown_and_the_others_stay_behind_them() -> None:
    papers = [(f"Title {n}", "long " * 500) for n in range(1, MOST_RERANKED + 4)]
    asked: list[Message] = []

    def complete(messages: list[Message]) -> str:
        asked.extend(messages)
        return f"[{MOST_RERANKED + 2}] > [3] > [2]"

    order = rerank("why? </question>", papers, complete)
    assert order == [2, 1, 0, *range(3, MOST_RERANKED + 3)]
    shown = asked[1]["content"]
    assert f"[{MOST_RERANKED}] Title {MOST_RERANKED}: long" in shown
    assert f"Title {MOST_RERANKED + 1}:" not in shown
    assert shown.count("</question>") == 1
    assert len(shown) < MOST_RERANKED * 400

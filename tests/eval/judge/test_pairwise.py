"""Pairs are judged in both orders; what changes with the order is bias, and a tie."""

import re

import pytest
from chat_server import ChatServer, Received, Scripted, says
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from eval.judge import Pair, Response, Verdict, compare, verdict_figures
from eval.judge.pairwise import Preference, cohens_kappa
from eval.judge.replies import Choice
from rag.chat import ChatModel, Message, ReplyError
from rag.settings import Settings


def pair(name: str = "a", gold: Preference | None = None) -> Pair:
    return Pair(name, "How big are mosses?", Response("Small."), Response("Green."), gold)


def verdict(name: str, given: Choice | None, swapped: Choice | None) -> Verdict:
    return Verdict(name, (given, swapped), ("", ""))


def shown(text: str) -> list[str]:
    """The responses of a prompt, in the order they stand."""
    return re.findall(r"<response_\d>\n(.*?)\n</response_\d>", text, re.DOTALL)


def prefers_small(messages: list[Message]) -> str:
    place = shown(messages[-1]["content"]).index("Small.") + 1
    return f"Mosses have a size.\nFinal decision: [[{place}]]"


def test_each_pair_is_asked_in_both_orders() -> None:
    orders: list[list[str]] = []

    def complete(messages: list[Message]) -> str:
        orders.append(shown(messages[-1]["content"]))
        return "Final decision: [[tie]]"

    list(compare([pair()], complete))
    assert orders == [["Small.", "Green."], ["Green.", "Small."]]


def test_a_judge_that_looks_at_the_answers_is_consistent() -> None:
    (said,) = compare([pair()], prefers_small)
    assert said.choices == ("1", "2")
    assert said.preference == "first"
    assert "Mosses have a size." in said.critiques[1]


def test_a_judge_that_looks_at_the_place_makes_ties_and_all_of_the_bias() -> None:
    pairs = [pair("a", gold="first"), pair("b", gold="second")]
    verdicts = list(compare(pairs, lambda messages: "Final decision: [[1]]"))
    assert [said.preference for said in verdicts] == ["tie", "tie"]
    figures = verdict_figures(pairs, verdicts)
    assert figures["inconsistent"] == figures["first_place"] == 1
    assert figures["agreement"] == 0
    assert figures["kappa"] == 0


def test_a_tie_in_one_order_only_is_inconsistent() -> None:
    said = verdict("a", "1", "tie")
    assert said.preference == "tie"
    assert verdict_figures([pair()], [said])["inconsistent"] == 1


def test_a_verdict_with_one_unreadable_reply_is_unreadable() -> None:
    said = verdict("a", "1", None)
    assert said.preference is None
    figures = verdict_figures([pair(gold="first")], [said])
    assert figures["unreadable"] == 1
    assert figures["judged"] == figures["preferred_gold"] == 0
    assert figures["inconsistent"] is figures["agreement"] is figures["kappa"] is None


def test_a_refused_reply_is_unreadable_and_says_why() -> None:
    def complete(messages: list[Message]) -> str:
        if shown(messages[-1]["content"])[0] == "Green.":
            raise ReplyError("it refused to answer")
        return "[[1]]"

    (said,) = compare([pair()], complete)
    assert said == Verdict("a", ("1", None), ("[[1]]", "(no reply that could be used)"))


def test_figures_as_by_hand() -> None:
    golds: list[Preference | None] = ["first", "first", "second", "tie", None]
    pairs = [pair(name, gold) for name, gold in zip("abcde", golds, strict=True)]
    verdicts = [
        verdict("a", "1", "2"),  # first
        verdict("b", "2", "1"),  # second
        verdict("c", "2", "1"),  # second
        verdict("d", "tie", "tie"),
        verdict("e", "1", "1"),  # changes: a tie
    ]
    figures = verdict_figures(pairs, verdicts)
    assert (figures["first"], figures["second"], figures["tie"]) == (1, 2, 2)
    assert figures["inconsistent"] == pytest.approx(1 / 5)
    assert figures["first_place"] == pytest.approx(5 / 8)
    assert figures["agreement"] == pytest.approx(2 / 3)
    assert figures["preferred_gold"] == 3
    # Observed 3/4; expected (2·1 + 1·2 + 1·1) / 16.
    assert figures["kappa"] == pytest.approx((3 / 4 - 5 / 16) / (11 / 16))
    assert figures["labelled_gold"] == 4


LABELS = st.sampled_from(["first", "second", "tie"])


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1))
def test_kappa_is_that_of_scikit_learn(labels: list[tuple[str, str]]) -> None:
    ours = cohens_kappa(labels)
    if len({label for both in labels for label in both}) == 1:
        assert ours is None
    else:
        theirs = cohen_kappa_score(*zip(*labels, strict=True))
        assert ours == pytest.approx(theirs)


def test_a_real_endpoint_judges_pairs(chat_server: ChatServer) -> None:
    def judge(request: Received) -> Scripted:
        return says(f"[[{shown(request.text).index('Small.') + 1}]]")

    chat_server.script = judge
    settings = Settings(openai_base_url=chat_server.base_url, chat_model="m")
    pairs = [pair(str(number)) for number in range(5)]
    with ChatModel.open(settings) as model:
        verdicts = list(compare(pairs, lambda m: model.complete(m, max_tokens=50).text, at_once=3))
    assert [said.id for said in verdicts] == list("01234")
    assert {said.preference for said in verdicts} == {"first"}
    assert len(chat_server.received) == 10

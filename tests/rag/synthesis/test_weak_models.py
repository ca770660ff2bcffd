"""A model that fails the control claims of the judge: quotes complete or replace what it writes."""

import json
from pathlib import Path

import pytest
from chat_server import ChatServer, Received, Scripted, says
from made_up import keeps_the_promises
from writing import GOOD, QUESTION, TASKS, Opening, told, writes

from index.build import build
from index.embedding import SentenceEncoder
from rag import Assistant, Options
from rag.schema import Progress
from rag.synthesis.writer import LEFT_OUT

LIST = "Which papers are about benchmarks for agents that use a computer?"


def judging_badly(request: Received) -> Scripted:
    """Write one true sentence, and say yes to every claim."""
    if "Claim 1:" in request.text:
        return says("\n".join(f"{number}. yes" for number in range(1, 40)))
    return writes(lambda at: f"{GOOD} [{at(TASKS)}].")(request)


@pytest.fixture
def weak(open_writing: Opening, scripted: ChatServer) -> Assistant:
    """An assistant whose model cannot judge."""
    scripted.script = judging_badly
    return open_writing(support_checker="judge")


def test_the_quotes_that_it_leaves_out_are_added(weak: Assistant) -> None:
    answer = weak.ask(QUESTION)
    assert answer.mode == "generative"
    assert answer.text.startswith(GOOD)
    assert LEFT_OUT in (answer.notice or "")
    shown = {sentence.text for sentence in answer.sentences}
    for sentence in weak.ask(QUESTION, mode="extractive").sentences:
        assert (sentence.text in shown) != sentence.text.startswith(TASKS), "that is cited anyway"
    keeps_the_promises(answer)


def test_to_a_list_only_further_papers_are_added(weak: Assistant) -> None:
    answer = weak.ask(LIST)
    assert answer.kind == "papers"
    assert len(answer.references) == len(answer.sentences) > 1
    one = weak.ask(LIST, options=Options(sources=1))
    assert [reference.paper.display_title[:7] for reference in one.references] == ["OSWorld"]


def test_short_answers_and_comparisons_stay(weak: Assistant) -> None:
    short = weak.ask(QUESTION, options=Options(length="short"))
    for answer in (short, weak.ask("Compare OSWorld and AndroidWorld.")):
        assert answer.mode == "generative"
        assert "control questions wrong" in (answer.notice or "")
        assert LEFT_OUT not in (answer.notice or "")


def test_a_count_of_the_quotes_takes_the_place_of_its_text(weak: Assistant) -> None:
    answer = weak.ask("How many papers are about agents?")
    assert "papers fit" in answer.text
    assert "text is left out" in (answer.notice or "")
    counted = weak.ask("How many papers are there on model merging?", mode="extractive")
    assert "6 papers fit" in counted.text


def test_what_the_quotes_refuse_is_refused(open_writing: Opening, scripted: ChatServer) -> None:
    scripted.script = judging_badly
    unsure = open_writing(support_checker="judge", chance=0.2)
    before = len(scripted.received)
    events = list(unsure.stream(QUESTION))
    answer = told(events)[1]
    assert answer.heading
    assert "text is left out" in (answer.notice or "")
    assert any(isinstance(each, Progress) and each.stage == "quote" for each in events)
    for _ in range(2):
        answer = unsure.ask(QUESTION)
        assert answer.status == "insufficient_evidence"
    assert "was not asked" in (answer.notice or "")
    assert len(scripted.received) == before + 2 + 2, "the third time it is not asked"
    unsure.ask("How do they do?", [{"role": "user", "content": QUESTION}])
    assert len(scripted.received) == before + 2 + 2, "nor to rewrite a follow-up"
    french = unsure.ask("Combien de tâches contient le banc d'essai OSWorld ?")
    assert french.mode == "generative", "quotes cannot read it"


def test_a_title_counts_as_a_statement_only_if_the_abstract_says_it(
    open_writing: Opening, scripted: ChatServer, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    title = "Dry kites fly higher than wet kites"
    papers = [
        {"title": title, "abstract": f"We weigh kites. {title}."},
        {"title": "Wet kites fly badly in storms", "abstract": "We weigh kites. Rain is heavy."},
    ]
    file = tmp_path / "kites.jsonl"
    file.write_text("\n".join(map(json.dumps, papers)), encoding="utf-8")
    build([file], tmp_path / "store", encoder)
    scripted.script = lambda _: says(f"{title} [1.1, 2.1]. {papers[1]['title']} [1.1, 2.1].")
    lenient = Options(strictness="lenient")
    answer = open_writing(store=tmp_path / "store").ask("How do kites fly?", options=lenient)
    assert [each.support for each in answer.sentences] == ["supported", "unsupported"]
    assert [each.text for each in answer.references[0].passages] == [f"{title}."]


def test_an_overview_of_few_is_of_several_themes(writing: Assistant, scripted: ChatServer) -> None:
    scripted.script = lambda _: says("It is one of them [1.1].")
    answer = writing.ask("Give me an overview of this collection.", options=Options(sources=3))
    theme = {point.id: point.cluster for point in writing.collection_map().points}
    assert len({theme[reference.paper.id] for reference in answer.references}) > 1

"""Answers that a scripted strong model writes from whole abstracts."""

import json
import re
from collections.abc import Callable

import pytest
from chat_server import ChatServer, Received, Scripted, fails, says, streams
from made_up import keeps_the_promises
from writing import FALSE, GOOD, PEOPLE, QUESTION, TASKS, Opening, address, in_turn, told, writes

from rag import Assistant, Filters, Options
from rag.schema import Progress
from rag.synthesis.prompts import SENTINEL

LENIENT = Options(strictness="lenient")
ANDROID = "AndroidWorld is a working Android environment"
BENCHMARK = "Which benchmark tests agents on whole computers?"


def test_a_model_reads_whole_abstracts_and_dates(writing: Assistant, scripted: ChatServer) -> None:
    scripted.script = writes(lambda at: f"{GOOD} [{at(TASKS)}].")
    answer = writing.ask(BENCHMARK)
    asked = scripted.received[-1].text
    assert asked.count("\nPaper ") >= 5
    abstract = answer.references[0].paper.abstract
    for sentence in ("People complete more than 72.36%", "Models mostly fail at GUI grounding"):
        assert sentence in " ".join(abstract.split())
        assert sentence in asked
    assert "OSWorld: Benchmarking Multimodal Agents" in asked
    assert "2025-03-14" in asked
    keeps_the_promises(answer)


def test_budget_and_sources_bound_what_is_read(open_writing: Opening, scripted: ChatServer) -> None:
    scripted.script = lambda _: streams("They are benchmarks for agents [1.1].")
    counts = []
    for budget in (100, 900, 6_000):
        open_writing(evidence_tokens=budget).ask(BENCHMARK, options=LENIENT)
        counts.append(scripted.received[-1].text.count("\nPaper "))
    assert counts[0] == 1 < counts[1] < counts[2]
    for question, sources in (("Which papers are about merging?", 2), (QUESTION, 1)):
        open_writing().ask(question, options=Options(sources=sources))
        assert scripted.received[-1].text.count("\nPaper ") == sources


def test_sentences_come_structured_or_marked(open_writing: Opening, scripted: ChatServer) -> None:
    def structured(request: Received) -> Scripted:
        cites = [address(request, TASKS)]
        assert request.body["response_format"]["type"] == "json_schema"
        return streams(*json.dumps({"sentences": [{"text": f"{GOOD}.", "cites": cites}]}))

    def plain(request: Received) -> Scripted:
        if "response_format" in request.body:
            return fails(400, "response_format is not supported")
        return writes(lambda at: f"{GOOD} [{at(TASKS)}].")(request)

    assistant = open_writing()
    for script in (structured, plain, plain):
        scripted.script = script
        text, answer = told(list(assistant.stream(QUESTION)))
        assert text == answer.text == f"{GOOD}. [1]"
    assert "addresses" in scripted.received[-1].text, "it is asked so from then on"
    assert "JSON" not in scripted.received[-1].text


def test_a_paper_is_called_by_its_name(writing: Assistant, scripted: ChatServer) -> None:
    def numbers(request: Received) -> Scripted:
        paper = address(request, TASKS).partition(".")[0]
        title = re.search(rf"^Paper {paper}: (.+?) \(", request.text, re.MULTILINE)
        assert title
        good = f"Paper {paper} has 369 tasks.\nPaper {paper}: {GOOD} [{address(request, TASKS)}].\n"
        return streams(f"{good}Paper {paper}: {title[1]} [{paper}]")

    scripted.script = numbers
    named, quoted, titled = writing.ask(QUESTION, options=LENIENT).sentences
    assert named.text == "OSWorld has 369 tasks."
    assert (quoted.text, quoted.support) == (f"{GOOD}.", "supported")
    assert "only the title" in (titled.reason or "")


def test_citations_are_sought_and_cuts_said(writing: Assistant, scripted: ChatServer) -> None:
    more = "They do one thing."

    def write(request: Received) -> Scripted:
        if request.text.count("\nPaper ") > 1:
            return fails(400, "longer than the maximum context length")
        wrong = address(request, PEOPLE)
        said = f"{GOOD}. {more} {GOOD} that are hard [{wrong}]. People comp"
        return streams(said, finish="length")

    scripted.script = write
    answer = writing.ask(QUESTION)
    found, remark, _ = answer.sentences
    assert found.support == "supported"
    assert TASKS in answer.references[found.citations[0].reference - 1].passages[0].text
    assert (remark.support, remark.citations) == ("unchecked", ()), "it is about the answer"
    assert "cut off" in (answer.notice or "")


def test_what_one_paper_found_is_not_another_s(writing: Assistant, scripted: ChatServer) -> None:
    wrong = "OSWorld is a working Android environment with reward signals for 116 tasks in 20 apps"
    scripted.script = writes(lambda at: f"{GOOD} [{at(TASKS)}]. {wrong} [{at(ANDROID)}].")
    first, second, *_ = writing.ask("Compare OSWorld and AndroidWorld.", options=LENIENT).sentences
    assert first.support == "supported"
    assert (second.support, second.citations) == ("unsupported", ())
    right = wrong.replace("OSWorld", "AndroidWorld")
    scripted.script = writes(lambda at: f"{right} [{at(ANDROID)}].")
    answer = writing.ask("Compare OSWorld and AndroidWorld.", options=LENIENT)
    assert answer.sentences[0].support == "supported"


def test_what_a_comparison_leaves_out_is_told(writing: Assistant, scripted: ChatServer) -> None:
    scripted.script = writes(lambda at: f"{GOOD} [{at(TASKS)}].")
    answer = writing.ask("Compare OSWorld and AndroidWorld.")
    assert answer.kind == "compare"
    titles = [reference.paper.display_title for reference in answer.references]
    assert [title.partition(":")[0] for title in titles] == ["OSWorld", "AndroidWorld"]
    assert "did not cover are quoted (1)" in (answer.notice or "")
    keeps_the_promises(answer)
    march = Filters(digests=("Mar 14",))
    answer = writing.ask("Compare OSWorld, AndroidWorld and MindSearch.", filters=march)
    assert answer.mode == "generative"
    assert "MindSearch" in (answer.notice or "")
    assert "does not pass the filters" in (answer.notice or "")


def test_a_failing_sentence_is_asked_for_again(writing: Assistant, scripted: ChatServer) -> None:
    both = writes(lambda at: f"{GOOD} [{at(TASKS)}]. {FALSE} [{at(TASKS)}].")
    scripted.script = in_turn(both, lambda _: says("1. People complete more than 72.36%."))
    mended = writing.ask(QUESTION)
    assert [s.support for s in mended.sentences] == ["supported"] * 2
    scripted.script = in_turn(both, lambda _: says("1. DROP"))
    assert [s.text for s in writing.ask(QUESTION).sentences] == [f"{GOOD}."]
    for useless in (fails(500), says("1. They differ in many ways.")):
        scripted.script = in_turn(both, lambda _, useless=useless: useless)
        marked = writing.ask(QUESTION)
        assert [s.support for s in marked.sentences] == ["supported", "unsupported"]
        assert not marked.sentences[1].citations
        keeps_the_promises(marked)


def test_a_list_quotes_where_sentences_fail(writing: Assistant, scripted: ChatServer) -> None:
    listed = writes(lambda at: f"{FALSE} [{at(TASKS)}]. {GOOD} [{at(TASKS)}]. No [{at(ANDROID)}].")
    scripted.script = in_turn(listed, lambda _: fails(500))
    question = "Which papers are about benchmarks for agents that use a computer?"
    answer = writing.ask(question)
    assert (answer.kind, answer.mode) == ("papers", "generative")
    first, second = answer.sentences
    assert first.text == f"{GOOD}.", "its paper is cited, so the false sentence is left out"
    assert second.support == "supported"
    assert second.text in answer.references[1].paper.abstract
    assert answer.references[1].paper.title.startswith("AndroidWorld")
    scripted.script = listed
    lenient = writing.ask(question, options=LENIENT)
    assert lenient.sentences[0].support == "unsupported", "it stays, marked"
    prompt = scripted.received[-1].text
    assert prompt.rindex("Write one sentence for each paper") > prompt.rindex("Question:")
    scripted.script = in_turn(writes(lambda at: f"{FALSE} [{at(TASKS)}]."), lambda _: fails(500))
    assert writing.ask(question).mode == "extractive", "nothing of what was written is left"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (f"{FALSE}. OSWorld costs 40 dollars.", "nothing that the model wrote could be found"),
        ("I'm sorry, but I can't assist with that.", "the model declined"),
        (SENTINEL, "the model found no answer in the abstracts"),
    ],
)
def test_quotes_take_the_place_of_what_is_no_answer_where_they_are_sure(
    writing: Assistant, open_writing: Opening, scripted: ChatServer, reply: str, words: str
) -> None:
    scripted.script = lambda _: streams(reply)
    answer = writing.ask(QUESTION)
    assert (answer.status, answer.mode) == ("answered", "extractive")
    assert words in (answer.notice or "")
    assert answer.text == writing.ask(QUESTION, mode="extractive").text
    unsure = open_writing(chance=0.55).ask("Which benchmark is hard for agents?")
    assert (unsure.status == "insufficient_evidence") is (reply == SENTINEL)


OVERVIEW = "Summarise the themes of this collection"


def notes(request: Received) -> str:
    """The first sentence of each paper of a sheet, as it stands there."""
    sheet = request.text.partition("<abstracts>")[2]
    first = re.findall(r"^\[(\d+\.1)\] (.+)$", sheet, re.MULTILINE)
    return "\n".join(f"{text} [{at}]" for at, text in first)


def strong(request: Received) -> Scripted:
    """Writes notes, and a text under two headings that repeats each note."""
    if "<notes>" not in request.text:
        return says(notes(request))
    numbered = re.findall(r"^\[(\d+)\] (.+)$", request.text, re.MULTILINE)
    lines = [f"{text.split(': ', 1)[-1]} [{number}]" for number, text in numbered]
    half = len(lines) // 2
    return streams("\n".join(["## One", *lines[:half], "## Two", *lines[half:]]))


def test_overviews_cite_all_and_tell_the_cost(open_writing: Opening, scripted: ChatServer) -> None:
    scripted.script = strong
    writing = open_writing(chat_price="1/1")
    events = list(writing.stream(OVERVIEW))
    _, answer = told(events)
    assert (answer.kind, answer.mode) == ("overview", "generative")
    assert len(answer.references) == len(writing.papers())
    assert all(sentence.citations for sentence in answer.sentences)
    assert "**One**" in answer.text
    steps = [event.text for event in events if isinstance(event, Progress)]
    assert any("requests, about" in step and "$" in step for step in steps)
    assert any(step.startswith("Reading abstracts 1–") for step in steps)
    keeps_the_promises(answer)


def lazy(request: Received) -> Scripted:
    """Notes one paper of a sheet, and writes of one."""
    if "<notes>" in request.text:
        return says("## All\nThese papers are about many things [1].")
    return says(notes(request).splitlines()[0])


failing = in_turn(lambda request: says(notes(request)), *[lambda _: fails(401)] * 40)


@pytest.mark.parametrize(
    ("script", "words"), [(lazy, "did not cover are quoted"), (failing, "refuses the")]
)
def test_a_model_that_leaves_papers_out_loses_none(
    writing: Assistant, scripted: ChatServer, script: Callable[[Received], Scripted], words: str
) -> None:
    scripted.script = script
    answer = writing.ask(OVERVIEW)
    assert answer.mode == "generative"
    assert len(answer.references) == len(writing.papers())
    assert words in (answer.notice or "")
    short = writing.ask(OVERVIEW, options=Options(length="short"))
    assert len(short.sentences) < len(answer.sentences)

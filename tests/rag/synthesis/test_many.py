"""Texts about many papers: notes in batches, put together, no paper lost."""

import re
from collections.abc import Callable

from chat_server import ChatServer, Received, Scripted, fails, says, streams
from made_up import keeps_the_promises
from writing import told

from rag import Assistant, Options
from rag.schema import Progress

QUESTION = "Summarise the themes of this collection"


def notes(request: Received) -> str:
    """The first sentence of each paper of a sheet, as it stands there."""
    first = re.findall(
        r"^\[(\d+\.1)\] (.+)$", request.text.partition("<abstracts>")[2], re.MULTILINE
    )
    return "\n".join(f"{text} [{at}]" for at, text in first)


def numbered(request: Received) -> list[str]:
    return re.findall(r"^\[(\d+)\] (.+)$", request.text, re.MULTILINE)


def strong(request: Received) -> Scripted:
    """Writes notes, and a text under two headings that repeats each note."""
    if "<notes>" not in request.text:
        return says(notes(request))
    lines = [f"{text.split(': ', 1)[-1]} [{number}]" for number, text in numbered(request)]
    half = len(lines) // 2
    return streams("\n".join(["## One", *lines[:half], "## Two", *lines[half:]]))


def test_an_overview_cites_every_paper_under_headings_and_tells_what_it_costs_before(
    open_writing: Callable[..., Assistant], scripted: ChatServer
) -> None:
    scripted.script = strong
    writing = open_writing(chat_price="1/1")
    events = list(writing.stream(QUESTION))
    _, answer = told(events)
    assert (answer.kind, answer.mode) == ("overview", "generative")
    assert len(answer.references) == len(writing.papers())
    assert all(sentence.citations for sentence in answer.sentences)
    assert "**One**" in answer.text
    steps = [event.text for event in events if isinstance(event, Progress)]
    assert any("requests, about" in step and "$" in step for step in steps)
    assert any(step.startswith("Reading abstracts 1–") for step in steps)
    keeps_the_promises(answer)


def test_a_model_that_leaves_papers_out_loses_none(
    writing: Assistant, scripted: ChatServer
) -> None:
    def lazy(request: Received) -> Scripted:
        if "<notes>" in request.text:
            return says("## All\nThese papers are about many things [1].")
        return says(notes(request).splitlines()[0])

    scripted.script = lazy
    answer = writing.ask(QUESTION)
    assert answer.mode == "generative"
    assert len(answer.references) == len(writing.papers())
    assert "wrote nothing are quoted" in (answer.notice or "")
    short = writing.ask(QUESTION, options=Options(length="short"))
    assert len(short.sentences) < len(answer.sentences)


def test_an_endpoint_that_fails_on_the_way_leaves_what_was_written(
    writing: Assistant, scripted: ChatServer
) -> None:
    asked = []

    def failing(request: Received) -> Scripted:
        asked.append(request)
        return says(notes(request)) if len(asked) == 1 else fails(401)

    scripted.script = failing
    answer = writing.ask(QUESTION)
    assert answer.mode == "generative"
    assert len(answer.references) == len(writing.papers())
    assert "refuses the key" in (answer.notice or "")

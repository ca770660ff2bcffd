"""What the tests of written answers share: an assistant whose chat model is scripted."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from chat_server import Received, Scripted, streams

from index.store import Index
from rag import Assistant
from rag.evidence import Evidence
from rag.query import Query
from rag.retrieval import Ranking, passage_rows
from rag.schema import Answer, Delta, Event, Finished
from rag.selection import select

Reply = Callable[[Received], Scripted]
"""What the scripted server does with a request."""
Opening = Callable[..., Assistant]
"""Opens an assistant with settings of one's own."""
KEY = "sk-a-key-that-must-not-be-seen"
TASKS = "On top of it stands a benchmark of 369 tasks"
PEOPLE = "People complete more than 72.36% of the tasks"
FAILS = "Models mostly fail at GUI grounding"
"""How three sentences of the abstract on OSWorld begin."""
GOOD = "On top of OSWorld stands a benchmark of 369 tasks"
FALSE = "OSWorld has 512 phone calls"
QUESTION = "What is OSWorld, how many tasks has it, and how do people and models do?"


def with_sentences(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """The evidence as it is selected, and those three sentences of OSWorld if it is among it."""
    evidence = select(index, query, ranking)
    papers = []
    for found in evidence.papers:
        texts = {row: index.passages[row].text for row in passage_rows(index, found.paper)}
        scripted = (at for at, text in texts.items() if text.startswith((TASKS, PEOPLE, FAILS)))
        papers.append(replace(found, passages=tuple(dict.fromkeys((*found.passages, *scripted)))))
    return replace(evidence, papers=tuple(papers))


def address(request: Received, opening: str) -> str:
    """The address that a request gives to the sentence that begins so."""
    found = re.search(rf"^\[(\d+\.\d+)\] {re.escape(opening)}", request.text, re.MULTILINE)
    assert found, f"{opening} is not on the sheet"
    return found[1]


def writes(write: Callable[[Callable[[str], str]], str]) -> Reply:
    """A script: `write` is given a function from how a sentence begins to its address, "1.3"."""

    def reply(request: Received) -> Scripted:
        text = write(lambda opening: address(request, opening))
        return streams(*(text[at : at + 7] for at in range(0, len(text), 7)))

    return reply


def in_turn(*scripts: Reply) -> Reply:
    """One script a request."""
    waiting = iter(scripts)

    def reply(request: Received) -> Scripted:
        return next(waiting)(request)

    return reply


def told(events: Sequence[Event]) -> tuple[str, Answer]:
    """The text that was streamed, and the answer."""
    text = "".join(event.text for event in events if isinstance(event, Delta))
    last = events[-1]
    assert isinstance(last, Finished)
    return text, last.answer

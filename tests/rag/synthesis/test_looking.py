"""The model looks further before it writes: by tools, or by a plan where it has none."""

import json
import re
from typing import Any

from chat_server import ChatServer, Received, Scripted, delta, fails, says, sends, streams
from made_up import keeps_the_promises
from writing import Opening, told

from rag import Assistant
from rag.schema import Answer, Progress

ASKED = "Which benchmark tests agents on whole computers?"
FAR = "Model Breadcrumbs"
"""The name of a paper that is not found for that question."""
QUERY = "sparse masks that merge many fine-tuned models"


def calling(**given: str) -> Scripted:
    """A reply that calls tools, each with these arguments, which are JSON."""
    made = [{"name": name, "arguments": text} for name, text in given.items()]
    calls = [{"id": f"{each['name']}-1", "function": each} for each in made]
    return says(None, finish="tool_calls", tool_calls=calls)


def in_pieces(name: str, text: str) -> Scripted:
    """The same of one tool, streamed: its arguments come bit by bit."""
    pieces: list[dict[str, Any]] = [{"name": name, "arguments": ""}]
    pieces += [{"arguments": text[at : at + 9]} for at in range(0, len(text), 9)]
    deltas = [delta(tool_calls=[{"index": 0, "function": each}]) for each in pieces]
    return sends(*deltas, delta("tool_calls"), "[DONE]")


def about(name: str, request: Received) -> Scripted:
    """The sentence of the sheet that begins with the paper's name, as the answer."""
    found = re.search(rf"^\[(\d+\.\d+)\] ({name} .+)$", request.text, re.MULTILINE)
    assert found, f"{name} is not on the sheet"
    return streams(f"{found[2]} [{found[1]}]")


def asked(assistant: Assistant) -> tuple[Answer, list[str]]:
    """The answer, and what was said of the searches."""
    events = list(assistant.stream(ASKED))
    said = [e.text for e in events if isinstance(e, Progress) and e.stage == "search"]
    return told(events)[1], said


def test_what_is_found_with_tools_is_cited(open_writing: Opening, scripted: ChatServer) -> None:
    seen: list[str] = []

    def script(request: Received) -> Scripted:
        if "tools" not in request.body:
            return about(FAR, request)
        messages = request.body["messages"]
        seen.extend(m["content"] for m in messages if m["role"] == "tool")
        turns = sum(message["role"] == "assistant" for message in messages)
        if turns == 0:
            assert FAR not in request.text
            return in_pieces("search", json.dumps({"query": QUERY}))
        if turns == 1:
            number = re.search(rf"\[(\d+)\] {FAR}", request.text)
            assert number
            return calling(read=f'{{"paper": {number[1]}}}', similar='{"paper": 1}')
        return says("OK")

    scripted.script = script
    answer, said = asked(open_writing(look_further=3))
    assert [reference.paper.title.partition(":")[0] for reference in answer.references] == [FAR]
    assert said[-3:] == ["Searching", "Reading an abstract", "Looking for similar papers"]
    assert any(text.startswith("Foundation models are") for text in seen), "the whole abstract"
    keeps_the_promises(answer)


def test_a_call_of_no_use_is_told_to_the_model(open_writing: Opening, scripted: ChatServer) -> None:
    wrong = {"search": "{}", "read": '{"paper": 99}', "similar": "no JSON"}
    wrong["papers"] = '{"filters": {"colour": "red"}}'
    scripted.script = lambda request: (
        calling(**wrong) if "tools" in request.body else about("OSWorld", request)
    )
    answer, _ = asked(open_writing(look_further=2))
    assert answer.references
    replies = [m["content"] for m in scripted.received[-2].body["messages"] if m["role"] == "tool"]
    assert len(replies) == len(wrong)
    assert "'query'" in replies[0]
    assert "99" in replies[1]
    assert "colour" in replies[3]


def test_without_tools_a_plan_is_searched_for(open_writing: Opening, scripted: ChatServer) -> None:
    def script(request: Received) -> Scripted:
        if "tools" in request.body:
            return fails(400, '"auto" tool choice requires --enable-auto-tool-choice to be set')
        if "<abstracts>" in request.text:
            return about(FAR, request)
        return says(f"1. {QUERY}?\n2. Which benchmarks are there?")

    scripted.script = script
    answer, said = asked(open_writing(look_further=1))
    assert [reference.paper.title.partition(":")[0] for reference in answer.references] == [FAR]
    assert "response_format" in scripted.received[-1].body, "nothing else is left out"
    assert said[-2] == f"Searching for “{QUERY}?”"
    scripted.script = lambda request: (
        says("I do not know.") if "<abstracts>" not in request.text else about("OSWorld", request)
    )
    assert asked(open_writing(look_further=1))[0].references, "a model that has no plan writes"

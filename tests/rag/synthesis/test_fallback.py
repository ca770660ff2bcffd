"""Whatever goes wrong with the chat model: quotes, soon, with what happened, and no secret."""

import asyncio
import json
import threading
from pathlib import Path

import pytest
from chat_server import ChatServer, Scripted, cut_off, fails, says, slowly, streams
from made_up import keeps_the_promises
from writing import GOOD, KEY, QUESTION, TASKS, Opening, address, told

from index.build import build
from index.embedding import SentenceEncoder
from rag import Assistant, Options
from rag.schema import Delta, Progress

FAULTS = {
    "key refused": fails(401, f"Incorrect API key provided: {KEY}"),
    "reset in mid-stream": cut_off(streams("OSWorld has", " 369 tasks", " and more")),
    "one byte a second": slowly(streams("OSWorld")),
    "refusal": says(None, refusal="I cannot help with that"),
    "context length": fails(400, "maximum context length is 10", code="context_length_exceeded"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_ends_in_quotes_that_say_so(
    open_writing: Opening, scripted: ChatServer, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level("DEBUG")
    hasty = open_writing(chat_deadline_seconds=2)
    before = len(scripted.received)
    scripted.script = lambda _: FAULTS[fault]
    quotes = hasty.ask(QUESTION, mode="extractive")
    events = list(hasty.stream(QUESTION))
    _, answer = told(events)
    assert (answer.mode, answer.model, answer.text) == ("extractive", None, quotes.text)
    notice = answer.notice or ""
    assert notice.startswith("These are quotes")
    assert "\n" not in notice
    assert any(isinstance(event, Progress) and event.stage == "quote" for event in events)
    assert 1 <= len(scripted.received) - before <= 4
    said = "".join(event.model_dump_json() for event in events)
    assert KEY not in said + repr(hasty.__dict__) + caplog.text
    keeps_the_promises(answer)


def test_an_endpoint_that_is_down_is_not_waited_for(open_writing: Opening) -> None:
    assistant = open_writing(openai_base_url="http://127.0.0.1:9/v1")
    answer = assistant.ask("Compare OSWorld with AndroidWorld")
    assert answer.mode == "extractive"
    assert "cannot be reached" in (answer.notice or "")


def test_closing_a_stream_closes_the_upstream(writing: Assistant, scripted: ChatServer) -> None:
    scripted.hung_up.clear()
    scripted.script = lambda request: streams(
        f"{GOOD} [{address(request, TASKS)}]. ", *["Word "] * 200, pause_seconds=0.05
    )
    events = writing.stream(QUESTION)
    assert any(isinstance(event, Delta) for event in events)
    events.close()  # type: ignore[attr-defined] # a generator
    assert scripted.hung_up.wait(10)


@pytest.mark.anyio
@pytest.mark.parametrize("pause", [0.05, 30], ids=["in mid-stream", "before the first word"])
async def test_cancelling_hangs_up(writing: Assistant, scripted: ChatServer, pause: float) -> None:
    scripted.hung_up.clear()
    asked = threading.Event()

    def reply(_: object) -> Scripted:
        asked.set()
        return streams(*("word " for _ in range(200)), pause_seconds=pause)

    scripted.script = reply
    task = asyncio.create_task(writing.aask(QUESTION))
    await asyncio.to_thread(asked.wait, 10)
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert scripted.hung_up.wait(10)


def test_what_a_model_writes_from_memory_is_not_supported_and_quotes_have_the_stored_figure(
    open_writing: Opening, encoder: SentenceEncoder, scripted: ChatServer, tmp_path: Path
) -> None:
    file, store = Path(__file__).parent / "changed_abstracts.jsonl", tmp_path / "store"
    changed = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    build([file], store, encoder)
    writing, quoting = open_writing(store=store), Assistant(store, encoder)
    before, supported, right = len(scripted.received), 0, 0
    for paper in changed:
        said = paper["remembered"][:-1]
        scripted.script = lambda _, said=said: streams(f"{said} [1.2].")
        answer = writing.ask(paper["question"], options=Options(strictness="lenient"))
        assert answer.mode == "extractive" or said in answer.text
        if answer.mode == "generative":
            supported += sum(each.support in ("supported", "partly") for each in answer.sentences)
        right += paper["said"] in quoting.ask(paper["question"]).text
    assert len(scripted.received) - before >= len(changed), "the model was not asked"
    assert supported <= 0.05 * len(changed)
    assert right >= 0.9 * len(changed)

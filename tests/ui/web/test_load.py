"""A hundred programs that ask at once: each gets its own answer, or is told to try again."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import httpx
import pytest
from chat_server import Received, Scripted, running, says
from gradio_client import Client
from gradio_client.utils import QueueError
from starting import started

from rag.schema import Answer

ASKERS = 100
CLIENTS = 5
HUNG_SECONDS = 30
"""Nobody waits so long, even where other things keep the processors busy."""
MOST_SECONDS = 5
"""Nobody waits so long on a machine that does nothing else."""
OWN_ANSWERS = 30
"""So many have an answer at least; the others are told to try again."""

NAMES = ("OSWorld", "WebArena", "Mind2Web", "AndroidWorld", "TheAgentCompany", "MindSearch")

BUSY_IN_CLIENTS = "Queue is full! Please try again."
"""What gradio_client makes of it."""


@dataclass(frozen=True)
class Outcome:
    said: str
    seconds: float


@pytest.fixture(scope="module")
def slow_page(sample_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page as a user starts it, with a chat model that takes a second for each reply."""

    def script(_: Received) -> Scripted:
        return Scripted(says("It is not stated.").chunks, delay_seconds=1)

    data = tmp_path_factory.mktemp("load") / "data"
    with running() as model:
        model.script = script
        settings = {"OPENAI_BASE_URL": model.base_url, "ABSTRACTQA_CHAT_MODEL": "scripted"}
        with started(sample_store, data, **settings) as address:
            yield address


def ask_all(address: str, mode: str, sessions: int = CLIENTS) -> list[Outcome]:
    """Ask a hundred different questions at the same moment, from so many sessions."""
    clients = [Client(address, verbose=False, analytics_enabled=False) for _ in range(sessions)]
    clients[0].predict("What is OSWorld?", mode="extractive", api_name="/ask")
    outcomes: list[Outcome] = []
    ready = threading.Barrier(ASKERS)

    def ask(client: Client, name: str, number: int) -> None:
        question = f"What is {name}? (asked by number {number})"
        ready.wait()
        begun = time.monotonic()
        try:
            found = client.predict(question, mode=mode, api_name="/ask")
        except QueueError as error:
            said = str(error)
        else:
            answer = Answer.model_validate(found)
            titles = {reference.paper.title.partition(":")[0] for reference in answer.references}
            right = answer.question == question and titles <= {name}
            said = "its own answer" if right else f"{answer.question!r} for {question!r}: {titles}"
        outcomes.append(Outcome(said, time.monotonic() - begun))

    askers = [
        threading.Thread(target=ask, args=(client, name, number), daemon=True)
        for number, client, name in zip(range(ASKERS), cycle(clients), cycle(NAMES), strict=False)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(60)
    for client in clients:
        client.close()
    return outcomes


def assert_own_or_busy(outcomes: list[Outcome], within: float) -> None:
    """Everyone has an answer to the own question, or was told to try again, in so many seconds."""
    said = Counter(outcome.said for outcome in outcomes)
    assert set(said) <= {"its own answer", BUSY_IN_CLIENTS}
    assert said.total() == ASKERS
    assert said["its own answer"] >= OWN_ANSWERS, said
    assert max(outcome.seconds for outcome in outcomes) < within


def test_a_hundred_askers_get_their_own_answers(slow_page: str) -> None:
    assert_own_or_busy(ask_all(slow_page, "extractive"), HUNG_SECONDS)


@pytest.mark.slow
def test_a_hundred_sessions_get_their_own_answers_or_busy_in_five_seconds(slow_page: str) -> None:
    assert_own_or_busy(ask_all(slow_page, "extractive", sessions=ASKERS), MOST_SECONDS)


@pytest.mark.slow
def test_a_slow_model_leaves_nobody_hanging_and_the_page_open(slow_page: str) -> None:
    opened: list[float] = []
    done = threading.Event()

    def look() -> None:
        with httpx.Client(base_url=slow_page, timeout=20) as http:
            while not done.wait(0.2):
                begun = time.monotonic()
                assert http.get("/").status_code == 200
                opened.append(time.monotonic() - begun)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    outcomes = ask_all(slow_page, "generative")
    done.set()
    looking.join(30)
    said = Counter(outcome.said for outcome in outcomes)
    assert max(outcome.seconds for outcome in outcomes) < HUNG_SECONDS
    assert opened
    assert max(opened) < HUNG_SECONDS / 2
    assert set(said) == {"its own answer", BUSY_IN_CLIENTS}
    assert said.total() == ASKERS

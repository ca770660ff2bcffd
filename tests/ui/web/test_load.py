"""A hundred programs that ask at once: each gets its own answer, or is told to try again."""

import threading
from collections import Counter
from itertools import cycle
from pathlib import Path

from gradio_client import Client
from gradio_client.utils import QueueError
from starting import started

from rag.schema import Answer

NAMES = ("OSWorld", "WebArena", "Mind2Web", "AndroidWorld", "TheAgentCompany", "MindSearch")


def test_a_hundred_askers_get_their_own_answers(sample_store: Path, tmp_path: Path) -> None:
    outcomes: list[str] = []
    ready = threading.Barrier(100)

    def ask(client: Client, name: str, number: int) -> None:
        question = f"What is {name}? (asked by number {number})"
        ready.wait()
        try:
            answer = Answer.model_validate(client.predict(question, api_name="/ask"))
        except QueueError as error:
            outcomes.append(str(error))
            return
        titles = {reference.paper.title.partition(":")[0] for reference in answer.references}
        is_own = answer.question == question and titles <= {name}
        outcomes.append("its own" if is_own else f"{answer.question!r}, asked {question!r}")

    with started(sample_store, tmp_path / "data") as address:
        clients = [Client(address, verbose=False, analytics_enabled=False) for _ in range(5)]
        clients[0].predict("What is OSWorld?", api_name="/ask")
        askers = [
            threading.Thread(target=ask, args=(client, name, number), daemon=True)
            for number, client, name in zip(range(100), cycle(clients), cycle(NAMES), strict=False)
        ]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join(60)
        for client in clients:
            client.close()
    said = Counter(outcomes)
    assert set(said) <= {"its own", "Queue is full! Please try again."}
    assert said.total() == 100
    assert said["its own"] >= 30, "more are answered, or wait, than that"

"""A hundred programs that ask at once: each gets its own answer, or is told to try again."""

import threading
from collections import Counter
from itertools import cycle
from pathlib import Path

import httpx
from starting import started

from rag.schema import Answer

NAMES = ("OSWorld", "WebArena", "Mind2Web", "AndroidWorld", "TheAgentCompany", "MindSearch")


def test_a_hundred_askers_get_their_own_answers(sample_store: Path, tmp_path: Path) -> None:
    outcomes: list[str] = []
    ready = threading.Barrier(100)

    def ask(address: str, name: str, number: int) -> None:
        question = f"What is {name}? (asked by number {number})"
        ready.wait()
        reply = httpx.post(f"{address}/api/ask", json={"question": question}, timeout=60)
        if reply.status_code != 200:
            outcomes.append(reply.json()["detail"])
            return
        answer = Answer.model_validate(reply.json())
        titles = {reference.paper.title.partition(":")[0] for reference in answer.references}
        is_own = answer.question == question and titles <= {name}
        outcomes.append("its own" if is_own else f"{answer.question!r}, asked {question!r}")

    with started(sample_store, tmp_path / "data") as address:
        httpx.post(f"{address}/api/ask", json={"question": "What is OSWorld?"}, timeout=60)
        askers = [
            threading.Thread(target=ask, args=(address, name, number), daemon=True)
            for number, name in zip(range(100), cycle(NAMES), strict=False)
        ]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join(60)
    said = Counter(outcomes)
    assert set(said) <= {"its own", "busy, try again: too many questions are waiting"}
    assert said.total() == 100
    assert said["its own"] >= 30, "more are answered, or wait, than that"

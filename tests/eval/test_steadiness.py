"""An answer does not hang on its wording, nor on a turn before that it has nothing to do with.

The sets are in our own words and on the shared digests; `pytest -m slow -s` prints what changes.
"""

from pathlib import Path

import pytest

from eval.datasets import read_rows
from index.embedding import SentenceEncoder
from rag import Answer, Assistant

SETS = Path(__file__).parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def assistant(digests_store: Path, encoder: SentenceEncoder) -> Assistant:
    return Assistant(digests_store, encoder)


def cited(answer: Answer) -> set[str]:
    return {reference.paper.id for reference in answer.references}


def test_rewordings_get_the_same_answer(assistant: Assistant) -> None:
    changed, asked = [], 0
    for row in read_rows(SETS / "rewordings.jsonl"):
        first, *others = (assistant.ask(text) for text in row["wordings"])
        asked += len(others)
        changed += [
            answer.question
            for answer in others
            if (answer.status, cited(answer)) != (first.status, cited(first))
        ]
    print(f"\n{len(changed)} of {asked} rewordings change the status or the cited papers")  # noqa: T201 - the figure
    print("\n".join(changed))  # noqa: T201 - the figure
    assert asked == 136
    assert len(changed) <= 17


def test_a_new_topic_leaves_the_paper_before_and_a_follow_up_stays(assistant: Assistant) -> None:
    old, followed = [], []
    for row in read_rows(SETS / "turns.jsonl"):
        found = cited(assistant.ask(row["question"], row["history"]))
        wanted = set(row["papers"])
        before = {id_ for turn in row["history"] for id_ in turn.get("references", ())}
        if row["needs"]:
            followed += [row["id"]] if found & wanted else []
        elif found and found <= before and not found & wanted:
            old.append(row["question"])
    print(f"\n{len(old)} of 25 new topics from the old paper, {len(followed)} of 25 followed")  # noqa: T201 - the figure
    print("\n".join(old))  # noqa: T201 - the figure
    assert len(old) <= 2
    assert len(followed) >= 22

"""The gate on its own fixed set: it passes as the product is, and fails for each planted fault."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eval import changes
from eval.changes import Scores, drops, gate_subject
from eval.systems import Subject
from index.embedding import SentenceEncoder
from index.errors import InputError
from rag.settings import Settings


@pytest.fixture(scope="module")
def subject(encoder: SentenceEncoder) -> Iterator[Subject]:
    with gate_subject(Settings(), encoder) as subject:
        yield subject


@pytest.fixture(scope="module")
def baseline() -> Scores:
    return changes.read_baseline()


def test_nothing_got_worse(subject: Subject, baseline: Scores) -> None:
    found = drops(baseline, changes.ask_gate(subject))
    assert [changes.drop_text(*drop) for drop in found.items()] == []


@pytest.mark.slow
def test_bm25_off_is_caught_as_finding_papers(encoder: SentenceEncoder, baseline: Scores) -> None:
    with gate_subject(Settings(), encoder, "lexical") as subject:
        found = drops(baseline, changes.ask_gate(subject))
    assert found.keys() >= {"nDCG@10", "hit@1"}
    ranking = changes.drop_text("nDCG@10", found["nDCG@10"])
    assert ranking.startswith("nDCG@10 fell by ")
    assert len(found["nDCG@10"].lower) >= 8
    assert all(id_ in ranking for id_ in found["nDCG@10"].lower)


def test_a_few_questions_worse_may_be_chance(baseline: Scores, tmp_path: Path) -> None:
    ids = [id_ for id_, values in baseline.items() if values["right"] == 1]

    def worse(metric: str, count: int) -> Scores:
        return {**baseline, **{id_: {**baseline[id_], metric: 0.0} for id_ in ids[:count]}}

    assert set(drops(baseline, worse("right", 2))) == set()
    assert set(drops(baseline, worse("right", 3))) == {"right"}
    assert set(drops(baseline, worse("verbatim", 1))) == {"verbatim"}
    changes.write_baseline(baseline, tmp_path / "baseline.jsonl")
    assert drops(baseline, changes.read_baseline(tmp_path / "baseline.jsonl")) == {}
    fewer = {id_: values for id_, values in baseline.items() if id_ != "f01"}
    with pytest.raises(InputError, match=r"differ \(f01\): take a new one by abstractqa eval gate"):
        drops(baseline, fewer)

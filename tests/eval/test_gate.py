"""The gate on its own fixed set: it passes as the product is, and fails for each planted fault."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from eval.gate import (
    Scores,
    ask_gate,
    drops,
    gate_subject,
    read_baseline,
    write_baseline,
)
from eval.systems import Subject
from index.embedding import SentenceEncoder
from index.errors import InputError
from index.papers import Paper
from index.passages import cut
from rag.citations import Block, Claim, Span, compose
from rag.conversation import History
from rag.schema import Answer, Mode
from rag.settings import Settings


@pytest.fixture(scope="module")
def subject(encoder: SentenceEncoder) -> Iterator[Subject]:
    with gate_subject(Settings(), encoder) as subject:
        yield subject


@pytest.fixture(scope="module")
def baseline() -> Scores:
    return read_baseline()


def fallen(baseline: Scores, scores: Scores) -> set[str]:
    return {drop.metric for drop in drops(baseline, scores)}


def test_nothing_got_worse(subject: Subject, baseline: Scores) -> None:
    assert [str(drop) for drop in drops(baseline, ask_gate(subject))] == []


@pytest.mark.slow
def test_bm25_off_is_caught_as_finding_papers(encoder: SentenceEncoder, baseline: Scores) -> None:
    with gate_subject(Settings(), encoder, "lexical") as subject:
        found = drops(baseline, ask_gate(subject))
    assert {"nDCG@10", "hit@1"} <= {drop.metric for drop in found}
    ranking = next(drop for drop in found if drop.metric == "nDCG@10")
    assert str(ranking).startswith("finding papers (nDCG@10) fell by ")
    assert len(ranking.paired.losses) >= 8
    assert all(id_ in str(ranking) for id_ in ranking.paired.losses)


class Shifted:
    """The product with a fault: each citation is one sentence off."""

    name = "shifted"

    def __init__(self, subject: Subject) -> None:
        self._system = subject.system
        self._papers = {paper.id: paper for paper in subject.papers}

    def search(self, query: str, limit: int) -> list[tuple[str, float]]:
        return list(self._system.search(query, limit))

    def ask(self, question: str, history: History, mode: Mode) -> Answer:
        answer = self._system.ask(question, history, mode)
        papers = {reference.number: reference.paper for reference in answer.references}
        claims = tuple(
            Claim(s.text, tuple(_next(papers[c.reference], c.start) for c in s.citations))
            for s in answer.sentences
        )
        shifted = compose([Block((claim,)) for claim in claims])
        update = {"sentences": shifted.sentences, "references": shifted.references}
        return answer.model_copy(update=update)


def _next(paper: Paper, start: int) -> Span:
    """The sentence after the one that begins at `start`; the one before, if it is the last."""
    sentences = list(cut(paper))
    at = next(i for i, sentence in enumerate(sentences) if sentence.start == start)
    other = sentences[at + 1] if at + 1 < len(sentences) else sentences[at - 1]
    return Span(paper, other.start, other.end)


@pytest.mark.slow
def test_citations_shifted_by_one_are_caught_as_support_and_as_wrong_sentences(
    subject: Subject, baseline: Scores
) -> None:
    shifted = replace(subject, system=Shifted(subject), configuration={"fault": "shifted"})
    found = fallen(baseline, ask_gate(shifted))
    assert {"alce_recall", "alce_precision", "evidence_recall"} <= found
    assert not found & {"nDCG@10", "hit@1", "nugget_recall", "citation_recall", "verbatim"}


def test_a_few_questions_worse_are_chance_and_a_single_wrong_quotation_is_not(
    baseline: Scores,
) -> None:
    ids = [id_ for id_, values in baseline.items() if values["right"] == 1]

    def worse(metric: str, count: int) -> Scores:
        changed = {id_: {**baseline[id_], metric: 0.0} for id_ in ids[:count]}
        return {**baseline, **changed}

    assert fallen(baseline, worse("right", 2)) == set()
    assert fallen(baseline, worse("right", 3)) == {"right"}
    assert fallen(baseline, worse("verbatim", 1)) == {"verbatim"}
    assert drops(baseline, baseline) == []


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path, baseline: Scores) -> None:
    write_baseline(baseline, tmp_path / "baseline.jsonl")
    assert read_baseline(tmp_path / "baseline.jsonl") == baseline


def test_a_baseline_of_other_questions_is_refused(baseline: Scores) -> None:
    fewer = {id_: values for id_, values in baseline.items() if id_ != "f01"}
    with pytest.raises(InputError, match=r"differ \(f01\): take a new one by abstractqa eval gate"):
        drops(baseline, fewer)

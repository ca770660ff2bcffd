"""Our own questions fit the collections they are asked of, and hold no text of them."""

from pathlib import Path

import pytest

from eval.datasets import read_rows
from eval.fitting.collections import OWN, own_questions
from eval.fitting.run import SOURCES, YEAR
from index.papers import Paper
from index.readers import read


def runs(text: str, length: int = 9) -> list[str]:
    """Every run of so many words in a text, lower-case."""
    words = text.lower().split()
    return [" ".join(words[at : at + length]) for at in range(len(words) - length + 1)]


@pytest.mark.parametrize("name", SOURCES)
def test_each_question_has_its_papers_its_evidence_and_its_facts(shared: Path, name: str) -> None:
    source = shared / SOURCES[name].papers
    papers = [each for each in read([source], year=YEAR) if isinstance(each, Paper)]
    abstracts: dict[str, str] = {}
    for paper in papers:
        abstracts[paper.title] = abstracts.get(paper.title, "") + paper.abstract
    whole = {run for text in abstracts.values() for run in runs(text)}
    questions = own_questions(name, papers)
    assert len({each.id for each in questions}) == len(questions) >= 70
    for each in questions:
        assert {*each.papers, *each.also} <= abstracts.keys()
        assert each.answerable or not each.papers or each.type == "false-premise"
        for evidence in each.evidence:
            assert evidence.paper in each.papers
            assert len(evidence.quote) > 3
        assert whole.isdisjoint(runs(each.question)), each.id
        texts = " ".join(abstracts[title] for title in (*each.papers, *each.also)).lower()
        for fact in each.nuggets:
            assert any(variant.lower() in texts for variant in fact), (each.id, fact)


@pytest.mark.parametrize("name", SOURCES)
def test_they_hold_no_text_of_the_papers(name: str) -> None:
    for row in read_rows(OWN / f"{name}.jsonl"):
        lengths = [len(text) for fact in row["nuggets"] for text in fact]
        assert all(length <= 60 for length in lengths), "figures or names, not sentences"
        assert all(isinstance(start, int) and start < end for _, start, end in row["evidence"])

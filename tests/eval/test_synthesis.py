"""A question set from the bundled sample, without a model and with a scripted one."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.datasets import load_questions
from eval.scoring import quote_span
from eval.synthesis import read_draft, synthesize
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.store import Index
from index.text import clean_text
from rag import Assistant
from rag.chat import Message, ReplyError
from rag.retrieval import Probe, rank


@pytest.fixture(scope="module")
def sample_index(sample_store: Path) -> Index:
    return Index.open(sample_store)


def reply(sentence: str, answer: str, question: str) -> str:
    written = {"sentence": sentence, "answer": answer, "question": question}
    return f"Sure!\n```json\n{json.dumps(written)}\n```"


def test_cloze_questions_are_found_again_and_some_lose_their_papers(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    out = tmp_path / "set"
    record: Any = synthesize(sample_index, encoder, out, n=30, unanswerable=0.3)
    assert json.loads((out / "synthesis.json").read_text()) == record
    assert str(tmp_path) not in (out / "synthesis.json").read_text()
    questions = load_questions(out / "questions.jsonl")
    abstracts = {paper.title: paper.abstract for paper in sample_index.papers}
    left = {paper.title for paper in Assistant(out / "store", encoder).papers()}
    assert len(questions) == record["questions"] == 30
    assert left == abstracts.keys() - set(record["papers_removed"])
    assert 0 < sum(not question.answerable for question in questions) <= 9
    for question in questions:
        if not question.answerable:
            assert (question.type, question.papers, question.evidence) == ("removed", (), ())
            assert any(str(question.note).endswith(title) for title in record["papers_removed"])
            continue
        (title,), (evidence,), (nugget,) = question.papers, question.evidence, question.nuggets
        assert (question.type, title in left) == ("cloze", True)
        assert evidence.quote in abstracts[title]
        assert nugget[0].casefold() in clean_text(evidence.quote).casefold()
        found = rank(sample_index, Probe.of(question.question, sample_index, encoder)).rows[0]
        assert sample_index.papers[found].title == title


def test_a_model_is_asked_once_a_paper_and_what_it_writes_is_checked(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    refused, generic = "TAME", "MineRL"
    papers = {clean_text(paper.title): paper for paper in sample_index.papers}
    asked: list[str] = []

    def write(messages: list[Message]) -> str:
        """Ask for the end of the last sentence of whatever abstract is shown."""
        title = messages[-1]["content"].partition("\n")[0].removeprefix("Title: ")
        asked.append(title)
        if title.startswith(refused):
            raise ReplyError("no")
        sentence = clean_text(papers[title].abstract).rsplit(". ", 1)[-1]
        words = sentence.rstrip(".").split()
        subject = "do the authors want here" if generic in title else " ".join(words[:-2])
        return reply(sentence, " ".join(words[-2:]), f"What {subject}?")

    out = tmp_path / "set"
    record: Any = synthesize(sample_index, encoder, out, (write, "scripted"), n=10_000)
    assert len(asked) == len(set(asked)) == len(sample_index.papers)
    dropped = record["dropped"]
    assert dropped["the reply names no question, answer and sentence"] == 1
    assert dropped["the question does not say what it is about"] >= 1
    assert record["questions"] + sum(dropped.values()) == len(sample_index.papers)
    assert record["by_type"]["synthetic"] > 5
    abstracts = {paper.title: paper.abstract for paper in sample_index.papers}
    for question in load_questions(out / "questions.jsonl"):
        for evidence in question.evidence:
            assert quote_span(evidence.quote, abstracts[evidence.paper])
            assert not evidence.paper.startswith(refused)


PEAT = Paper(
    id="peat",
    title="PeatNet: Reading Water Tables from Bog Photographs",
    abstract="Bogs are wet. PeatNet is off by 3.1\\,cm, or 4\\%, on 52 bogs of the north.",
)
SENTENCE = "PeatNet is off by 3.1 cm, or 4%, on 52 bogs of the north."
QUESTION = "On how many bogs was the moss camera tried out?"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I cannot do that.", "names no question"),
        (reply(SENTENCE, "52 bogs", "How many bogs?"), "too short"),
        (reply("Bogs are dry.", "dry", QUESTION), "not in the abstract"),
        (reply(SENTENCE, "53 bogs", QUESTION), "not in the sentence"),
        (reply(SENTENCE, "52 bogs", "Was it tried on 52 bogs or more?"), "gives the answer away"),
        (reply(SENTENCE, "52 bogs", QUESTION), f"quote={PEAT.abstract[14:]!r}"),
    ],
)
def test_a_reply_is_quoted_from_the_abstract_or_dropped(text: str, reason: str) -> None:
    assert reason in str(read_draft(text, PEAT))

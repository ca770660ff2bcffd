"""A question set from the bundled sample, without a model and with a scripted one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eval.datasets import load_questions
from eval.scoring import quote_span
from eval.synthesis import Draft, Plan, read_draft, synthesize
from eval.vector_cache import CachedEncoder
from index.embedding import SentenceEncoder
from index.minilm import NAME
from index.papers import Paper
from index.store import Index
from index.text import clean_text
from rag import Assistant
from rag.chat import Message, ReplyError
from rag.retrieval import Probe, rank


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentenceEncoder]:
    """The bundled encoder, which embeds no text twice, as the command has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield CachedEncoder.open(NAME)


@pytest.fixture(scope="session")
def sample_index(sample_store: Path) -> Index:
    """The bundled sample's index, whole in memory."""
    return Index.open(sample_store)


def good(paper: Paper, sentence: str) -> str:
    """A question with the sentence's words but its last two, which are the answer."""
    words = sentence.rstrip(".").split()
    question = f"Who found {' '.join(words[:-2])} what?"
    return reply(sentence, " ".join(words[-2:]), question)


def reply(sentence: str, answer: str, question: str) -> str:
    written = {"sentence": sentence, "answer": answer, "question": question}
    return f"Sure!\n```json\n{json.dumps(written)}\n```"


class Writer:
    """A chat model that asks for the last sentence of whatever abstract it is shown."""

    def __init__(self, write: Callable[[Paper, str], str], index: Index) -> None:
        self._write = write
        self._papers = {clean_text(paper.title): paper for paper in index.papers}
        self.asked: list[str] = []

    def __call__(self, messages: list[Message]) -> str:
        title = messages[-1]["content"].partition("\n")[0].removeprefix("Title: ")
        self.asked.append(title)
        paper = self._papers[title]
        return self._write(paper, clean_text(paper.abstract).rsplit(". ", 1)[-1])


def test_cloze_questions_are_found_again_and_quote_their_papers(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    record: Any = synthesize(sample_index, encoder, Plan(30), tmp_path / "set")
    questions = load_questions(tmp_path / "set" / "questions.jsonl")
    abstracts = {paper.title: paper.abstract for paper in sample_index.papers}
    assert len(questions) == record["questions"] == 30
    asked = [question for question in questions if question.answerable]
    assert {question.type for question in asked} == {"cloze"}
    for question in asked:
        (title,), (evidence,), (nugget,) = question.papers, question.evidence, question.nuggets
        assert evidence.quote in abstracts[title]
        assert nugget[0].casefold() in clean_text(evidence.quote).casefold()
        found = rank(sample_index, Probe.of(question.question, sample_index, encoder)).rows[0]
        assert sample_index.papers[found].title == title
    assert json.loads((tmp_path / "set" / "synthesis.json").read_text()) == record
    assert str(tmp_path) not in (tmp_path / "set" / "synthesis.json").read_text()


def test_papers_of_unanswerable_questions_are_gone_from_the_store_and_no_others_are(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    record: Any = synthesize(sample_index, encoder, Plan(30, unanswerable=0.3), tmp_path / "set")
    questions = load_questions(tmp_path / "set" / "questions.jsonl")
    store = tmp_path / "set" / "store"
    left = {paper.title for paper in Assistant(store, encoder).papers()}
    removed = [question for question in questions if not question.answerable]
    assert 0 < len(removed) <= 9
    assert left == {paper.title for paper in sample_index.papers} - set(record["papers_removed"])
    for question in removed:
        assert (question.type, question.papers, question.evidence) == ("removed", (), ())
        assert any(str(question.note).endswith(title) for title in record["papers_removed"])
    for question in questions:
        assert not question.answerable or question.papers[0] in left


def test_a_model_is_asked_once_a_paper_and_what_it_writes_is_checked(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    refused, lied, generic = "TAME", "OSWorld", "MineRL"

    def write(paper: Paper, sentence: str) -> str:
        if paper.title.startswith(refused):
            raise ReplyError("no")
        if paper.title.startswith(lied):
            return good(paper, "It was solved in 1911 by a retired lamplighter.")
        if generic in paper.title:
            last = " ".join(sentence.rstrip(".").split()[-2:])
            return reply(sentence, last, "What do the authors want here?")
        return good(paper, sentence)

    writer = Writer(write, sample_index)
    everything = (sample_index, encoder, Plan(10_000), tmp_path / "set")
    record: Any = synthesize(*everything, (writer, "scripted"))
    assert len(writer.asked) == len(set(writer.asked)) == len(sample_index.papers)
    dropped = record["dropped"]
    assert dropped["the reply names no question, answer and sentence"] == 1
    assert dropped["the sentence is not in the abstract"] == 1
    assert dropped["the question does not say what it is about"] >= 1
    assert record["questions"] + sum(dropped.values()) == len(sample_index.papers)
    assert record["by_type"]["synthetic"] > 5
    abstracts = {paper.title: paper.abstract for paper in sample_index.papers}
    for question in load_questions(tmp_path / "set" / "questions.jsonl"):
        for evidence in question.evidence:
            assert quote_span(evidence.quote, abstracts[evidence.paper])
            assert not evidence.paper.startswith((refused, lied))


def test_a_killed_run_goes_on_without_asking_about_a_paper_twice(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    def dies_at_the_fifth(paper: Paper, sentence: str) -> str:
        if len(first.asked) == 5:
            raise KeyboardInterrupt
        return good(paper, sentence)

    first, second, whole = (Writer(good, sample_index) for _ in range(3))
    first._write = dies_at_the_fifth
    out = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt):
        synthesize(sample_index, encoder, Plan(12), out, (first, "m"))
    assert not (out / "questions.jsonl").exists()
    with (out / "written" / "answers.jsonl").open("a") as file:
        file.write('{"id": "half a li')
    synthesize(sample_index, encoder, Plan(12), out, (second, "m"))
    synthesize(sample_index, encoder, Plan(12), tmp_path / "whole", (whole, "m"))
    assert first.asked[:4] + second.asked == whole.asked
    at_once = (tmp_path / "whole" / "questions.jsonl").read_text()
    assert (out / "questions.jsonl").read_text() == at_once


PEAT = Paper(
    id="peat",
    title="PeatNet: Reading Water Tables from Bog Photographs",
    abstract="Bogs are wet. PeatNet is off by 3.1\\,cm, or 4\\%, on 52 bogs of the north.",
)
SENTENCE = "PeatNet is off by 3.1 cm, or 4%, on 52 bogs of the north."
QUESTION = "On how many bogs was the moss camera tried out?"


def test_what_a_model_wrote_is_quoted_as_the_abstract_has_it() -> None:
    draft = read_draft(reply(SENTENCE, "52 bogs", QUESTION), PEAT, 7)
    assert draft == Draft(7, "synthetic", QUESTION, PEAT.abstract[14:], "52 bogs")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I cannot do that.", "names no question"),
        (reply(SENTENCE, "52 bogs", "Tell me on how many bogs it was tried."), "not a question"),
        (reply(SENTENCE, "52 bogs", "How many bogs?"), "too short"),
        (reply("PeatNet is never off.", "never", QUESTION), "not in the abstract"),
        (reply(SENTENCE, "53 bogs", QUESTION), "not in the sentence"),
        (reply(SENTENCE, "52 bogs", "Was it tried on 52 bogs or more?"), "gives the answer away"),
    ],
)
def test_a_reply_that_is_no_use_is_dropped_with_its_reason(text: str, reason: str) -> None:
    assert reason in str(read_draft(text, PEAT, 0))

"""A question set from the bundled sample, without a model and with a scripted one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval.datasets import load_questions
from eval.metrics.spans import quote_span
from eval.synthesis import synthesize
from eval.synthesis.drafts import Draft, Reason
from eval.synthesis.filters import TOP_HITS, Sieve, answered_elsewhere
from eval.synthesis.prompts import load_examples
from index.embedding import SentenceEncoder
from index.errors import InputError
from index.papers import Paper
from index.store import Index
from index.text import clean_text
from rag import Assistant
from rag.chat import Message, ReplyError
from rag.retrieval import Probe, rank


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


def good(paper: Paper, sentence: str) -> str:
    """A question with the sentence's words but its last two, which are the answer."""
    words = sentence.rstrip(".").split()
    question = f"Who found {' '.join(words[:-2])} what?"
    return f"Sentence: {sentence}\nAnswer: {' '.join(words[-2:])}\nQuestion: {question}"


def test_cloze_questions_are_found_again_and_quote_their_papers(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    record: Any = synthesize(sample_index, encoder, 30, tmp_path / "set")
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
    record: Any = synthesize(sample_index, encoder, 30, tmp_path / "set", unanswerable=0.3)
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


def test_the_store_is_written_without_embedding_anything_again(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    class QueriesOnly(SentenceEncoder):
        def encode(self, texts: Any, *, progress: Any = None) -> Any:
            pytest.fail("a text was embedded again")

    synthesize(sample_index, QueriesOnly(encoder._encoder), 5, tmp_path / "set")
    assert (tmp_path / "set" / "store" / "CURRENT").is_file()


def test_the_same_seed_gives_the_same_questions_and_another_one_others(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    def made(name: str, seed: int) -> str:
        synthesize(sample_index, encoder, 10, tmp_path / name, seed=seed)
        return (tmp_path / name / "questions.jsonl").read_text()

    first = made("one", 0)
    assert made("two", 0) == first
    assert made("three", 1) != first


def test_a_set_that_cannot_be_filled_says_how_many_there_are(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    record: Any = synthesize(sample_index, encoder, 10_000, tmp_path / "set", unanswerable=0)
    questions = load_questions(tmp_path / "set" / "questions.jsonl")
    assert len(questions) == record["questions"] < 10_000
    assert record["papers_removed"] == []
    assert sum(record["dropped"].values()) > 0


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
            return f"Sentence: {sentence}\nAnswer: {last}\nQuestion: What do the authors want here?"
        return good(paper, sentence)

    writer = Writer(write, sample_index)
    record: Any = synthesize(
        sample_index, encoder, 10_000, tmp_path / "set", complete=writer, model="scripted"
    )
    assert len(writer.asked) == len(set(writer.asked)) == len(sample_index.papers)
    dropped = record["dropped"]
    assert dropped[Reason.UNREADABLE.value] == 1
    assert dropped[Reason.SENTENCE_NOT_FOUND.value] == 1
    assert dropped[Reason.NO_SUBJECT.value] >= 1
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
        synthesize(sample_index, encoder, 12, out, complete=first)
    assert not (out / "questions.jsonl").exists()
    with (out / "written.jsonl").open("a") as file:
        file.write('{"paper": "half a li')
    synthesize(sample_index, encoder, 12, out, complete=second)
    synthesize(sample_index, encoder, 12, tmp_path / "whole", complete=whole)
    assert first.asked[:4] + second.asked == whole.asked
    at_once = (tmp_path / "whole" / "questions.jsonl").read_text()
    assert (out / "questions.jsonl").read_text() == at_once


def test_a_folder_of_something_else_is_refused_and_left_alone(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("kept")
    with pytest.raises(InputError, match="something else"):
        synthesize(sample_index, encoder, 2, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]

    synthesize(sample_index, encoder, 2, tmp_path / "set")
    with pytest.raises(InputError, match="finished"):
        synthesize(sample_index, encoder, 2, tmp_path / "set")


def test_a_run_begun_with_other_settings_is_not_gone_on_with(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    def dies(messages: list[Message]) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesize(sample_index, encoder, 2, tmp_path / "set", complete=dies)
    with pytest.raises(InputError, match="another seed"):
        synthesize(sample_index, encoder, 2, tmp_path / "set", complete=dies, seed=1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 0}, "at least 1, not 0"),
        ({"k": 0}, "k must be at least 1"),
        ({"unanswerable": 1.0}, "below 1, not 1.0"),
    ],
)
def test_an_argument_out_of_range_is_refused_before_a_folder_is_made(
    given: dict[str, Any], message: str, sample_index: Index, encoder: SentenceEncoder,
    tmp_path: Path,
) -> None:  # fmt: skip
    with pytest.raises(InputError, match=message):
        synthesize(sample_index, encoder, **{"n": 5, "out": tmp_path / "set", **given})
    assert not (tmp_path / "set").exists()


def test_a_question_asked_twice_is_kept_once(sample_index: Index, encoder: SentenceEncoder) -> None:
    row = next(r for r, p in enumerate(sample_index.papers) if p.title.startswith("OSWorld"))
    text = "How many tasks on Ubuntu, Windows and macOS does the OSWorld benchmark have?"
    sieve = Sieve(sample_index, encoder, 1)
    assert sieve.keep(Draft(row, "synthetic", text, "", ("369",))) is None
    again = text.replace("have", "comprise")
    assert sieve.keep(Draft(row, "synthetic", again, "", ("369 tasks",))) == Reason.DUPLICATE
    other = "Which evaluation scripts and initial states on Ubuntu, Windows and macOS are there?"
    assert sieve.keep(Draft(row, "synthetic", other, "", ("369",))) == Reason.DUPLICATE
    assert sieve.keep(Draft(row + 1, "synthetic", text, "", ("1",))) == Reason.NOT_FOUND_AGAIN
    vague = "What does the proposed method improve?"
    assert sieve.keep(Draft(row, "synthetic", vague, "", ("1",))) == Reason.NO_SUBJECT


def test_an_answer_that_a_near_paper_states_too_is_noticed(
    sample_index: Index, encoder: SentenceEncoder
) -> None:
    text = "Which benchmark of tasks on Ubuntu, Windows and macOS is there?"
    best, second = rank(sample_index, Probe.of(text, sample_index, encoder)).rows[:2]
    word = max(clean_text(sample_index.papers[second].abstract).split(), key=len)
    assert TOP_HITS > 1
    assert answered_elsewhere(Draft(best, "cloze", text, "", (word,)), sample_index, encoder)
    nowhere = Draft(best, "cloze", text, "", ("lamplighter",))
    assert not answered_elsewhere(nowhere, sample_index, encoder)


def test_examples_are_shown_to_the_model_and_a_broken_one_is_refused_with_its_place(
    sample_index: Index, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    paper = sample_index.papers[0]
    quote = paper.abstract.split(". ")[0]
    example = {
        "id": "e1",
        "type": "fact",
        "question": "Which question does nobody but me ask?",
        "answerable": True,
        "papers": [paper.title],
        "evidence": [{"paper": paper.title, "quote": quote}],
        "nuggets": [["mine"]],
    }
    path = tmp_path / "examples.jsonl"
    shown: list[str] = []

    def look(messages: list[Message]) -> str:
        shown.extend(message["content"] for message in messages)
        raise KeyboardInterrupt

    path.write_text(json.dumps(example))
    with pytest.raises(KeyboardInterrupt):
        synthesize(sample_index, encoder, 1, tmp_path / "set", complete=look, examples=path)
    assert any(example["question"] in text and clean_text(quote) in text for text in shown)

    for change, message in (
        ({"question": ""}, r"examples.jsonl:1: field question"),
        ({"evidence": []}, "'e1' is no example"),
        ({"nuggets": []}, "'e1' is no example"),
        ({"evidence": [{"paper": paper.title, "quote": "never said"}]}, "not in the abstract"),
    ):
        path.write_text(json.dumps(example | change))
        with pytest.raises(InputError, match=message):
            load_examples(path, sample_index.papers)

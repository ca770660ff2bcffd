import json
from pathlib import Path
from typing import Any

import pytest
from dataset_files import jsonl
from handmade import BOGS, MOSS, REFUSAL, answer, ask, reference
from hypothesis import given
from hypothesis import strategies as st

from eval.datasets import (
    RagnarokAnswer,
    RagnarokSentence,
    load_ragnarok,
    to_ragnarok,
    write_ragnarok,
)
from index.errors import InputError
from rag.schema import Citation

# The shape that TREC RAG 2024's guidelines show, about something else.
RECORD = {
    "run_id": "bryologists",
    "topic_id": "2024-1",
    "topic": "what grows",
    "references": ["doc#2", "doc#1"],
    "response_length": 4,
    "answer": [
        {"text": "Mosses grow.", "citations": [1, 0]},
        {"text": "Ferns too.", "citations": []},
    ],
}


@st.composite
def answers(draw: st.DrawFn, topic: str) -> RagnarokAnswer:
    references = draw(st.lists(st.text(), unique=True))
    places = st.integers(0, len(references) - 1) if references else st.nothing()
    sentences = st.builds(
        RagnarokSentence, text=st.text(), citations=st.lists(places, unique=True).map(tuple)
    )
    return RagnarokAnswer(
        run_id=draw(st.text()),
        topic_id=topic,
        topic=draw(st.text()),
        references=tuple(references),
        answer=tuple(draw(st.lists(sentences))),
    )


@given(st.tuples(answers("t1"), answers("t2")))
def test_written_answers_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, written: tuple[RagnarokAnswer, RagnarokAnswer]
) -> None:
    path = tmp_path_factory.getbasetemp() / "answers.jsonl"
    write_ragnarok(path, written)
    assert load_ragnarok(path) == list(written)


def test_an_answer_has_exactly_the_fields_of_the_track(tmp_path: Path) -> None:
    (found,) = load_ragnarok(jsonl(tmp_path / "theirs.jsonl", RECORD))
    write_ragnarok(tmp_path / "ours.jsonl", [found])
    assert json.loads((tmp_path / "ours.jsonl").read_text()) == RECORD
    assert [found.cited(sentence) for sentence in found.answer] == [("doc#1", "doc#2"), ()]


def test_our_answer_keeps_its_sentences_and_cites_papers_by_their_place() -> None:
    both = (reference(1, MOSS, "Mosses are small."), reference(2, BOGS, "Bogs are wet."))
    given_answer = answer("Small mosses [1], wet bogs [2].", *both)
    exported = to_ragnarok(ask(MOSS, BOGS), given_answer, "ours")
    assert (exported.run_id, exported.topic_id, exported.topic) == ("ours", "q1", "What?")
    assert exported.references == ("moss", "bogs")
    (sentence,) = exported.answer
    assert (sentence.text, sentence.citations) == ("Small mosses, wet bogs.", (0, 1))
    assert exported.response_length == 4


def test_two_passages_of_a_paper_are_one_citation() -> None:
    one = reference(1, MOSS, "Mosses are small.")
    two = reference(1, MOSS, "It scores")
    cited = one.model_copy(update={"passages": one.passages + two.passages})
    passages = [(passage.start, passage.end) for passage in cited.passages]
    exported = to_ragnarok(ask(MOSS), answer("Small, and it scores [1].", cited), "ours")
    assert len({Citation(reference=1, start=start, end=end) for start, end in passages}) == 2
    assert exported.answer[0].citations == (0,)


def test_a_refusal_has_no_sentences() -> None:
    exported = to_ragnarok(ask(), REFUSAL, "ours")
    assert (exported.answer, exported.references, exported.response_length) == ((), (), 0)


def test_length_is_counted_in_words_after_nfkc_and_not_believed(tmp_path: Path) -> None:
    spaced = {"text": "two\N{IDEOGRAPHIC SPACE}words\N{NO-BREAK SPACE}more ", "citations": []}
    record = {**RECORD, "answer": [spaced], "response_length": 999}
    (found,) = load_ragnarok(jsonl(tmp_path / "theirs.jsonl", record))
    assert found.response_length == 3


def test_what_ragnaroks_own_writer_leaves_out_or_numbers_is_read(tmp_path: Path) -> None:
    record = {**RECORD, "topic_id": 7, "references": [2, 1]}
    del record["run_id"]
    (found,) = load_ragnarok(jsonl(tmp_path / "theirs.jsonl", record))
    assert (found.run_id, found.topic_id, found.references) == ("", "7", ("2", "1"))


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({**RECORD, "references": ["doc#2"]}, "theirs.jsonl:2: Value error, sentence 0 cites"),
        ({**RECORD, "answer": [{"text": "x", "citations": [-1]}]}, "field answer.0.citations.0"),
        ({**RECORD, "answer": [{"citations": [0]}]}, "theirs.jsonl:2: field answer.0.text"),
        ({"topic_id": "2", "topic": "x"}, "theirs.jsonl:2: field references"),
        (RECORD, "theirs.jsonl:2: topic '2024-1' is answered twice"),
        ("[]", "theirs.jsonl:2: not a JSON object"),
    ],
)
def test_a_broken_answer_is_refused_with_file_and_line(
    tmp_path: Path, second: Any, message: str
) -> None:
    with pytest.raises(InputError) as error:
        load_ragnarok(jsonl(tmp_path / "theirs.jsonl", RECORD, second))
    assert message in str(error.value)


def test_a_file_without_answers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InputError, match="holds no answers"):
        load_ragnarok(tmp_path / "empty.jsonl")

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from dataset_files import jsonl
from hypothesis import given
from hypothesis import strategies as st

from eval.datasets import (
    Evidence,
    Message,
    Question,
    load_questions,
    sample_by_type,
    write_questions,
)
from index.errors import InputError

QUESTION = {"id": "q1", "type": "fact", "question": "How tall is it?", "answerable": True}
WORDS = st.text(min_size=1).filter(lambda text: text == text.strip() != "")


@pytest.mark.parametrize(
    ("third", "reason"),
    [
        ('{"id": "q3", ', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ({**QUESTION, "id": "q1"}, "stands twice"),
        ({**QUESTION, "question": " "}, "field question"),
        ({**QUESTION, "nuggets": [[]]}, "field nuggets.0"),
        ({**QUESTION, "history": [{"role": "system", "content": "x"}]}, "field history.0.role"),
    ],
)
def test_a_broken_question_is_refused_with_file_and_line(
    tmp_path: Path, third: Any, reason: str
) -> None:
    path = jsonl(tmp_path / "questions.jsonl", QUESTION, {**QUESTION, "id": "q2"}, third)
    with pytest.raises(InputError, match=r"questions.jsonl:3: ") as error:
        load_questions(path)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_questions_file_that_is_missing_empty_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none.jsonl: No such file"):
        load_questions(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InputError, match="holds no records"):
        load_questions(tmp_path / "empty.jsonl")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"binary.jsonl:1: not UTF-8"):
        load_questions(tmp_path / "binary.jsonl")


@given(
    st.lists(
        st.builds(
            Question,
            id=WORDS,
            type=WORDS,
            question=WORDS,
            history=st.tuples(st.builds(Message, content=WORDS)),
            evidence=st.tuples(st.builds(Evidence, paper=WORDS, quote=WORDS)),
            papers=st.tuples(WORDS),
            nuggets=st.tuples(st.tuples(WORDS, WORDS)),
            note=st.none() | st.text(),
        ),
        min_size=1,
        unique_by=lambda question: question.id,
    )
)
def test_written_questions_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, questions: list[Question]
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.jsonl"
    write_questions(path, questions)
    assert load_questions(path) == questions


def test_a_sample_has_every_type_by_its_share_and_is_the_same_for_everyone() -> None:
    kinds = ["fact"] * 60 + ["list"] * 30 + ["why"] * 9 + ["odd"]
    questions = [
        Question(id=f"q{n}", type=kind, question="?", answerable=True)
        for n, kind in enumerate(kinds)
    ]
    drawn = sample_by_type(questions, 20)
    assert Counter(question.type for question in drawn) == {
        "fact": 11, "list": 6, "why": 2, "odd": 1,
    }  # fmt: skip
    assert drawn == sample_by_type(questions, 20)
    backwards = sample_by_type(questions[::-1], 20)
    assert {question.id for question in backwards} == {question.id for question in drawn}
    assert [question.id for question in drawn] == sorted(
        (question.id for question in drawn), key=lambda id_: int(id_[1:])
    )

import json
from pathlib import Path
from typing import Any

import pytest

from eval.datasets import load_beir, load_questions
from index.errors import InputError
from index.hashing import sha256_of

QUESTION = {"id": "q1", "type": "fact", "question": "How tall is it?", "answerable": True}


def jsonl(path: Path, *records: object) -> Path:
    lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def beir(folder: Path, **changed: str) -> Path:
    files = {
        "corpus.jsonl": '{"_id": "d1", "title": "Moss", "text": "Moss grows."}\n'
        '{"_id": "d2", "title": "Only a title", "text": ""}\n',
        "queries.jsonl": '{"_id": "q1", "text": "what grows"}\n{"_id": "q2", "text": "unjudged"}\n',
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\n",
        **changed,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_question_keeps_what_the_file_says(tmp_path: Path) -> None:
    full = {
        **QUESTION,
        "history": [{"role": "user", "content": "Tell me of the tower."}],
        "papers": ["A Tower"],
        "evidence": [{"paper": "A Tower", "quote": "it is 90 m tall"}],
        "nuggets": [["90 m", "ninety"]],
        "note": "easy",
        "difficulty": 3,
    }
    (question,) = load_questions(jsonl(tmp_path / "questions.jsonl", full))
    assert question.model_dump(mode="json") == {k: v for k, v in full.items() if k != "difficulty"}


def test_optional_fields_default_to_nothing_and_blank_lines_and_a_bom_do_not_matter(
    tmp_path: Path,
) -> None:
    path = jsonl(tmp_path / "questions.jsonl", "\ufeff" + json.dumps(QUESTION), "", "  ")
    (question,) = load_questions(path)
    assert (question.history, question.papers, question.nuggets) == ((), (), ())


@pytest.mark.parametrize(
    ("third", "reason"),
    [
        ('{"id": "q3", ', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"id": ' + "7" * 5_000 + "}", "not JSON"),
        ('{"id": "q3", "note": "\\ud800"}', "not JSON"),
        ("[]", "not a JSON object"),
        ({k: v for k, v in QUESTION.items() if k != "answerable"}, "field answerable"),
        ({**QUESTION, "id": "q1"}, "stands twice"),
        ({**QUESTION, "question": " "}, "field question"),
        ({**QUESTION, "nuggets": [[""]]}, "field nuggets.0.0"),
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
    with pytest.raises(InputError, match="holds no questions"):
        load_questions(tmp_path / "empty.jsonl")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"binary.jsonl:1: not UTF-8"):
        load_questions(tmp_path / "binary.jsonl")


def test_a_beir_folder_gives_papers_with_their_own_ids_queries_and_judgements(
    tmp_path: Path,
) -> None:
    dataset = load_beir(beir(tmp_path))
    assert [(p.id, p.title, p.abstract) for p in dataset.papers] == [
        ("d1", "Moss", "Moss grows."),
        ("d2", "Only a title", ""),
    ]
    assert dataset.queries == {"q1": "what grows", "q2": "unjudged"}
    assert dataset.qrels == {"q1": {"d1": 1}}


def test_a_beir_document_brings_its_bibliography_from_the_record_or_its_metadata(
    tmp_path: Path,
) -> None:
    about = {
        "authors": ["A. Fern"],
        "year": "1999",
        "venue": ["BOT"],
        "doi": "",
        "url": "https://x.org",
    }
    lines = [
        {"_id": "d1", "title": "t", "text": "", "metadata": {**about, "pages": 3}},
        {"_id": "d2", "title": "t", "text": "", "year": 2001, "authors": "B. Ivy"},
        {"_id": "d3", "title": "t", "text": "", "metadata": {"year": "unknown", "url": None}},
        {"_id": "d4", "title": "t", "text": "", "year": "9" * 5_000},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    first, second, third, fourth = load_beir(beir(tmp_path, **{"corpus.jsonl": text})).papers
    assert (first.authors, first.year, first.venue, first.doi) == (("A. Fern",), 1999, "BOT", None)
    assert first.url == "https://x.org"
    assert (second.authors, second.year) == (("B. Ivy",), 2001)
    assert (third.year, third.url, third.venue) == (None, None, None)
    assert fourth.year is None


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("corpus.jsonl", '{"_id": "d1"}\n{"_id": "d 2"}\n', "corpus.jsonl:2: field _id"),
        ("corpus.jsonl", '{"_id": "d1"}\n{"_id": "d1"}\n', "corpus.jsonl:2: _id 'd1' stands twice"),
        ("queries.jsonl", '{"_id": "q1"}\n', "queries.jsonl:1: field text"),
        ("queries.jsonl", '{"_id": "q1", "text": "a"}\n' * 2, "queries.jsonl:2: _id 'q1'"),
        ("qrels/test.tsv", "q1\td1\n", "test.tsv:1: expected"),
        ("qrels/test.tsv", "q1\td1\tyes\n", "test.tsv:1: expected"),
        ("qrels/test.tsv", "q1\td1\t" + "9" * 5_000, "test.tsv:1: expected"),
        ("qrels/test.tsv", "q1\td1\t1\nq9\td1\t1\n", "test.tsv:2: query 'q9'"),
        ("qrels/test.tsv", "q1\td1\t1\nq1\td9\t1\n", "test.tsv:2: document 'd9'"),
        ("qrels/test.tsv", "", "holds no judgements"),
    ],
)
def test_a_broken_beir_file_is_refused_with_file_and_line(
    tmp_path: Path, file: str, text: str, message: str
) -> None:
    with pytest.raises(InputError) as error:
        load_beir(beir(tmp_path, **{file: text}))
    assert message in str(error.value)


def test_a_judgement_of_no_relevance_may_name_a_document_that_is_not_there(tmp_path: Path) -> None:
    folder = beir(tmp_path, **{"qrels/test.tsv": "q1\td1\t2\nq1\td9\t0\n"})
    assert load_beir(folder).qrels == {"q1": {"d1": 2, "d9": 0}}


def test_a_folder_that_is_not_beir_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a folder"):
        load_beir(tmp_path / "none")
    with pytest.raises(InputError, match=r"cannot read .*corpus.jsonl"):
        load_beir(tmp_path)


def test_the_hash_of_files_is_that_of_their_contents_in_order(tmp_path: Path) -> None:
    for name, text in {"a": "moss", "b": "fern", "ab": "mossfern"}.items():
        (tmp_path / name).write_text(text)
    both = sha256_of(tmp_path / "a", tmp_path / "b")
    assert both == sha256_of(tmp_path / "ab")
    assert both != sha256_of(tmp_path / "b", tmp_path / "a")


def test_the_shared_development_questions_load(shared: Path) -> None:
    questions = load_questions(shared / "questions" / "dev.jsonl")
    assert len(questions) == 100
    assert sum(not question.answerable for question in questions) == 14


def test_a_shared_benchmark_loads_whole(shared: Path) -> None:
    scifact = load_beir(shared / "beir" / "scifact")
    assert (len(scifact.papers), len(scifact.queries), len(scifact.qrels)) == (5183, 300, 300)

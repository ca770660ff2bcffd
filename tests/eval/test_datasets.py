from math import log2
from pathlib import Path
from typing import Any

import pytest
from dataset_files import beir, jsonl
from hypothesis import given
from hypothesis import strategies as st

from eval import datasets
from eval.datasets import Benchmark, load_beir, load_questions
from eval.scoring import mean_metrics, query_metrics, ranked
from index.errors import InputError
from index.papers import Paper

QUESTION = {"id": "q1", "type": "fact", "question": "How tall is it?", "answerable": True}


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
def test_a_broken_question_is_refused_at_its_line(tmp_path: Path, third: Any, reason: str) -> None:
    path = jsonl(tmp_path / "questions.jsonl", QUESTION, {**QUESTION, "id": "q2"}, third)
    with pytest.raises(InputError, match=r"questions.jsonl:3: ") as error:
        load_questions(path)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="holds no records"):
        load_questions(path)


def test_a_beir_folder_gives_papers_judged_queries_and_judgements(tmp_path: Path) -> None:
    dataset = load_beir(beir(tmp_path))
    assert [(p.id, p.title, p.abstract) for p in dataset.papers] == [
        ("d1", "Moss", "Moss grows."),
        ("d2", "Only a title", ""),
    ]
    assert dataset.queries == {"q1": "what grows"}
    assert dataset.qrels == {"q1": {"d1": 1}}
    assert dataset.absent == 0
    folder = beir(tmp_path, **{"qrels/dev.tsv": "q2\td2\t1\n"})
    assert load_beir(folder, "dev").queries == {"q2": "unjudged"}
    with pytest.raises(InputError, match=r"no qrels/train.tsv; the splits it has: dev, test"):
        load_beir(folder, "train")
    (tmp_path / "corpus.jsonl").unlink()
    with pytest.raises(InputError, match=r"cannot read .*corpus.jsonl"):
        load_beir(tmp_path)
    with pytest.raises(InputError, match=r"is not a folder"):
        load_beir(tmp_path / "none")


@pytest.mark.parametrize(
    "text",
    [
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n",
        "query iteration doc rel\nq1 Q0 d1 2\nq1 Q0 d2 0\n",
        "q1 d1 1\nq1 d2 0\nq1 d1 2\n",
    ],
)
def test_judgements_are_read_in_the_columns_of_beir_and_of_trec(tmp_path: Path, text: str) -> None:
    folder = beir(tmp_path, **{"qrels/test.tsv": text})
    assert load_beir(folder).qrels == {"q1": {"d1": 2, "d2": 0}}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("corpus.jsonl", '{"_id": "d1"}\n{"_id": "d 2"}\n', "corpus.jsonl:2: field _id"),
        ("corpus.jsonl", '{"_id": "d1"}\n{"_id": "d1"}\n', "corpus.jsonl:2: id 'd1' stands twice"),
        ("queries.jsonl", '{"_id": "q1"}\n', "queries.jsonl:1: field text"),
        ("qrels/test.tsv", "q1\td1\t0.5\n", "test.tsv:1: expected"),
        ("qrels/test.tsv", "q1\td1\t1\nq9\td1\t1\n", "test.tsv:2: query 'q9'"),
        ("qrels/test.tsv", "q1\td9\t1\nq1\td1\t0\n", "test.tsv: no relevant paper is in the"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "holds no judgements"),
    ],
)
def test_a_broken_beir_file_is_refused(tmp_path: Path, file: str, text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        load_beir(beir(tmp_path, **{file: text}))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_smaller_subset_lies_within_a_larger_one_whatever_the_order_of_the_corpus() -> None:
    papers = [Paper(id=f"p{number}", title="t", abstract="a") for number in range(30)]
    whole = Benchmark(papers, {"q": "what"}, {"q": {"p1": 1, "p3": 2, "p4": 0, "absent": 1}})
    shuffled = Benchmark(papers[::-1], whole.queries, whole.qrels)
    small, again, large = (
        {paper.id for paper in datasets.fixed_subset(each, size).papers}
        for each, size in ((whole, 5), (shuffled, 5), (whole, 12))
    )
    assert {"p1", "p3"} <= small == again < large
    assert (len(small), len(large)) == (5, 12)
    with pytest.raises(InputError, match="a subset needs at least as many"):
        datasets.fixed_subset(whole, 1)
    with pytest.raises(InputError, match="a number from 1 to 2"):
        datasets.fixed_choice(["q1", "q2"], 3)


def test_a_ranking_is_read_as_it_was_written_and_a_broken_one_named(tmp_path: Path) -> None:
    run, ranking = tmp_path / "run", {"q1": {"d1": 0.9, "d2": 0.8}, "q2": {"d1": -2.0}}
    datasets.write_trec_run(run, ranking)
    assert datasets.load_trec_run(run) == ranking
    for text, message in (
        ("", "run holds no ranking"),
        ("q Q0 d1 1 .9 t\nq Q0 d2 2 .8\n", "run:2: expected query, Q0, paper"),
    ):
        run.write_text(text)
        with pytest.raises(InputError, match=message):
            datasets.load_trec_run(run)


def test_each_measure_equals_the_hand_computed_value() -> None:
    run = {
        "first": ranked([("x", 9.0), ("b", 8.0), ("z", 7.0), ("y", 6.0), ("w", 5.0), ("a", 4.0)]),
        "second": ranked([("c", 1.0)]),
    }
    relevance = {"first": {"a": 1, "b": 2, "z": 0}, "second": {"c": 1}}
    per_query = query_metrics(relevance, run)
    dcg = 2 / log2(3) + 1 / log2(7)
    ideal = 2 / log2(2) + 1 / log2(3)
    expected = {"nDCG@10": dcg / ideal, "MRR": 1 / 2, "MAP": (1 / 2 + 2 / 6) / 2,
                "R@5": 1 / 2, "R@10": 1, "R@100": 1, "hit@1": 0}  # fmt: skip
    assert per_query["first"] == pytest.approx(expected)
    means = {name: (value + 1) / 2 for name, value in expected.items()}
    assert mean_metrics(per_query) == pytest.approx(means)


papers, scores = st.sampled_from("abcdefghijklmnop"), st.sampled_from([-1.0, 0.5, 0.7])


@given(st.lists(st.tuples(papers, scores), max_size=16, unique_by=lambda hit: hit[0]))
def test_the_order_given_is_the_order_measured(hits: list[tuple[str, float]]) -> None:
    run = {"q": ranked(hits)}
    for rank, (paper, _) in enumerate(hits, start=1):
        found = query_metrics({"q": {paper: 1}}, run)["q"]["MRR"]
        assert found == pytest.approx(1 / rank)

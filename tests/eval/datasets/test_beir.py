import gzip
import json
from pathlib import Path

import pytest
from dataset_files import beir

from eval.datasets import load_beir
from index.errors import InputError
from index.sources import sha256_of


def test_a_beir_folder_gives_papers_with_their_own_ids_judged_queries_and_judgements(
    tmp_path: Path,
) -> None:
    dataset = load_beir(beir(tmp_path))
    assert [(p.id, p.title, p.abstract) for p in dataset.papers] == [
        ("d1", "Moss", "Moss grows."),
        ("d2", "Only a title", ""),
    ]
    assert dataset.queries == {"q1": "what grows"}
    assert dataset.qrels == {"q1": {"d1": 1}}
    assert dataset.absent == 0


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
        {"_id": "d2", "title": "t", "text": "", "year": 2001, "authors": "B. Ivy", "id": "other"},
        {"_id": "d3", "title": "t", "text": "", "metadata": {"year": "unknown", "url": None}},
        {"_id": "d4", "title": "t", "text": "", "year": "9" * 5_000},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    first, second, third, fourth = load_beir(beir(tmp_path, **{"corpus.jsonl": text})).papers
    assert (first.authors, first.year, first.venue, first.doi) == (("A. Fern",), 1999, "BOT", None)
    assert first.url == "https://x.org"
    assert (second.id, second.authors, second.year) == ("d2", ("B. Ivy",), 2001)
    assert (third.year, third.url, third.venue) == (None, None, None)
    assert fourth.year is None


def test_packed_files_read_like_plain_ones(tmp_path: Path) -> None:
    plain = load_beir(beir(tmp_path))
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        path = tmp_path / name
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert load_beir(tmp_path) == plain


def test_a_packed_file_that_is_cut_short_or_not_packed_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress((beir(tmp_path) / "corpus.jsonl").read_bytes())
    (tmp_path / "corpus.jsonl").unlink()
    for broken in (packed[:-12], b"plain text", packed[:12] + b"\xff" * 40):
        (tmp_path / "corpus.jsonl.gz").write_bytes(broken)
        with pytest.raises(InputError, match=r"cannot unpack .*corpus.jsonl.gz .*download"):
            load_beir(tmp_path)


def test_the_split_is_chosen_and_a_missing_one_is_named_with_those_there_are(
    tmp_path: Path,
) -> None:
    folder = beir(tmp_path, **{"qrels/dev.tsv": "q2\td2\t1\n"})
    assert load_beir(folder, "dev").queries == {"q2": "unjudged"}
    with pytest.raises(InputError, match=r"no qrels/train.tsv; the splits it has: dev, test"):
        load_beir(folder, "train")


@pytest.mark.parametrize(
    "text",
    [
        "q1\td1\t2\nq1\td2\t0\n",
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n",
        "q1 0 d1 2\nq1 0 d2 0\n",
        "query iteration doc rel\nq1 Q0 d1 2\nq1 Q0 d2 0\n",
        "q1 d1 2.0\nq1 d2 0.0\n",
        "q1 d1 1\nq1 d2 0\nq1 d1 2\n",
    ],
)
def test_judgements_are_read_in_the_columns_of_beir_and_of_trec(tmp_path: Path, text: str) -> None:
    folder = beir(tmp_path, **{"qrels/test.tsv": text})
    assert load_beir(folder).qrels == {"q1": {"d1": 2, "d2": 0}}


def test_judged_papers_that_the_corpus_lacks_are_kept_and_the_relevant_ones_counted(
    tmp_path: Path,
) -> None:
    folder = beir(tmp_path, **{"qrels/test.tsv": "q1\td1\t2\nq1\td8\t0\nq1\td9\t1\nq2\td9\t1\n"})
    dataset = load_beir(folder)
    assert dataset.qrels["q1"] == {"d1": 2, "d8": 0, "d9": 1}
    assert dataset.absent == 2


def test_ids_may_be_numbers(tmp_path: Path) -> None:
    folder = beir(
        tmp_path,
        **{
            "corpus.jsonl": '{"_id": 7, "text": "x"}\n',
            "queries.jsonl": '{"_id": 1, "text": "x"}\n',
            "qrels/test.tsv": "1 7 1\n",
        },
    )
    assert load_beir(folder).qrels == {"1": {"7": 1}}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("corpus.jsonl", '{"_id": "d1"}\n{"_id": "d 2"}\n', "corpus.jsonl:2: field _id"),
        ("corpus.jsonl", '{"_id": "d1"}\n{"title": "x"}\n', "corpus.jsonl:2: field _id"),
        ("corpus.jsonl", '{"_id": "d1"}\n{"_id": "d1"}\n', "corpus.jsonl:2: id 'd1' stands twice"),
        ("corpus.jsonl", "\n", "holds no records"),
        ("queries.jsonl", '{"_id": "q1"}\n', "queries.jsonl:1: field text"),
        ("queries.jsonl", '{"_id": "q1", "text": "a"}\n' * 2, "queries.jsonl:2: id 'q1'"),
        ("qrels/test.tsv", "q1\td1\n", "test.tsv:1: expected"),
        ("qrels/test.tsv", "score\n1\n", "test.tsv:2: expected"),
        ("qrels/test.tsv", "q1\td1\tyes\n", "test.tsv:1: expected"),
        ("qrels/test.tsv", "q1\td1\t0.5\n", "test.tsv:1: expected"),
        ("qrels/test.tsv", "q1\td1\t1\nq1\td1\tscore\n", "test.tsv:2: expected"),
        ("qrels/test.tsv", "q1\td1\t" + "9" * 5_000, "test.tsv:1: expected"),
        ("qrels/test.tsv", "q1 0 0 d1 1\n", "test.tsv:1: expected"),
        ("qrels/test.tsv", "q1\td1\t1\nq9\td1\t1\n", "test.tsv:2: query 'q9'"),
        ("qrels/test.tsv", "q1\td9\t1\nq1\td1\t0\n", "test.tsv: no relevant paper is in the"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "holds no judgements"),
    ],
)
def test_a_broken_beir_file_is_refused_with_file_and_line(
    tmp_path: Path, file: str, text: str, message: str
) -> None:
    with pytest.raises(InputError) as error:
        load_beir(beir(tmp_path, **{file: text}))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_beir_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a folder"):
        load_beir(tmp_path / "none")
    with pytest.raises(InputError, match=r"no qrels/test.tsv; the splits it has: none"):
        load_beir(tmp_path)
    (beir(tmp_path) / "corpus.jsonl").unlink()
    with pytest.raises(InputError, match=r"cannot read .*corpus.jsonl"):
        load_beir(tmp_path)


def test_the_hash_of_files_is_that_of_their_contents_in_order(tmp_path: Path) -> None:
    for name, text in {"a": "moss", "b": "fern", "ab": "mossfern"}.items():
        (tmp_path / name).write_text(text)
    both = sha256_of(tmp_path / "a", tmp_path / "b")
    assert both == sha256_of(tmp_path / "ab")
    assert both != sha256_of(tmp_path / "b", tmp_path / "a")


def test_a_shared_benchmark_loads_whole(shared: Path) -> None:
    scifact = load_beir(shared / "beir" / "scifact")
    assert (len(scifact.papers), len(scifact.queries), len(scifact.qrels)) == (5183, 300, 300)
    assert scifact.absent == 0

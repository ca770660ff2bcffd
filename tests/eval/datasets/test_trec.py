import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.datasets import load_trec, load_trec_run
from index.errors import InputError
from index.papers import Paper

PAPERS = [Paper(id="d1", title="Moss", abstract="Moss grows.")]

CLASSIC = """
<top>

<num> Number: 301
<title> Moss & Ferns

<desc> Description:
Which mosses grow
where p < 0.05?

<narr> Narrative:
Ferns are not relevant.

</top>

<top>
<num> Number: 302 </num>
<title> Topic: Growth of bogs </title>
</top>
"""

XML = """<?xml version="1.0" encoding="UTF-8"?>
<topics task="moss">
  <topic number="301">
    <query>Moss &amp; Ferns</query>
    <question>Which mosses grow
      where p &lt; 0.05?</question>
  </topic>
  <topic type="bog" number='302'><query>Growth of bogs</query></topic>
</topics>
"""

TSV = "301\tMoss & Ferns\n\n302\tGrowth of bogs\n"


def trec(tmp_path: Path, topics: str, qrels: str = "301 0 d1 1\n302 0 d1 2\n") -> tuple[Path, Path]:
    for name, text in {"topics": topics, "qrels": qrels}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "topics", tmp_path / "qrels"


@pytest.mark.parametrize("topics", [CLASSIC, XML, TSV], ids=["classic", "XML", "TSV"])
def test_topics_are_read_in_each_of_their_formats(tmp_path: Path, topics: str) -> None:
    dataset = load_trec(*trec(tmp_path, topics), PAPERS)
    assert dataset.queries == {"301": "Moss & Ferns", "302": "Growth of bogs"}
    assert dataset.qrels == {"301": {"d1": 1}, "302": {"d1": 2}}
    assert dataset.papers == PAPERS


@pytest.mark.parametrize(("topics", "field"), [(CLASSIC, "desc"), (XML, "question")])
def test_another_field_can_be_asked_and_a_topic_without_it_is_refused(
    tmp_path: Path, topics: str, field: str
) -> None:
    first_only = topics[: topics.index("302")] + "</topics>"
    first_only = first_only[: first_only.rindex("<top")]
    dataset = load_trec(*trec(tmp_path, first_only, "301 0 d1 1\n"), PAPERS, field)
    assert dataset.queries == {"301": "Which mosses grow where p < 0.05?"}
    with pytest.raises(InputError, match=rf"topics:\d+: topic 302 has no {field}; its fields: "):
        load_trec(*trec(tmp_path, topics), PAPERS, field)


def test_text_that_is_in_no_field_of_a_topic_is_its_query(tmp_path: Path) -> None:
    topics = '<topics>\n<topic number="301">\n A 40-year-old\n moss.\n</topic>\n</topics>'
    dataset = load_trec(*trec(tmp_path, topics, "301 0 d1 1\n"), PAPERS)
    assert dataset.queries == {"301": "A 40-year-old moss."}


def test_topics_without_judgements_are_left_out_and_absent_papers_counted(tmp_path: Path) -> None:
    dataset = load_trec(*trec(tmp_path, TSV, "301 0 d1 1\n301 0 d9 1\n"), PAPERS)
    assert dataset.queries == {"301": "Moss & Ferns"}
    assert dataset.absent == 1


@pytest.mark.parametrize(
    ("topics", "message"),
    [
        ("", "topics holds no topics"),
        ("301\tMoss\n302 without a tab\n", "topics:2: expected a topic's id"),
        ("301\tMoss\n301\tFerns\n", "topics:2: topic '301' stands twice"),
        ("<top>\n<title> Moss\n</top>\n", "topics:1: a topic without a number"),
        ("<top>\n<num> 301\n</top>\n", "topics:1: topic 301 has no title or query"),
        (CLASSIC.replace("302", "301"), "topics:16: topic '301' stands twice"),
        ("302\tBogs\n", "qrels:1: query '301' is not among the queries"),
    ],
)
def test_broken_topics_are_refused_with_file_and_line(
    tmp_path: Path, topics: str, message: str
) -> None:
    with pytest.raises(InputError) as error:
        load_trec(*trec(tmp_path, topics), PAPERS)
    assert message in str(error.value)


IDS = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1)
SCORES = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.dictionaries(IDS, st.dictionaries(IDS, SCORES, min_size=1), min_size=1))
def test_a_run_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, run: dict[str, dict[str, float]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "run.trec"
    lines = (
        f"{query} Q0 {paper} {rank} {score:.9g} tag\n"
        for query, scores in run.items()
        for rank, (paper, score) in enumerate(scores.items(), start=1)
    )
    path.write_text("".join(lines), encoding="utf-8")
    found = load_trec_run(path)
    assert {query: list(scores) for query, scores in found.items()} == {
        query: list(scores) for query, scores in run.items()
    }
    for query, scores in run.items():
        for paper, score in scores.items():
            assert math.isclose(found[query][paper], score, rel_tol=1e-8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "run holds no ranking"),
        ("q Q0 d1 1 .9 t\nq Q0 d2 2 .8\n", "run:2: expected query, Q0, paper"),
        ("q Q0 d1 1 .9 t\nq Q0 d1 2 .8 t\n", "run:2: 'd1' stands twice for query 'q'"),
        ("q Q0 d1 1 high t\n", "run:1: the score 'high' is not a number"),
        ("q Q0 d1 1 nan t\n", "run:1: the score 'nan' is not a number"),
    ],
)
def test_a_broken_run_is_refused_with_file_and_line(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "run").write_text(text)
    with pytest.raises(InputError) as error:
        load_trec_run(tmp_path / "run")
    assert message in str(error.value)

"""Which quote stands in a cell, and when none does."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import paper
from tabling import SOIL, MakeTable, cells, ids, indexed, is_verbatim, made_of

from index.embedding import SentenceEncoder
from rag.tables.cells import CellFinder, balanced, shorten
from rag.tables.columns import DEFAULT_COLUMNS, read_column
from rag.tables.table import Cell


def test_each_cell_quotes_the_sentence_that_states_its_column(table: MakeTable) -> None:
    made = table(columns=["method", "data", "metric", "result", "code"])
    found = cells(made, "glide")
    assert found["method"] == (
        "We introduce GlideBench, a benchmark for steering paper kites in strong wind"
    )
    assert found["data"] == "It has 420 flights recorded over 3 hills."
    assert "F1" in (found["metric"] or "")
    assert "61.5\\%" in (found["result"] or "")
    assert found["code"] == "Our code is available at https://example.org/glide."
    is_verbatim(made)


def test_what_an_abstract_does_not_state_is_not_stated(table: MakeTable) -> None:
    made = table(columns=["code", "limitations", "metric", "number of parameters"])
    assert cells(made, "string")["limitations"] == "It still fails on kites without a tail."
    assert cells(made, "string")["code"] is None
    assert cells(made, "glide")["limitations"] is None
    assert cells(made, "glide")["number of parameters"] is None
    row = made.rows[ids(made).index("string")]
    assert row.cells[0] == Cell(column="code")


def test_a_number_of_something_is_a_number_before_it_and_a_long_sentence_is_cut(
    table: MakeTable,
) -> None:
    asked = ["number of parameters", "number of flights", "number of strings", "training data"]
    made = table(columns=asked)
    found = cells(made, "string")
    assert "13B parameters" in (found["number of parameters"] or "")
    assert "420 flights" in (cells(made, "glide")["number of flights"] or "")
    assert found["number of strings"] is None
    assert found["training data"] == "we train it on 80 hours of video of kite pilots."


def test_an_abstract_in_the_third_person_says_its_method_by_its_name(
    tmp_path: Path, encoder: SentenceEncoder
) -> None:
    sail = paper(
        "sail",
        "WingSail: Folding Kites",
        "Kites drift in storms. WingSail is a kite of ribs that folds itself. It was flown over "
        "sea. WingSail stays up 9\\% longer than kites without ribs.",
    )
    index = indexed([sail, SOIL], tmp_path / "store", encoder)
    made = made_of(index, encoder, "WingSail", ["method"], papers=["sail"])
    assert cells(made, "sail")["method"] == "WingSail is a kite of ribs that folds itself."


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("training data", "data"),
        ("evaluation data", "data"),
        ("speedup over baseline", "speed"),
        ("code available?", "code"),
        ("data available?", "code"),
        ("main findings", "result"),
        ("research question", "problem"),
        ("number of datasets", "other"),
        ("robot", "other"),
    ],
)
def test_the_kind_of_a_column_is_read_off_its_head(name: str, kind: str) -> None:
    assert read_column(name).kind == kind


_PIECES = (
    "We propose|KiteNet|, which|(a kite|)|$x_{i}$|\\emph{far}|;|and it|achieves 12\\% gains|."
    '|We evaluate on 3 datasets|``open"|while|its F1|\n|https://a.b|é|–|[|code is available|{'
).split("|")


@given(
    st.lists(
        st.lists(st.sampled_from(_PIECES), max_size=30).map(" ".join), min_size=20, max_size=25
    )
)
@settings(max_examples=3, deadline=None)
def test_every_cell_is_verbatim_at_its_span_whatever_the_abstract(
    tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder, abstracts: list[str]
) -> None:
    papers = [paper(f"p{n}", f"Kites {n}", abstract) for n, abstract in enumerate(abstracts)]
    index = indexed(papers, tmp_path_factory.mktemp("p") / "s", encoder)
    columns = [*map(read_column, (*DEFAULT_COLUMNS, "code", "kites", "number of datasets"))]
    finder = CellFinder(index, encoder, columns)
    for row, stored in enumerate(index.papers):
        for cell in finder.find(row):
            if cell.text is not None:
                assert stored.abstract[cell.start : cell.end] == cell.text
                assert cell.text.strip()


@given(st.text(alphabet='ab ,;:()[]"$—', max_size=300), st.data())
def test_a_cut_holds_what_it_is_made_for_and_leaves_nothing_open(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, max(len(text) - 1, 0)))
    end = data.draw(st.integers(start, len(text)))
    left, right = shorten(text, start, end)
    assert 0 <= left <= right <= len(text)
    if (left, right) != (0, len(text)):
        assert left <= start
        assert end <= right
        assert balanced(text[left:right])

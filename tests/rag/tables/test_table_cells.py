"""Which quote stands in a cell, and when none does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import paper
from tabling import MakeTable, cells, indexed, is_verbatim

from index.embedding import SentenceEncoder
from rag.tables.cells import CellFinder, balanced, shorten
from rag.tables.columns import DEFAULT_COLUMNS, read_column

GLIDE_METHOD = "We introduce GlideBench, a benchmark for steering paper kites in strong wind"


@pytest.mark.parametrize(
    ("paper_id", "column", "quoted"),
    [
        ("glide", "method", GLIDE_METHOD),
        ("glide", "data", "It has 420 flights recorded over 3 hills."),
        ("glide", "metric", "Pilots are compared by their F1 score on landing spots."),
        ("glide", "result", "The best pilot reaches 61.5\\% of the landing spots"),
        ("glide", "code", "Our code is available at https://example.org/glide."),
        ("glide", "number of flights", "It has 420 flights recorded over 3 hills."),
        ("glide", "limitations", None),
        ("glide", "number of parameters", None),
        ("string", "limitations", "It still fails on kites without a tail."),
        ("string", "training data", "we train it on 80 hours of video of kite pilots."),
        (
            "string",
            "number of parameters",
            "We propose StringNet, a controller with 13B",
        ),
        ("string", "number of strings", None),
        ("string", "code", None),
        ("sail", "number of flights", "In storms… and… in… fog it made 90 flights."),
        ("sail", "method", "WingSail is a wing of ribs that folds itself."),
    ],
)
def test_a_cell_quotes_the_clauses_that_state_its_column_or_nothing(
    table: MakeTable, paper_id: str, column: str, quoted: str | None
) -> None:
    made = table(columns=[column], papers=[paper_id])
    found = cells(made, paper_id)[column]
    assert found is None if quoted is None else (found or "").startswith(quoted)
    is_verbatim(made)


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

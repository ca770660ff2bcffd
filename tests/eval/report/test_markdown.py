from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pages import Page

from eval.report.markdown import Better, table
from eval.report.numbers import Cell
from eval.statistics import Interval


def test_figures_stand_flush_right_and_the_best_of_a_column_is_bold() -> None:
    rows: list[list[Cell]] = [
        ["ours", Interval(0.9, 0.87, 0.92, 9), 31.5],
        ["a peer", 0.85, 12.0],
        ["other", None, None],
    ]
    best: dict[str, Better] = {"nDCG@10": "high", "ms": "low"}
    assert table(["system", "nDCG@10", "ms"], rows, best).splitlines() == [
        "| system |             nDCG@10 |       ms |",
        "| ------ | ------------------: | -------: |",
        "| ours   | **.900 [.87, .92]** |     31.5 |",
        "| a peer |                .850 | **12.0** |",
        "| other  |                   – |        – |",
    ]


def test_what_is_shown_as_equal_is_bold_alike_and_a_figure_alone_is_not() -> None:
    text = table(["s", "x", "y"], [["a", 0.90001, 1], ["b", 0.9, None]], {"x": "high", "y": "high"})
    assert text.count("**.900**") == 2
    assert text.count("**") == 4


def test_a_table_without_rows_is_a_head() -> None:
    assert len(table(["system"], []).splitlines()) == 2


@given(st.lists(st.text(alphabet="a|\\<>b\n\t `", max_size=9), min_size=2, max_size=2))
def test_no_text_breaks_out_of_its_cell(texts: list[str]) -> None:
    html = MarkdownIt().enable("table").render(table(["x", "y"], [texts, texts]))
    page = Page(html)
    assert [tag for tag, _ in page.tags].count("td") == 4
    assert {tag for tag, _ in page.tags} <= {"table", "thead", "tbody", "tr", "th", "td", "code"}

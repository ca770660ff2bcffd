import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pages import Page

from eval.markdown import Better, Cell, difference, figure, table
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


@given(st.lists(st.text(alphabet="a|\\<>b\n\t `", max_size=9), min_size=2, max_size=2))
def test_no_text_breaks_out_of_its_cell(texts: list[str]) -> None:
    html = MarkdownIt().enable("table").render(table(["x", "y"], [texts, texts]))
    page = Page(html)
    assert [tag for tag, _ in page.tags].count("td") == 4
    assert {tag for tag, _ in page.tags} <= {"table", "thead", "tbody", "tr", "th", "td", "code"}


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (0.8994, ".899"), (1.0, "1.000"), (0.0, ".000"), (-0.25, "−.250"), (-0.0001, ".000"),
        (85.5, "85.5"), (1204.4, "1,204"), (1204, "1,204"), (0, "0"), (3, "3"),
        (None, "–"), (math.nan, "–"), ("10 of 10", "10 of 10"),
        (Interval(0.899, 0.8701, 0.92, 76), ".899 [.87, .92]"),
        (Interval(47.31, 40.02, 58.0, 9), "47.3 [40.0, 58.0]"),
    ],
)  # fmt: skip
def test_a_figure_looks_as_it_does_in_the_documents(cell: Cell, shown: str) -> None:
    assert figure(cell) == shown


def test_a_difference_has_its_sign_and_shows_whether_nothing_is_inside() -> None:
    assert difference(Interval(0.012, -0.0012, 0.025, 9)) == "+.012 [−.001, +.025]"
    assert difference(Interval(-0.5, -0.75, 0.00001, 9)) == "−.500 [−.750, .000]"

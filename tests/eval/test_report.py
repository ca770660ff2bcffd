import math

import pytest
from elements import Elements
from handmade import BOGS, MOSS, REFUSAL, Table, answer, ask, reference, score
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from eval.figures import answer_summary, by_type, intervals, question_values
from eval.markdown import Cell, difference, figure, table
from eval.report import run_report
from eval.runs import QuestionScore
from eval.scoring import AnswerScore, Supports
from eval.statistics import Interval

EVIL = '<script>alert("x")</script> <img src=https://tracker.example/a.png> & [1]'


def report(*scores: AnswerScore) -> tuple[str, Elements]:
    support = Supports(Table())
    rows = [
        QuestionScore(
            id=each.question.id, type=each.question.type, values=question_values(each, support)
        )
        for each in scores
    ]
    metrics = {
        "run": "moss",
        "system": "Answers",
        "answers": answer_summary(scores, support),
        "by_type": by_type(rows),
        "intervals": {
            **intervals([row.values for row in rows]),
            "right": {"mean": 0.5, "low": 0.25, "high": 0.75, "n": 8},
        },
    }
    html = run_report(metrics, [each.question for each in scores], rows, scores)
    return html, Elements(html)


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    given = answer("Small [1].", reference(1, MOSS, "Mosses are small."))
    html, page = report(score(ask(MOSS), given), score(ask(), REFUSAL))
    assert page.open == []
    assert page.names().isdisjoint({"script", "link", "img", "iframe", "a"})
    assert {"src", "href"}.isdisjoint(name for _, attrs in page.tags for name in attrs)
    assert "url(" not in html
    assert 'content="width=device-width, initial-scale=1"' in html
    assert ".500[.25, .75] n 8" in page.text
    labels = [str(attrs["aria-label"]) for tag, attrs in page.tags if tag == "svg"]
    kinds = ["Right answers by type", "Risk by coverage"]
    assert [label.partition(".")[0] for label in labels] == kinds
    assert "fact 1.000" in labels[0]


def test_everything_that_comes_from_data_is_escaped() -> None:
    question = ask(BOGS, kind=EVIL, id=EVIL, question=EVIL, nuggets=[[EVIL]], note=EVIL,
                   history=[{"role": "user", "content": EVIL}],
                   quotes=[(BOGS, EVIL)])  # fmt: skip
    evil = MOSS.model_copy(update={"title": EVIL, "abstract": EVIL})
    given = answer(EVIL, reference(1, evil, EVIL)).model_copy(update={"reason": f"For: {EVIL}"})
    _, page = report(score(question, given))
    assert page.names().isdisjoint({"script", "img"})
    assert page.text.count("<script>alert") == 13


@given(st.lists(st.text(alphabet="a|\\<>b\n\t `", max_size=9), min_size=2, max_size=2))
def test_no_text_breaks_out_of_its_cell(texts: list[str]) -> None:
    html = MarkdownIt().enable("table").render(table(["x", "y"], [texts, texts]))
    page = Elements(html)
    assert [tag for tag, _ in page.tags].count("td") == 4
    assert page.names() <= {"table", "thead", "tbody", "tr", "th", "td", "code"}


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (0.8994, ".899"), (1.0, "1.000"), (0.0, ".000"), (-0.25, "−.250"), (-0.0001, ".000"),
        (None, "–"), (math.nan, "–"), ("10 of 10", "10 of 10"),
        (Interval(0.899, 0.8701, 0.92, 76), ".899 [.87, .92]"),
        (Interval(47.31, 40.02, 58.0, 9), "47.3 [40.0, 58.0]"),
    ],
)  # fmt: skip
def test_a_figure_looks_as_it_does_in_the_documents(cell: Cell, shown: str) -> None:
    assert figure(cell) == shown
    assert difference(Interval(0.012, -0.0012, 0.025, 9)) == "+.012 [−.001, +.025]"

from typing import Any

from handmade import BOGS, FERNS, MOSS, REFUSAL, answer, ask, reference, score
from pages import Page
from test_support import Table

from eval.benchmarks import Benchmark, query_metrics
from eval.figures import answer_summary, by_type, intervals, question_values
from eval.report import answers_report, retrieval_report
from eval.runs import QuestionScore
from eval.scoring import AnswerScore
from eval.support import Supports

EVIL = '<script>alert("x")</script> <img src=https://tracker.example/a.png> & [1]'


def report(*scores: AnswerScore, title: str = "Answers", about: Any = None) -> tuple[str, Page]:
    support = Supports(Table())
    rows = [
        QuestionScore(
            id=each.question.id, type=each.question.type, values=question_values(each, support)
        )
        for each in scores
    ]
    metrics = {
        "run": "moss",
        "answers": answer_summary(scores, support),
        "by_type": by_type(rows),
        "intervals": {
            **intervals([row.values for row in rows]),
            "right": {"mean": 0.5, "low": 0.25, "high": 0.75, "n": 8},
        },
    }
    html = answers_report(metrics, {"system": title, **(about or {})}, scores, rows)
    return html, Page(html)


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    given = answer("Small [1].", reference(1, MOSS, "Mosses are small."))
    html, page = report(score(ask(MOSS), given), score(ask(), REFUSAL))
    assert page.open == []
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe", "a"})
    assert page.all("src") == page.all("href") == []
    assert "url(" not in html
    assert 'content="width=device-width, initial-scale=1"' in html
    assert ".500[.25, .75] n 8" in page.words
    labels = [str(attrs["aria-label"]) for tag, attrs in page.tags if tag == "svg"]
    assert [label.partition(".")[0] for label in labels] == [
        "Right answers by type",
        "Risk by coverage",
    ]
    assert "fact 1.000" in labels[0]


def test_everything_that_comes_from_data_is_escaped() -> None:
    question = ask(BOGS, kind=EVIL, id=EVIL, question=EVIL, nuggets=[[EVIL]], note=EVIL,
                   history=[{"role": "user", "content": EVIL}],
                   quotes=[(BOGS, EVIL)])  # fmt: skip
    evil = MOSS.model_copy(update={"title": EVIL, "abstract": EVIL})
    given = answer(EVIL, reference(1, evil, EVIL)).model_copy(update={"reason": f"For: {EVIL}"})
    _, page = report(score(question, given))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert page.words.count("<script>alert") == 13


def test_what_went_wrong_is_open_and_marked_and_what_went_right_is_closed() -> None:
    small = reference(1, MOSS, "Mosses are small.")
    right = score(ask(MOSS, nuggets=[["small"]]), answer("Small [1].", small))
    wrong = score(ask(BOGS, nuggets=[["wet"]]), answer("Small [1].", small))
    _, page = report(right, wrong, score(ask(MOSS), REFUSAL), score(ask(), REFUSAL))
    questions = [attrs for tag, attrs in page.tags if tag == "details"]
    assert ["open" in attrs for attrs in questions] == [False, True, True, False, False]
    assert "✗ [1] Moss^{2}Net" in page.words
    assert "✗ wet" in page.words
    assert "✓ small" in page.words


def test_the_worst_query_stands_first_with_what_was_found_and_what_was_wanted() -> None:
    beir = Benchmark(
        papers=[MOSS, BOGS, FERNS],
        queries={"good": "bogs", "bad": EVIL, "half": "ferns"},
        qrels={"good": {"bogs": 1}, "bad": {"moss": 1, "bogs": 0}, "half": {"ferns": 1}},
    )
    run = {"good": {"bogs": 2.0}, "bad": {"bogs": 1.0}, "half": {"moss": 2.0, "ferns": 1.0}}
    per_query = query_metrics(beir.qrels, run)
    page = Page(
        retrieval_report({"dataset": {"name": EVIL}, "intervals": {}}, beir, run, per_query)
    )
    assert page.open == []
    assert "script" not in {tag for tag, _ in page.tags}
    worst = page.words[page.words.index("The worst queries") : page.words.index("Every query")]
    assert worst.index("bad") < worst.index("half")
    assert "good" not in worst
    assert "✗ Counting Bogs" in worst
    assert "Moss^{2}Net: Mosses that Compute not found" in worst
    assert "A Fern Survey rank 2" in worst

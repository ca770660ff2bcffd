from handmade import BOGS, MOSS, REFUSAL, answer, ask, reference, score
from pages import Page

from eval.metrics.answers import AnswerScore
from eval.metrics.summary import Section, answer_summary, by_type
from eval.report.answers import answers_report

EVIL = '<script>alert("x")</script> <img src=https://tracker.example/a.png> & [1]'


def report(*scores: AnswerScore) -> tuple[str, Page]:
    html = answers_report("Answers to moss.jsonl", answer_summary(scores), by_type(scores), scores)
    return html, Page(html)


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    given = answer("Small [1].", reference(1, MOSS, "Mosses are small."))
    html, page = report(score(ask(MOSS), given), score(ask(), REFUSAL))
    assert page.open == []
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe", "a"})
    assert page.all("src") == []
    assert all(link.startswith("#") for link in page.all("href"))
    assert html.count("url(") == html.count("url(#")
    assert len(set(page.all("id"))) == len(page.all("id")) > 0
    assert 'content="width=device-width, initial-scale=1"' in html


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
    assert ["open" in attrs for attrs in questions] == [False, True, True, False]
    assert "✗ [1] Moss^{2}Net" in page.words
    assert "✗ wet" in page.words
    assert "✓ small" in page.words


def test_a_report_has_its_figures_with_their_intervals_and_how_it_was_made() -> None:
    right = score(ask(MOSS), answer("Small [1].", reference(1, MOSS, "Mosses are small.")))
    between: dict[str, Section] = {"right": {"mean": 0.5, "low": 0.25, "high": 0.75, "n": 8}}
    about = {"environment": {"versions": {"numpy": "2.4"}, EVIL: EVIL}}
    page = Page(
        answers_report(EVIL, answer_summary([right]), by_type([right]), [right], between, about)
    )
    assert ".500 [.25, .75] n 8" in page.words
    assert "numpy 2.4" in page.words
    assert "script" not in {tag for tag, _ in page.tags}


def test_a_report_of_refusals_alone_says_so() -> None:
    _, page = report(score(ask(), REFUSAL))
    assert "1 of 1 right" in page.words

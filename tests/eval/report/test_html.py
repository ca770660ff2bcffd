from html.parser import HTMLParser

from handmade import BOGS, MOSS, REFUSAL, answer, ask, reference, score

from eval.metrics.answers import AnswerScore
from eval.metrics.summary import answer_summary, by_type
from eval.report.html import answers_report

EVIL = '<script>alert("x")</script> <img src=https://tracker.example/a.png> & [1]'


class Page(HTMLParser):
    """The tags of a page, with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def report(*scores: AnswerScore) -> tuple[str, Page]:
    html = answers_report("Answers to moss.jsonl", answer_summary(scores), by_type(scores), scores)
    return html, Page(html)


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    given = answer("Small [1].", reference(1, MOSS, "Mosses are small."))
    html, page = report(score(ask(MOSS), given), score(ask(), REFUSAL))
    assert page.open == []
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe", "a"})
    assert not any(name in ("src", "href", "style") for _, attrs in page.tags for name in attrs)
    assert "url(" not in html
    assert 'content="width=device-width, initial-scale=1"' in html


def test_everything_that_comes_from_data_is_escaped() -> None:
    question = ask(BOGS, kind=EVIL, id=EVIL, question=EVIL, nuggets=[[EVIL]], note=EVIL,
                   history=[{"role": "user", "content": EVIL}],
                   quotes=[(BOGS, EVIL)])  # fmt: skip
    evil = MOSS.model_copy(update={"title": EVIL, "abstract": EVIL})
    given = answer(EVIL, reference(1, evil, EVIL)).model_copy(update={"reason": EVIL})
    _, page = report(score(question, given))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert page.words.count("<script>alert") == 11


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

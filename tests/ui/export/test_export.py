"""Answers and conversations as files: everything is in them, and nothing of an abstract runs."""

import json
from pathlib import Path

import pytest
from browsing import assert_usable
from elements import Elements
from exporting import ANSWERED, BROKEN, CONVERSATION, REFUSED, STOPPED, WHEN
from markdown_it import MarkdownIt
from playwright.sync_api import Browser

from index.errors import InputError
from rag.schema import Answer, Filters
from ui.archive import Turn
from ui.export import export


def test_markdown_says_all_there_is_to_an_answer_and_shows_no_markup_of_abstracts() -> None:
    said = export(ANSWERED, "markdown").text
    blocks = [
        r"# And which \<mosses> grow? Tell \*me\*",
        "*Understood as:* Which mosses grow in bogs?",
        r"*Only papers* in Mar 14, Apr 22; from 2025-03-01; with “moss\_\<b>” in the title",
        r"**Costs_of \<it>**",
        r"Mosses cost money. [1] Bogs \[2\] are \*wet\* and \<big>. [2]"
        " ⚠ *(only partly supported: nothing says they are big)* Ferns sing. ⚠ *(not supported)*",
        "- There are 7. [2][3]",
        "*One sentence was written again.*",
        "## Sources",
        r"**\[1\] Moss²Net: A Study of Mosses & Ferns in OSWorld**  ",
    ]
    assert said.startswith("\n\n".join(blocks))
    quoted = "<https://example.org/~moss/a_b?c=1&d=%20>\n\n> Mosses cost $5 & grow 10% a_year."
    assert quoted in said
    end = "*Answered May 2, 2025, 12:30 UTC, written by a-model. Index i1, 3 papers.*\n"
    assert said.endswith(end)
    shown = Elements(MarkdownIt("gfm-like", {"linkify": False}).render(said))
    tags = {tag for tag, _ in shown.tags}
    assert not tags & {"script", "b", "big", "code", "img"}
    assert "<script>alert(1)</script>" in shown.text
    assert "Bogs [2] are *wet* and <big>." in shown.text
    assert all(link.startswith("https://") for link in shown.having("href"))


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        (REFUSED, ["The abstracts do not say.", "No abstract has the name “Sings”.", "Moss²"]),
        (STOPPED, ["stopped"]),
        (BROKEN, ["The index is missing"]),
        (Turn(question="?"), ["no answer yet"]),
        (Turn(question="?", partial=""), ["stopped before its first word"]),
    ],
)
def test_a_question_without_an_answer_says_why(turn: Turn, told: list[str]) -> None:
    for shown in (export(turn, "markdown").text, Elements(export(turn, "html").text).text):
        assert [each for each in told if each not in shown] == []


def test_json_holds_the_answers_as_the_api_gives_them() -> None:
    text = export(CONVERSATION, "json").text
    read = json.loads(text)
    assert (read["format"], read["version"]) == ("abstractqa-conversation", 1)
    answers = [each["answer"] and Answer.model_validate(each["answer"]) for each in read["turns"]]
    assert answers == [turn.answer for turn in CONVERSATION.turns]
    assert Filters.model_validate(read["turns"][0]["filters"]) == ANSWERED.filters
    assert (read["turns"][0]["vote"], read["turns"][0]["asked"]) == ("up", "2025-05-02T12:30:00Z")
    assert not any(each.id in text for each in (CONVERSATION, ANSWERED)), "ids let in: they stay"


def test_a_page_is_whole_and_runs_nothing() -> None:
    page = Elements(export(CONVERSATION, "html").text)
    assert not {tag for tag, _ in page.tags} & {"script", "img", "link", "iframe", "b", "big", "i"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    ids = page.having("id")
    assert len(ids) == len(set(ids))
    inner = [link for link in page.having("href") if link.startswith("#")]
    assert len(inner) == 4
    assert {link[1:] for link in inner} <= set(ids)
    allowed = ("#", "https://example.org/", "https://arxiv.org/")
    assert all(link.startswith(allowed) for link in page.having("href"))
    assert "(only partly supported: nothing says they are big)" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert "Very wet [1] and <b>" in page.text


def test_a_page_can_be_read_and_followed_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "answer.html"
    path.write_text(export(CONVERSATION, "html").text, encoding="utf-8")
    requests: list[str] = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 600})  # type: ignore[arg-type]
        context.on("request", lambda sent: requests.append(sent.url))
        page = context.new_page()
        page.goto(path.as_uri())
        page.get_by_role("link", name="[2]", exact=True).last.click()
        cited = page.locator("mark:target")
        assert cited.inner_text() == "We count 7 bogs."
        assert cited.evaluate("e => e.getBoundingClientRect().top < innerHeight")
        assert_usable(page)
        context.close()
    assert {request.partition("#")[0] for request in requests} == {path.as_uri()}


@pytest.mark.parametrize("title", ["../../etc/passwd", "日本", "", "a" * 300, 'CON:<>|"?*\n'])
def test_a_name_is_safe_whatever_the_question(title: str) -> None:
    name = export(Turn(question=title, asked=WHEN), "markdown").name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert name.count(".") == 1
    assert len(name) < 80


def test_no_cited_paper_is_no_bibliography() -> None:
    with pytest.raises(InputError, match="nothing to export"):
        export(REFUSED, "ris")

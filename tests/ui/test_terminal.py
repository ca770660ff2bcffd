"""What people see in a terminal: compact, readable, and nothing twice."""

import datetime as dt
import logging

import pytest
from web.chat_answers import answer, claim, paper, refusal, span

from index.papers import Paper, Source
from rag.citations import Block
from rag.schema import Hit, NearPaper, Passage
from ui.terminal import LogLines, answer_text, hits_text


def seen(title: str, abstract: str, **dates: str) -> Paper:
    """A paper that is the third of each digest named."""
    sources = tuple(
        Source(name=f"{name}.txt", date=dt.date.fromisoformat(day), position=3)
        for name, day in dates.items()
    )
    return paper(abstract, title, id=title, sources=sources)


KITES = seen(
    "KiteNet: A Network of Many Kites that Fly Far above the Hills",
    "Kites \\emph{fly}. KiteNet holds 12\\% of them.",
    march="2025-03-14",
    april="2025-04-22",
)
BOATS = seen("On Boats", "Boats float.", march="2025-03-14")


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_source_is_its_title_and_its_place_in_each_digest() -> None:
    floats = claim("Boats float.", span(BOATS, "Boats float."))
    shown = answer_text(answer(Block((floats,), "On boats")))
    assert shown == ("On boats\n\nBoats float. [1]\n\n[1] On Boats (Mar 14, 2025, number 3)")


def test_a_cited_sentence_is_quoted_unless_the_answer_repeats_it() -> None:
    stored = span(KITES, "KiteNet holds 12\\% of them.")
    assert "“" not in answer_text(answer(claim("KiteNet holds 12% of them.", stored)))
    other = answer_text(answer(claim("It keeps an eighth.", stored)))
    assert other.endswith("\n    “KiteNet holds 12% of them.”")


def test_a_refusal_lists_the_nearest_papers_and_an_unclear_question_what_may_be_meant() -> None:
    near = (NearPaper(id="b", title="On \\emph{Boats}", score=0.1),)
    refused = refusal("No abstract names trains.", nearest=near)
    assert answer_text(refused) == (
        "The abstracts do not say. No abstract names trains.\n\nThe nearest papers:\n  - On Boats"
    )
    suggestions = ("What is “Kite One”?", "What is “Kite Two”?")
    reason = "Two papers are called Kite. Which one is meant?"
    unclear = refused.model_copy(update={"reason": reason, "suggestions": suggestions})
    assert answer_text(unclear) == (
        "Two papers are called Kite. Which one is meant?\n\nAsk instead:\n"
        "  - What is “Kite One”?\n  - What is “Kite Two”?"
    )


def test_signs_of_markdown_are_shown_and_sequences_that_repaint_a_terminal_are_left_out() -> None:
    signs = "KiteNet holds *12* <kites> for 3_000 hours."
    repaints = signs.replace("<kites>", "\x1b[31m<kites>")
    shown = answer_text(answer(claim(repaints, span(seen("Kites", signs), signs))))
    assert "*12* [31m<kites> for 3_000 hours." in shown
    assert not set(shown) & set("\x1b\x07\x9b")
    evil = seen("Red\x1b[31m title", "It rings.\x07 \x9b2J", march="2025-03-14")
    shown = hits_text([Hit(paper=evil, score=1, passages=(Passage(start=0, end=9, text="\x07!"),))])
    assert not set(shown) & set("\x1b\x07\x9b")


def test_a_log_line_is_bounded_and_nobody_can_forge_another() -> None:
    lines = LogLines()
    sent = logging.LogRecord("page", logging.WARNING, "", 1, "no %s", ("a\nb\x1b[2J" * 500,), None)
    shown = lines.format(sent)
    assert shown.startswith("page: no a\\nb\\x1b[2J")
    assert len(shown.splitlines()) == 1
    assert len(shown) < 1_000

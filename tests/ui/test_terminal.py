"""What people see in a terminal: compact, readable, and nothing twice."""

import logging

from web.chat_answers import answer, claim, paper, refusal, span

from rag.schema import Hit, Passage
from ui.terminal import LogLines, answer_text, hits_text


def test_a_refusal_lists_the_nearest_papers_and_an_unclear_question_what_may_be_meant() -> None:
    told = "The abstracts do not say. Nope.\n\nThe nearest papers:\n  - Kites: A Survey"
    assert answer_text(refusal("Nope.")) == told
    unclear = refusal("Which one?", suggestions=("What is “Kite One”?",))
    assert answer_text(unclear) == "Which one?\n\nAsk instead:\n  - What is “Kite One”?"


def test_signs_of_markdown_are_shown_and_sequences_that_repaint_a_terminal_are_left_out() -> None:
    signs = "KiteNet holds *12* <kites> for 3_000 hours."
    repaints = signs.replace("<kites>", "\x1b[31m<kites>")
    shown = answer_text(answer(claim(repaints, span(paper(signs, "Kites"), signs))))
    assert "*12* [31m<kites> for 3_000 hours." in shown
    assert not set(shown) & set("\x1b\x07\x9b")
    evil = paper("It rings.\x07 \x9b2J", "Red\x1b[31m title")
    shown = hits_text([Hit(paper=evil, score=1, passages=(Passage(start=0, end=9, text="\x07!"),))])
    assert not set(shown) & set("\x1b\x07\x9b")


def test_a_log_line_is_bounded_and_nobody_can_forge_another() -> None:
    lines = LogLines()
    sent = logging.LogRecord("page", logging.WARNING, "", 1, "no %s", ("a\nb\x1b[2J" * 500,), None)
    shown = lines.format(sent)
    assert shown.startswith("page: no a\\nb\\x1b[2J")
    assert len(shown.splitlines()) == 1
    assert len(shown) < 1_000

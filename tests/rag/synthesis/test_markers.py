"""Markers in whatever style a model writes them lead to the very sentences it means."""

from collections.abc import Callable

import pytest
from chat_server import ChatServer
from made_up import keeps_the_promises
from writing import PEOPLE, QUESTION, TASKS, Write, cited, told, writes

from rag import Assistant
from rag.synthesis.markers import Address, may_become_marker, read_marker

SAID_TASKS = "OSWorld has 369 tasks that involve web and desktop applications"
SAID_PEOPLE = "People complete more than 72.36% of the tasks"

Style = Callable[[str], str]
STYLES: dict[str, Style] = {
    "address in brackets": lambda at: f" [{at}]",
    "paper in brackets": lambda at: f" [{at.partition('.')[0]}]",
    "address in parentheses": lambda at: f" ({at})",
    "paper in parentheses": lambda at: f" ({at.partition('.')[0]})",
    "several in one bracket": lambda at: f" [{at}, {at.partition('.')[0]}.1]",
    "a range of sentences": lambda at: f" [{at.partition('.')[0]}.1-{at}]",
    "a range of papers": lambda at: " [1-3]",
    "lenticular brackets": lambda at: f"【{at}】",
    "with a dagger": lambda at: f"【{at.partition('.')[0]}†source】",
    "a footnote": lambda at: f"[^{at}]",
    "in words": lambda at: f" [Paper {at.partition('.')[0]}, sentence {at.partition('.')[2]}]",
    "double brackets": lambda at: f" [[{at}]]",
    "escaped brackets": lambda at: rf" \[{at}\]",
    "a superscript tag": lambda at: f"<sup>{at}</sup>",
    "by name": lambda at: " [OSWorld]",
    "address and name": lambda at: f" [{at}, OSWorld]",
    "name and address in parentheses": lambda at: f" (OSWorld, {at})",
    "in words in parentheses": lambda at: f" (Paper {at[0]}, sentence {at[2:]})",
    "two in parentheses": lambda at: f" ({at} and {at})",
    "a link": lambda at: f" [{at}](#{at})",
    "full width": lambda at: f"（{at}）",
    "braces": lambda at: f" {{{at}}}",
    "cited": lambda at: f" [cite: {at}]",
    "separated": lambda at: f" [{at}],[{at}]",
    "among words": lambda at: f" [see OSWorld at {at} there]",
    "forgotten": lambda at: "",
    "unknown paper": lambda at: " [9.9]",
}
"""How a model may mark a sentence whose evidence stands at an address like 1.3."""


def two_sentences(style: Style, *, after_stop: bool) -> Write:
    """A reply of two sentences, each marked in a style, before or after its full stop."""

    def write(address: Callable[[str], str]) -> str:
        tasks, people = style(address(TASKS)), style(address(PEOPLE))
        if after_stop:
            return f"{SAID_TASKS}.{tasks} {SAID_PEOPLE}.{people}"
        return f"{SAID_TASKS}{tasks}. {SAID_PEOPLE}{people}."

    return write


@pytest.mark.parametrize("after_stop", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_each_sentence_cites_the_span_it_rests_on_in_every_style(
    writing: Assistant, scripted: ChatServer, name: str, after_stop: bool, size: int
) -> None:
    scripted.script = writes(two_sentences(STYLES[name], after_stop=after_stop), size)
    streamed, answer = told(list(writing.stream(QUESTION)))
    assert [sentence.text for sentence in answer.sentences] == [
        f"{SAID_TASKS}.",
        f"{SAID_PEOPLE}.",
    ]
    quotes = [cited(sentence, answer) for sentence in answer.sentences]
    assert [len(each) for each in quotes] == [1, 1], quotes
    assert quotes[0][0].startswith(TASKS)
    assert quotes[1][0].startswith(PEOPLE)
    assert all(sentence.support == "supported" for sentence in answer.sentences)
    assert answer.text == f"{SAID_TASKS}. [1] {SAID_PEOPLE}. [1]"
    assert streamed == answer.text
    keeps_the_promises(answer)


def test_a_paragraph_cited_at_its_end_cites_sentence_by_sentence(
    writing: Assistant, scripted: ChatServer
) -> None:
    scripted.script = writes(
        lambda address: f"{SAID_TASKS}. {SAID_PEOPLE}. [{address(TASKS)}][{address(PEOPLE)}]"
    )
    answer = writing.ask(QUESTION)
    first, second = (cited(sentence, answer) for sentence in answer.sentences)
    assert (len(first), len(second)) == (1, 1)
    assert first[0].startswith(TASKS)
    assert second[0].startswith(PEOPLE)


@pytest.mark.parametrize(
    ("text", "length", "addresses"),
    [
        ("[1.2] so", 5, [(1, 2)]),
        ("[1,2]", 5, [(1, None), (2, None)]),
        ("[1.2; 3.1]", 10, [(1, 2), (3, 1)]),
        ("[1.2-1.4]", 9, [(1, 2), (1, 3), (1, 4)]),
        ("[1.2-4]", 7, [(1, 2), (1, 3), (1, 4)]),
        ("[1–3]", 5, [(1, None), (2, None), (3, None)]),
        ("[Papers 1 and 2]", 16, [(1, None), (2, None)]),
        ("[paper 2, sentences 1, 3]", 25, [(2, 1), (2, 3)]),
        ("(see 2)", 7, [(2, None)]),
        ("【4:1†a.pdf】", 11, [(4, 1)]),
        ("¹˒²", 3, [(1, None), (2, None)]),
        ("[[1.1]].", 7, [(1, 1)]),
        ("[1.2, OSWorld] so", 14, [(1, 2)]),
        ("(OSWorld, 1.2).", 14, [(1, 2)]),
        ("[Paper 1: OSWorld]", 18, [(1, None)]),
        ("[Sentence 1.2 of Paper 1]", 25, [(1, 2)]),
        ("[sentence 2 of paper 1]", 23, [(1, 2)]),
        ("[#1.2]", 6, [(1, 2)]),
        ("[^1^]", 5, [(1, None)]),
        ("[S1.2]", 6, [(1, 2)]),
        ("[cite: 1.2]", 11, [(1, 2)]),
        ("[[citation:1]]", 14, [(1, None)]),
        ("[1.2|1.4]", 9, [(1, 2), (1, 4)]),
        ("[1.2 / 1.4]", 11, [(1, 2), (1, 4)]),
        ("[1](#1)", 7, [(1, None)]),
        ("（1.2）。", 5, [(1, 2)]),
        ("［1.2］", 5, [(1, 2)]),
        ("{1.2}", 5, [(1, 2)]),
        ("<1.2>", 5, [(1, 2)]),
        ("[1.2],[1.4] so", 11, [(1, 2), (1, 4)]),
        ("[1.2] and [1.4]", 15, [(1, 2), (1, 4)]),
        ("[1.2", 4, [(1, 2)]),
    ],
)
def test_a_marker_is_read_to_its_end(
    text: str, length: int, addresses: list[tuple[int, int | None]]
) -> None:
    marker = read_marker(text, {"osworld": 1})
    assert marker
    assert (marker.length, marker.addresses) == (length, tuple(Address(*a) for a in addresses))


@pytest.mark.parametrize(
    "text",
    ["[0, 1]", "[CLS]", "[a]", "(2024 edition)", "(0.85)", "[0, 2", "<b>1</b>", "[]",
     "()", "{1, 2}", "[2024]", "(OSWorld)", "[in 3 steps]"],
)  # fmt: skip
def test_other_brackets_are_no_markers(text: str) -> None:
    assert read_marker(text, {}) is None


def test_any_address_that_there_is_counts_in_square_brackets() -> None:
    text = "[as OSWorld says in 1.2, and 1.9]"
    assert read_marker(text, {}) is None
    marker = read_marker(text, {}, {1: 4})
    assert marker
    assert marker.addresses == (Address(1, 2),)


def test_a_link_that_is_no_marker_shows_its_text() -> None:
    marker = read_marker("[its page](https://a.org/b) so", {})
    assert marker
    assert (marker.length, marker.addresses, marker.text) == (27, (), "its page")


@pytest.mark.parametrize(
    "marker",
    ["[1.2]", "【1†source】", "[Paper 1, sentence 2]", "(1.2)", "(1.2 and 1.4)", "<sup>1</sup>",
     "(papers 1 and 2)", "(Paper 1, sentence 2)", "(OSWorld, 1.2)", "[1](#1)", "[1.2], [1.4]",
     "¹˒²"],
)  # fmt: skip
def test_every_beginning_of_a_marker_is_held_back(marker: str) -> None:
    names = {"osworld": 1}
    assert all(may_become_marker(marker[:end], names) for end in range(1, len(marker)))


@pytest.mark.parametrize("text", ["(which is", "[" + "x" * 80, "< b", "(for example the", "{a"])
def test_what_can_be_no_marker_any_more_is_not_held_back(text: str) -> None:
    assert not may_become_marker(text)

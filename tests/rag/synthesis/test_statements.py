"""What is read of a reply, in whatever form a model writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.synthesis.prompts import Address
from rag.synthesis.statements import is_remark, read_statements

SIZES = (4, 3, 2)
"""Sentences of the papers of a sheet."""


def has(address: Address) -> bool:
    known = 1 <= address.paper <= len(SIZES)
    return known and (address.sentence is None or 1 <= address.sentence <= SIZES[address.paper - 1])


def read(text: str) -> list[tuple[str, list[str]]]:
    found, _ = read_statements(text, has)
    return [(each.text, [spelt(a) for a in each.addresses]) for each in found]


def spelt(address: Address) -> str:
    return f"{address.paper}.{address.sentence}" if address.sentence else str(address.paper)


ONE = [("It has 369 tasks.", ["1.2"])]


@pytest.mark.parametrize(
    "text",
    [
        "It has 369 tasks [1.2].",
        "It has 369 tasks 【1.2】.",
        "It has 369 tasks [Paper 1.2].",
        "It has 369 tasks [1.2†source].",
        "Answer: It has 369 tasks [1.2].",
        "1. It has **369** tasks [1.2].",
        "It has 369 tasks [0] [2025] [1.2].",
        "Sure!\n\nIt has 369 tasks [1.2].\n\nSources:\n[1.2] On OSWorld",
        '{"sentences": [{"text": "It has 369 tasks.", "cites": ["1.2"]}]}',
        '```json\n{"sentences": [{"text": "It has 369 tasks [1.2].", "cites": []}]}\n```',
        'The answer:\n```json\n{"sentences": [{"text": "It has 369 tasks [1.2]."}]}\n```\n',
    ],
)
def test_an_address_is_read_in_square_brackets_and_taken_out_of_the_text(text: str) -> None:
    assert read(text) == ONE


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("A [1.1, 2.3].", ["1.1", "2.3"]),
        ("A [1.1; 2.1 and 3.2].", ["1.1", "2.1", "3.2"]),
        ("A [1.2-1.4].", ["1.2", "1.3", "1.4"]),
        ("A [1].", ["1"]),
        ("A [1.9].", []),
        ("A (2024).", []),
        ("The ratio was 1.5 (1.2-1.4) [2.1].", ["2.1"]),
    ],
)
def test_several_addresses_and_none(text: str, addresses: list[str]) -> None:
    assert read(text)[0][1] == addresses


def test_each_sentence_has_the_addresses_it_stands_before_or_around() -> None:
    text = "FooNet [1.1] is fast [1.2]. It costs 3.5 dollars. [2.1] Nobody knows why."
    assert read(text) == [
        ("FooNet is fast.", ["1.1", "1.2"]),
        ("It costs 3.5 dollars.", ["2.1"]),
        ("Nobody knows why.", []),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2*3 layers take 5*10^4 steps [1.1].", "2*3 layers take 5*10^4 steps."),
        (">90% of them hold [1.1].", ">90% of them hold."),
        ("- 1. It is *quite* `fast` [1.1].", "It is quite fast."),
    ],
)
def test_marks_of_lists_and_emphasis_are_taken_off_and_signs_are_not(text: str, said: str) -> None:
    assert [each for each, _ in read(text)] == [said]


def test_a_long_line_in_bold_is_a_sentence_that_is_checked() -> None:
    text = f"OSWorld has {'very ' * 20}many tasks."
    assert read(f"**{text}**\nIt is hard [1.1].")[0] == (text, [])


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("They fall into three groups.", True),
        ("None of them addresses this.", True),
        ("Most of the gains come from larger models.", False),
        ("Each method doubles the speed of its rivals.", False),
        ("Neither method needs any training data.", False),
    ],
)
def test_only_what_is_said_of_the_papers_is_a_remark(text: str, *, remark: bool) -> None:
    assert is_remark(text) is remark


def test_headings_stand_above_their_first_sentence() -> None:
    found, _ = read_statements(
        "## Merging\nA does [1]. B does [2].\n\n**Agents**\nC does [3].", has
    )
    assert [(each.heading, each.text) for each in found] == [
        ("Merging", "A does."),
        (None, "B does."),
        ("Agents", "C does."),
    ]


@pytest.mark.parametrize(
    "text", ["NOT IN THE ABSTRACTS", "Not in the abstracts.", '{"sentences": []}']
)
def test_that_the_abstracts_do_not_answer_is_read(text: str) -> None:
    assert read_statements(text, has) == ([], True)
    assert not read_statements('{"sentences": [{"txt": 1}, 7]}', has)[1], "no refusal"


@pytest.mark.parametrize("begin", ["(", "[1.1, ", "<think>", "{"])
def test_a_reply_that_goes_on_and_on_is_read_all_the_same(begin: str) -> None:
    read_statements(begin + "0" * 20_000, has)
    read_statements((begin + "1 ") * 2_000, has)


@given(st.text(max_size=200))
def test_whatever_is_written_is_read(text: str) -> None:
    for whole in (True, False):
        found, _ = read_statements(text, has, whole=whole)
        assert all(has(address) for each in found for address in each.addresses)

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
    return [
        (each.text, [f"{at.paper}.{at.sentence or ''}".rstrip(".") for at in each.addresses])
        for each in found
    ]


ONE = [("It has 369 tasks.", ["1.2"])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It has 369 tasks 【1.2】.", ONE),
        ("It has 369 tasks [Paper 1.2].", ONE),
        ("It has 369 tasks [1.2†source].", ONE),
        ("Answer: It has 369 tasks [1.2].", ONE),
        ("1. It has **369** tasks [1.2].", ONE),
        ("It has 369 tasks [0] [2025] [1.2].", ONE),
        ("Sure!\n\nIt has 369 tasks [1.2].\n\nSources:\n[1.2] On OSWorld", ONE),
        ('{"sentences": [{"text": "It has 369 tasks.", "cites": ["1.2"]}]}', ONE),
        ('```json\n{"sentences": [{"text": "It has 369 tasks [1.2].", "cites": []}]}\n```', ONE),
        ('The answer:\n```json\n{"sentences": [{"text": "It has 369 tasks [1.2]."}]}\n```', ONE),
        ("A [1.1, 2.3].", [("A.", ["1.1", "2.3"])]),
        ("A [1.1; 2.1 and 3.2].", [("A.", ["1.1", "2.1", "3.2"])]),
        ("A [1.2-1.4].", [("A.", ["1.2", "1.3", "1.4"])]),
        ("A [1].", [("A.", ["1"])]),
        ("A [1.9].", [("A.", [])]),
        ("The ratio was 1.5 (1.2-1.4) [2.1].", [("The ratio was 1.5 (1.2-1.4).", ["2.1"])]),
        ("FooNet [1.1] is fast [1.2]. It costs 3.5 dollars. [2.1] Nobody knows why.",
         [("FooNet is fast.", ["1.1", "1.2"]), ("It costs 3.5 dollars.", ["2.1"]),
          ("Nobody knows why.", [])]),
        ("2*3 layers take 5*10^4 steps [1.1].", [("2*3 layers take 5*10^4 steps.", ["1.1"])]),
        (">90% of them hold [1.1].", [(">90% of them hold.", ["1.1"])]),
        ("- 1. It is *quite* `fast` [1.1].", [("It is quite fast.", ["1.1"])]),
        (f"**OSWorld has {'very ' * 20}many tasks.**\nIt is hard [1.1].",
         [(f"OSWorld has {'very ' * 20}many tasks.", []), ("It is hard.", ["1.1"])]),
    ],
)  # fmt: skip
def test_sentences_have_their_addresses(text: str, expected: list[tuple[str, list[str]]]) -> None:
    assert read(text) == expected


def test_only_what_is_said_of_the_papers_is_a_remark() -> None:
    assert is_remark("They fall into three groups.")
    assert is_remark("None of them addresses this.")
    assert not is_remark("Most of the gains come from larger models.")
    assert not is_remark("Neither method needs any training data.")


def test_headings_stand_above_their_first_sentence() -> None:
    found, _ = read_statements("## Merging\nA does [1]. B does [2].\n\n**Agents**\nC does.", has)
    assert [each.heading for each in found] == ["Merging", None, "Agents"]


def test_that_the_abstracts_do_not_answer_is_read() -> None:
    for text in ("NOT IN THE ABSTRACTS", "Not in the abstracts.", '{"sentences": []}'):
        assert read_statements(text, has)[1], text
    assert not read_statements('{"sentences": [{"txt": 1}, 7]}', has)[1]


@pytest.mark.parametrize("begin", ["(", "[1.1, ", "<think>", "{"])
def test_a_reply_that_goes_on_and_on_is_read_all_the_same(begin: str) -> None:
    read_statements(begin + "0" * 20_000, has)
    read_statements((begin + "1 ") * 2_000, has)


@given(st.text(max_size=200))
def test_whatever_is_written_is_read(text: str) -> None:
    for whole in (True, False):
        found, _ = read_statements(text, has, whole=whole)
        assert all(has(address) for each in found for address in each.addresses)

"""Events and thoughts, cut anywhere."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chat.events import EventTooLongError, events
from rag.chat.thinking import Thinking, without_thoughts

LINES = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1, max_size=20)


def parts(whole: bytes | str, cuts: list[int]) -> list[bytes | str]:
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    return [whole[a:b] for a, b in pairwise(places)]


def read(chunks: list[bytes], limit: int = 10_000) -> list[bytes]:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def all_events() -> list[bytes]:
        return [data async for data in events(body(), limit)]

    return asyncio.run(all_events())


@given(
    st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["data: ", "data:"]),
    st.lists(st.integers(0, 500), max_size=20),
)
def test_events_are_the_same_wherever_the_body_is_cut(
    said: list[list[str]], end: str, name: str, cuts: list[int]
) -> None:
    said = [[line.lstrip() or "x" for line in lines] for lines in said]
    body = "".join(
        f": a comment{end}event: message{end}"
        + "".join(f"{name}{line}{end}" for line in lines)
        + end
        for lines in said
    ).encode()
    # A lone carriage return at the very end may still become half of a line's end.
    body += b": end\n" if end == "\r" else b""
    assert read(parts(body, cuts)) == ["\n".join(lines).encode() for lines in said]  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [b"data: " + b"x" * 200, b"data: x\n" * 200])
def test_an_event_that_does_not_end_is_not_held(body: bytes) -> None:
    with pytest.raises(EventTooLongError):
        read([body], limit=100)


def test_an_event_without_the_empty_line_behind_it_counts_at_the_end() -> None:
    assert read([b"data: 1\n\ndata: 2\n"]) == [b"1", b"2"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Plants.", "Plants."),
        (" \nPlants.", " \nPlants."),
        ("<think>Hm.</think>Plants.", "Plants."),
        ("\n<think>\nHm </thin k> <think>\n</think>\n\n Plants. </think>", "Plants. </think>"),
        ("<think></think>Plants.", "Plants."),
        ("<think>Hm.", ""),
        ("<think>Hm.</think>", ""),
        ("<think>Hm.</thin", ""),
        ("<thin", "<thin"),
        ("<thinking> Plants.", "<thinking> Plants."),
        ("Plants <think>are</think>.", "Plants <think>are</think>."),
        ("", ""),
    ],
)
@given(cuts=st.lists(st.integers(0, 100), max_size=10))
def test_a_thought_before_the_answer_is_left_out_wherever_the_text_is_cut(
    text: str, answer: str, cuts: list[int]
) -> None:
    thinking = Thinking()
    came = [thinking.answer(str(piece)) for piece in parts(text, cuts)]
    assert "".join(came) + thinking.rest() == answer == without_thoughts(text)

"""Sentences: where they end, where they do not, and that nothing is lost."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.passages import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["We show X.", "It works (e.g. on Y).", "See Fig. 2.", "Done!"],
        ["Smith et al. 2020 found it.", "Others, cf. B. Jones, did not."],
        ["It follows Lee et al.", "We go further."],
        ["In 2019, sales grew.", "In 2020.", "We did not."],
        ["(This is one. Another one.)", "So is this."],
        ['He said "Stop."', '"Go," she said.', "They went…", "Fast."],
        ["Costs vs. 5 of approx. 7 apples.", "α-actin binds.", "Šimon left."],
        ["It needs vitamin D.", "Results vary."],
        ["We run it via Hogwild! Inference: a parallel engine.", "It asks Yahoo! Answers."],
        ["Finally, we have BERT!", "We thank it.", "Done!", "Go on."],
        ["Is it so?", "~3% say yes.", "$5 is enough."],
        ["The aims are: 1. We count owls.", "They hoot."],
        ["Accuracy is 91.5 at v2.0 of GPT-4.", "Code is at x.org/a.b now."],
        ["这是。", "那是！", "好"],
    ],
)
def test_sentences_as_people_see_them(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


@given(st.text() | st.text(st.sampled_from("aA.!?…。 \n()\"”'1αé\u3000"), max_size=80))
def test_spans_are_in_order_apart_and_hold_every_character_that_is_not_space(text: str) -> None:
    spans = sentence_spans(text)
    outside, at = "", 0
    for start, end in spans:
        assert at <= start < end
        assert text[start:end] == text[start:end].strip()
        outside += text[at:start]
        at = end
    assert (outside + text[at:]).strip() == ""


@pytest.mark.parametrize("unit", ["(A. ", "e.g. A ", "a. B ", ". A (", '. "', ".)", "x", " ", "。"])
def test_time_is_linear_in_the_length(unit: str) -> None:
    def seconds(length: int) -> float:
        """Of the processor, the best of three: a busy machine is no fault of the text."""
        text = unit * (length // len(unit))
        taken = []
        for _ in range(3):
            started = time.process_time()
            sentence_spans(text)
            taken.append(time.process_time() - started)
        return min(taken)

    seconds(1000)
    assert seconds(400_000) < 0.05 + 60 * max(seconds(20_000), 0.002)

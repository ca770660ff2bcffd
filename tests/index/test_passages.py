"""Abstracts cut into sentences, each at its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.papers import Paper
from index.passages import cut, sentence_spans
from index.text import clean


def paper(abstract: str, title: str = "A paper about kettles") -> Paper:
    return Paper(id="p1", title=title, abstract=abstract)


WORDS = st.sampled_from(
    ["We", "boil", "water", "fast.", "It", "works!", "(see", "Fig.", "2)", "e.g.", "tea", "37.8\\%",
     "M^{3}ViT", "models~(PLMs)", "Ragnar\\\"ok", "\\url{https://a.b/c}", "\\eg",
     "\\emph{Both.", "Sides}", "$x^2$", "Why?", "\u200bZero", "Übung", "模型", "\U0001f600",
     "\n", "  ", "% a", "``so''"]
)  # fmt: skip
ABSTRACTS = st.one_of(st.lists(WORDS, max_size=40).map(" ".join), st.text(max_size=300))


def test_each_sentence_is_a_passage_at_its_place_in_the_stored_abstract() -> None:
    abstract = "  Kettles boil water. We make them 37.8\\% faster~(KTL).\nIt holds for\u200b tea. "
    passages = cut(paper(abstract))
    assert [abstract[p.start : p.end] for p in passages] == [
        "Kettles boil water.",
        "We make them 37.8\\% faster~(KTL).",
        "It holds for\u200b tea.",
    ]
    assert [p.text for p in passages] == [
        "Kettles boil water.",
        "We make them 37.8% faster (KTL).",
        "It holds for tea.",
    ]
    assert passages[0].id == "p1:2-21"


@given(ABSTRACTS)
def test_passages_are_in_order_inside_the_abstract_and_never_overlap(abstract: str) -> None:
    at = 0
    for passage in cut(paper(abstract)):
        assert at <= passage.start < passage.end <= len(abstract)
        assert passage.text.strip() == passage.text != ""
        at = passage.end


@given(ABSTRACTS)
def test_passages_hold_every_character_that_cleaning_keeps(abstract: str) -> None:
    together = "".join(passage.text for passage in cut(paper(abstract)))
    kept = clean(abstract).text
    assert "".join(together.split()) == "".join(kept.split())


def test_a_node_embeds_the_sentence_alone_and_knows_its_place() -> None:
    [passage] = cut(paper("Kettles boil~water."))
    node = passage.node()
    assert node.node_id == passage.id
    assert node.get_content(metadata_mode="embed") == "Kettles boil water."
    assert node.metadata == {"paper": "p1", "start": 0, "end": 19}
    assert (node.start_char_idx, node.end_char_idx) == (0, 19)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "expected",
    [["We show X.", "It works (e.g. on Y).", "See Fig. 2.", "Done!"],
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
     ["Three things cost time. 1) Slow disks. 2) Idle boards.", "We mend them."],
     ["The first is wide.", "2) Long walks. We walk for days."],
     ["这是。", "那是！", "好"]],
)  # fmt: skip
def test_sentences_as_people_see_them(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected

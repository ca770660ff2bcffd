"""Markers, references and spans agree, whatever the texts hold."""

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from made_up import KITES, markers, paper
from markdown_it import MarkdownIt

from rag.citations import Block, Claim, Span, compose, escape, unescape

# Texts with every sign that means something in markdown, or to us.
TEXTS = st.text(st.sampled_from("ab Z9.é中[]()12*_\\`<>~#&;!|$^{}-+="), max_size=30)
LINES = TEXTS.map(lambda text: " ".join(text.split())).filter(bool)
PAPERS = (
    KITES,
    paper("brackets", "On [12] and *stars*", r"See [12], [3] or \[4\]. It costs **$5** \& more."),
    paper("wide", "Wide characters", '𝒳 is 𝒴. 数据很多。 Ragnar\\"ok~is~here [1].'),
)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    chosen = draw(st.sampled_from(PAPERS))
    start = draw(st.integers(0, len(chosen.abstract) - 1))
    end = draw(st.integers(start + 1, len(chosen.abstract)))
    return Span(chosen, start, end)


CLAIMS = st.builds(Claim, LINES, st.lists(spans(), max_size=3).map(tuple))
BLOCKS = st.builds(
    Block, st.lists(CLAIMS, min_size=1, max_size=3).map(tuple), st.none() | LINES, st.booleans()
)


@given(st.text() | TEXTS)
def test_escaped_text_holds_no_marker_and_unescape_undoes_it(text: str) -> None:
    assert unescape(escape(text)) == text
    assert markers(escape(text)) == []


@given(st.lists(BLOCKS, max_size=4))
@example([Block((Claim("It ends.", ()),), "A title that ends with \\")])
def test_markers_references_and_passages_agree_and_claims_stay(blocks: list[Block]) -> None:
    composition = compose(blocks)
    used = list(dict.fromkeys(markers(composition.text)))
    assert used == list(range(1, len(used) + 1))
    assert [reference.number for reference in composition.references] == used
    claims = [claim for block in blocks for claim in block.claims]
    assert [sentence.text for sentence in composition.sentences] == [c.text for c in claims]
    by_number = {r.number: r.paper.id for r in composition.references}
    for sentence, claim in zip(composition.sentences, claims, strict=True):
        assert [(by_number[c.reference], c.start, c.end) for c in sentence.citations] == [
            (span.paper.id, span.start, span.end) for span in claim.spans
        ]
    cited = {(c.reference, c.start, c.end) for s in composition.sentences for c in s.citations}
    listed = [(r.number, at.start, at.end) for r in composition.references for at in r.passages]
    assert listed == sorted(cited)
    for reference in composition.references:
        for at in reference.passages:
            assert reference.paper.abstract[at.start : at.end] == at.text
    plain = unescape(composition.text)
    said = [*(block.title or "" for block in blocks), *(claim.text for claim in claims)]
    assert [text for text in said if text not in plain] == []
    assert "*" not in plain or "*" in "".join(said)


@pytest.mark.parametrize(
    "text",
    [
        "Tasks [12] and *stars*.",
        r"A \ backslash \[1\].",
        "snake_case and _this_",
        "2**3**4 `code` ~~struck~~ <b>bold</b>",
        "![an image](http://example.org/x.png)",
        "1) First we do this.",
        "- A dash opens it.",
        "# A hash opens it.",
        "AT&amp;T is written so.",
    ],
)
@pytest.mark.parametrize("title", [None, "On kites"])
def test_rendered_markdown_shows_a_claim_unchanged(text: str, title: str | None) -> None:
    composition = compose([Block((Claim(text, (Span(KITES, 0, 7),)),), title)])
    # What a reader sees, as any CommonMark renderer shows it.
    rendered = MarkdownIt("commonmark", {"html": False}).render(composition.text)
    shown = html.unescape(re.sub(r"<[^>]*>", " ", rendered)).split()
    assert " ".join(shown) == f"{title} {text} [1]".removeprefix("None ")

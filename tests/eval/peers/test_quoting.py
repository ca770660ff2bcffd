"""What is quoted of a source, and in which order."""

from peer_papers import BRIDGES, MOSS

from eval.peers.quoting import Source, quote, sentences
from index.papers import Paper
from index.passages import cut, paper_text
from rag.citations import compose


def whole(paper: Paper) -> Source:
    return Source(paper, 1.0, paper_text(paper))


def test_only_sentences_that_stand_whole_in_the_source_are_its_own() -> None:
    text = BRIDGES.abstract[: BRIDGES.abstract.index("Swaying grows") + 12]
    assert [p.text for p in sentences(Source(BRIDGES, 1.0, text))] == [
        "Rope bridges sway in the wind.",
        "We measure the vibration of 12 suspension bridges with accelerometers.",
    ]


def test_sentences_keep_the_order_the_source_gives_them() -> None:
    backwards = " ".join(passage.text for passage in reversed(cut(MOSS)))
    found = sentences(Source(MOSS, 1.0, f"Source 1:\n{backwards}\n"))
    assert found == list(reversed(cut(MOSS)))


def test_a_source_is_a_paragraph_and_sources_keep_their_rank() -> None:
    answer = compose(quote([whole(MOSS), whole(BRIDGES)]))
    head, first, other, second = answer.text.split("\n\n")
    assert (head, other) == (f"**{MOSS.display_title}**", f"**{BRIDGES.display_title}**")
    assert first.startswith("Mosses are small. [1] We train")
    assert second.startswith("Rope bridges sway in the wind. [2]")


def test_quoting_stops_at_the_sentence_end_nearest_the_budget() -> None:
    lengths = [len(passage.text.split()) for passage in cut(MOSS)]
    assert lengths == [3, 8, 11]
    title = len(MOSS.display_title.split())
    for words, expected in [(1, 1), (6, 1), (7, 2), (16, 2), (17, 3), (90, 3)]:
        (block,) = quote([whole(MOSS)], title + words)
        assert len(block.claims) == expected


def test_two_pieces_of_a_paper_that_overlap_are_not_quoted_twice() -> None:
    first, second = Source(MOSS, 1.0, MOSS.abstract[:80]), whole(MOSS)
    quoted = [claim.text for block in quote([first, second]) for claim in block.claims]
    assert len(quoted) == len(set(quoted)) == 3


def test_a_title_alone_gives_nothing_to_quote() -> None:
    assert quote([Source(MOSS, 1.0, MOSS.title)]) == ()

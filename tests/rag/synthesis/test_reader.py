"""What a model writes, cut into lines and sentences while it comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.synthesis.markers import Address
from rag.synthesis.reader import DraftReader, Line, Piece, Read, Sentence

NAMES = {1: ("MindSearch", "MindSearch: Mimicking Minds"), 2: ("On Compute Thresholds",)}


def read(text: str, size: int = 10_000) -> list[Read]:
    reader = DraftReader(NAMES)
    found: list[Read] = []
    for at in range(0, len(text), size):
        found += reader.feed(text[at : at + size])
    return [*found, *reader.finish()]


def sentences(text: str, size: int = 10_000) -> list[tuple[str, list[tuple[int, int | None]]]]:
    return [
        (each.text, [(a.paper, a.sentence) for a in each.addresses])
        for each in read(text, size)
        if isinstance(each, Sentence)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is fast [1.1]. So is that.", [("It is fast.", [(1, 1)]), ("So is that.", [])]),
        ("[1.2] It is fast.", [("It is fast.", [(1, 2)])]),
        ("According to [1], it is fast.", [("According to MindSearch, it is fast.", [(1, None)])]),
        ("It is [CLS] in [0, 1].", [("It is [CLS] in [0, 1].", [])]),
        ("**Bold** and `code` and *it*.", [("Bold and code and it.", [])]),
        ("2 * 3 is 6.", [("2 * 3 is 6.", [])]),
        ("M³ViT needs 10² GB.¹", [("M³ViT needs 10² GB.", [(1, None)])]),
        ("One [1] (2) is so.", [("One (2) is so.", [(1, None)])]),
        ("Fast [1.1] , and small [1.2] .", [("Fast, and small.", [(1, 1), (1, 2)])]),
        ("Paper 1 (2025-04-22): It is fast.", [("It is fast.", [(1, None)])]),
        ("By Paper 1, it is fast.", [("By MindSearch, it is fast.", [(1, None)])]),
        ("MindSearch [1.1] It is fast.", [("MindSearch: It is fast.", [(1, 1)])]),
        ("Paper 9 and paperwork are apart.", [("Paper 9 and paperwork are apart.", [])]),
        ("So.\n\nSources: [1.1], [2]", [("So.", [])]),
        ("So [1].\n\n## References\n[1] MindSearch", [("So.", [(1, None)])]),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_markers_are_taken_out_and_told_with_their_sentence(
    text: str, expected: list[tuple[str, list[tuple[int, int | None]]]], size: int
) -> None:
    assert sentences(text, size) == expected


def test_bullets_and_paragraphs_are_lines_of_their_own() -> None:
    found = read("Two fit:\n- **A**: one [1.1]\n* B\n1. C\n\n# Last\nEnd.")
    assert [each.bullet for each in found if isinstance(each, Line)] == [
        False, True, True, True, False, False,
    ]  # fmt: skip
    texts = [each.text for each in found if isinstance(each, Sentence)]
    assert texts == ["Two fit:", "A: one", "B", "C", "Last", "End."]


def test_text_is_passed_on_before_its_sentence_is_whole() -> None:
    reader = DraftReader(NAMES)
    assert reader.feed("It is") == [Line(bullet=False), Piece("It is")]
    assert reader.feed(" fast [1") == [Piece(" fast")]
    assert reader.feed(".2]. It") == [
        Piece("."),
        Sentence("It is fast.", (Address(1, 2),)),
        Piece("It"),
    ]


@given(st.text(alphabet="ab. [](),12\n*-【】^`\\<>sup¹:", max_size=80), st.integers(1, 9))
def test_the_pieces_add_up_whatever_comes_and_however_it_is_cut(text: str, size: int) -> None:
    said = ""
    for each in read(text, size):
        if isinstance(each, Piece):
            said += each.text
        elif isinstance(each, Sentence):
            assert said == each.text
            said = ""
    assert said == ""
    assert sentences(text, size) == sentences(text)

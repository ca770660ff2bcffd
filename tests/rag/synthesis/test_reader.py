"""What a model writes, cut into lines and sentences while it comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.synthesis.markers import Address
from rag.synthesis.reader import DraftReader
from rag.synthesis.sentences import Line, Piece, Read, Sentence

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
        (
            "MindSearch: Mimicking Minds [1.1] It is fast.",
            [("MindSearch: Mimicking Minds: It is fast.", [(1, 1)])],
        ),
        ("On Compute Thresholds [2.1] is so.", [("On Compute Thresholds is so.", [(2, 1)])]),
        ("MindSearch [1.1] has a part.", [("MindSearch has a part.", [(1, 1)])]),
        ("It is fast [1.1],[1.2]. So.", [("It is fast.", [(1, 1), (1, 2)]), ("So.", [])]),
        ("It is fast [1.1]-[1.2].", [("It is fast.", [(1, 1), (1, 2)])]),
        ("It is fast [1.2", [("It is fast", [(1, 2)])]),
        ("It is fast [1](#1), see [it](https://a.org/b).", [("It is fast, see it.", [(1, None)])]),
        ("As sentence 1.2 says, it is so.", [("As MindSearch says, it is so.", [(1, 2)])]),
        ("Paper 1, sentence 2 says so.", [("MindSearch says so.", [(1, 2)])]),
        ("It needs O(1) memory.", [("It needs O(1) memory.", [])]),
        ("<p>Call alert(1) <b>now</b>.</p>", [("Call alert(1) now.", [])]),
        ("It offers (1) one and (2) more.", [("It offers (1) one and (2) more.", [])]),
        ("It is fast (1).", [("It is fast.", [(1, None)])]),
        ("p < 3 and q > 2.", [("p < 3 and q > 2.", [])]),
        ("A line\x1b\x07 \u202eis\x00 so.", [("A line is so.", [])]),
        ("Sure! Here is the answer: It is so. I hope this helps!", [("It is so.", [])]),
        ("Question: Is it so?\nAnswer: It is so.", [("It is so.", [])]),
        ("It (see X. Also B.) is so. It is.", [("It (see X. Also B.) is so.", []), ("It is.", [])]),
        ("It is by A. Item one.", [("It is by A. Item one.", [])]),
        ("See ![a](http://b.c/d.png) here.", [("See  here.", [])]),
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


def test_lines_that_are_only_markdown_vanish_and_rows_of_a_table_are_bullets() -> None:
    table = "| Paper | Found |\n|---|:-:|\n| A | b [1.1] | c |\n| D |\n"
    text = f"```text\nSo it is.\n```\n---\n{table}\nEnd."
    found = read(text)
    assert [each.bullet for each in found if isinstance(each, Line)] == [False, True, True, False]
    texts = [each.text for each in found if isinstance(each, Sentence)]
    assert texts == ["So it is.", "A: b; c", "D", "End."]
    assert sentences(text, 1) == sentences(text, 7) == sentences(text)


def test_a_line_tells_how_far_it_is_indented_and_whether_it_is_a_heading() -> None:
    found = read("## On it\n- A\n  - B\n\t1. C")
    assert [each for each in found if isinstance(each, Line)] == [
        Line(bullet=False, heading=True),
        Line(bullet=True),
        Line(bullet=True, indent=2),
        Line(bullet=True, indent=4),
    ]


def test_a_text_without_a_stop_is_cut_at_a_space() -> None:
    text = "word " * 1000
    found = sentences(text)
    assert " ".join(each for each, _ in found) == text.strip()
    assert max(len(each) for each, _ in found) <= 2000
    assert sentences(text, 7) == found


def test_no_part_of_the_sentinel_is_a_piece() -> None:
    for text in ("For the cost, it is not in the abstracts. So.", "NOT IN THE ABSTRACTS"):
        reader, said = DraftReader(NAMES), ""
        for character in text[: text.lower().index("abstracts") + 9]:
            said += "".join(each.text for each in reader.feed(character) if isinstance(each, Piece))
        assert "not" not in said.lower()


TOKENS = st.sampled_from(
    [
        "Paper", "papers ", " 1", " 2", ".2", "1.2", ", ", "sentence", " sentence 1", " and ",
        " 9.9", "MindSearch", "MindSearch: Mimicking Minds", "On Compute Thresholds", "[", "]",
        "(", ")", " (", "[1.1]", " [", "【", "】", "†", "<sup>", "</sup>", "<p>", "<1.2>", "{1.2}",
        "¹", "²", "](#1)", "](https://a.b)", "![", "^", "#", "- ", "* ", "**", "*", "`", "```",
        "---", "|", "\n", "\n", "\n  ", "| a | b [1|2] |\n", "|---|---|\n", "\\", ". ", ".", "! ",
        "。", "”", "al. ", "A. ", "The ", "Theory ", "It is fast", "it is", "Sure", "Answer:",
        "Question:", "Here is the answer", "not in the abstracts", "This is ", "Sources:",
        "cite: 1", "see ", "/", ";", "–", "x" * 70, "(2024)", "I hope this helps", "1. ", "(1) ",
        "## ", "> ", "[x] ", "&", "\t", "\x07", "\u202e",
    ]
)  # fmt: skip


@given(
    st.text(alphabet="ab. [](),12\n*-【】^`\\<>sup¹:", max_size=80)
    | st.lists(TOKENS, max_size=24).map("".join),
    st.integers(1, 9),
)
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

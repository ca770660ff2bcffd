"""Cleaning and sentences: what goes, what stays, and the exact way back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.papers import Paper
from index.passages import cut, sentence_spans
from index.text import clean, clean_text

ordinary = st.text(st.sampled_from("abcXYZ 0123456789.,;:()-éß字α%"), max_size=60).filter(
    lambda text: " %" not in f" {text}"
)
messy = st.lists(
    st.sampled_from(
        ["\\", "{", "}", "$", "~", "^", "_", "%", " ", "\n", "\t", "-\n", '\\"', "\\eg", "\\url{",
         "\\textbf{", "\\cite[", "\\frac{a}{b}", "``", "''", "a", "B", "10", "é", "\u200b",
         "\ud800", "\0", "\ufeff", "^{", "_{", "\\alpha", "word ", ". "]
    )
    | st.text(max_size=3)
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("10^{5}", "10⁵"), ("10^5", "10⁵"), ("10^{-5}", "10⁻⁵"),
     ("M^3ViT and M^{3}ViT", "M³ViT and M³ViT"), ("H_{2}O", "H₂O"), ("1^{st}", "1st"),
     ("a_{ij} and x_i", "a_ij and x_i"), ("L_{a, b}", "L_(a, b)"), ("by ~33.5%", "by ~33.5%"),
     ("(~3%) of 5~10", "(~3%) of 5~10"), ("the ~ 0.25B", "the ~ 0.25B"),
     ("models~(PLMs)", "models (PLMs)"), ("JiuZhang~2.0", "JiuZhang 2.0"),
     (r"(\eg a model, \ie. one)", "(e.g. a model, i.e. one)"),
     ("train %question makers", "train question makers"),
     ("ends here. % To go on", "ends here. To go on"),
     ("107% for 50 % of a %CV", "107% for 50 % of a %CV"), (r"37.8\% \& more", "37.8% & more"),
     (r"Ragnar\"ok, Erd\H{o}s, Poincar\'e", "Ragnarök, Erdős, Poincaré"),
     (r"na\"{\i}ve S\o ren {\"o}", "naïve Søren ö"),
     (r"\url{https://x.org/~me/a_b%20c}", "https://x.org/~me/a_b%20c"),
     (r"\textbf{bold \emph{and} more}", "bold and more"), ("$5 and $10", "$5 and $10"),
     ("US$5m, then $7, then 10$ more", "US$5m, then $7, then 10$ more"),
     (r"\$5 and \$10", "$5 and $10"), (r"$O(n^2)$ and $x$-ray", "O(n²) and x-ray"),
     (r"1.5$\times$ at $\alpha \le 2$", "1.5× at α ≤ 2"), (r"$\frac{1}{n}$", "1/n"),
     ("$$ a + b $$", "a + b"), ("``quoted''", "“quoted”"),
     (r"as in~\cite[p. 3]{owl} here", "as in here"), (r"\ourmodel{} wins", "ourmodel wins"),
     ("a multi-\ntask model, pre-\nand post", "a multi-task model, pre- and post"),
     ("zero\u200bwidth so\u00adft", "zerowidth soft"), ("  a \n\r\n b\tc\u00a0d ", "a b c d"),
     ("a\rb\u2028c", "a b c"), ("half \ud800 a character", "half \ufffd a character"),
     ("set {a, b} of {BERT}", "set {a, b} of BERT")],
)  # fmt: skip
def test_debris_goes_and_the_rest_stays(stored: str, shown: str) -> None:
    assert clean(stored).text == shown
    assert clean_text(shown) == shown


def test_each_character_knows_where_it_came_from_and_none_is_outside() -> None:
    stored = r"Use \textbf{Ragnar\"ok}~(37.8\%)"
    cleaned = clean(stored)
    for shown, written in (("Ragnarök", r"Ragnar\"ok"), ("ö", r"\"o"), ("%", "%")):
        at = cleaned.text.index(shown)
        assert stored[slice(*cleaned.stored_span(at, at + len(shown)))] == written
    assert clean(r"a \eg b").clean_span(2, 5) == (2, 6)
    for span in ((0, 0), (-1, 1), (0, 4), (2, 1)):
        with pytest.raises(ValueError, match="not inside"):
            clean("abc").stored_span(*span)


@given(messy, st.integers(0, 50), st.integers(1, 50))
def test_the_map_stays_inside_and_leads_back(stored: str, at: int, length: int) -> None:
    cleaned = clean(stored)
    assert len(cleaned.text) == len(cleaned.starts) == len(cleaned.ends)
    assert list(cleaned.starts) == sorted(cleaned.starts)
    assert list(cleaned.ends) == sorted(cleaned.ends)
    pairs = zip(cleaned.starts, cleaned.ends, strict=True)
    assert all(0 <= start < end <= len(stored) for start, end in pairs)
    cleaned.text.encode()
    assert cleaned.text == cleaned.text.strip(" ")
    assert "  " not in cleaned.text
    end = min(at + length, len(cleaned.text))
    if at < end:
        first, last = cleaned.clean_span(*cleaned.stored_span(at, end))
        assert first <= at < end <= last


@given(ordinary)
def test_ordinary_text_changes_in_its_spaces_alone(stored: str) -> None:
    cleaned = clean(stored)
    assert cleaned.text == " ".join(stored.split())
    assert clean(cleaned.text).text == cleaned.text


@pytest.mark.parametrize(
    "unit",
    ["a", " ", "\n", "-\n", "\\", "{", "$", "$a ", "$5 a", "~", "^{", "_{a", "\\url{", "\\cite[",
     "\\frac{", '\\"', "%", "'", "{a-"],
)  # fmt: skip
def test_no_unit_however_often_it_comes_takes_more_than_linear_time(unit: str) -> None:
    clean(unit * (400_000 // len(unit)))  # hours, if a rule went back and forth


def paper(abstract: str, title: str = "A paper about kettles") -> Paper:
    return Paper(id="p1", title=title, abstract=abstract)


WORDS = st.sampled_from(
    ["We", "boil", "water", "fast.", "It", "works!", "(see", "Fig.", "2)", "e.g.", "tea", "37.8\\%",
     "M^{3}ViT", "models~(PLMs)", "Ragnar\\\"ok", "\\url{https://a.b/c}", "\\eg",
     "\\emph{Both.", "Sides}", "$x^2$", "Why?", "\u200bZero", "Übung", "模型", "\U0001f600",
     "\n", "  ", "% a", "``so''"]
)  # fmt: skip
ABSTRACTS = st.one_of(st.lists(WORDS, max_size=40).map(" ".join), st.text(max_size=300))


def test_each_sentence_is_a_passage_and_a_node_at_its_place_in_the_stored_abstract() -> None:
    abstract = "  Kettles boil water. We make them 37.8\\% faster~(KTL).\nIt holds for\u200b tea. "
    passages = cut(paper(abstract))
    assert [(abstract[p.start : p.end], p.text) for p in passages] == [
        ("Kettles boil water.", "Kettles boil water."),
        ("We make them 37.8\\% faster~(KTL).", "We make them 37.8% faster (KTL)."),
        ("It holds for\u200b tea.", "It holds for tea."),
    ]
    assert passages[0].id == "p1:2-21"
    node = passages[1].node()
    assert node.node_id == passages[1].id
    assert node.get_content(metadata_mode="embed") == passages[1].text, "the sentence alone"
    assert node.metadata == {"paper": "p1", "start": 22, "end": 55}
    assert (node.start_char_idx, node.end_char_idx) == (22, 55)


@given(ABSTRACTS)
def test_passages_lie_in_order_and_hold_all_that_cleaning_keeps(abstract: str) -> None:
    at, passages = 0, cut(paper(abstract))
    for passage in passages:
        assert at <= passage.start < passage.end <= len(abstract)
        assert passage.text.strip() == passage.text != ""
        at = passage.end
    together = "".join(passage.text for passage in passages)
    assert "".join(together.split()) == "".join(clean(abstract).text.split())


SENTENCES = (Path(__file__).parent / "sentences.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("expected", SENTENCES.split("\n\n"))
def test_sentences_as_people_see_them(expected: str) -> None:
    text = expected.strip().replace("\n", " ")
    assert [text[start:end] for start, end in sentence_spans(text)] == expected.strip().split("\n")

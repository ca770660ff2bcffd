"""Turns and cards as HTML: everything is escaped, and chips, marks and highlights are exact."""

import pytest
from elements import Elements
from hypothesis import given, settings
from hypothesis import strategies as st
from web.chat_answers import COST, HOSTILE, WIND, answer, claim, paper, refusal, span

from index.errors import InputError
from index.papers import Paper
from index.text import clean_text
from rag.citations import Block, unescape
from rag.schema import Filters, Passage
from ui.archive import Turn
from ui.export import export
from ui.export.answer_text import marked_abstract
from ui.web.chat import turn_html
from ui.web.chat.answering import Run
from ui.web.chat.turn_html import HTML, TurnHtml, answer_html


class OnlyKites:
    def paper(self, id_: str) -> Paper:
        if id_ != "kites":
            raise InputError("unknown paper")
        return paper()


TURNS = TurnHtml(OnlyKites())  # type: ignore[arg-type]


def turn(**fields: object) -> Turn:
    return Turn.model_validate({"id": "t1", "question": "What do kites cost?"} | fields)


def test_doubts_are_listed_where_sentences_cannot_be_found_in_the_text() -> None:
    whole = answer(claim("Kites need storms.", support="unsupported", why="no storms"))
    other = whole.sentences[0].model_copy(update={"text": "Other."})
    odd = turn(answer=whole.model_copy(update={"sentences": (other,)}))
    for html in (TURNS.turn(odd), export(odd, "html").text):
        assert "Not fully supported by the abstracts:“Other.” (no storms)" in Elements(html).text
    for html in (TURNS.turn(turn(answer=whole)), export(turn(answer=whole), "html").text):
        assert "Not fully" not in html


def test_each_chip_leads_to_its_own_sentence_in_the_card_of_its_reference_and_turn() -> None:
    both = answer(claim("Wind.", span(paper(), WIND)), claim("Cheap.", span(paper(), COST)))
    html, marked = answer_html(both, "t3")
    start = paper().abstract.index(WIND)
    assert marked
    assert Elements(html).having("href") == [f"#aqa-source-t3-1-{start}", "#aqa-source-t3-1-0"]
    ids = {"aqa-source-t3-1", "aqa-source-t3-1-0", f"aqa-source-t3-1-{start}"}
    assert ids <= set(Elements(TURNS.cards(turn(id="t3", answer=both))).having("id"))
    plain = Elements(answer_html(answer(claim("As in [1].", span(paper(), COST))), "t")[0])
    assert plain.having("href") == ["#aqa-source-t-1-0"], "a number of an abstract is no chip"
    assert "As in [1]." in plain.text


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.text(min_size=1, max_size=60).map(str.strip).filter(bool), min_size=1, max_size=4)
)
def test_what_is_shown_is_what_was_said(said: list[str]) -> None:
    whole = answer(Block(tuple(claim(text, span(paper(), COST)) for text in said)))
    shown = Elements(answer_html(whole, "t")[0]).text
    private = {ord(sign): "\ufffd" for sign in "\ue000\ue001\ue002"}
    assert shown.split() == unescape(whole.text).replace("\0", "\ufffd").translate(private).split()


NEAR = [
    {"id": "kites", "title": "Kites: A~Survey", "score": 0.2},
    {"id": "gone", "title": "Removed", "score": 0.1},
]
NO = ["The abstracts do not say.", "Nothing is about <boats>.", "need abstracts about “boats”"]
NOTICE = "Understood as “kites” for “kitse”."
REFUSED = refusal(lacks="boats", nearest=NEAR)
UNCLEAR = refusal("Two papers are called Kite.", suggestions=("What is “<Kite> One”?",))
DOUBTED = claim("Kites need storms.", span(paper(), WIND), support="partly", why="no storms")
DOUBT = answer(DOUBTED, notice=NOTICE)
COUNTED = claim("There are 3.", support="unchecked")
HEADED = answer(claim("Wind (2 papers):", support="unchecked"))
FOLLOWED = answer(standalone_question="What do kites cost (Kites)?")


@pytest.mark.parametrize(
    ("fields", "told", "untold"),
    [
        ({"answer": REFUSED}, NO, ["Removed", "Ask instead"]),
        (
            {"answer": UNCLEAR, "followups": ("How so?",)},
            ["Two papers are called Kite.", "Ask instead", "What is “<Kite> One”?"],
            ["The abstracts do not say", "The nearest papers", "How so?"],
        ),
        ({"answer": DOUBT}, [NOTICE, "in part", "no storms", "They (kites) need"], []),
        ({"answer": HEADED}, ["Wind (2 papers):"], ["not checked"]),
        ({"answer": answer()}, ["Quoted from the abstracts · 1 source"], ["Understood"]),
        ({"answer": FOLLOWED}, ["Understood as: What do kites cost (Kites)?"], []),
        ({"answer": answer(COUNTED, kind="chat")}, ["Not from the abstracts"], ["not checked"]),
        ({"answer": answer(COUNTED, kind="catalogue")}, ["Taken from the index"], ["not checked"]),
        ({"partial": "Kites are [1]"}, ["Kites are [1]", "Stopped."], ["Copy"]),
        ({"partial": ""}, ["Stopped before the first word."], []),
        ({"problem": "the question\nis empty"}, ["The question is empty"], ["Copy"]),
    ],
)
def test_what_a_turn_tells(fields: dict[str, object], told: list[str], untold: list[str]) -> None:
    text = Elements(TURNS.turn(turn(**fields))).text
    assert [each for each in told if each not in text] == []
    assert [each for each in untold if each in text] == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"url": "https://e.org/p?a=1&b=2"}, [("Web page", "https://e.org/p?a=1&b=2")]),
        (
            {"url": "http://arxiv.org/pdf/2503.01234v2"},
            [("arXiv", "https://arxiv.org/abs/2503.01234")],
        ),
        ({"url": "javascript:alert(1)"}, []),
        ({"url": "data:text/html,x", "doi": "10.1/a b"}, [("DOI", "https://doi.org/10.1/a%20b")]),
        ({"url": "//e.org/p"}, []),
        ({}, []),
    ],
)
def test_only_web_addresses_are_links(fields: dict[str, str], found: list[tuple[str, str]]) -> None:
    assert turn_html.links(paper(**fields)) == found
    cards = TURNS.cards(turn(answer=answer(claim("Cheap.", span(paper(**fields), COST)))))
    searched = [turn_html.search(paper())]
    assert Elements(cards).having("href") == [address for _, address in found or searched]


def test_hostile_text_is_shown_and_never_becomes_an_element() -> None:
    whole = paper(abstract=HOSTILE, title=HOSTILE, authors=(HOSTILE,))
    hostile = answer(
        claim(HOSTILE, span(whole, HOSTILE)),
        claim(HOSTILE, support="unsupported", why=HOSTILE),
        notice=HOSTILE,
        standalone_question=HOSTILE,
    )
    filters = Filters(digests=(HOSTILE,), title=HOSTILE)
    asked = {"question": HOSTILE, "answer": hostile, "followups": (HOSTILE,), "filters": filters}
    shown = turn(**asked, vote="down", vote_reason=HOSTILE)
    pieces = [
        TURNS.turn(shown), TURNS.cards(shown), HTML.lines(HOSTILE),
        str(HTML.problem(HOSTILE)), turn_html.partial_html(HOSTILE),
        Run("c", shown, TURNS.chips(filters), text=HOSTILE).drawn()["html"],
        TURNS.turn(turn(answer=refusal(reason=HOSTILE, lacks=HOSTILE))),
    ]  # fmt: skip
    for piece in pieces:
        elements = Elements(piece)
        assert not {"script", "img", "iframe"} & elements.names()
        assert not any(name.startswith("on") for _, attrs in elements.tags for name in attrs)
        assert not set("{}$`") & set(piece), "signs that a template would read"


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=120), st.data())
def test_marks_leave_the_cleaned_abstract_unchanged(abstract: str, data: st.DataObject) -> None:
    passages = []
    for _ in range(data.draw(st.integers(0, 3))):
        if not abstract:
            break
        start = data.draw(st.integers(0, len(abstract) - 1))
        end = data.draw(st.integers(start + 1, len(abstract)))
        passages.append(Passage(start=start, end=end, text=abstract[start:end]))
    shown = Elements(f"<p>{marked_abstract(abstract, passages, 'a')}</p>")
    assert shown.text == clean_text(abstract)


def test_addresses_in_an_abstract_are_links_without_what_follows_them() -> None:
    text = "Code is at https://e.org/a_b?x=1&y=2, and (see http://e.org/z). javascript:alert(1)"
    card = Elements(marked_abstract(text, (), "a", turn_html.linked))
    assert card.having("href") == ["https://e.org/a_b?x=1&y=2", "http://e.org/z"]
    assert card.text == text

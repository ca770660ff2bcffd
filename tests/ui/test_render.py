"""Answers as HTML: everything is escaped, highlights are exact, and text comes back."""

from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.papers import Paper, Source
from index.text import clean_text
from rag.citations import escape as markdown
from rag.schema import (
    Answer,
    AnswerSentence,
    Citation,
    IndexInfo,
    NearPaper,
    Passage,
    Reference,
    Usage,
)
from ui.web.cards import marked_abstract, panel_html, paper_link, section_html
from ui.web.render import (
    answer_html,
    partial_html,
    plain_text,
    problem_html,
    question_html,
)

HOSTILE = '<img src=x onerror="alert(1)"> </div><script>x</script> {{x}} ${y} `z` [9](http://e.org)'
ABSTRACT = 'Kites fly at 37.8\\% of the cost. They~(kites) need wind. Ragnar\\"ok is a storm.'


class Elements(HTMLParser):
    """The elements and the text of a piece of HTML, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.marked: list[str] = []
        self._inside_mark = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "mark":
            self.marked.append("")
            self._inside_mark = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "mark":
            self._inside_mark = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._inside_mark:
            self.marked[-1] += data

    def names(self) -> set[str]:
        return {name for name, _ in self.tags}

    def links(self) -> list[str | None]:
        return [attributes.get("href") for name, attributes in self.tags if name == "a"]


def paper(abstract: str = ABSTRACT, title: str = "Kites: A Survey", **fields: object) -> Paper:
    source = Source(name="march.txt", date=date(2025, 3, 14), position=7)
    given = {"id": "kites", "title": title, "abstract": abstract, "sources": (source,)}
    return Paper.model_validate(given | fields)


def passage(whole: Paper, text: str) -> Passage:
    start = whole.abstract.index(text)
    return Passage(start=start, end=start + len(text), text=text)


def answer(
    text: str = "Kites are cheap. [1]",
    whole: Paper | None = None,
    cited: str | None = "Kites fly at 37.8\\% of the cost.",
    near: tuple[NearPaper, ...] = (),
    reason: str | None = None,
) -> Answer:
    whole = whole or paper()
    passages = (passage(whole, cited),) if cited else ()
    return Answer(
        question="What do kites cost?",
        standalone_question="What do kites cost?",
        status="answered" if cited else "insufficient_evidence",
        reason=reason,
        mode="extractive",
        text=text,
        sentences=tuple(
            AnswerSentence(
                text=text,
                citations=(Citation(reference=1, start=p.start, end=p.end),),
                support="supported",
            )
            for p in passages
        ),
        references=(Reference(number=1, paper=whole, passages=passages),) if cited else (),
        nearest=near,
        usage=Usage(),
        timings_ms={},
        index=IndexInfo(id="g", papers=1, encoder="e"),
    )


def test_a_marker_links_to_its_sentence_in_the_card_of_its_reference_and_turn() -> None:
    message, cards = answer_html(answer(), 3), section_html(answer(), 3)
    assert Elements(message).links() == ["#source-3-1-0"]
    ids = [(name, attributes.get("id")) for name, attributes in Elements(cards).tags]
    assert ("article", "source-3-1") in ids
    assert ("mark", "source-3-1-0") in ids


def test_a_number_in_brackets_that_an_abstract_has_is_no_marker() -> None:
    message = answer_html(answer(text="As in \\[1\\], kites are cheap. [1]"), 1)
    assert Elements(message).links() == ["#source-1-1-0"]
    assert "As in [1], kites" in Elements(message).text


def test_the_markers_of_one_reference_link_to_one_sentence_each() -> None:
    first = answer()
    second = passage(paper(), 'Ragnar\\"ok is a storm.')
    cited = Citation(reference=1, start=second.start, end=second.end)
    (sentence,), (reference,) = first.sentences, first.references
    both = first.model_copy(
        update={
            "text": "A storm. [1] Cheap. [1]",
            "sentences": (sentence.model_copy(update={"citations": (cited,)}), sentence),
            "references": (
                reference.model_copy(update={"passages": (*reference.passages, second)}),
            ),
        }
    )
    links = Elements(answer_html(both, 1)).links()
    assert links == [f"#source-1-1-{second.start}", "#source-1-1-0"]
    ids = {f"#{attributes.get('id')}" for _, attributes in Elements(section_html(both, 1)).tags}
    assert set(links) <= ids


def test_the_markers_of_an_unfinished_answer_look_the_same_and_lead_nowhere() -> None:
    elements = Elements(partial_html("Kites are cheap. [1] They"))
    assert ("span", {"class": "aqa-cite"}) in elements.tags
    assert elements.links() == []
    assert "[1] They" in elements.text


def test_a_problem_is_a_sentence() -> None:
    assert Elements(problem_html("the question\nis empty")).text == "The question is empty"


def test_lists_and_bold_names_in_an_answer_become_html() -> None:
    elements = Elements(answer_html(answer(text="- **Kites**: cheap. [1]\n- Not dear. [1]"), 1))
    assert {"ul", "li", "strong"} <= elements.names()


def test_insufficient_evidence_shows_reason_and_nearest_papers() -> None:
    near = (NearPaper(id="kites", title="Kites: A~Survey", score=0.2),)
    refusal = answer(text="", cited=None, near=near, reason="Nothing is about <boats>.")
    elements = Elements(answer_html(refusal, 2))
    assert "The abstracts do not say." in elements.text
    assert "Nothing is about <boats>." in elements.text
    assert "Kites: A Survey" in elements.text
    assert elements.links() == ["#near-2-1"]
    cards = section_html(refusal, 2, [paper()])
    assert 'id="near-2-1"' in cards
    assert "Nothing is cited. These papers are the nearest." in cards
    assert "nearest" not in section_html(refusal, 2)


def test_the_card_shows_title_digest_date_and_the_cited_sentence_marked() -> None:
    elements = Elements(section_html(answer(), 1))
    assert "Kites: A Survey" in elements.text
    assert "Mar 14, 2025 · no. 7 in march.txt" in elements.text
    assert elements.marked == ["Kites fly at 37.8% of the cost."]
    assert "They (kites) need wind. Ragnarök is a storm." in elements.text


@pytest.mark.parametrize(
    ("fields", "link"),
    [
        ({"url": "https://e.org/p?a=1&b=2"}, "https://e.org/p?a=1&b=2"),
        ({"url": "javascript:alert(1)"}, None),
        ({"url": "data:text/html,x", "doi": "10.1/a b"}, "https://doi.org/10.1/a%20b"),
        ({"url": "//e.org/p"}, None),
        ({}, None),
    ],
)
def test_only_web_addresses_become_links(fields: dict[str, str], link: str | None) -> None:
    assert paper_link(paper(**fields)) == link
    assert Elements(section_html(answer(whole=paper(**fields)), 1)).links() == [link] * bool(link)


def test_hostile_text_is_shown_and_never_becomes_an_element() -> None:
    whole = paper(abstract=HOSTILE, title=HOSTILE, url='https://e.org/"onclick="x')
    hostile = answer(text=f"{markdown(HOSTILE)} [1]", whole=whole, cited=HOSTILE)
    source = Source(name=HOSTILE, position=1)
    pieces = [
        question_html(HOSTILE),
        answer_html(hostile, 1),
        partial_html(HOSTILE),
        problem_html(HOSTILE),
        section_html(hostile, 1),
        section_html(answer(whole=paper(sources=(source,))), 1),
        panel_html([(HOSTILE, ""), (HOSTILE, "")]),
    ]
    for piece in pieces:
        elements = Elements(piece)
        assert not {"img", "script"} & elements.names()
        assert not any(name.startswith("on") for _, attrs in elements.tags for name in attrs)
        assert not set("{}$`") & set(piece), "signs that the page's template would read"


@settings(deadline=None)
@given(st.text(max_size=300))
def test_a_question_comes_back_as_it_was_typed(question: str) -> None:
    lines = [line.strip() for line in question.strip().splitlines()]
    shown = plain_text(question_html(question))
    assert shown.split() == "\n".join(lines).split()


@settings(deadline=None)
@given(st.text(max_size=200))
def test_messages_are_one_line_so_that_the_chat_keeps_them_whole(text: str) -> None:
    for message in (question_html(text), partial_html(text), problem_html(text)):
        assert len(message.splitlines()) == 1


def test_a_long_question_is_cut_on_the_page() -> None:
    assert len(question_html("x" * 100_000)) < 5_000


def test_the_plain_text_of_an_answer_leaves_its_button_out() -> None:
    text = plain_text(answer_html(answer(text="- One. [1]\n- Two. [1]"), 1))
    assert text == "One. [1]\nTwo. [1]"


def test_text_not_made_here_stays_as_it_is() -> None:
    assert plain_text("1 < 2 & <b>bold</b>") == "1 < 2 & <b>bold</b>"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=120), st.data())
def test_marks_leave_the_cleaned_abstract_unchanged(abstract: str, data: st.DataObject) -> None:
    passages = []
    for _ in range(data.draw(st.integers(0, 3))):
        if not abstract:
            break
        start = data.draw(st.integers(0, len(abstract) - 1))
        end = data.draw(st.integers(start + 1, len(abstract)))
        passages.append(Passage(start=start, end=end, text=abstract[start:end]))
    shown = Elements(f"<p>{marked_abstract(abstract, passages, 'source-1-1')}</p>")
    assert shown.text == clean_text(abstract)


def test_passages_that_overlap_are_marked_once() -> None:
    whole = paper(abstract="One two three four.")
    both = [passage(whole, "One two three"), passage(whole, "two three four.")]
    assert Elements(marked_abstract(whole.abstract, both, "source-1-1")).marked == [
        "One two three",
        " four.",
    ]


def test_the_panel_puts_the_newest_answer_first_and_folds_the_others() -> None:
    panel = panel_html([("first?", "<p>A</p>"), ("second?", "<p>B</p>")])
    assert panel.index("<p>B</p>") < panel.index("<details") < panel.index("<p>A</p>")
    assert "first?" in panel
    assert "second?" not in panel

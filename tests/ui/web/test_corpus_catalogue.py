"""The table of papers: what words find, how it is sorted and narrowed, and how long that takes."""

import pytest
from corpus_papers import many, mapped, paper

from ui.web.corpus.catalogue import ON_A_PAGE, Catalogue
from ui.web.corpus.view import View
from ui.web.corpus.words import Words

KITES = paper(
    "k", "KiteNet: Flying", r"M^{3}ViT reaches 37.8\% on Müller's set.", ("b.txt", "2025-04-22", 2)
)
BOATS = paper("b", "boats", "A kite-like GPT-4 sail.", ("b.txt", "2025-04-22", 1))
ROADS = paper(
    "r", "Änderung of roads", "Stones.", ("b.txt", "2025-04-22", 3), ("a.txt", "2025-03-14", 9)
)
PLAIN = paper("p", "Plain", "No source.")
CATALOGUE = Catalogue([BOATS, KITES, PLAIN, ROADS], mapped([BOATS, KITES, PLAIN, ROADS]))


def ids(**view: object) -> str:
    return "".join(p.id for p in CATALOGUE.page(View.model_validate(view)).papers)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("kit", [0, 1]),
        ("ite", []),
        ("KITENET fly", [0]),
        ("m3vit", [0]),
        ("muller", [0]),
        ("gpt-4", [1]),
        ("GPT 4 sail", [1]),
        ("37.8%", [0]),
        ("?!", [0, 1]),
        ("kite nowhere", []),
    ],
)
def test_words_find_the_texts_that_hold_them_all_from_their_beginning(
    words: str, found: list[int]
) -> None:
    texts = Words(f"{p.title} {p.abstract}" for p in (KITES, BOATS))
    assert list(texts.holding(words)) == found


def test_the_newest_come_first_in_the_order_of_their_digest() -> None:
    assert ids() == "bkrp"
    assert ids(down=False)[0] == "p"


def test_titles_are_sorted_without_regard_to_case_both_ways() -> None:
    assert ids(sort="title", down=False) == "bkpr"
    assert ids(sort="title", down=True) == "rpkb"


def test_a_paper_counts_for_each_digest_and_month_that_it_was_seen_in() -> None:
    assert ids(digest="2025-03-14 a.txt") == "r"
    assert ids(month="2025-04") == "bkr"
    assert ids(cluster=1) == "k"
    assert ids(words="kite", month="2025-04", cluster=1) == "k"
    assert ids(digest="unknown") == ids(month="2031-01") == ids(cluster=99) == ""
    assert [(c.label, c.papers) for c in CATALOGUE.by_month] == [("Apr 2025", 3), ("Mar 2025", 1)]
    assert [(c.label, c.papers) for c in CATALOGUE.by_digest] == [
        ("Apr 22, 2025", 3),
        ("Mar 14, 2025", 1),
    ]


@pytest.mark.parametrize(
    "given",
    [None, "x", [1], {"page": 0}, {"sort": "id"}, {"month": "1"}, {"since": "soon"}, {"down": {}}],
)
def test_a_view_that_makes_no_sense_is_the_one_that_lists_everything(given: object) -> None:
    assert View.read(given) == View()


def test_a_page_of_twenty_thousand_papers_is_one_page() -> None:
    papers = many(20_000)
    catalogue = Catalogue(papers, mapped(papers))
    catalogue.prepare()
    views = [
        View(page=400),
        View(sort="title", down=False),
        View(words="kite river boat wind"),
        View(words="number", cluster=2, month="2024-03"),
    ]
    for view in views:
        assert len(catalogue.page(view).papers) <= ON_A_PAGE
    assert catalogue.page(View(page=10_000)).page == 400

"""The tab's HTML: every word of data is text, and the map has a name for every point."""

import re
from collections import Counter
from html.parser import HTMLParser

from corpus_papers import many, mapped, paper

from index.collection_map import CollectionMap
from index.errors import InputError
from index.papers import Paper
from rag.schema import Hit
from ui.web.corpus.catalogue import Catalogue
from ui.web.corpus.counts import counts_html
from ui.web.corpus.paper import paper_html
from ui.web.corpus.recognised import formats_told, wrong_html
from ui.web.corpus.scatter import MOST_LINKS, Frame, map_html, nearest
from ui.web.corpus.table import table_html
from ui.web.corpus.view import View

HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)} {{x}} `y` \"' </svg><script>"


class Tags(HTMLParser):
    """The tags of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.opened: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.opened[tag] += tag != "input"

    def handle_endtag(self, tag: str) -> None:
        self.closed[tag] += 1


def catalogue_of(papers: list[Paper], clusters: int = 3) -> Catalogue:
    return Catalogue(papers, mapped(papers, clusters))


def test_hostile_papers_are_text_everywhere() -> None:
    hostile = Paper(
        id=HOSTILE,
        title=HOSTILE,
        abstract=HOSTILE,
        authors=(HOSTILE,),
        venue=HOSTILE,
        url="javascript:alert(1)",
        sources=paper("x", "x", "", (HOSTILE, "2025-04-22", 1), ("b", "", 2)).sources,
    )
    catalogue = catalogue_of([hostile])
    view = View(words=HOSTILE, digest=HOSTILE, paper=HOSTILE)
    similar = [Hit(paper=hostile, score=0.5, passages=())]
    shown = [
        table_html(catalogue, view, catalogue.page(View()), may_change=True),
        paper_html(catalogue, view, hostile, similar, may_change=True),
        map_html(catalogue),
        counts_html(catalogue),
        wrong_html(str(InputError(HOSTILE))),
    ]
    for html in shown:
        assert not re.search(r"[{}`$]", html)
        tags = Tags()
        tags.feed(html)
        assert not tags.names & {"img", "script"}
        assert not any(name.startswith("on") for name in tags.attributes)
        assert tags.opened == tags.closed
        assert 'href="javascript' not in html


def test_the_table_says_how_it_is_sorted_and_what_narrows_it() -> None:
    catalogue = catalogue_of(many(120))
    view = View(sort="title", down=False, page=2, cluster=1)
    html = table_html(catalogue, view, catalogue.page(view))
    assert 'aria-sort="ascending"><button type="button" data-aqa-sort="title"' in html
    assert html.count('aria-sort="none"') == 2
    assert "40 papers" in html
    assert 'aria-label="Remove the filter: Cluster name1, more"' in html
    assert "data-aqa-choose" not in html
    nothing = View(words="nowhere")
    assert "No paper fits." in table_html(catalogue, nothing, catalogue.page(nothing))


def test_each_point_of_the_map_is_a_link_with_the_papers_title_and_one_stop_of_tab() -> None:
    papers = many(60)
    html = map_html(catalogue_of(papers, clusters=10))
    for shown in papers:
        assert f'href="#/papers/{shown.id}"' in html
        assert f'aria-label="{shown.title}"' in html
    assert html.count('tabindex="0"') == 1
    assert html.count('data-aqa-cluster="') == 10
    assert "<rect" not in html
    assert html.count("<path") == 6 + 6 + 2  # the ninth and the tenth cluster are diamonds


def test_a_large_collection_is_drawn_in_one_piece_a_cluster_and_clicks_find_the_nearest() -> None:
    catalogue = catalogue_of(many(MOST_LINKS + 1))
    html = map_html(catalogue)
    assert "<a " not in html
    assert html.count("aqa-corpus-dots") == 3
    assert len(html) < 20 * MOST_LINKS
    map_ = catalogue.map
    assert isinstance(map_, CollectionMap)
    frame = Frame.around(map_.points)
    x, y = frame.place(map_.points[7])
    assert nearest(map_, x, y) == map_.points[7].id
    assert nearest(map_, -500, -500) is None


def test_a_picture_of_one_point_has_a_place_for_it() -> None:
    assert "<circle" in map_html(catalogue_of(many(1), clusters=1))
    assert map_html(Catalogue(many(3), None)) == ""


def test_the_format_of_one_file_goes_without_its_name() -> None:
    assert formats_told([("pasted.txt", "digest")]) == "Format: digest."
    two = formats_told([("a.txt", "digest"), ("b.bib", "bibtex")])
    assert two == "Formats: a.txt – digest; b.bib – bibtex."
    many_files = formats_told([(f"{at}.ris", "ris") for at in range(12)])
    assert many_files.endswith("9.ris – ris; and 2 more.")

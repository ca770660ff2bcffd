"""The papers' tab without a browser: what is found and drawn, and what may be read to be added."""

import datetime as dt
import re
from pathlib import Path

import gradio as gr
import pytest
from elements import Elements
from gradio.utils import get_upload_folder

from index.collection_map import Cluster, CollectionMap, Point
from index.errors import InputError
from index.papers import Paper, Source
from rag import Assistant
from rag.schema import Hit
from ui.archive.marks import Mark
from ui.web.corpus import papers_tab
from ui.web.corpus.paper_catalogue import Catalogue, Listing, View
from ui.web.corpus.paper_html import HTML, overview_html, paper_html, table_html
from ui.web.corpus.papers_tab import Looking, pasted, read_uploaded
from ui.web.corpus.start_page import StartPage
from ui.web.site import Site

HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)} {{x}} `y` \"' </svg><script>"
SHELF = [
    Paper(id="k", title="KiteNet: Flying", abstract=r"M^{3}ViT reaches 37.8\% on Müller's set."),
    Paper(id="b", title="boats", abstract="A kite-like GPT-4 sail."),
    Paper(id="r", title="Änderung of roads", abstract="Stones."),
]


FOUND = {"kit": "bk", "ite": "", "KITENET fly": "k", "m3vit": "k", "muller": "k"}
FOUND |= {"GPT 4 sail": "b", "37.8%": "k", "?!": "bkr", "kite nowhere": ""}


@pytest.mark.parametrize("words", FOUND)
def test_exact_words_find_the_papers_that_begin_with_them(words: str) -> None:
    kept = Catalogue(SHELF).kept(View(words=words, exact=True), {}, ())
    assert "".join(sorted(paper.id for paper in kept)) == FOUND[words]


@pytest.mark.parametrize("given", [None, "x", [1], {"page": 0}, {"since": "soon"}])
def test_a_view_that_makes_no_sense_is_the_one_that_lists_everything(given: object) -> None:
    assert View.read(given) == View()


def test_hostile_papers_are_text_everywhere() -> None:
    dated = Source(name=HOSTILE, date=dt.date(2025, 4, 22), position=1)
    sources = (dated, Source(name="b", position=2))
    named = {"id": HOSTILE, "title": HOSTILE, "abstract": HOSTILE, "venue": HOSTILE}
    hostile = Paper(**named, authors=(HOSTILE,), url="javascript:alert(1)", sources=sources)
    points = (Point(id=HOSTILE, x=0.5, y=0.5, cluster=0),)
    cluster = Cluster(number=0, name=HOSTILE, terms=(HOSTILE,), size=1)
    catalogue = Catalogue([hostile], CollectionMap(points=points, clusters=(cluster,)))
    view = View(words=HOSTILE, digest=HOSTILE, paper=HOSTILE)
    similar = [Hit(paper=hostile, score=0.5, passages=())]
    marks = Mark(note=HOSTILE, tags=(HOSTILE[:20], HOSTILE[20:40]))
    for html in (
        table_html(catalogue, view, Listing([hostile], 1, 1, 1), {HOSTILE: marks}),
        paper_html(catalogue, view, hostile, similar, marks, True),
        overview_html(catalogue),
        str(HTML.wrong(HOSTILE)),
    ):
        assert not re.search(r"[{}`$]", html)
        elements = Elements(html)
        assert not {"img", "script"} & elements.names()
        assert not any(name.startswith("on") for _, attrs in elements.tags for name in attrs)
        assert not elements.open
        assert 'href="javascript' not in html


def test_of_a_large_collection_the_clusters_are_listed_alone(
    sample_assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalogue(sample_assistant.papers(), sample_assistant.collection_map())
    assert "data-aqa-map" in overview_html(catalogue)
    monkeypatch.setattr("ui.web.corpus.paper_html.MOST_LINKS", 0)
    assert "data-aqa-map" not in overview_html(catalogue)
    assert 'data-aqa-only="cluster=' in overview_html(catalogue)


@pytest.mark.parametrize("given", [[], [1], [None], [["a"]], [{"a": 1}], ["no such paper"]])
def test_ids_that_are_none_choose_no_paper(site: Site, given: list[object]) -> None:
    event = gr.EventData(None, {"ids": given, "change": {"starred": True}})
    with pytest.raises(InputError, match="none of these papers is in the index"):
        Looking(site).chosen(event, "me")


def test_only_uploads_are_read_and_removed_and_not_too_much_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    folder = Path(get_upload_folder()) / "hash"
    folder.mkdir(parents=True)
    own = tmp_path / "secret.txt"
    own.write_text("secret")
    sent = folder / "march.txt"
    sent.write_text("text")
    (folder / "link.txt").symlink_to(own)
    for path in (own, folder / "link.txt", folder / ".." / ".." / "secret.txt", folder / "no.txt"):
        with pytest.raises(InputError, match="did not arrive"):
            read_uploaded([str(path)])
    (upload,) = read_uploaded([str(sent)])
    assert (upload.name, upload.content) == ("march.txt", b"text")
    assert not sent.exists()
    assert own.read_text() == "secret"
    with pytest.raises(InputError, match="nothing was pasted"):
        pasted("  \n")
    monkeypatch.setattr(papers_tab, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="MB: add it in parts"):
        pasted("a long text")
    sent.write_text("x" * 11)
    with pytest.raises(InputError, match="MB: add it in parts"):
        read_uploaded([str(sent)])


def test_what_is_called_new_is_what_dated_digests_brought(site: Site) -> None:
    start = StartPage(site)
    last = max(digest.date for digest in site.assistant.digests() if digest.date)
    assert "new papers</a> in digests dated since your last visit on" in start.html(last)
    after = start.html(last + dt.timedelta(days=1))
    assert "Nothing new in digests dated since your last visit on" in after

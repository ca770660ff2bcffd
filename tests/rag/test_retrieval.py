"""Which papers are found, in which order and by what; and papers without a question."""

from datetime import date
from pathlib import Path

import pytest
from made_up import BOATS, KITES, Open, paper

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.errors import InputError
from rag import Assistant, Filters
from rag.schema import Hit, Retrieved


def shows_verbatim_passages(hits: list[Hit]) -> None:
    for hit in hits:
        assert 1 <= len(hit.passages) <= 3
        for at in hit.passages:
            assert hit.paper.abstract[at.start : at.end] == at.text


def test_hits_are_one_a_paper_best_first_with_verbatim_passages(library: Assistant) -> None:
    assert library.search("planing trips of ferrys by the tide")[0].paper.id == "ferrytide"
    found = library.search("insects that live in a hive", limit=10)
    assert len(found) == len({hit.paper.id for hit in found}) == 10
    scores = [hit.score for hit in found]
    assert scores == sorted(scores, reverse=True)
    shows_verbatim_passages(found)
    assert len(library.search("insects", limit=10_000)) == 16
    assert len(library.search("insects", limit=1)) == 1
    # A filter leaves scores and order as they are.
    filters = Filters(digests=("June 3",))
    kept = {paper.id for paper in library.papers(filters)}
    everything = library.search("bees", limit=16)
    assert library.search("bees", limit=16, filters=filters) == [
        hit for hit in everything if hit.paper.id in kept
    ]


def test_every_hit_and_reference_says_what_found_it(open_papers: Open) -> None:
    near = [paper(f"k{n:02}", f"Kites of kind {n}", f"Kind {n} flies far.") for n in range(25)]
    odd = paper("odd", "Ledgers", "Accounts of a bank, with the code XQ77 beside every sum.")
    assistant = open_papers([KITES, BOATS, *near, odd])
    hits_ = {hit.paper.id: hit.found for hit in assistant.search("flying kites XQ77", limit=28)}
    assert (hits_["kites"], hits_["odd"]) == ("both", "lexical")
    assert hits_["boats"] == "dense", "near in meaning, without a word of the query"
    first = next(e for e in assistant.stream("kites?") if isinstance(e, Retrieved))
    assert {hit.found for hit in first.hits} <= {"dense", "lexical", "both"}


def test_a_paper_has_an_id_a_place_on_the_map_and_others_like_it(library: Assistant) -> None:
    papers = library.papers()
    assert [library.paper(known.id) for known in papers] == papers
    assert {point.id for point in library.collection_map().points} == {p.id for p in papers}
    for ask in (library.paper, library.similar):
        with pytest.raises(InputError, match="no paper 'nowhere'"):
            ask("nowhere")
    for call in (library.search, library.similar):
        with pytest.raises(InputError, match="at least 1, not 0"):
            call(papers[0].id, limit=0)
    # Those like it are the nearest by their whole abstracts.
    hits = library.similar("hivescan", 4)
    assert len(hits) == 4
    assert "hivescan" not in {hit.paper.id for hit in hits}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(-1 <= hit.score <= 1 and hit.found == "dense" for hit in hits)
    shows_verbatim_passages(hits)
    assert len(library.similar("hivescan", 10_000)) == len(library.papers()) - 1


def test_new_since_a_day_are_the_papers_first_seen_then_or_later(open_papers: Open) -> None:
    old = paper("old", "Old gardens", "Gardens were old.", day=date(2025, 3, 1))
    new = paper("new", "New gardens", "Gardens are new.", day=date(2025, 4, 1))
    newer = paper("newer", "Newer gardens", "Gardens are newer.", day=date(2025, 5, 1))
    again = old.model_copy(update={"sources": (*old.sources, *newer.sources)})
    assistant = open_papers([again, new, newer, KITES])
    assert [p.id for p in assistant.newest(date(2025, 4, 1))] == ["newer", "new"]
    assert [p.id for p in assistant.newest(date(2025, 4, 2))] == ["newer"]


def test_new_is_what_the_last_change_brought(tmp_path: Path, encoder: SentenceEncoder) -> None:
    changed = KITES.model_copy(update={"abstract": "KiteNet keeps 13 kites in the air."})
    for added, newest in ((KITES, ["kites"]), (BOATS, ["boats"]), (changed, [])):
        build_papers([added], tmp_path / "store", encoder)
        assert [p.id for p in Assistant(tmp_path / "store", encoder).newest()] == newest

"""Which papers are found, in which order, and by what."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from made_up import BOATS, KITES, paper

from index.embedding import SentenceEncoder
from index.papers import Paper
from index.store import Index
from rag import Assistant, Filters
from rag.retrieval import Probe
from rag.schema import Retrieved

Open = Callable[[Sequence[Paper]], Assistant]


def test_hits_are_one_a_paper_best_first_with_verbatim_passages(library: Assistant) -> None:
    found = library.search("insects that live in a hive", limit=10)
    assert len(found) == len({hit.paper.id for hit in found}) == 10
    scores = [hit.score for hit in found]
    assert scores == sorted(scores, reverse=True)
    for hit in found:
        assert 1 <= len(hit.passages) <= 3
        for passage in hit.passages:
            assert hit.paper.abstract[passage.start : passage.end] == passage.text
    assert len(library.search("insects", limit=10_000)) == 16
    assert len(library.search("insects", limit=1)) == 1


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("flying robots that look for cracks", "crackmap"),
        ("why loaves should not be put into the fridge", "stale"),
        ("insects kept awake by artificial light", "lamps"),
        ("planing trips of ferrys by the tide", "ferrytide"),
    ],
)
def test_a_description_finds_its_paper_first(library: Assistant, query: str, key: str) -> None:
    assert library.search(query, limit=1)[0].paper.id == key


def test_a_filter_leaves_scores_and_order_as_they_are(library: Assistant) -> None:
    filters = Filters(digests=("June 3",))
    kept = {paper.id for paper in library.papers(filters)}
    everything = library.search("bees", limit=16)
    assert library.search("bees", limit=16, filters=filters) == [
        hit for hit in everything if hit.paper.id in kept
    ]


def test_a_probe_has_its_typing_errors_mended_unless_told_not_to(
    index: Index, encoder: SentenceEncoder
) -> None:
    mended = Probe.of("glaceirs and hivscan", index, encoder)
    assert mended.text == "glaciers and HiveScan"
    assert mended.mends == (("glaceirs", "glaciers"), ("hivscan", "HiveScan"))
    assert Probe.of("glaceirs", index, encoder, mended=False).text == "glaceirs"
    assert np.linalg.norm(mended.vector) == pytest.approx(1, abs=1e-5)


def test_every_hit_and_reference_says_what_found_it(open_papers: Open) -> None:
    near = [paper(f"k{n:02}", f"Kites of kind {n}", f"Kind {n} flies far.") for n in range(25)]
    odd = paper("odd", "Ledgers", "Accounts of a bank, with the code XQ77 beside every sum.")
    assistant = open_papers([KITES, BOATS, *near, odd])
    hits_ = {hit.paper.id: hit.found for hit in assistant.search("flying kites XQ77", limit=28)}
    assert (hits_["kites"], hits_["odd"]) == ("both", "lexical")
    assert hits_["boats"] == "dense", "near in meaning, without a word of the query"
    first = next(e for e in assistant.stream("kites?") if isinstance(e, Retrieved))
    assert {hit.found for hit in first.hits} <= {"dense", "lexical", "both"}

"""Every peer finds what a question is about, and shows it word for word."""

import os
import re
import sys
import types
from collections.abc import Callable

import pytest
from peer_papers import BRIDGES, MOSS, OWLS, PAPERS, TITLE_ALONE

from eval.peers import PEERS, PeerUnavailableError, open_peer, peer_versions
from eval.peers.peer import Peer
from index.embedding import SentenceEncoder
from index.errors import InputError
from index.papers import Paper
from index.text import clean

Opened = Callable[..., Peer]

QUERIES = [
    ("How are mosses identified from microscope images?", MOSS),
    ("vibration of bridges in wind", BRIDGES),
    ("silent flight of owls", OWLS),
]

every_peer = pytest.mark.parametrize("name", PEERS)


@every_peer
@pytest.mark.parametrize(("query", "about"), QUERIES)
def test_the_paper_a_query_is_about_comes_first(
    opened: Opened, name: str, query: str, about: Paper
) -> None:
    found = opened(name).search(query, 3)
    keys = [key for key, _ in found]
    scores = [score for _, score in found]
    assert keys[0] == about.id
    assert len(set(keys)) == len(keys) <= 3
    assert scores == sorted(scores, reverse=True)


@every_peer
def test_more_can_be_asked_for_than_there_are(opened: Opened, name: str) -> None:
    found = {key for key, _ in opened(name).search("wind on bridges and owls", 100)}
    assert {BRIDGES.id, OWLS.id} <= found <= {paper.id for paper in PAPERS}


@every_peer
@pytest.mark.parametrize(("question", "about"), QUERIES)
def test_an_answer_is_sentences_that_each_cite_themselves(
    opened: Opened, name: str, question: str, about: Paper
) -> None:
    answer = opened(name).ask(question, [], "auto")
    assert answer.status == "answered"
    assert answer.references[0].paper == about
    for sentence in answer.sentences:
        (citation,) = sentence.citations
        paper = answer.references[citation.reference - 1].paper
        assert clean(paper.abstract[citation.start : citation.end]).text == sentence.text
        assert sentence.support == "supported"


@every_peer
def test_an_answer_ends_about_where_it_may(opened: Opened, name: str) -> None:
    answer = opened(name, words=10, sources=3).ask("vibration of bridges in wind", [], "auto")
    said = sum(len(sentence.text.split()) for sentence in answer.sentences)
    assert 5 <= said <= 20


@every_peer
def test_the_versions_of_its_packages_are_known(opened: Opened, name: str) -> None:
    opened(name)
    versions = peer_versions(name)
    if not os.environ.get("CI") and len(versions) < len(PEERS[name].packages):
        pytest.skip("it ranks, but what it writes with is not installed")
    assert list(versions) == list(PEERS[name].packages)
    assert all(re.match(r"\d", number) for number in versions.values())


def test_words_that_no_paper_has_are_an_answer_without_text(opened: Opened) -> None:
    answer = opened("bm25").ask("zeppelin", [], "auto")
    assert (answer.status, answer.text) == ("insufficient_evidence", "")
    assert answer.reason


def test_papers_found_but_not_cited_are_near(opened: Opened) -> None:
    answer = opened("llamaindex-starter", words=5, sources=3).ask("owls in the wind", [], "auto")
    assert [reference.paper.id for reference in answer.references] == ["owls"]
    near = [paper.id for paper in answer.nearest]
    assert len(near) == 2
    assert "owls" not in near


def test_a_cutoff_leaves_out_what_is_not_near_enough(opened: Opened) -> None:
    question = "silent flight of owls"
    strict = opened("llamaindex-starter", similarity_cutoff=0.99).ask(question, [], "auto")
    mild = opened("llamaindex-starter", similarity_cutoff=0.3).ask(question, [], "auto")
    assert strict.status == "insufficient_evidence"
    assert [reference.paper.id for reference in mild.references] == ["owls"]


def test_the_extractive_peer_begins_with_the_nearest_sentence(opened: Opened) -> None:
    question = "What do serrated feathers break up?"
    answer = opened("llamaindex-extractive", words=5).ask(question, [], "auto")
    assert answer.sentences[0].text.startswith("Serrated feathers break up the turbulence")


def test_less_weight_of_relevance_makes_paperqa_rank_otherwise(opened: Opened) -> None:
    # With none at all, what is chosen second is what is least like the first.
    plain = [key for key, _ in opened("paperqa").search("moss", 2)]
    diverse = [key for key, _ in opened("paperqa", mmr_lambda=0.0).search("moss", 2)]
    assert plain[0] == diverse[0] == "moss"
    assert plain[1] != diverse[1]


def test_a_missing_package_is_said_with_how_to_get_it(
    encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "eval.peers.txtai_hybrid", raising=False)
    monkeypatch.setitem(sys.modules, "txtai.embeddings", None)
    monkeypatch.setitem(sys.modules, "txtai", types.ModuleType("txtai"))
    with pytest.raises(PeerUnavailableError, match=r"^the peer txtai cannot run: ") as caught:
        open_peer("txtai", PAPERS, encoder)
    assert caught.value.name == "txtai"
    assert "txtai" in caught.value.reason
    assert "pip install 'abstractqa[peers]'" in caught.value.reason


def test_a_package_of_another_version_is_said_with_its_version(
    opened: Opened, encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened("haystack")
    monkeypatch.delitem(sys.modules, "eval.peers.haystack_hybrid")
    monkeypatch.setitem(sys.modules, "haystack", types.ModuleType("haystack"))
    with pytest.raises(PeerUnavailableError) as caught:
        open_peer("haystack", PAPERS, encoder)
    assert "Document" in caught.value.reason
    assert f"haystack-ai {peer_versions('haystack')['haystack-ai']}" in caught.value.reason


def test_an_unknown_peer_is_answered_with_those_there_are(encoder: SentenceEncoder) -> None:
    with pytest.raises(InputError, match=r"no peer 'elastic'.*bm25"):
        open_peer("elastic", PAPERS, encoder)
    with pytest.raises(InputError, match="no peer 'elastic'"):
        peer_versions("elastic")


def test_no_papers_cannot_be_indexed(encoder: SentenceEncoder) -> None:
    with pytest.raises(InputError, match="has no papers"):
        open_peer("llamaindex-starter", (), encoder)


def test_a_paper_without_abstract_is_found_and_shows_nothing(encoder: SentenceEncoder) -> None:
    peer = open_peer("llamaindex-starter", (TITLE_ALONE,), encoder)
    assert [key for key, _ in peer.search("editorial", 5)] == ["editorial"]
    assert peer.ask("editorial", [], "auto").status == "insufficient_evidence"

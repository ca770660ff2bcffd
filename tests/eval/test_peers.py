"""Every peer finds what a question is about, and shows it word for word."""

import os
from collections.abc import Callable
from dataclasses import replace
from unittest.mock import Mock

import pytest
from chat_server import ChatServer, says
from handmade import FERNS, MOSS, PAPERS

from eval.datasets import Question
from eval.peers import PEERS, PeerEntry, PeerUnavailableError, peer_subject
from eval.systems import Subject
from index.embedding import SentenceEncoder
from index.errors import InputError
from index.papers import Paper
from index.text import clean
from rag.chat import ChatModel
from rag.schema import Answer
from rag.settings import Settings

INDEXED = (*PAPERS, Paper(id="editorial", title="Editorial", abstract=""))

Opened = Callable[..., Subject]


@pytest.fixture(scope="module")
def opened(encoder: SentenceEncoder) -> Opened:
    """Open a peer over the papers; skipped where the group `peers` is not installed."""
    peers: dict[str, Subject] = {}

    def open_(name: str, llm: ChatModel | None = None) -> Subject:
        try:
            if llm or name not in peers:
                peers[name] = peer_subject(name, INDEXED, encoder, llm)
        except PeerUnavailableError as error:
            if os.environ.get("CI"):
                pytest.fail(f"{error}, and CI must not skip")
            pytest.skip(str(error))
        return peers[name]

    return open_


def question(text: str) -> Question:
    return Question(id="q", type="fact", question=text, answerable=True)


@pytest.mark.parametrize("name", PEERS)
def test_the_paper_of_a_query_comes_first_and_is_quoted(opened: Opened, name: str) -> None:
    query = question("How are mosses identified from microscope images?")
    found = opened(name).search(query, 3)
    keys = [key for key, _ in found]
    scores = [score for _, score in found]
    assert keys[0] == MOSS.id
    assert len(set(keys)) == len(keys) <= 3
    assert scores == sorted(scores, reverse=True)
    answer = opened(name).ask(query, "auto")
    assert answer.status == "answered"
    assert answer.references[0].paper == MOSS
    for sentence in answer.sentences:
        (citation,) = sentence.citations
        paper = answer.references[citation.reference - 1].paper
        assert clean(paper.abstract[citation.start : citation.end]).text == sentence.text
        assert sentence.support == "supported"
    if name == "bm25":
        nothing = opened(name).ask(question("zeppelin"), "auto")
        assert (nothing.status, nothing.text) == ("insufficient_evidence", "")


def test_missing_peers_say_why(encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Mock(side_effect=ModuleNotFoundError(name="txtai"))
    other = Mock(side_effect=ImportError("cannot import name 'Document'"))
    bm25 = PEERS["bm25"]
    made = {"missing": PeerEntry("m", missing, ()), "other": replace(bm25, open=other)}
    monkeypatch.setattr("eval.peers.PEERS", made)
    with pytest.raises(PeerUnavailableError, match=r"txtai is missing \(pip install"):
        peer_subject("missing", INDEXED, encoder)
    with pytest.raises(PeerUnavailableError, match=r"'Document' \(with bm25s \d"):
        peer_subject("other", INDEXED, encoder)
    with pytest.raises(InputError, match="has no papers"):
        peer_subject("other", (), encoder)


def ask(opened: Opened, chat_server: ChatServer, reply: str) -> Answer:
    chat_server.script = [says(reply)]
    settings = Settings(openai_base_url=chat_server.base_url, chat_model="scripted")
    with ChatModel.open(settings) as model:
        subject = opened("llamaindex-citation", model)
        return subject.ask(question("survey of ferns"), "generative")


def test_a_marker_leads_to_the_whole_source(opened: Opened, chat_server: ChatServer) -> None:
    answer = ask(opened, chat_server, "The survey lists ferns [1]. They grow [9].")
    (request,) = chat_server.received
    assert "Source 1:\nA Fern Survey." in request.text
    assert (answer.mode, answer.model, answer.status) == ("generative", "scripted", "answered")
    (reference,) = answer.references
    assert reference.paper == FERNS
    assert [passage.text for passage in reference.passages] == [FERNS.abstract]
    assert answer.text == "The survey lists ferns. [1] They grow."


@pytest.mark.parametrize(
    "reply", ["None of the sources are helpful.", "The sources do not say how old ferns are."]
)
def test_no_help_is_a_refusal(opened: Opened, chat_server: ChatServer, reply: str) -> None:
    answer = ask(opened, chat_server, reply)
    assert (answer.status, answer.reason, answer.text) == ("insufficient_evidence", reply, "")

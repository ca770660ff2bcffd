"""The citation engine: numbered sources, and what a scripted chat model writes over them."""

from collections.abc import Callable

import pytest
from chat_server import ChatServer, says
from peer_papers import BRIDGES, MOSS, OWLS

from eval.peers.llamaindex_citation import ChatEndpoint, cited_claims
from eval.peers.peer import Peer
from eval.peers.quoting import Source
from index.passages import paper_text
from rag.citations import Span
from rag.schema import Answer, Mode

Opened = Callable[..., Peer]

SOURCES = [Source(paper, 1.0, f"Source:\n{paper_text(paper)}\n") for paper in (MOSS, BRIDGES)]
MOSS_SPAN = Span(MOSS, 0, len(MOSS.abstract))
BRIDGES_SPAN = Span(BRIDGES, 0, len(BRIDGES.abstract))


def ask(opened: Opened, chat_server: ChatServer, reply: str, mode: Mode = "auto") -> Answer:
    chat_server.script = [says(reply, usage=(120, 9))]
    endpoint = ChatEndpoint("scripted", chat_server.base_url)
    return opened("llamaindex-citation", llm=endpoint).ask("silent flight of owls", [], mode)


def test_a_marker_leads_to_the_whole_source(opened: Opened, chat_server: ChatServer) -> None:
    answer = ask(opened, chat_server, "Feathers make owls silent [1].")
    (request,) = chat_server.received
    assert "Source 1:\nWhy Owls Fly Silently." in request.text
    assert (answer.mode, answer.model, answer.status) == ("generative", "scripted", "answered")
    (reference,) = answer.references
    assert reference.paper == OWLS
    assert [passage.text for passage in reference.passages] == [OWLS.abstract]
    assert answer.text == "Feathers make owls silent. [1]"


def test_the_tokens_are_those_the_endpoint_counted(opened: Opened, chat_server: ChatServer) -> None:
    usage = ask(opened, chat_server, "Feathers [1].").usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (120, 9)


@pytest.mark.parametrize(
    "reply",
    ["None of the sources are helpful.", "The sources do not say how loud owls are."],
)
def test_saying_that_no_source_helps_is_a_refusal(
    opened: Opened, chat_server: ChatServer, reply: str
) -> None:
    answer = ask(opened, chat_server, reply)
    assert (answer.status, answer.reason, answer.text) == ("insufficient_evidence", reply, "")
    assert answer.nearest


def test_an_answer_that_only_forgets_to_cite_is_no_refusal(
    opened: Opened, chat_server: ChatServer
) -> None:
    answer = ask(opened, chat_server, "Owls have serrated feathers.")
    assert (answer.status, answer.references) == ("answered", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mosses are small [1].", [("Mosses are small.", (MOSS_SPAN,))]),
        ("Mosses are small. [1]", [("Mosses are small.", (MOSS_SPAN,))]),
        ("Both [1, 2].", [("Both.", (MOSS_SPAN, BRIDGES_SPAN))]),
        ("Both [2][1].", [("Both.", (BRIDGES_SPAN, MOSS_SPAN))]),
        ("Sway [2]. Grow [1].", [("Sway.", (BRIDGES_SPAN,)), ("Grow.", (MOSS_SPAN,))]),
        ("Beyond [7], below [0].", [("Beyond, below.", ())]),
        ("[1]", []),
        ("", []),
    ],
)
def test_markers_are_read_where_models_put_them(
    text: str, expected: list[tuple[str, tuple[Span, ...]]]
) -> None:
    assert [(claim.text, claim.spans) for claim in cited_claims(text, SOURCES)] == expected

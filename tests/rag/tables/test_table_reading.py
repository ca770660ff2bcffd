"""What a chat model may change of a table."""

import pytest
from chat_server import ChatServer, Received, Scripted, fails, says
from tabling import MakeTable, cells, is_verbatim

from rag.synthesis.writer import Writer
from rag.tables.cells import around
from rag.tables.columns import DEFAULT_COLUMNS, read_columns


def sentence(server: ChatServer, title: str, said: str) -> None:
    """Say this of the paper with this title and nothing of others."""

    def reply(request: Received) -> Scripted:
        return says(said if title in request.text else "1: none")

    server.script = reply


WHOLE, PART = "It has 420 flights recorded over 3 hills.", "420 flights recorded"


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ("1: 4 | 999 flights", WHOLE),
        ('**data**: Sentence 4 | "420 flights recorded"', PART),
        ("Column 1: [4] | 420 FLIGHTS RECORDED", PART),
        ("<think>1: none</think>\n```\n1: 4 | 420 flights recorded\n```", PART),
        ("| column | sentence | words |\n|---|---|---|\n| 1 | 4 | 420 flights recorded |", PART),
        ("data: [4] 420 flights recorded", PART),
        ("1: 4 | 420 flights", WHOLE),
        ("1: 6 | 61.5% of the landing spots", "61.5\\% of the landing spots"),
        ("1: 3 hills were flown over", WHOLE),
        ("1: 77 | 420 flights", WHOLE),
        ("data: Not mentioned.", None),
        ("| 1 | none |", None),
        ("1: none (not stated)", None),
    ],
)
def test_a_model_chooses_words_and_what_is_not_there_never_comes_into_a_cell(
    table: MakeTable, chat_server: ChatServer, writer: Writer, said: str, quoted: str | None
) -> None:
    sentence(chat_server, "GlideBench", said)
    made = table(columns=["data"], writer=writer)
    assert cells(made, "glide")["data"] == quoted
    assert cells(made, "string")["data"] is None, "the model says that it is not stated"
    assert (made.mode, made.model) == ("generative", "m")
    is_verbatim(made)


NEITHER = "Neither string kites nor box kites are used for training."
NEVER = (
    "Our tail never changes the wing of a kite, and in a strong wind from the sea or from the"
    " hills behind the village it keeps a kite up for 9 hours."
)


@pytest.mark.parametrize(
    ("text", "said", "quoted"),
    [
        (NEITHER, "string kites are used for training", NEITHER),
        (NEITHER, "box kites are used for training", NEITHER),
        (NEITHER, "string kites", NEITHER),
        (NEVER, "changes the wing of a kite", NEVER),
        (NEVER, "never changes the wing", "never changes the wing"),
    ],
)
def test_words_without_the_denial_in_their_clause_are_quoted_with_it(
    text: str, said: str, quoted: str
) -> None:
    assert text[slice(*around(text, said))] == quoted


def test_a_model_is_asked_once_a_paper_with_its_sentences_numbered_and_fenced(
    table: MakeTable, chat_server: ChatServer, writer: Writer
) -> None:
    chat_server.script = lambda request: says("1: 1\n2: none")
    table(columns=["data", "method"], writer=writer)
    assert len(chat_server.received) == 2
    asked = next(request.text for request in chat_server.received if "GlideBench" in request.text)
    assert "4: It has 420 flights recorded over 3 hills." in asked
    assert "1: data\n2: method" in asked
    assert asked.index("<abstract>") < asked.index("420 flights") < asked.index("</abstract>")


def test_a_row_that_a_model_fails_at_is_filled_without_it_and_that_is_said(
    table: MakeTable, chat_server: ChatServer, writer: Writer
) -> None:
    sentence(chat_server, "GlideBench", "I cannot help with that.")
    made = table(columns=["data"], writer=writer)
    assert cells(made, "glide")["data"] == "It has 420 flights recorded over 3 hills."
    assert made.mode == "generative"
    assert "1 of 2 papers were chosen without the chat model" in (made.notice or "")


def test_without_an_endpoint_all_is_quoted_without_it_and_that_is_said(
    table: MakeTable, chat_server: ChatServer, writer: Writer
) -> None:
    chat_server.script = lambda request: fails(401)
    made = table(writer=writer)
    assert made.columns == DEFAULT_COLUMNS
    assert made.mode == "extractive"
    assert made.model is None
    assert "refuses the key" in (made.notice or "")
    assert cells(made, "glide")["data"] == "It has 420 flights recorded over 3 hills."


def test_a_model_proposes_the_columns_where_none_are_named(
    table: MakeTable, chat_server: ChatServer, writer: Writer
) -> None:
    def reply(request: Received) -> Scripted:
        return says("- wind\n- landing spots" if "<titles>" in request.text else "1: none\n2: 6")

    chat_server.script = reply
    made = table(writer=writer)
    assert made.columns == ("wind", "landing spots")
    assert cells(made, "glide")["wind"] is None
    assert "landing spots" in (cells(made, "glide")["landing spots"] or "")
    assert made.notice is None


@pytest.mark.parametrize(
    "reply",
    [
        "1. method\n2) success rate",
        "Here are the columns:\n- **method**\n* success rate",
        "method, success rate",
        "Columns: method, success rate",
        '["method", "success rate"]',
        '```json\n["method", "success rate"]\n```',
        "title\nmethod\nMethod\nsuccess rate",
        "method: what is new\nsuccess rate: of the tasks",
    ],
)
def test_proposed_columns_are_read_however_they_are_listed(reply: str) -> None:
    assert read_columns(reply) == ("method", "success rate")

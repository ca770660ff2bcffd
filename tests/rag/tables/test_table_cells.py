"""Which quote stands in a cell, when none does, and what a chat model may change."""

import pytest
from chat_server import ChatServer, fails, says
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import Open, paper

from rag import Assistant
from rag.tables import Table
from rag.tables.columns import DEFAULT_COLUMNS
from rag.tables.compare import around, shorten

GLIDE_METHOD = "We introduce GlideBench, a benchmark for steering paper kites in strong wind"


def cells(made: Table, paper_id: str) -> dict[str, str | None]:
    (row,) = (row for row in made.rows if row.paper.id == paper_id)
    return {cell.column: cell.text for cell in row.cells}


def is_verbatim(made: Table) -> None:
    for row in made.rows:
        for cell in row.cells:
            if cell.text is not None:
                assert row.paper.abstract[cell.start : cell.end] == cell.text == cell.text.strip()
    assert Table.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("paper_id", "column", "quoted"),
    [
        ("glide", "method", GLIDE_METHOD),
        ("glide", "data", "It has 420 flights recorded over 3 hills."),
        ("glide", "result", "The best pilot reaches 61.5\\% of the landing spots"),
        ("glide", "code", "Our code is available at https://example.org/glide."),
        ("glide", "number of flights", "It has 420 flights recorded over 3 hills."),
        ("glide", "limitations", None),
        ("string", "limitations", "It still fails on kites without a tail."),
        ("string", "training data", "we train it on 80 hours of video of kite pilots."),
        ("string", "number of strings", None),
        ("sail", "number of flights", "In storms… and… in… fog it made 90 flights."),
    ],
)
def test_a_cell_quotes_the_clauses_that_state_its_column_or_nothing(
    kites: Assistant, paper_id: str, column: str, quoted: str | None
) -> None:
    made = kites.table("paper kites", [column], papers=[paper_id])
    found = cells(made, paper_id)[column]
    assert found is None if quoted is None else (found or "").startswith(quoted)
    is_verbatim(made)


_PIECES = (
    "We propose|KiteNet|, which|(a kite|)|$x_{i}$|\\emph{far}|;|and it|achieves 12\\% gains|."
    '|We evaluate on 3 datasets|``open"|while|its F1|\n|https://a.b|é|–|[|code is available|{'
).split("|")


@given(
    st.lists(
        st.lists(st.sampled_from(_PIECES), max_size=30).map(" ".join), min_size=20, max_size=25
    )
)
@settings(max_examples=3, deadline=None)
def test_every_cell_is_verbatim_at_its_span(open_papers: Open, abstracts: list[str]) -> None:
    papers = [paper(f"p{n}", f"Kites {n}", abstract) for n, abstract in enumerate(abstracts)]
    assistant = open_papers(papers)
    columns = [*DEFAULT_COLUMNS, "code", "kites", "number of datasets"]
    is_verbatim(assistant.table("kites", columns, papers=[each.id for each in papers]))


def test_a_clause_that_is_cut_ends_with_a_word() -> None:
    clause = "We fly paper kites over the hills all day long"
    text = f"{clause} ; at night we land them, which takes an hour and is done by two of us."
    start, end = shorten(text, 3, 6)
    assert text[start:end] == clause


WHOLE, PART = "It has 420 flights recorded over 3 hills.", "420 flights recorded"


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ("1: 4 | 999 flights", WHOLE),
        ('**data**: Sentence 4 | "420 flights recorded"', PART),
        ("<think>1: none</think>\n```\n1: 4 | 420 flights recorded\n```", PART),
        ("| column | sentence | words |\n|---|---|---|\n| 1 | 4 | 420 flights recorded |", PART),
        ("1: 6 | 61.5% of the landing spots", "61.5\\% of the landing spots"),
        ("1: 3 hills were flown over", WHOLE),
        ("1: 77 | 420 flights", WHOLE),
        ("data: Not mentioned.", None),
        ("1: none (not stated)", None),
        ("I cannot help with that.", WHOLE),
    ],
)
def test_a_model_chooses_words_and_what_is_not_there_never_comes_into_a_cell(
    writing: Assistant, chat_server: ChatServer, said: str, quoted: str | None
) -> None:
    chat_server.script = lambda asked: says(said if "GlideBench" in asked.text else "1: none")
    made = writing.table("paper kites", ["data"])
    assert cells(made, "glide")["data"] == quoted
    assert cells(made, "string")["data"] is None, "the model says that it is not stated"
    assert (made.mode, made.model) == ("generative", "m")
    is_without = "1 of 2 papers were chosen without the chat model" in (made.notice or "")
    assert is_without == (said in ("I cannot help with that.", "1: 3 hills were flown over"))
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
        (NEVER, "changes the wing of a kite", NEVER),
        (NEVER, "never changes the wing", "never changes the wing"),
    ],
)
def test_a_denial_is_quoted_with_the_words_it_is_of(text: str, said: str, quoted: str) -> None:
    assert text[slice(*around(text, said))] == quoted


def test_without_an_endpoint_all_is_quoted(writing: Assistant, chat_server: ChatServer) -> None:
    chat_server.script = lambda _: fails(401)
    made = writing.table("paper kites")
    assert (made.columns, made.mode, made.model) == (DEFAULT_COLUMNS, "extractive", None)
    assert "refuses the key" in (made.notice or "")
    assert cells(made, "glide")["data"] == WHOLE


@pytest.mark.parametrize(
    "reply",
    [
        "1. wind\n2) landing spots",
        "wind, landing spots",
        "Columns: wind, landing spots",
        '```json\n["wind", "landing spots"]\n```',
        "wind: how strong it is\nlanding spots: of the pilots",
    ],
)
def test_a_model_may_propose_the_columns_however_it_lists_them(
    writing: Assistant, chat_server: ChatServer, reply: str
) -> None:
    chat_server.script = lambda asked: says(reply if "<titles>" in asked.text else "1: none\n2: 6")
    made = writing.table("paper kites")
    assert (made.columns, made.notice) == (("wind", "landing spots"), None)
    assert cells(made, "glide")["wind"] is None
    assert "landing spots" in (cells(made, "glide")["landing spots"] or "")

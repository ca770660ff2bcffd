"""Which papers are the rows of a table, what is refused, and a table in the making."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from chat_server import ChatServer, says, slowly

from index.errors import InputError
from rag import Assistant
from rag.chat import StoppedError
from rag.schema import Filters, Progress
from rag.tables import Table
from rag.tables.columns import DEFAULT_COLUMNS

APRIL = Filters(since=date(2025, 4, 1))


@pytest.mark.parametrize(
    ("question", "options", "expected"),
    [
        ("paper kites", {}, {"glide", "string"}),
        ("Compare GlideBench and StringNet", {}, {"glide", "string"}),
        ("paper kites in the Mar 14 digest", {}, {"glide"}),
        ("papers in the Apr 22 digest", {}, {"string", "soil"}),
        ("paper kites", {"filters": APRIL}, {"string"}),
        ("paper kites", {"papers": ["Soil moisture of meadows", "glide"]}, {"soil", "glide"}),
        ("paper kites", {"papers": ["stringnet"], "limit": 1}, {"string"}),
    ],
)
def test_the_rows_are_the_papers_named_compared_or_on_the_subject_best_first(
    kites: Assistant, question: str, options: dict[str, Any], expected: set[str]
) -> None:
    made = kites.table(question, ["method"], **options)
    assert {row.paper.id for row in made.rows} == expected
    scores = [row.score for row in made.rows]
    if question == "paper kites" and "papers" not in options:
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("question", "filters", "reason"),
    [
        ("recipes for sourdough bread", Filters(), "None of the abstracts is about this."),
        ("papers in the May 2 digest", Filters(), "There is no digest of May 2"),
        ("paper kites", Filters(since=date(2026, 1, 1)), "No abstract is left after the filters"),
    ],
)
def test_a_table_without_rows_says_why(
    kites: Assistant, question: str, filters: Filters, reason: str
) -> None:
    made = kites.table(question, ["method"], filters=filters)
    assert made.rows == ()
    assert (made.reason or "").startswith(reason)


def test_what_is_cut_or_was_not_named_is_said(kites: Assistant) -> None:
    made = kites.table("paper kites", ["method"], limit=1)
    assert len(made.rows) == 1
    assert made.notice == "1 of 2 papers that fit are shown."
    made = kites.table("paper kites")
    assert made.columns == DEFAULT_COLUMNS
    assert made.notice == "No columns were named, so these are the usual ones."


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"papers": ["Soil of Medows"]}, "nearest titles are 'Soil Moisture of Meadows'"),
        ({"papers": [" "]}, "give a title or an id"),
        ({"papers": "glide"}, "such as ['glide']"),
        ({"papers": ["glide"], "filters": APRIL}, "does not pass the filters"),
        ({"columns": []}, "no column is named"),
        ({"columns": ["x"] * 13}, "13 columns are too many: give at most 12"),
        ({"columns": ["method", "Method"]}, "'Method' is repeated"),
        ({"columns": "method"}, "such as ['method']"),
        ({"limit": 0}, "limit must be at least 1"),
        ({"question": " "}, "question is empty"),
    ],
)
def test_what_cannot_be_used_is_refused(kites: Assistant, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as refused:
        kites.table(**{"question": "kites", "columns": ["method"], **asked})
    assert "\n" not in str(refused.value)


def test_the_last_event_is_the_table_that_comes_without_events(sample_assistant: Assistant) -> None:
    *told, made = sample_assistant.stream_table("GUI agents", ["method"], limit=2)
    assert all(isinstance(event, Progress) for event in told)
    assert isinstance(made, Table)
    assert made.rows == sample_assistant.table("GUI agents", ["method"], limit=2).rows
    events = sample_assistant.stream_table("GUI agents", ["a", "A"])
    with pytest.raises(InputError, match="is repeated"):
        list(events)
    assert list(events) == []


def test_closing_stops_what_makes_the_table(writing: Assistant, chat_server: ChatServer) -> None:
    chat_server.script = lambda _: slowly(says("1: none"))
    events = writing.stream_table("paper kites", ["data"])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, events)
        while not chat_server.received:
            time.sleep(0.01)
        events.close()
        assert isinstance(waiting.exception(timeout=10), StoppedError)
    assert chat_server.hung_up.wait(10)

"""A table in the making: its events, its mistakes, its stop."""

from collections.abc import Generator
from threading import Event

import pytest

from index.errors import InputError
from rag import Assistant
from rag.chat import StoppedError
from rag.schema import Progress
from rag.tables.table import Table, TableEvents


def test_the_last_event_is_the_table_that_comes_without_events(sample_assistant: Assistant) -> None:
    *told, made = sample_assistant.stream_table("GUI agents", ["method"], limit=2)
    assert all(isinstance(event, Progress) for event in told)
    assert [event.text for event in told if isinstance(event, Progress)][-1].startswith("Reading 2")
    assert isinstance(made, Table)
    assert made.rows == sample_assistant.table("GUI agents", ["method"], limit=2).rows


def test_a_mistake_is_raised_where_the_events_are_read(sample_assistant: Assistant) -> None:
    events = sample_assistant.stream_table("GUI agents", ["a", "A"])
    with pytest.raises(InputError, match="is there twice"):
        list(events)
    assert list(events) == []


def test_closing_stops_what_makes_the_table() -> None:
    stopped = Event()

    def make() -> Generator[Progress, None, Table]:
        yield Progress(stage="read", text="reading")
        assert stopped.wait(5)
        raise StoppedError

    events = TableEvents(make(), stopped.set)
    assert isinstance(next(events), Progress)
    events.close()
    with pytest.raises(StoppedError):
        next(events)

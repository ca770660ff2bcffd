"""The recipes of CONTRIBUTING.md, followed: what they name is there, and each step works."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from chat_server import ChatServer, streams

import index.readers
from eval import scoring
from index.embedding import SentenceEncoder
from index.readers import READERS, Reader, Upload, read
from index.readers.records import Raw
from rag import Assistant
from rag.settings import Settings
from rag.synthesis import prompts

REPOSITORY = Path(__file__).parent.parent
RECIPES = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Recipes")[2]


def test_what_the_recipes_name_is_there() -> None:
    for path in re.findall(r"`([\w./]+/[\w./]*|\w+\.md)`", RECIPES):
        assert (REPOSITORY / path).exists(), path
    named = re.findall(r"`(\w+)` (?:in|of) `([\w/]+)\.py`", RECIPES.replace("\n   ", " "))
    assert [name for name, _ in named] == ["READERS", "MEASURES", "question_values"]
    for name, path in named:
        module = path.removesuffix("/__init__").replace("/", ".")
        assert hasattr(import_module(module), name), name


def test_a_reader_that_is_added_is_chosen_and_its_papers_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read_owls(text: index.readers.Text, name: str) -> Iterator[Raw]:
        for number, line in enumerate(text.whole().splitlines()[1:], start=2):
            title, _, abstract = line.partition(" hoots ")
            yield Raw(number, {"title": title, "abstract": abstract})

    owls = Reader(
        "owls",
        "owls",
        ".owl",
        lambda head: float(head.startswith("OWLS 1.0")),
        lambda text, name, _: ("owls", read_owls(text, name)),
        ("owls",),
    )
    monkeypatch.setattr(index.readers, "READERS", (*READERS, owls))
    (paper,) = read([Upload("x.txt", b"OWLS 1.0\nOwls at Night hoots We count twelve owls.\n")])
    assert getattr(paper, "title", paper) == "Owls at Night"


def test_a_metric_that_is_added_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    from ir_measures import P

    monkeypatch.setitem(scoring.MEASURES, "P@2", P @ 2)
    found = scoring.query_metrics({"q": {"a": 1}}, {"q": {"b": 2.0, "a": 1.0}})
    assert found["q"]["P@2"] == 0.5


def test_a_prompt_that_is_changed_is_what_the_model_reads(
    monkeypatch: pytest.MonkeyPatch,
    sample_store: Path,
    encoder: SentenceEncoder,
    chat_server: ChatServer,
) -> None:
    monkeypatch.setattr(prompts, "_RULES", f"{prompts._RULES}\nWrite as owls do.")
    chat_server.script = lambda _: streams("OSWorld has 369 tasks [1.1].")
    settings = Settings(store=sample_store, openai_base_url=chat_server.base_url, chat_model="m")
    assistant = Assistant(sample_store, encoder, settings=settings)
    assistant.ask("How many tasks does OSWorld have?", mode="generative")
    assistant.close()
    assert any("Write as owls do." in request.text for request in chat_server.received)

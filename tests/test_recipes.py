"""The recipes of CONTRIBUTING.md name things that exist, and a reader added by them works."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import index.readers
from index.readers import READERS, Reader, Upload, read
from index.readers.records import Raw

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


def test_a_reader_that_is_added_is_chosen_and_reads(monkeypatch: pytest.MonkeyPatch) -> None:
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

"""README.md and its companions are right: commands, links, examples, recipes for a reader."""

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import index.readers
from index.readers import READERS, Reader, Upload, markdown_table, read
from index.readers.records import Raw
from rag import Assistant
from ui.cli import build_parser, main

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
DEPLOYMENT = (REPOSITORY / "docs/deployment.md").read_text(encoding="utf-8")
RECIPES = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Recipes")[2]
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *REPOSITORY.glob("docs/*.md")]


def blocks(text: str, language: str = "") -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for name, block in found if name == language]


def commands(text: str) -> Iterator[list[str]]:
    """The arguments of every `abstractqa …` in a block of commands or in code within a line."""
    command = r"^(?:.*[\s/])?abstractqa ((?:index|ask|search|table|papers|ui|eval|doctor)\b.*)"
    code = "\n".join(blocks(text))
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for line in [*code.splitlines(), *re.findall("`([^`]+)`", rest)]:
        if match := re.match(command, line):
            yield shlex.split(match[1], comments=True)


def options(parser: argparse.ArgumentParser) -> set[str]:
    """Every option of the command and its subcommands."""
    found: set[str] = set()
    for action in parser._actions:
        found |= set(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                found |= options(inner)
    return found


@pytest.mark.parametrize("arguments", [*commands(README), *commands(DEPLOYMENT)], ids=" ".join)
def test_every_command_shown_is_one_that_the_command_takes(arguments: list[str]) -> None:
    build_parser().parse_args(arguments)


def test_commands_of_every_kind_are_shown_and_every_option_named_is_one_of_them() -> None:
    shown = {arguments[0] for arguments in commands(README)}
    assert shown == {"index", "ask", "search", "table", "papers", "ui", "eval", "doctor"}
    code = re.findall("`([^`\n]+)`", README + DEPLOYMENT)
    named = {option for piece in code for option in re.findall(r"--[a-z-]+[a-z]", piece)}
    assert named
    assert named <= options(build_parser())


def test_the_image_starts_a_command_that_there_is() -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    (start,) = re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
    name, *arguments = json.loads(start)
    assert name == "abstractqa"
    build_parser().parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_every_target_is_one_of_make(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    used = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert used <= targets


def test_what_is_shown_is_what_the_sample_gives_and_the_python_runs(
    sample_store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ABSTRACTQA_STORE", str(sample_store))
    for command, shown in zip(("ask", "table"), blocks(README, "text"), strict=True):
        assert main(next(given for given in commands(README) if given[0] == command)) == 0
        assert capsys.readouterr().out.split() == shown.split()
    (code,) = blocks(README, "python")
    names: dict[str, object] = {}
    exec(code, names)
    assert names["answer"].references  # type: ignore[attr-defined]


def test_the_questions_suggested_are_answered_by_the_sample(sample_assistant: Assistant) -> None:
    suggested = re.findall(
        r"^- (a fact|a list|a comparison|an overview|the digests): (.*)", README, re.MULTILINE
    )
    asked = [question for _, line in suggested for question in re.findall(r"\*(.+?\?)\*", line)]
    assert len(asked) >= 4
    refused = [q for q in asked if sample_assistant.ask(q).status != "answered"]
    assert refused == []


def test_what_the_recipes_name_is_there() -> None:
    for path in re.findall(r"`([\w./]+/[\w./]*|\w+\.md)`", RECIPES):
        assert (REPOSITORY / path).exists(), path
    named = re.findall(r"`(\w+)` (?:in|of) `([\w/]+)\.py`", RECIPES.replace("\n   ", " "))
    assert [name for name, _ in named] == ["READERS", "MEASURES", "question_values"]
    for name, path in named:
        module = path.removesuffix("/__init__").replace("/", ".")
        assert hasattr(import_module(module), name), name


def test_every_reader_is_in_the_table_and_a_new_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert markdown_table() in README

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

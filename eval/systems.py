"""What is measured: a system that ranks papers for a question, and answers it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from eval.runs import public_name
from index.manifest import current, generation_folder, read_manifest
from index.papers import Paper
from rag.assistant import Assistant
from rag.conversation import History
from rag.schema import Answer, Mode

Found = tuple[str, float]
"""A paper's id and its score; higher is better, within one query."""


class System(Protocol):
    """A system under measurement, over papers it has indexed already."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    def search(self, query: str, limit: int) -> Sequence[Found]:
        """The papers nearest to a query, best first, each once, at most `limit`."""

    def ask(self, question: str, history: History, mode: Mode) -> Answer:
        """Its answer, in the schema of our own, so that one measure fits all."""


@dataclass(frozen=True)
class Subject:
    """A system with what a record says of it."""

    system: System
    papers: Sequence[Paper]
    """Every paper it has indexed."""
    configuration: Mapping[str, object] = field(default_factory=dict)
    """Whatever could change its answers: a run goes on only with the same."""
    store: Path | None = None
    """The index on disk, if it is one of ours."""


class Ours:
    """This product, as programmers use it."""

    def __init__(self, assistant: Assistant, name: str = "AbstractQA") -> None:
        self.name = name
        self._assistant = assistant

    def check_mode(self, mode: Mode) -> None:
        """Refuse a mode that cannot be had; see `Assistant.check_mode`."""
        self._assistant.check_mode(mode)

    def search(self, query: str, limit: int) -> list[Found]:
        """The papers nearest to a query; see `Assistant.search`."""
        return [(hit.paper.id, hit.score) for hit in self._assistant.search(query, limit=limit)]

    def ask(self, question: str, history: History, mode: Mode) -> Answer:
        """Answer from the abstracts; see `Assistant.ask`."""
        return self._assistant.ask(question, history=history, mode=mode)


def ours(assistant: Assistant, store: Path, name: str = "AbstractQA") -> Subject:
    """This product over the live index in `store`.

    The record names the index by the hash of what it holds, so the same papers indexed on two
    machines are the same.
    """
    generation = current(store) or ""
    manifest = read_manifest(generation_folder(store, generation), store)
    configuration = {
        "index": manifest.content,
        "papers": manifest.papers,
        "encoder": public_name(manifest.encoder),
        "weights": manifest.weights_hash,
        **({"writing": dict(writing)} if (writing := assistant.writing) else {}),
    }
    return Subject(Ours(assistant, name), assistant.papers(), configuration, store)

"""What is measured: a system that ranks papers for a question, and answers it."""

from collections.abc import Sequence
from typing import Protocol

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


class Ours:
    """This product, as programmers use it."""

    def __init__(self, assistant: Assistant, name: str = "AbstractQA") -> None:
        self.assistant = assistant
        self.name = name

    def search(self, query: str, limit: int) -> list[Found]:
        """The papers nearest to a query; see `Assistant.search`."""
        return [(hit.paper.id, hit.score) for hit in self.assistant.search(query, limit=limit)]

    def ask(self, question: str, history: History, mode: Mode) -> Answer:
        """Answer from the abstracts; see `Assistant.ask`."""
        return self.assistant.ask(question, history=history, mode=mode)

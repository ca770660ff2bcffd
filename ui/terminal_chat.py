"""A conversation in the terminal: ask, follow up, show the sources, export to a file."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import AbstractQAError, InputError
from ui.archive import Conversation, Turn, history
from ui.terminal import answer_text, as_text, note, paper_text, say, shown_while

if TYPE_CHECKING:
    from rag import Assistant, Filters
    from rag.schema import Mode

PROMPT = "\n? "
HELP = """Ask a question; a follow-up may say "it", "the second paper" or "[2]".
  /sources      show the sentences that the last answer cites, and their papers
  /export FILE  write the conversation to FILE: .md, .html, .json, .bib, .ris or .csv
  /new          begin a new conversation
  /help         show this list
  /quit         leave (or press Ctrl-D)"""


class TerminalChat:
    """One conversation after another, from a prompt or from the lines of standard input."""

    def __init__(self, assistant: "Assistant", filters: "Filters", mode: "Mode") -> None:
        """Begin without a turn; these filters and this mode apply to every question."""
        self._assistant = assistant
        self._filters = filters
        self._mode = mode
        self._turns: list[Turn] = []
        self._commands: dict[str, Callable[[str], None]] = {
            "/sources": self._show_sources,
            "/export": self._export,
            "/new": self._begin,
            "/help": lambda _: say(HELP),
        }

    def run(self) -> None:
        """Read lines until the end or /quit; print a problem with one, and read the next."""
        shows_prompt = sys.stdin.isatty()
        if shows_prompt:
            import readline  # noqa: F401 - gives `input` line editing and a history

            note("Ask about the papers of this index; /help lists the commands.")
        while True:
            try:
                line = input(PROMPT if shows_prompt else "").strip()
            except EOFError:
                return
            command, _, rest = line.partition(" ")
            if command == "/quit":
                return
            try:
                if line.startswith("/"):
                    if command not in self._commands:
                        raise InputError(f"there is no {command}; /help lists the commands")
                    self._commands[command](rest.strip())
                elif line:
                    self._ask(as_text(line, "question"))
            except AbstractQAError as error:
                note(str(error))

    def _ask(self, question: str) -> None:
        events = self._assistant.stream(question, history(self._turns), self._filters, self._mode)
        answer = shown_while(events)
        self._turns.append(Turn(question=question, filters=self._filters, answer=answer))
        say(answer_text(answer))

    def _show_sources(self, _: str) -> None:
        answer = self._turns[-1].answer if self._turns else None
        if answer is None or not answer.references:
            raise InputError("the last answer cites no sentence: ask a question first")
        for reference in answer.references:
            say(paper_text(f"[{reference.number}]", reference.paper, reference.passages))

    def _export(self, name: str) -> None:
        from ui.export import FORMATS, export

        if not self._turns:
            raise InputError("there is nothing to export yet: ask a question first")
        path = Path(name)
        kinds = {form.ending: kind for kind, form in FORMATS.items()}
        kind = kinds.get(path.suffix.casefold().removeprefix("."))
        if kind is None:
            endings = ", ".join(f".{ending}" for ending in kinds)
            raise InputError(f"/export needs the name of a file that ends in one of {endings}")
        first, last = self._turns[0], self._turns[-1]
        conversation = Conversation(
            id=first.id,
            title=first.question,
            created=first.asked,
            updated=last.asked,
            turns=tuple(self._turns),
        )
        try:
            path.write_text(export(conversation, kind).text, encoding="utf-8", newline="")
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from error
        note(f"written to {path}")

    def _begin(self, _: str) -> None:
        self._turns = []
        note("A new conversation.")

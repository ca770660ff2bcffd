"""Terminal input and output: results go to stdout, messages and progress to stderr.

`Chat` is a conversation there: ask, follow up, show the sources, export to a file.
"""

import logging
import re
import shutil
import sys
import textwrap
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from index.errors import AbstractQAError, InputError
from index.text import clean_text

if TYPE_CHECKING:
    from index.build import Stage
    from index.papers import Paper
    from rag import Assistant, Filters
    from rag.schema import Answer, Event, Hit, Mode, Passage
    from ui.archive import Turn

_NO_BREAK = "\u00a0"
# An abstract could carry escape sequences that repaint the terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NO_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DOING = {
    "read": ("Reading", "papers"),
    "words": ("Indexing", "papers"),
    "embed": ("Encoding", "texts"),
    "chroma": ("Writing to Chroma", "records"),
    "map": ("Mapping", "papers"),
}
_HELP = """Ask a question; a follow-up may say "it", "the second paper" or "[2]".
  /sources      show the sentences that the last answer cites, and their papers
  /export FILE  write the conversation to FILE: .md, .html, .json, .bib, .ris or .csv
  /new          begin a new conversation
  /help         show this list
  /quit         leave (or press Ctrl-D)"""


def say(text: str) -> None:
    """Print a result on stdout."""
    sys.stdout.write(text + "\n")


def say_result(arguments: Namespace, document: object, text: str) -> None:
    """Print a result on stdout: one JSON document with `--json`, otherwise `text`, if any."""
    if arguments.json:
        from pydantic_core import to_json

        say(to_json(document).decode())
    elif text:
        say(text)


def note(text: str) -> None:
    """Print a message for people on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class LogLines(logging.Formatter):
    """A formatter of bounded log lines, in which nothing that a client sent begins a new line."""

    longest_line, longest_trace = 500, 4_000

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and below it the end of the trace, if there is one."""
        line = f"{record.name}: {record.getMessage()[: self.longest_line]}"
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        shown = _NO_LINE.sub(lambda sign: ascii(sign[0])[1:-1], line)
        return f"{shown}\n{_CONTROL.sub('', trace[-self.longest_trace :])}" if trace else shown


def log_in_lines() -> None:
    """Log warnings and errors to stderr, in lines that a client cannot forge."""
    handler = logging.StreamHandler()
    handler.setFormatter(LogLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


def _width() -> int:
    # Longer lines are hard to read.
    return max(min(shutil.get_terminal_size().columns, 100), 20)


def wrap(text: str, indent: str = "", hanging: str | None = None) -> str:
    """Wrap each line at the terminal's width, but not at no-break spaces; drop control signs."""
    lines = []
    for line in text.split("\n"):
        rest = hanging if hanging is not None else indent + "  " * line.startswith("- ")
        filler = textwrap.TextWrapper(_width(), indent, rest, break_on_hyphens=False)
        lines.append(filler.fill(re.sub("[ \t]+", " ", _CONTROL.sub("", line)).strip()))
    return "\n".join(lines).replace(_NO_BREAK, " ")


def paper_text(number: str, paper: "Paper", passages: "Iterable[Passage]" = ()) -> str:
    """Return a paper's number, title and digests, with the passages quoted below."""
    from rag.digests import label

    places = (f"{label(s.name, s.date, s.dated)}, number {s.position}" for s in paper.sources)
    found = "; ".join(place.replace(" ", _NO_BREAK) for place in places)
    where = f" ({found})" if found else ""
    quotes = (f"“{clean_text(passage.text)}”" for passage in passages)
    head = wrap(f"{number} {paper.display_title}{where}", "", "    ")
    return "\n".join([head, *(wrap(quote, "    ", "     ") for quote in quotes)])


def answer_text(answer: "Answer") -> str:
    """Return an answer for people: its text, and its sources, with quotes that are not in it."""
    from rag.citations import unescape

    def listed(heading: str, lines: Sequence[str]) -> str:
        shown = (wrap(f"- {line}", "  ", "    ") for line in lines)
        return "\n".join([heading, *shown]) if lines else ""

    text = unescape(answer.text)
    notice = wrap(answer.notice) if answer.notice else ""
    if answer.status == "insufficient_evidence":
        nearest = [clean_text(near.title) for near in answer.nearest]
        asks = answer.suggestions
        others = listed("Ask instead:", asks) or listed("The nearest papers:", nearest)
        return "\n\n".join(filter(None, [wrap(text), notice, others]))
    sources = []
    for reference in answer.references:
        new = [each for each in reference.passages if clean_text(each.text) not in text]
        sources.append(paper_text(f"[{reference.number}]", reference.paper, new))
    doubts = listed("Not fully supported by the abstracts:", answer.doubts)
    return "\n\n".join(filter(None, [notice, wrap(text), doubts, "\n".join(sources)]))


@contextmanager
def shown_meanwhile(text: str) -> Iterator[Callable[[str], None]]:
    """Show `text` during the block, if stderr is a terminal; yield a function to replace it."""
    from tqdm import tqdm

    # disable=None: no line unless stderr is a terminal.
    with tqdm(desc=text, bar_format="{desc} …", leave=False, disable=None) as line:

        def show(now: str) -> None:
            plain = _CONTROL.sub("", now)
            line.set_description_str(textwrap.shorten(plain, _width() - 2, placeholder="…"))

        yield show


def as_text(text: str, name: str) -> str:
    """Return `text`; raise an `InputError` if it came from bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"the {name} is not valid UTF-8 text") from error
    return text


def parse_filters(given: "Mapping[str, Any]", *names: str) -> "Filters":
    """Build filters from texts; the fields or options of the two dates have these `names`.

    Raise an `InputError` for a date unlike 2025-03-14, or if the first is after the second.
    """
    from rag.schema import Filters

    days: list[date | None] = []
    for text, name in zip((given["since"], given["until"]), names, strict=True):
        try:
            days.append(None if text is None else date.fromisoformat(text))
        except ValueError as error:
            raise InputError(f"{name} {text!r} is not a date; write it as 2025-03-14") from error
    first, last = days
    if first and last and first > last:
        raise InputError(f"{names[0]} {first} is after {names[1]} {last}: change one of them")
    lists = {name: tuple(given.get(name) or ()) for name in ("digests", "papers")}
    return Filters(since=first, until=last, title=given.get("title") or None, **lists)


def shown_while(events: "Iterable[Event]") -> "Answer":
    """Show the progress of an answer until it comes, and return it."""
    from rag.schema import Finished, Progress

    with shown_meanwhile("Looking for papers") as show:
        for event in events:
            if isinstance(event, Progress):
                show(event.text)
            elif isinstance(event, Finished):
                return event.answer
    raise AssertionError("a stream ends with its answer")


def hits_text(hits: "Sequence[Hit]") -> str:
    """Return the papers found, best first, each with the passage that matches best."""
    found = (
        paper_text(f"{rank}.", hit.paper, hit.passages[:1])
        for rank, hit in enumerate(hits, start=1)
    )
    return "\n".join(found) or "No paper matches."


@contextmanager
def shown_progress() -> "Iterator[Callable[[Stage, int, int], None]]":
    """Yield a function that shows the progress of indexing: a bar, if stderr is a terminal."""
    from tqdm import tqdm

    shown: dict[Stage, tqdm[Never]] = {}  # the bar of this stage
    with ExitStack() as bars:

        def show(stage: "Stage", done: int, total: int) -> None:
            if stage not in shown:
                bars.close()
                shown.clear()
                doing, unit = _DOING[stage]
                # disable=None: no bar unless stderr is a terminal.
                bar = tqdm(desc=doing, unit=f" {unit}", disable=None, dynamic_ncols=True)
                shown[stage] = bars.enter_context(bar)
            shown[stage].total = total or None  # 0 while it is unknown
            shown[stage].update(done - shown[stage].n)

        yield show


class Chat:
    """One conversation after another, from a prompt or from the lines of standard input."""

    def __init__(self, assistant: "Assistant", filters: "Filters", mode: "Mode") -> None:
        self._assistant, self._filters, self._mode = assistant, filters, mode
        self._turns: list[Turn] = []

    def run(self) -> None:
        """Read lines until the end or /quit; print a problem with one, and read the next."""
        shows_prompt = sys.stdin.isatty()
        if shows_prompt:
            import readline  # noqa: F401 - gives `input` line editing and a history

            note("Ask about the papers of this index; /help lists the commands.")
        while True:
            try:
                line = input("\n? " if shows_prompt else "").strip()
            except EOFError:
                return
            command, _, rest = line.partition(" ")
            if command == "/quit":
                return
            try:
                if line.startswith("/"):
                    self._obey(command, rest.strip())
                elif line:
                    self._ask(as_text(line, "question"))
            except AbstractQAError as error:
                note(str(error))

    def _obey(self, command: str, name: str) -> None:
        match command:
            case "/sources":
                self._show_sources()
            case "/export":
                self._export(name)
            case "/new":
                self._turns = []
                note("A new conversation.")
            case "/help":
                say(_HELP)
            case _:
                raise InputError(f"there is no {command}; /help lists the commands")

    def _ask(self, question: str) -> None:
        from ui.archive import Turn, history

        messages = history(self._turns)
        events = self._assistant.stream(question, messages, self._filters, self._mode)
        answer = shown_while(events)
        self._turns.append(Turn(question=question, filters=self._filters, answer=answer))
        say(answer_text(answer))

    def _show_sources(self) -> None:
        answer = self._turns[-1].answer if self._turns else None
        if answer is None or not answer.references:
            raise InputError("the last answer cites no sentence: ask a question first")
        for reference in answer.references:
            say(paper_text(f"[{reference.number}]", reference.paper, reference.passages))

    def _export(self, name: str) -> None:
        from ui.archive import Conversation
        from ui.export import FORMATS, export

        if not self._turns:
            raise InputError("there is nothing to export yet: ask a question first")
        path = Path(name)
        kinds = {f".{form.ending}": kind for kind, form in FORMATS.items()}
        kind = kinds.get(path.suffix.casefold())
        if kind is None:
            endings = ", ".join(kinds)
            raise InputError(f"/export needs the name of a file that ends in one of {endings}")
        first, last = self._turns[0], self._turns[-1]
        known = {"id": first.id, "title": first.question, "turns": tuple(self._turns)}
        talk = Conversation(created=first.asked, updated=last.asked, **known)
        try:
            path.write_text(export(talk, kind).text, encoding="utf-8", newline="")
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from error
        note(f"written to {path}")

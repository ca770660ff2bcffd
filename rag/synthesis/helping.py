"""Have a chat model help before it writes: rewrite a follow-up, and find papers itself.

Papers are found by calls of tools (as in "ReAct", Yao et al. 2023) or, if the endpoint has none, by
a plan of sub-questions, which are searched (as in "Self-Ask", Press et al. 2023).
"""

import json
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import InputError
from index.lexical import tokenize
from index.store import Index
from index.text import clean_text
from rag.chat import Asking, Call, ChatError, Complete, Message, ReplyError, numbered_lines
from rag.conversation import BY_NUMBER, Turn
from rag.digests import allowed
from rag.query import Query
from rag.retrieval import Probe, nearest_to, passage_rows, rank
from rag.schema import MARKER, Filters, Progress
from rag.support import same_words
from rag.support.numbers import missing_names, missing_numbers
from rag.synthesis.prompts import CONDENSE, LOOK, PLAN, as_data, data, described, request

_MOST_CALLS = 4
"""The most tool calls that are run in one round, and the most sub-questions of a plan."""
_FOUND = 5
"""Papers that one search shows; the first two of them are always chosen to be read."""


def _tool(name: str, description: str, **properties: Mapping[str, Any]) -> dict[str, Any]:
    needed = [each for each in properties if each != "filters"]
    parameters = {"type": "object", "properties": properties, "required": needed}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


_NUMBER = {"type": "integer", "description": "The number of a paper, as [3] stands for 3."}
_FILTERS = Filters.model_json_schema()
TOOLS = [
    _tool("search", "Find papers by what they say.", query={"type": "string"}, filters=_FILTERS),
    _tool("read", "Read the abstract of a paper.", paper=_NUMBER),
    _tool("similar", "Find the papers nearest to one.", paper=_NUMBER),
    _tool("papers", "List the papers that pass filters.", filters=_FILTERS),
]
_STEPS = {
    "search": "Searching", "read": "Reading an abstract",
    "similar": "Looking for similar papers", "papers": "Listing papers",
}  # fmt: skip
"""What users see of a call."""


@dataclass(eq=False)
class Looking:
    """A model's search for papers for one question, and the rows of those it found so far."""

    index: Index
    query: Query
    asking: Asking
    shown: list[int]
    """The papers that the model was shown, in the order of their numbers, from 1."""
    chosen: list[int] = field(default_factory=list)
    """The papers that it read, or that came first in its searches."""

    def look(self, rounds: int) -> Generator[Progress, None, None]:
        """Let the model call tools in at most so many rounds; raises ChatError if it fails."""
        question = data("question", self.query.standalone)
        messages = request(LOOK, data("papers", self._lines(self.shown)), question)
        refused = self.asking.model.refused
        for _ in range(0 if "tools" in refused else rounds):
            try:
                with self.asking.stream(messages, max_tokens=400, tools=TOOLS) as stream:
                    reply = stream.reply
            except ReplyError:
                return  # it writes from the papers found so far
            calls = reply.calls[:_MOST_CALLS]
            if not calls:
                break
            messages.append(_turn(reply.text, calls))
            for call in calls:
                yield Progress(stage="search", text=_STEPS.get(call.name, "Looking further"))
                result = self._run_call(call)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        if "tools" in refused:
            yield from self._search_by_plan(question)

    def _search_by_plan(self, question: str) -> Generator[Progress, None, None]:
        try:
            reply = self.asking.complete(request(PLAN, question), max_tokens=400)
        except ReplyError:
            return
        for _, part in numbered_lines(reply)[:_MOST_CALLS]:
            yield Progress(stage="search", text=f"Searching for “{part}”")
            self._search(part, self.query.allowed)

    def _run_call(self, call: Call) -> str:
        """Run a call and return its result as text for the model; its errors become text, too."""
        try:
            given = json.loads(call.arguments or "{}")
            filters = Filters.read(given.get("filters"))
            mask = self.query.allowed & allowed(self.index.papers, filters)
            if call.name == "search":
                rows = self._search(given["query"], mask)
            elif call.name == "papers":
                rows = np.flatnonzero(mask).tolist()
            elif call.name in ("read", "similar"):
                number = given["paper"]
                if not str(number).isdecimal() or not 1 <= int(number) <= len(self.shown):
                    raise InputError(f"there is no paper {number!s:.20}")
                row = self.shown[int(number) - 1]
                if call.name == "read":
                    self.chosen.append(row)
                    texts = (self.index.passages[at].text for at in passage_rows(self.index, row))
                    return as_data(" ".join(texts))
                vector = self.index.paper_vectors[row]
                rows = [near for near, _ in nearest_to(self.index, vector, mask, [row])[:_FOUND]]
            else:
                return f"There is no tool {call.name!r}."
        except KeyError as error:
            return f"The argument {error} is missing."
        except (AttributeError, InputError, RecursionError, TypeError, ValueError) as error:
            return f"The arguments cannot be used: {error}."
        more = f"… {len(rows)} in all" if len(rows) > 30 else ""
        return "\n".join(filter(None, (*self._lines(rows[:30]), more))) or "There is none."

    def _search(self, text: object, mask: NDArray[np.bool_]) -> list[int]:
        """Search for a text: return the rows of the first papers, and choose the best of them."""
        if not isinstance(text, str) or not text.strip():
            raise InputError("the query must be a non-empty text")
        probe = Probe.of(text[:500], self.index, self.query.encoder)
        rows: list[int] = rank(self.index, probe, mask).rows[:_FOUND].tolist()
        self.chosen += rows[:2]
        return rows

    def _lines(self, rows: Sequence[int]) -> list[str]:
        """Describe papers, each with its number; a paper not shown before gets the next number."""
        self.shown += [row for row in rows if row not in self.shown]
        papers = self.index.papers
        return [f"[{self.shown.index(row) + 1}] {described(papers[row])}" for row in rows]


def _turn(text: str, calls: Sequence[Call]) -> Message:
    """Repeat the model's turn as the protocol wants: arguments that are no object become one."""
    made: list[Mapping[str, Any]] = []
    for call in calls:
        arguments = "{}"
        with suppress(ValueError, RecursionError):
            if isinstance(json.loads(call.arguments), dict):
                arguments = call.arguments
        function = {"name": call.name, "arguments": arguments}
        made.append({"id": call.id, "type": "function", "function": function})
    return {"role": "assistant", "content": text, "tool_calls": made}


_REFERRING = frozenset(tokenize("paper study work method model one other first second last also"))
"""Words that may refer to an earlier turn."""


def condense(
    question: str, turns: Sequence[Turn], references: Sequence[str], complete: Complete
) -> str | None:
    """Have the model rewrite a follow-up as a standalone question; None if its reply is unusable.

    A usable rewrite is one question, not much longer, that keeps half of the words, adds no name or
    number, and does not only repeat a pronoun. `references` are the titles of the papers that
    earlier turns cite, number 1 first: they replace numbers in brackets.
    """
    last = [turn for turn in turns if turn.role != "system"][-6:]
    titles = {str(number): clean_text(title) for number, title in enumerate(references, 1)}
    messages = request(
        CONDENSE,
        data("conversation", (f"{turn.role}: {turn.text[:600]}" for turn in last)),
        data("papers", (f"[{number}] {title}" for number, title in titles.items())),
        data("question", question),
        "The question, understood without the conversation:",
    )
    try:
        lines = map(_without_label, complete(messages).splitlines())
    except ChatError:
        return None  # the caller's rules make it stand alone instead
    line = next(filter(None, lines), "")
    if not titles.keys() >= {*MARKER.findall(line)}:
        return None
    found = MARKER.sub(lambda marker: titles[marker[1]], line)
    context = "\n".join([question, *(turn.text for turn in last), *titles.values()])
    return found if _can_replace(found, question, context) else None


def _without_label(line: str) -> str:
    """Remove what a model puts around its question: "Standalone question: …", quotes, fences."""
    bare = re.sub(r"^[^:]*\b(?:question|query)\W*:|^\s*```.*", "", line, flags=re.IGNORECASE)
    return " ".join(bare.split()).strip(" \t\"'“”‘’`*_")


def _can_replace(found: str, question: str, context: str) -> bool:
    if re.search(r"(?i)\b(?:its?|they|them|their)\b", question) and same_words(found, [question]):
        return False
    asks = found.endswith("?") or not question.rstrip().endswith("?")
    is_short = len(found) <= 3 * len(question) + 300
    is_one = found.count("?") <= max(1, question.count("?")) and "? " not in found
    words, content = set(tokenize(found)), set(tokenize(BY_NUMBER.sub(" ", question))) - _REFERRING
    keeps = 2 * len(content & words) >= len(content)
    known = clean_text(context)
    shares = not words.isdisjoint(tokenize(known))
    foreign = (*missing_names(found, [known]), *missing_numbers(found, [known]))
    return asks and is_short and is_one and keeps and shares and not foreign

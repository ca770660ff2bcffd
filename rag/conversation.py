"""Resolve follow-up questions ("it", "and on phones?", "[2]?") by the earlier turns.

Fitted models decide whether a question depends on earlier turns (`rag.wording`, `measure`), since
"so", "and" and "it" open new topics as well. A follow-up is about the papers of the last answer.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from index.encoder import Encoder
from index.errors import InputError
from index.lexical import tokenize
from index.store import Index
from index.text import INVISIBLE, clean_text
from rag.digests import Digest
from rag.fitted import Columns, Linear
from rag.retrieval import Probe, covered, paper_tokens, passage_rows, rank
from rag.scope import read_scope
from rag.wording import LISTS, Kind, Wording

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage

BY_NUMBER = re.compile(
    r"\[(?P<marker>\d{1,2})\]"
    r"|\b(?:the\s+)?(?:papers?|numbers?|no\.|nr\.?|references?|refs?\.?|sources?|citations?)\s*"
    r"[#(\[]?(?P<number>\d{1,2})(?P<more>(?:\s*(?:,|and|&|or)\s*\d{1,2}(?![\w%.]\w|\w|%))*)[)\]]?"
    r"(?![\w%]|\.\d|-\w|\s+(?:of|in|from|on)\b[^?.]*\bdigests?\b)",
    re.IGNORECASE,
)
"""References to cited papers by their numbers, in a question: "[2]", "papers 1 and 3"."""
_ORDINAL = re.compile(
    r"\b(?:the|and|or) (?:(?P<digits>\d{1,2})(?:st|nd|rd|th)"
    r"|(?P<which>first|second|third|fourth|fifth|last))(?: (?:one|paper|source)\b|(?=\W*$))",
    re.IGNORECASE,
)
_ORDINAL_WORDS = ("last", "first", "second", "third", "fourth", "fifth")
_SEVERAL = re.compile(r"\b(?:each|both|them|these|those|papers)\b", re.IGNORECASE)
# Words that refer to a paper mentioned before, so that the question itself is complete.
POINTS = re.compile(r"\b(?:it|its|they|them|their|this|that|these|those)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Turn:
    """One message of a conversation."""

    role: str
    text: str
    references: tuple[str, ...] = ()
    """Ids or titles of the papers that an answer cites, number 1 first; () if not given."""


History = Sequence["Mapping[str, object] | ChatMessage"]


def read_history(history: History | None) -> tuple[Turn, ...]:
    """Read the turns of a conversation, oldest first, from dictionaries or LlamaIndex messages.

    A dictionary may have `references`: ids or titles of the papers that the answer cites. Raises
    InputError if a turn has no known role or no text, or its references are not texts.
    """
    turns: list[Turn] = []
    for number, message in enumerate(history or (), 1):
        fields = ("role", "content", "references")
        given = message if isinstance(message, Mapping) else None
        role, content, cited = (
            getattr(message, name, None) if given is None else given.get(name) for name in fields
        )
        role = getattr(role, "value", role)
        cited = cited if given and cited else ()
        if (
            not isinstance(role, str)
            or role not in ("user", "assistant", "system")
            or not isinstance(content, str)
        ):
            raise InputError(
                f"history item {number} needs a role (user or assistant) and text content"
            )
        if (
            isinstance(cited, str)
            or not isinstance(cited, Sequence)
            or not all(isinstance(each, str) for each in cited)
        ):
            raise InputError(f"history item {number}: references must be ids or titles, in a list")
        turns.append(Turn(role, plain(content)[:20_000], tuple(cited)))
    return tuple(turns)


def plain(text: str) -> str:
    """Return a text in one line, without unprintable characters; invisible ones split no word."""
    seen = INVISIBLE.sub("", text)
    return " ".join("".join(c if c.isprintable() else " " for c in seen).split())


@dataclass(frozen=True)
class Standalone:
    """A question that needs no earlier turn."""

    asked: str
    """The question, if necessary completed by or replaced with an earlier one."""
    about: tuple[int, ...] = ()
    """Rows of the papers from earlier turns that it is about."""
    missing: int | None = None
    """The source number that the question refers to, if no earlier answer has it."""

    def text(self, index: Index) -> str:
        """Return the whole question: `asked`, then the titles of the papers in `about`."""
        titles = "; ".join(clean_text(index.papers[row].title) for row in self.about)
        return f"{self.asked} ({titles})" if titles else self.asked


def stand_alone(
    question: str,
    turns: Sequence[Turn],
    index: Index,
    encoder: Encoder,
    digests: Sequence[Digest],
    wording: Wording,
    model: Linear,
) -> Standalone:
    """Return the question completed by what it refers to in earlier `turns`, oldest first.

    A number refers to a cited paper. A follow-up that only names a paper ("sorry, I meant
    OSWorld"), a digest or a date repeats the previous question for that. Any other, by `model`,
    is about the papers of the last answer; a fragment is appended to the previous question.
    """
    before = [turn.text for turn in turns if turn.role == "user"]
    if not before:
        return Standalone(question)
    if numbers := places(question):
        return _by_number(question, numbers, papers_before(turns, index, max(numbers)))
    scope = read_scope(question, digests)
    leans, points = wording.leans > 0.5, bool(POINTS.search(question))
    if leans and not points and not scope.is_empty and not tokenize(scope.text):
        return Standalone(f"{read_scope(before[-1], digests).text.rstrip(' ?')} {question}")
    names = index.names.read(question)
    named = {token for name in names for token in tokenize(name.text)}
    is_short = len({*tokenize(question)} - named) < 3
    rows = papers_before(turns, index)
    if any(name.own for name in names):
        if points and (leans or wording.kind is Kind.COMPARE):
            return Standalone(question, tuple(rows[:1]))
        return _renamed(question, before[-1], index) if leans and is_short else Standalone(question)
    rows = rows or _nearest_paper(turns, index, encoder)
    is_of_all = not leans and wording.kind in {*LISTS, Kind.CATALOGUE, Kind.CHAT}
    is_new = not rows or (is_of_all and (wording.kind is Kind.OVERVIEW or not points))
    if is_new or model.score(measure(question, rows, index, encoder, wording))[0] <= 0:
        return Standalone(question)
    several = wording.kind is Kind.COMPARE or bool(_SEVERAL.search(question))
    asked = f"{before[-1].rstrip(' ?')}: {question}" if is_short and not points else question
    return Standalone(asked, tuple(rows[:3] if several else rows[:1]))


def _nearest_paper(turns: Sequence[Turn], index: Index, encoder: Encoder) -> list[int]:
    """Return the row of the paper nearest to the last question and its answer, as a list."""
    last = next(at for at in range(len(turns) - 1, -1, -1) if turns[at].role == "user")
    exchange = " ".join(turn.text for turn in turns[last:])[-2000:]
    ranking = rank(index, Probe.of(exchange, index, encoder, mended=False))
    return [int(row) for row in ranking.rows[:1]]


def measure(
    question: str, rows: Sequence[int], index: Index, encoder: Encoder, wording: Wording
) -> Columns:
    """Return the features that tell whether a question is about earlier papers."""
    probe = Probe.of(question, index, encoder, mended=False)
    ranking = rank(index, probe)
    first, before = int(ranking.rows[0]), rows[0]
    weights = {token: index.lexical.idf(token) for token in probe.tokens}
    spread = float(ranking.scores.std()) or 1.0
    second = float(ranking.scores[ranking.rows[min(1, len(ranking.rows) - 1)]])

    def nearest(row: int) -> float:
        at = passage_rows(index, row)
        return float(ranking.passages[at.start : at.stop].max()) if at else 0.0

    leans = float(np.clip(wording.leans, 1e-3, 1 - 1e-3))
    return {
        "leans by its wording": np.log(leans / (1 - leans)),
        "words": np.log1p(len(probe.tokens)),
        "first paper ahead": (float(ranking.scores[first]) - second) / spread,
        "words in the first paper": covered(weights, paper_tokens(index, first)),
        "words in the paper before": covered(weights, paper_tokens(index, before)),
        "nearest sentence of the first paper": nearest(first),
        "nearest sentence of the paper before": nearest(before),
        "the paper before is the first": first == before,
    }


def _by_number(question: str, numbers: Sequence[int], cited: Sequence[int]) -> Standalone:
    missing = [place for place in numbers if place > len(cited)]
    if missing or not cited:
        return Standalone(question, (), (missing or [numbers[0]])[0])
    text = BY_NUMBER.sub(lambda at: "the papers" if at["more"] else "the paper", question)
    text = _ORDINAL.sub("the paper", text)
    asked = text if tokenize(text) else "What is the paper about?"
    return Standalone(asked, tuple(dict.fromkeys(cited[place - 1] for place in numbers)))


def _renamed(question: str, before: str, index: Index) -> Standalone:
    """Return the previous question with its paper replaced; the question if that named none."""
    new = next(name for name in index.names.read(question) if name.own)
    old = next((name for name in index.names.read(before) if name.own), None)
    if old is None:
        return Standalone(question)
    return Standalone(before[: old.start] + new.text + before[old.end :])


def places(question: str) -> tuple[int, ...]:
    """Return the numbers by which a question refers to cited papers, from 1; 0 is the last one."""
    numbers = (re.findall(r"\d+", match[0]) for match in BY_NUMBER.finditer(question))
    ordinals = (
        int(match["digits"] or _ORDINAL_WORDS.index(match["which"].lower()))
        for match in _ORDINAL.finditer(question)
    )
    return (*(int(number) for each in numbers for number in each), *ordinals)


def papers_before(turns: Sequence[Turn], index: Index, least: int = 1) -> list[int]:
    """Return the rows of the papers, number 1 first, of the last turn with `least`, or with any.

    They are those that it cites, or else those that it names.
    """
    last: list[int] = []
    for turn in reversed(turns):
        cited = [row for each in turn.references if (row := index.row_of(each)) is not None]
        names = [] if cited else index.names.read(turn.text)
        rows = list(dict.fromkeys([*cited, *(at.own[0] for at in names if len(at.own) == 1)]))
        last = last or rows
        if len(rows) >= max(1, least):
            return rows
    return last

"""Follow-ups: what "it" and "and on phones?" mean, from the turns before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from index.encoder import Encoder
from index.errors import InputError
from index.lexical import tokenize
from index.papers import Paper, letters
from index.store import Index
from index.text import clean_text
from rag.digests import parse_dates
from rag.names import named_papers, paper_tokens, subjects, swap_name, title_name
from rag.parts import EVERY_PART, Parts
from rag.question import Kind, analyse
from rag.retrieval import rank

_ROLES = {"user", "assistant", "system"}
_THING = (
    r"(?:authors?|papers?|methods?|models?|approach|works?|benchmarks?|datasets?|systems?|ones?"
    r"|stud(?:y|ies)|first|second|third|fourth|fifth|\d{1,2}(?:st|nd|rd|th)|last|former|latter|other)"
)
# "Is it true that …?": there "it" refers to nothing.
_EXPLETIVE = r"(?:true|possible|better|worse|easy|hard|harder|known|clear|worth|likely)\b"
# "paper 2", "[2]", "the 2nd paper": papers by their number among those cited.
BY_NUMBER = re.compile(
    r"\[(?P<marker>\d{1,2})\]"
    r"|\b(?:the\s+)?(?:papers?|numbers?|no\.|nr\.?|references?|refs?\.?|sources?|citations?)\s*"
    r"[#(\[]?(?P<number>\d{1,2})(?P<more>(?:\s*(?:,|and|&|or)\s*\d{1,2}(?![\w%.]\w|\w|%))*)[)\]]?"
    r"(?![\w%]|\.\d|-\w|\s+(?:of|in|from|on)\b[^?.]*\bdigests?\b)",
    re.IGNORECASE,
)
"""A reference to cited papers by their numbers, which a question brings with it."""
_REFERS = re.compile(
    # it, their: pronouns; "those that …" points forward, not back
    rf"\b(?:its|itself|it(?! {_EXPLETIVE})|they|them|theirs?|he|she|his|her)\b"
    r"|\b(?:those|these)\b(?! (?:that|which|who|with|of|in|on|digests?)\b)"
    # the paper, this work; "the method of …" says itself which
    rf"|\b(?:the|this|that)(?: same)? {_THING}\b"
    r"(?! (?:of|on|that|which|for|from|about|in|between)\b)"
    # does that, about this; elsewhere "that" is a conjunction
    r"|\b(?:is|was|do|does|did|about|of|for|with|like|why|how) (?:this|that)\b"
    r"|\b(?:this|that)\s*\??$|\b(?:each|both) of them\b",
    re.IGNORECASE,
)
_CONTINUES = re.compile(r"^(?:and|so|but|also|or|what about|how about|then|okay|ok)\b", re.I)
_PREPOSITION = r"(?:about|on|in|for|with|of|at|by|using)"
_SAME_TOPIC = re.compile(
    r"\b(?:this|that|the same|these|those) (?:topic|subject|theme|area|field|problem|idea)s?\b",
    re.IGNORECASE,
)
_SWAPS = re.compile(
    r"^(?:and|but|so|what about|how about|and what about|and how about)\s+"
    rf"(?:(?P<prep>{_PREPOSITION})\s+)?(?P<new>[^?]+?)\s*\?*$",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"\b(?:the|and|or) (?P<which>first|second|third|fourth|fifth|last"
    r"|(?P<digits>\d{1,2})(?:st|nd|rd|th))\b",
    re.IGNORECASE,
)
_PLACES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": 0}
_PLURAL = re.compile(r"\b(?:each|both|these papers|those papers|all of them)\b", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should)\b", re.I
)
_SHORT = 3


class Message(Protocol):
    """A LlamaIndex `ChatMessage`, as far as it matters here."""

    @property
    def role(self) -> object: ...  # noqa: D102 - the protocol's docstring says it
    @property
    def content(self) -> str | None: ...  # noqa: D102 - the protocol's docstring says it


LONGEST_TURN = 20_000
"""Code points of an earlier turn that are read."""


@dataclass(frozen=True)
class Turn:
    """One message of a conversation."""

    role: str
    text: str
    references: tuple[str, ...] = ()
    """Ids or titles of the papers that an answer cites, number 1 first, if they were given."""


History = Sequence[Mapping[str, object] | Message]


def read_history(history: History | None) -> tuple[Turn, ...]:
    """The turns of a conversation, oldest first, from dictionaries or LlamaIndex messages.

    A dictionary may have `references`: ids or titles of the papers that the answer cites.

    Raises:
        InputError: a turn has no known role or no text, or its references are no texts.
    """
    turns: list[Turn] = []
    for number, message in enumerate(history or (), 1):
        cited: object = ()
        if isinstance(message, Mapping):
            role, content = message.get("role"), message.get("content")
            cited = message.get("references") or ()
        else:
            role, content = getattr(message, "role", None), getattr(message, "content", None)
        role = getattr(role, "value", role)
        if not isinstance(role, str) or role not in _ROLES or not isinstance(content, str):
            raise InputError(
                f"history item {number} needs a role (user or assistant) and a text content"
            )
        if isinstance(cited, str) or not isinstance(cited, Sequence):
            raise InputError(f"history item {number}: references must be a list of ids or titles")
        if not all(isinstance(each, str) for each in cited):
            raise InputError(f"history item {number}: a reference must be an id or a title")
        turns.append(Turn(str(role), plain(content)[:LONGEST_TURN], tuple(cited)))
    return tuple(turns)


def plain(text: str) -> str:
    """A text in one line, without unprintable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@dataclass(frozen=True)
class Standalone:
    """A question that needs no earlier turn."""

    asked: str
    """What is asked: the question, or an earlier one with a part swapped."""
    about: tuple[Paper, ...] = ()
    """The papers of earlier turns that it is about."""

    @property
    def text(self) -> str:
        """The whole question: what is asked, and of which papers, by title."""
        titles = "; ".join(clean_text(paper.title) for paper in self.about)
        return f"{self.asked} ({titles})" if titles else self.asked


def standalone(
    question: str,
    turns: Sequence[Turn],
    index: Index,
    encoder: Encoder,
    parts: Parts = EVERY_PART,
) -> Standalone:
    """The question with what it takes from earlier turns written out.

    A question that refers back ("how well does it do?") is about the paper spoken of; one that
    swaps a part of the last question ("and on Android phones?") becomes that question with the
    part swapped. Any other question stays as it is.
    """
    asked = [turn.text for turn in turns if turn.role == "user"]
    refers, continues = bool(_REFERS.search(question)), bool(_CONTINUES.match(question))
    if not asked or not parts.follow_ups:
        return Standalone(question)
    if BY_NUMBER.search(question):
        papers = _spoken_of(question, turns, index, encoder, parts)
        # The number says nothing of the paper, and would be looked for in it.
        said = BY_NUMBER.sub(lambda at: "the papers" if at["more"] else "the paper", question)
        return Standalone(said, tuple(papers))
    if _SAME_TOPIC.search(question):
        papers = _spoken_of(question, turns, index, encoder, parts)[:1]
        return (
            Standalone(_SAME_TOPIC.sub(_topic(papers[0]), question))
            if papers
            else Standalone(question)
        )
    if analyse(question).kind is Kind.LIST and not continues:
        return Standalone(question)
    swapped = _swap(question, asked[-1]) or _swap_paper(question, asked[-1], index)
    if swapped:
        return Standalone(swapped)
    if named_papers(question, index.papers, index.lexical) and not refers:
        return Standalone(question)
    tokens = set(tokenize(question))
    leans = refers or continues
    if not leans and len(tokens) > _SHORT:
        return Standalone(question)
    papers = _spoken_of(question, turns, index, encoder, parts)
    if not leans and tokens and not any(tokens & paper_tokens(paper) for paper in papers):
        return Standalone(question)  # a fragment about something else
    return Standalone(question, tuple(papers))


def _swap_paper(question: str, before: str, index: Index) -> str | None:
    """The question before about another paper: "and AndroidWorld?"."""
    match = _SWAPS.match(question.strip())
    if not match or len(match["new"].split()) > _SHORT + 1:
        return None
    now = subjects(match["new"], index.papers, index.lexical)
    then = subjects(before, index.papers, index.lexical)
    if len(now) != 1 or len(then) != 1 or now == then:
        return None
    return swap_name(before, then[0], match["new"])


def _topic(paper: Paper) -> str:
    """What a paper is about: its title without the name it begins with."""
    title, name = clean_text(paper.title), title_name(paper)
    return title[len(name) :].strip(" :") if name else title


def _swap(question: str, before: str) -> str | None:
    """The question before with one part replaced by the fragment that follows it."""
    match = _SWAPS.match(question.strip())
    if not match or len(match["new"].split()) > _SHORT + 1:
        return None
    if _VERB.search(match["new"]) or _REFERS.search(match["new"]):
        return None
    then, now = parse_dates(before), parse_dates(match["new"])
    if then and now:  # "and in the Apr 22 digest?"
        return before[: then[0][0].start()] + now[0][0][0] + before[then[0][0].end() :]
    end = before.rstrip(" ?")
    # Up to the last such preposition: "… do well on" of "Do the agents do well on WebArena?"
    head = re.match(rf".*\b{match['prep'] or _PREPOSITION}(?=\s+[^,;]+$)", end, re.IGNORECASE)
    if head:
        return f"{head[0]} {match['new']}?"
    return f"{end} {match['prep'].lower()} {match['new']}?" if match["prep"] else None


def _places(question: str) -> tuple[int, ...]:
    """The numbers that a question gives of papers cited before, from 1; 0 is the last one."""
    numbers = (re.findall(r"\d+", match[0]) for match in BY_NUMBER.finditer(question))
    ordinals = (
        int(match["digits"] or _PLACES[match["which"].lower()])
        for match in _ORDINAL.finditer(question)
    )
    return (*(int(number) for each in numbers for number in each), *ordinals)


def papers_before(question: str, turns: Sequence[Turn], index: Index) -> list[Paper]:
    """The papers of the last turn that has any, number 1 first.

    If the question gives a number, a turn that has as many papers goes before a later one.
    """
    least = max((1, *_places(question)))
    last: list[Paper] = []
    for turn in reversed(turns):
        named = cited_by(turn, index) or _named_in(turn.text, index)
        last = last or named
        if len(named) >= least:
            return named
    return last


def numbered(question: str, turns: Sequence[Turn], index: Index) -> list[Paper]:
    """The papers that a question means by their number among those cited before.

    By number ("paper 2", "[2]", "papers 1 and 3") or by an ordinal ("the second", "the 2nd one").
    """
    named = papers_before(question, turns, index)
    numbers = [number for number in _places(question) if number <= len(named)]
    return list(dict.fromkeys(named[number - 1] for number in numbers if named))


def _spoken_of(
    question: str, turns: Sequence[Turn], index: Index, encoder: Encoder, parts: Parts
) -> list[Paper]:
    """The papers that the last exchange was about: one, unless the question asks for several."""
    meant = numbered(question, turns, index)
    # A number of no paper means none of them; "the third" may be a word like any other.
    if meant or BY_NUMBER.search(question):
        return meant
    if named := papers_before(question, turns, index):
        return named[:3] if _PLURAL.search(question) else named[:1]
    last = next(i for i in range(len(turns) - 1, -1, -1) if turns[i].role == "user")
    exchange = "\n".join(turn.text for turn in turns[last:])
    ranking = rank(index, encoder, exchange[-2000:], parts=parts)
    return [index.papers[int(ranking.rows[0])]] if len(ranking.rows) else []


def cited_by(turn: Turn, index: Index) -> list[Paper]:
    """The papers that a turn's references name, in their order; unknown ones are passed over."""
    known = {key: paper for paper in index.papers for key in (paper.id, letters(paper.title))}
    found = (known.get(each) or known.get(letters(each)) for each in turn.references)
    return list(dict.fromkeys(paper for paper in found if paper))


def _named_in(text: str, index: Index) -> list[Paper]:
    """The papers whose title, or the name it begins with, stands in a text; in its order."""
    said = letters(text)
    found: list[tuple[int, int, Paper]] = []
    for paper in index.papers:
        title, name = letters(paper.title), title_name(paper)
        at = said.find(title) if title else -1
        if at < 0 and name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            at = said.find(letters(name))
        if at >= 0:
            found.append((at, -len(title), paper))
    return [paper for _, _, paper in sorted(found, key=lambda item: item[:2])]

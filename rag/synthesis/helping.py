"""How a chat model helps to find: a follow-up made to stand alone, a question planned into parts.

Each is a small request whose reply is checked; what fails its check, and a model that cannot be
asked, is no help and no error.
"""

import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from index.lexical import tokenize
from index.store import Index
from index.text import clean_text
from rag.chat import ChatError, Complete, numbered_lines
from rag.conversation import BY_NUMBER, POINTS, Turn
from rag.evidence import Evidence
from rag.query import Query
from rag.schema import SubQuestion
from rag.support.numbers import missing_names, missing_numbers
from rag.synthesis.prompts import CONDENSE, PLAN, data, request
from rag.wording import Kind

logger = logging.getLogger(__name__)

TURNS = 6
"""Last turns of the conversation that the model reads."""
LONGEST_TURN = 600
"""Code points of each."""
MOST_PARTS = 6
_LONGEST_LINE = 1_000
_NUMBER = re.compile(r"\[(\d+)\]")
_REFERRING = frozenset(tokenize("paper study work method model one other first second last also"))
"""Words that stand for what was said before."""
# Not an exponent: "M^{3}ViT".
_BRACES = re.compile(r"(?<![\^_\w])\{\s*(?:part\s*)?(\d{1,2})\s*\}", re.IGNORECASE)
# What has to be found first: "which of these", "each of the papers", "which other papers".
_FINDS_FIRST = re.compile(
    r"\b(?:which|what|any|how many) of (?:these|those|them|the (?:two|three))\b|\brespectively\b"
    r"|\b(?:for|of|in|by) each\b|\b(?:which|what|any) other \w+",
    re.IGNORECASE,
)


def wants_condensing(question: str, turns: Sequence[Turn]) -> bool:
    """Whether a question may need what earlier turns said, so that asking a model is worth it.

    One of seven words of its own, and no pronoun, is sure to stand alone; in any other a noun
    can lean on the turn before ("What accuracy does the agent reach?").
    """
    if not any(turn.role == "user" for turn in turns):
        return False
    return bool(POINTS.search(question)) or len(set(tokenize(question))) < 7


def condense(
    question: str, turns: Sequence[Turn], references: Sequence[str], complete: Complete
) -> str | None:
    """A follow-up as a question that stands alone, or None if the model gave none that is usable.

    It is one line that is not much longer than the question, asks as that does, keeps half of its
    own words, and has no name or number that was not given. A number in brackets becomes the
    title it stands for: `references` are those of the papers that earlier turns cite, number 1
    first, by which "the second paper" is understood.
    """
    last = [turn for turn in turns if turn.role != "system"][-TURNS:]
    titles = {str(number): clean_text(title) for number, title in enumerate(references, 1)}
    numbered = [f"[{number}] {title}" for number, title in titles.items()]
    reply = _ask(
        complete,
        CONDENSE,
        data("conversation", (f"{turn.role}: {turn.text[:LONGEST_TURN]}" for turn in last)),
        *([data("papers", numbered)] if numbered else []),
        data("question", question),
        "The question, understood without the conversation:",
    )
    line = next(filter(None, map(_without_label, reply.splitlines())), "")
    if not titles.keys() >= {*_NUMBER.findall(line)}:
        return None
    found = _NUMBER.sub(lambda marker: titles[marker[1]], line)
    context = "\n".join([question, *(turn.text for turn in last), *titles.values()])
    return found if _stands_for(found, question, context) else None


def _without_label(line: str) -> str:
    """A line without what a model puts before its question: "Standalone question: …"."""
    return _bare(re.sub(r"^[^:]*\b(?:question|query)\W*:", "", line, flags=re.IGNORECASE))


def _stands_for(found: str, question: str, context: str) -> bool:
    """Whether a rewritten question can take the place of what was asked in a context."""
    asks = found.endswith("?") or not question.rstrip().endswith("?")
    is_short = len(found) <= min(_LONGEST_LINE, 3 * len(question) + 300)
    is_one = found.count("?") <= max(1, question.count("?")) and "? " not in found
    words, own = set(tokenize(found)), set(tokenize(BY_NUMBER.sub(" ", question))) - _REFERRING
    keeps = 2 * len(own & words) >= len(own)
    shares = not words.isdisjoint(tokenize(clean_text(context)))
    return asks and is_short and is_one and keeps and shares and not _foreign(found, context)


def wants_plan(query: Query) -> bool:
    """Whether a question may have to be looked up in parts, so that asking a model is worth it.

    So it is with a comparison, and with what has to be found first. "How many X, and why?" is
    asked of one paper, and found at once.
    """
    return query.kind is Kind.COMPARE or bool(_FINDS_FIRST.search(query.probe.text))


def plan(question: str, complete: Complete) -> tuple[SubQuestion, ...]:
    """The parts that a chat model splits a question into.

    A part that needs what another one finds names it by its number in braces: "Which other papers
    use {1}?" comes after part 1, and is asked with the names of the papers found for it. A part
    is left out if it says the same as another, has a name or a number that the question does not
    have, shares no word with it, asks all of it again, or needs a part that is not before it.

    Returns:
        At most `MOST_PARTS` parts, numbered from 1; empty if one part is enough, or if what is
        left has not every name of the question.
    """
    reply = _ask(complete, PLAN, data("question", question), "The parts:")
    kept: dict[str, SubQuestion] = {}
    numbers: dict[str, int] = {}
    """Of the parts that are kept, by the numbers that the model gives them."""
    for number, line in numbered_lines(reply):
        text = _bare(line)
        if not numbers.keys() >= {*_BRACES.findall(text)} or not _is_part(text, question):
            continue
        text = _BRACES.sub(lambda at: f"{{{numbers[at[1]]}}}", text)
        needs = tuple(sorted({int(needed) for needed in _BRACES.findall(text)}))
        key = " ".join([*tokenize(text), *map(str, needs)])
        if key not in kept and len(kept) < MOST_PARTS:
            kept[key] = SubQuestion(number=len(kept) + 1, question=text, after=needs)
        if key in kept:
            numbers.setdefault(str(number), kept[key].number)
    parts = tuple(kept.values())
    missing = _foreign(question, "\n".join(part.question for part in parts))
    return parts if len(parts) > 1 and not missing else ()


def _is_part(text: str, question: str) -> bool:
    bare = _BRACES.sub(" ", text)
    words, asked = set(tokenize(bare)), set(tokenize(question))
    fits = bare != text or (not words.isdisjoint(asked) and not asked <= words)
    return bool(words) and fits and len(text) <= _LONGEST_LINE and not _foreign(bare, question)


def find_parts(
    index: Index, parts: Sequence[SubQuestion], look_up: Callable[[str], Evidence | None]
) -> list[Evidence]:
    """Look the parts of a question up side by side, each once those that it needs are found.

    Each needs only parts before it. One without evidence (`look_up` gives None), or that needs
    such a one, brings nothing.
    """
    found: dict[int, Future[Evidence | None]] = {}

    def find(part: SubQuestion) -> Evidence | None:
        names: dict[int, str] = {}
        for number in part.after:
            evidence = found[number].result()
            if evidence is None:
                return None
            names[number] = _named(index, evidence)
        return look_up(_BRACES.sub(lambda at: names.get(int(at[1]), at[0]), part.question))

    with ThreadPoolExecutor(max(1, len(parts))) as pool:
        for part in parts:
            found[part.number] = pool.submit(find, part)
    return [evidence for each in found.values() if (evidence := each.result()) is not None]


def _named(index: Index, evidence: Evidence) -> str:
    """The papers of an evidence by what they are called: "A, B and C"."""
    rows = [each.paper for each in evidence.papers]
    *others, last = [index.names.called(row) or index.papers[row].display_title for row in rows]
    return f"{', '.join(others)} and {last}" if others else last


def _ask(complete: Complete, system: str, *parts: str) -> str:
    """The reply to one request, without code fences; empty if there is none."""
    try:
        lines = complete(request(system, *parts)).splitlines()
    except ChatError as error:
        logger.info("%s", error)
        return ""
    return "\n".join(line for line in lines if not line.lstrip().startswith("```"))


def _bare(line: str) -> str:
    """A line of a reply in single spaces, without quotes, emphasis and code marks around it."""
    return " ".join(line.split()).strip(" \t\"'“”‘’`*_")


def _foreign(text: str, known: str) -> tuple[str, ...]:
    """The names and numbers in a text that a known text does not have."""
    text, known = clean_text(text), clean_text(known)
    return missing_names(text, [known]) + missing_numbers(text, [known])

"""How a chat model helps to find: a follow-up made to stand alone, a question planned into parts.

Each is a small request whose reply is checked; what fails its check, and a model that cannot be
asked, is no help and no error.
"""

import logging
import re
from collections.abc import Sequence

from index.lexical import tokenize
from index.text import clean_text
from rag.chat import ChatError, Complete, numbered_lines
from rag.conversation import BY_NUMBER, Turn, points_back
from rag.schema import MARKER, SubQuestion
from rag.support.numbers import missing_names, missing_numbers
from rag.synthesis.prompts import CONDENSE, PLAN, data, request

logger = logging.getLogger(__name__)

TURNS = 6
"""Last turns of the conversation that the model reads."""
LONGEST_TURN = 600
"""Code points of each."""
MOST_PARTS = 6
_REFERRING = frozenset(tokenize("paper study work method model one other first second last also"))
"""Words that stand for what was said before."""


def wants_condensing(question: str, turns: Sequence[Turn]) -> bool:
    """Whether a question may need what earlier turns said, so that asking a model is worth it.

    One of seven words of its own, and no pronoun, is sure to stand alone; in any other a noun
    can lean on the turn before ("What accuracy does the agent reach?").
    """
    if not any(turn.role == "user" for turn in turns):
        return False
    return points_back(question) or len(set(tokenize(question))) < 7


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
    if not titles.keys() >= {*MARKER.findall(line)}:
        return None
    found = MARKER.sub(lambda marker: titles[marker[1]], line)
    context = "\n".join([question, *(turn.text for turn in last), *titles.values()])
    return found if _stands_for(found, question, context) else None


def _without_label(line: str) -> str:
    """A line without what a model puts before its question: "Standalone question: …"."""
    return _bare(re.sub(r"^[^:]*\b(?:question|query)\W*:", "", line, flags=re.IGNORECASE))


def _stands_for(found: str, question: str, context: str) -> bool:
    """Whether a rewritten question can take the place of what was asked in a context."""
    asks = found.endswith("?") or not question.rstrip().endswith("?")
    is_short = len(found) <= 3 * len(question) + 300
    is_one = found.count("?") <= max(1, question.count("?")) and "? " not in found
    words, own = set(tokenize(found)), set(tokenize(BY_NUMBER.sub(" ", question))) - _REFERRING
    keeps = 2 * len(own & words) >= len(own)
    shares = not words.isdisjoint(tokenize(clean_text(context)))
    return asks and is_short and is_one and keeps and shares and not _foreign(found, context)


def plan(question: str, complete: Complete) -> tuple[SubQuestion, ...]:
    """The parts that a chat model splits a question into, each to be looked up by itself.

    A part is left out if it says the same as another, has a name or a number that the question
    does not have, shares no word with it, or asks all of it again.

    Returns:
        At most `MOST_PARTS` parts, numbered from 1; empty if one part is enough, or if what is
        left has not every name of the question.
    """
    reply = _ask(complete, PLAN, data("question", question), "The parts:")
    asked = set(tokenize(question))
    kept: dict[str, str] = {}
    for _, line in numbered_lines(reply):
        text, words = _bare(line), tokenize(line)
        is_part = not asked.isdisjoint(words) and not asked.issubset(words)
        if is_part and not _foreign(text, question):
            kept.setdefault(" ".join(words), text)
    parts = [*kept.values()][:MOST_PARTS]
    if len(parts) < 2 or _foreign(question, "\n".join(parts)):
        return ()
    return tuple(SubQuestion(number=n, question=part) for n, part in enumerate(parts, 1))


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
